"""Files over HTTP, checked and resumable, and zips unpacked within bounds, whatever
host they come from.

Names and sizes that a host lists are untrusted: nothing is written outside the folder,
nor beyond what was listed.
"""

from __future__ import annotations

import hashlib
import shutil
import time
import zipfile
import zlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from fashionlib.data.files import atomic

if TYPE_CHECKING:
    import requests

TRIES, BACKOFF = (
    6,
    1.0,
)  # pauses of 1, 2, 4, 8, 16 seconds between tries, or what the host asks for
BUSY = (429, 500, 502, 503, 504)
TIMEOUT = 60  # seconds without a byte
CHUNK = 1 << 16  # bytes; a dropped line loses what hasn't filled one


@dataclass(frozen=True)
class Remote:
    """One file at its host; `digest` is `sha256:…`, `git:…` (a blob's id), `md5:…` or,
    if none is offered, `size:…`.
    """

    path: str
    url: str
    size: int
    digest: str


def open_session(authorization: str | None, needs: str) -> requests.Session:
    """A session that tries busy hosts again, explains refusals with what is needed, and
    bears the user's token.

    `requests` drops the token where a host redirects to another. PermissionError for
    401 and 403, FileNotFoundError for 404, OSError for any other refusal.
    """
    import requests
    from urllib3.util import Retry

    session = requests.Session()
    retry = Retry(
        TRIES - 1, backoff_factor=BACKOFF, status_forcelist=BUSY, raise_on_status=False
    )
    for scheme in ("https://", "http://"):
        session.mount(scheme, requests.adapters.HTTPAdapter(max_retries=retry))
    session.hooks["response"].append(partial(_explain, needs))
    session.headers["Accept-Encoding"] = (
        "identity"  # bytes received are bytes of the file
    )
    session.headers["Authorization"] = authorization  # None sends none
    return session


def _explain(needs: str, answer: requests.Response, **_: Any) -> None:
    url, status = (
        answer.url.partition("?")[0],
        answer.status_code,
    )  # a signed address stays out of messages
    if status in (401, 403):
        raise PermissionError(f"{url}: HTTP {status}, not let in; needed: {needs}")
    if status == 404:
        raise FileNotFoundError(
            f"{url}: HTTP 404, not there (any more); needed: {needs}"
        )
    if status in BUSY:
        raise OSError(
            f"{url}: HTTP {status} after {TRIES} tries; run again later: it continues"
        )
    if status >= 400:
        raise OSError(f"{url}: HTTP {status}; please report")


def fetch_all(
    session: requests.Session, remotes: list[Remote], dest: Path, spare: int
) -> None:
    """Fetch what isn't there yet, if the disk has room for it and `spare` bytes more.

    ValueError, before the first byte, for a name that would lie outside `dest`;
    FileExistsError for another file there.
    """
    places = [inside(dest, remote.path) for remote in remotes]
    missing = [
        (remote, place)
        for remote, place in zip(remotes, places, strict=True)
        if not _finished(place, remote.digest)
    ]
    have = sum(
        _part(place).stat().st_size for _, place in missing if _part(place).exists()
    )
    need = sum(remote.size for remote, _ in missing)
    if missing:
        _room(dest, need - have + spare)
    with tqdm(
        total=need,
        initial=have,
        unit="B",
        unit_scale=True,
        desc=dest.name,
        disable=None,
    ) as bar:
        for remote, place in missing:
            fetch(session, remote, place, bar)


def fetch(session: requests.Session, remote: Remote, place: Path, bar: tqdm) -> None:
    """Download one file to `place`, which appears only when its checksum fits; a
    `.part` beside it is continued.

    ValueError names the part and both sums when they differ; requests' errors when the
    line drops `TRIES` times.
    """
    from requests.exceptions import ChunkedEncodingError, ConnectionError, Timeout

    part = _part(place)
    part.parent.mkdir(parents=True, exist_ok=True)
    part.touch()
    for attempt in range(TRIES):
        try:
            _receive(session, remote, part, bar)
            break
        except (ChunkedEncodingError, ConnectionError, Timeout):
            if attempt == TRIES - 1:
                raise
            time.sleep(BACKOFF * 2**attempt)
    found = checksum(part, remote.digest)
    if found != remote.digest:
        raise ValueError(
            f"{part} has {found}, its host says {remote.digest}; delete it and run"
            " again"
        )
    part.replace(place)


def _receive(session: requests.Session, remote: Remote, part: Path, bar: tqdm) -> None:
    """Append what is missing, or start over where the host ignores Range."""
    have = part.stat().st_size
    if have >= remote.size:
        return
    asked = {"Range": f"bytes={have}-"} if have else {}
    with session.get(remote.url, headers=asked, stream=True, timeout=TIMEOUT) as answer:
        if answer.status_code != 206:
            bar.update(-have)
            have = 0
        with part.open("ab" if have else "wb") as sink:
            for chunk in answer.iter_content(CHUNK):
                if have + len(chunk) > remote.size:
                    raise ValueError(
                        f"{remote.path}: the host sends more than the {remote.size:,}"
                        f" bytes it lists; delete {part} and run again"
                    )
                have += sink.write(chunk)
                bar.update(len(chunk))


def unpack(archive: Path, dest: Path, most: int) -> None:
    """Unpack a zip below `dest`; a member appears only when its CRC fits, and one that
    is there already is kept.

    ValueError for a broken zip and, before the first byte, for a name that climbs out
    or for more than `most` bytes.
    """
    try:
        with zipfile.ZipFile(archive) as bundle:
            members = [
                (member, inside(dest, member.filename))
                for member in bundle.infolist()
                if not member.is_dir()
            ]
            total = sum(member.file_size for member, _ in members)
            if total > most:
                raise ValueError(
                    f"{archive} unpacks to {total:,} bytes, more than the {most:,}"
                    " expected; not unpacked"
                )
            missing = [
                pair
                for pair in members
                if not _finished(pair[1], f"size:{pair[0].file_size}")
            ]
            _room(dest, sum(member.file_size for member, _ in missing))
            for member, place in tqdm(
                missing, desc=f"unpack {archive.name}", unit="file", disable=None
            ):
                with (
                    bundle.open(member) as packed,
                    atomic(place) as part,
                    part.open("wb") as sink,
                ):
                    shutil.copyfileobj(packed, sink, CHUNK)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise ValueError(
            f"{archive} is a broken zip ({error}); delete it and run again"
        ) from error


def inside(dest: Path, name: str) -> Path:
    """The place of a listed file below `dest`; ValueError for a name that would lie
    anywhere else.
    """
    parts = PurePosixPath(name).parts
    place = dest.joinpath(*parts)
    if (
        not parts
        or ".." in parts
        or "\\" in name
        or ":" in name
        or not place.resolve().is_relative_to(dest.resolve())
    ):
        raise ValueError(
            f"the host lists a file {name!r}, which would lie outside {dest}; nothing"
            " was written"
        )
    return place


def checksum(path: Path, like: str) -> str:
    """The file's digest of the same kind as `like`, written the same way (see
    `Remote`).
    """
    kind, size = like.partition(":")[0], path.stat().st_size
    if kind == "size":
        return f"size:{size}"
    digest = (
        hashlib.new("sha1", b"blob %d\0" % size) if kind == "git" else hashlib.new(kind)
    )
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return f"{kind}:{digest.hexdigest()}"


def _finished(place: Path, digest: str) -> bool:
    """Whether the file is there as the host has it; FileExistsError for another one in
    its place.
    """
    if place.exists() and (found := checksum(place, digest)) != digest:
        raise FileExistsError(
            f"{place} has {found}, its host says {digest}; move it away or name another"
            " folder"
        )
    return place.exists()


def _part(place: Path) -> Path:
    return place.with_name(f"{place.name}.part")


def _room(dest: Path, need: int) -> None:
    free = shutil.disk_usage(dest).free
    if need > free:
        raise OSError(
            f"{dest}: {need / 1e9:.1f} GB are needed and {free / 1e9:.1f} GB are free;"
            " name another folder"
        )
