"""Take from the release's archive what earlier notebooks make, where they haven't run.

`FASHIONLIB_BUNDLE` names another archive of `fashionlib bundle`: a file or an address.
Its checksum lies beside it, in FILE.sha256.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from fashionlib import __version__
from fashionlib.data.files import atomic, cache_folder, digest, read_json

ADDRESS = (
    "https://github.com/fashion-captioned/fashion-captioned/releases/download/"
    f"v{__version__}/fashion-captioned.zip"
)
DATA = "data.json"  # of a run; written last, so what was cut off begins again
MARK = "_toc.yml"  # of a repository, likewise


def address() -> str:
    """Return where the archive is."""
    return os.environ.get("FASHIONLIB_BUNDLE") or ADDRESS


def archive() -> Path:
    """Return the archive, held against its checksum; a remote one is fetched once.

    ValueError where it has another; OSError where it or its checksum can't be had.
    """
    place, remote = Path(address()), "://" in address()
    if remote:
        place = cache_folder() / "bundles" / re.sub(r"\W+", "-", address())
    beside = place.with_name(f"{place.name}.sha256")
    if remote and not place.is_file():
        _fetch(f"{address()}.sha256", beside)
        _fetch(address(), place)
    wanted, found = beside.read_text(encoding="utf-8").split()[0], digest(place)
    if found != wanted:
        if remote:
            place.unlink()
        raise ValueError(
            f"{address()} has the checksum {found[:12]}, not {wanted[:12]} as its"
            " .sha256 says; fetch both again"
        )
    return place


def _fetch(source: str, place: Path) -> None:
    import requests

    with atomic(place) as part, requests.get(source, stream=True, timeout=60) as reply:
        reply.raise_for_status()
        with part.open("wb") as file:
            file.writelines(reply.iter_content(2**20))


def fill(root: Path, *folders: str) -> None:
    """Lay out in `root` what the archive has in these folders and `root` lacks.

    Says so in one line. ValueError where a run there is of another catalogue than the
    archive's; errors as `archive` and `site.unpacked`.
    """
    from fashionlib.book import site

    with site.unpacked(archive()) as unpacked:
        known = {path.relative_to(unpacked) for path in site.files(unpacked)}
        wanted = [p for p in known if any(p.is_relative_to(f) for f in folders)]
        for note in (p for p in wanted if p.name == DATA and (root / p).exists()):
            ours, theirs = (
                read_json(f / note)["fingerprint"] for f in (root, unpacked)
            )
            if ours != theirs:
                raise ValueError(f"its catalogue is {theirs}, this run's is {ours}")
        lacking = [path for path in wanted if not (root / path).exists()]
        for path in sorted(lacking, key=lambda path: (path.name in (DATA, MARK), path)):
            with atomic(root / path) as part:
                shutil.copy(unpacked / path, part)
    if lacking:
        print(f"{', '.join(folders)}: {len(lacking):,} files from {address()}")
