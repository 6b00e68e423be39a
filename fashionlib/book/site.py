"""Render a run's book, and pack it into one archive that renders without executing."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fashionlib.book import numbers, runs
from fashionlib.data.files import atomic, digest, read_json, write_json

SOURCES = ("_config.yml", "_toc.yml", "book", "data")  # of the repository
MADE = ("notebooks", "results", "records", "gallery", "captions")  # of a run
LENT = {  # also of a run: what its notebooks need of one another
    *("attributes.json", "captioner", "captioners.json", "captions", "data.json"),
    *("features", "items.parquet", "labelled", "labelled.parquet", "results"),
    *("scores", "street", "wardrobe"),
}
INJECTED = "injected-parameters"  # papermill's tag
SUMS = "SHA256SUMS"
LARGEST = 2**31  # bytes of an archive, unpacked


def stage(profile: str) -> Path:
    """Lay out all that a finished run's book renders from, in the run's folder `book`.

    FileNotFoundError where the run lacks a part.
    """
    runs.profile(profile)  # refuses an unknown one
    root = runs.repository()
    run = root / "_run" / profile
    folder = run / "book"
    for name in MADE:
        if not (run / name).is_dir():
            raise FileNotFoundError(
                f"run {profile} has no {name}; make it first: make book"
                f" PROFILE={profile}"
            )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for place in (*(root / name for name in SOURCES), *(run / name for name in MADE)):
        copy = shutil.copytree if place.is_dir() else shutil.copy2
        copy(place, folder / place.name)
    for source in sorted((root / "notebooks").glob("*.ipynb")):
        executed = folder / "notebooks" / source.name
        write_json(executed, with_prose(read_json(executed), read_json(source)))
    numbers.table(folder).to_csv(folder / "results.csv", index=False)
    return folder


def with_prose(executed: dict[str, Any], source: dict[str, Any]) -> dict[str, Any]:
    """Return an executed notebook with its source's Markdown, tags and prompts.

    So prose can change without another run. Where code has changed, it stays as it was.
    The parameters that the run was given are folded.
    """
    ran = [cell for cell in executed["cells"] if cell["cell_type"] == "code"]
    given = [cell for cell in ran if INJECTED in cell["metadata"].get("tags", [])]
    for cell in given:
        cell["metadata"]["tags"] = [INJECTED, "hide-input"]
    ran = [cell for cell in ran if cell not in given]
    code = [cell for cell in source["cells"] if cell["cell_type"] == "code"]
    if [c["source"] for c in ran] != [c["source"] for c in code]:
        return executed
    cells, ran = [], iter(ran)
    for cell in source["cells"]:
        if cell["cell_type"] != "code":
            cells.append(cell)
            continue
        done = next(ran)
        metadata = done["metadata"] | {"tags": []} | cell["metadata"]
        cells.append(done | {"metadata": metadata})
        cells += given if "parameters" in metadata["tags"] else []
    return executed | {"cells": cells}


def render(staged: Path, out: Path) -> Path:
    """Build the HTML of a staged book, strictly, in `out`/_build/html; return that.

    RuntimeError where a warning or an error is left: what it was is printed.
    """
    strict = ("-q", "-W", "-n", "--keep-going", "--path-output", out)
    if code := subprocess.call(["jupyter-book", "build", *strict, staged]):
        raise RuntimeError(
            f"jupyter-book ended with {code}: mend what it printed, then render again"
        )
    html = out / "_build" / "html"
    shutil.rmtree(html / "gallery", ignore_errors=True)
    shutil.copytree(staged / "gallery", html / "gallery")
    return html


def pack(profile: str, archive: Path) -> Path:
    """Write a finished run's book into one .zip with a checksum of each file.

    With it go the artefacts that notebooks need of one another (`book.bundle`).

    ValueError for a run on real data, whose pictures and captions stand on its pages:
    they aren't ours to pass on.
    """
    staged = stage(profile)
    data = read_json(staged.parent / "data.json")
    if not data["synthetic"]:
        raise ValueError(
            f"run {profile} shows pictures and captions of {data['name']}, which may"
            " not be passed on; pack a run on the wardrobe, e.g. --profile tiny"
        )
    run = staged.parent
    lent = [p for p in files(run) if p.relative_to(run).parts[0] in LENT]
    entries = {p.relative_to(staged): p for p in files(staged)}
    entries |= {Path("_run", profile, p.relative_to(run)): p for p in lent}
    with (
        atomic(archive) as part,
        zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        sums = [f"{digest(path)}  {name}\n" for name, path in entries.items()]
        packed.writestr(SUMS, "".join(sums))
        for name, path in entries.items():
            packed.write(path, name)
    return archive


@contextmanager
def unpacked(archive: Path) -> Iterator[Path]:
    """Unpack an archive of `pack` for a while, each file held against its checksum.

    ValueError names the file that is missing, is another, or has no checksum, and what
    is no archive.
    """
    if archive.is_file() and not zipfile.is_zipfile(archive):
        raise ValueError(f"{archive} is no .zip; make it with: fashionlib bundle")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "book"
        with zipfile.ZipFile(archive) as packed:
            size = sum(entry.file_size for entry in packed.infolist())
            if size > LARGEST:
                raise ValueError(
                    f"{archive}: {size:,} bytes unpacked, more than the {LARGEST:,} of"
                    " a book; is it one of fashionlib bundle?"
                )
            packed.extractall(folder)
        if not (folder / SUMS).is_file():
            raise ValueError(
                f"{archive} has no {SUMS}; make it with: fashionlib bundle"
            )
        lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
        wanted = {name: known for known, _, name in (s.partition("  ") for s in lines)}
        here = {str(p.relative_to(folder)): p for p in files(folder) if p.name != SUMS}
        for name in sorted(wanted.keys() | here.keys()):
            found = digest(here[name]) if name in here else "no file"
            if found != wanted.get(name, "none"):
                raise ValueError(
                    f"{archive}: {name} has the checksum {found[:12]}, not"
                    f" {wanted.get(name, 'none')[:12]}; fetch the archive again"
                )
        yield folder


def files(folder: Path) -> list[Path]:
    """List the files below a folder, sorted, without Python's caches."""
    found = (p for p in folder.rglob("*") if p.is_file())
    return sorted(p for p in found if "__pycache__" not in p.parts)
