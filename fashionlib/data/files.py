"""Write files whole or not at all; the folder of what can be made again."""

from __future__ import annotations

import errno
import glob
import hashlib
import json
import os
import platform
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # errors that name no file
STEERING = re.compile(
    "[\\0-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069"
    "\\ud800-\\udfff]"
)

if TYPE_CHECKING:  # the command line starts without pandas
    import pandas as pd


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path, which becomes `path` when the block ends well.

    The block may create a file or a folder there; what stands at `path` is replaced,
    behind a link too, and a file keeps its permissions. Where the block raises, the
    temporary path is removed; those of runs that were killed go now. ValueError where
    `path` is a device or a pipe; an OSError names `path`.
    """
    given, path = Path(path), Path(path).resolve()
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise ValueError(f"{given} is a device or a pipe; name a new file")
    _clear(path)
    part = path.with_name(f"{_stem(path)}{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        if path.is_file() and part.is_file():
            shutil.copymode(path, part)
        if part.is_dir() and path.is_dir():
            path.rename(part.with_suffix(".old"))
        part.replace(path)
    except OSError as error:
        if error.errno in FULL or str(part) in str(error):
            reason = error.strerror or str(error).replace(str(part), str(given))
            raise OSError(error.errno, reason, str(given)) from error
        raise
    finally:
        _remove(part)
        if path.exists():
            _remove(part.with_suffix(".old"))


def _stem(path: Path) -> str:
    """Return how the names of parts of `path` begin, of this machine's processes."""
    return f".{path.name}.{platform.node()[:30]}."


def _clear(path: Path) -> None:
    """Remove what killed processes of this machine have left beside `path`."""
    from psutil import pid_exists

    for left in path.parent.glob(f"{glob.escape(_stem(path))}*"):
        process, _, kind = left.name.removeprefix(_stem(path)).partition(".")
        known = kind == "part" or (kind == "old" and path.exists())
        if known and process.isdigit() and not pid_exists(int(process)):
            _remove(left)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def refuse_clash(
    outputs: Iterable[Path], inputs: Iterable[Path], folders: Iterable[Path] = ()
) -> None:
    """Refuse outputs that would replace an input or each other, or can't be written.

    `outputs` are files, `folders` output folders; an input may be a folder, whose
    files are inputs. Files are compared by what they are, not by name: links count.
    ValueError for a clash, and where a file is asked for and `path` is a folder, a
    device or a pipe, or the other way round; OSError where nothing can be written
    there. Nothing is left behind.
    """
    read = [Path(path) for path in inputs]
    taken: set[Path] = set()
    targets = [(Path(path), False) for path in outputs]
    for path, folder in targets + [(Path(path), True) for path in folders]:
        if path.resolve() in taken:
            raise ValueError(f"{path} is named twice; name a new file")
        if path.exists() and not (path.is_dir() if folder else path.is_file()):
            kind = "folder" if folder else "plain file"
            raise ValueError(f"{path} is there and is no {kind}; name a new one")
        if clash := next((given for given in read if _holds(given, path)), None):
            raise ValueError(
                f"{path} is one of the inputs, or lies in one ({clash}), and would be"
                " replaced; name a new file"
            )
        taken.add(path.resolve())
        _try(path, folder)


def _holds(place: Path, path: Path) -> bool:
    """Return whether `path` is there and is `place`, or lies in that folder."""
    if not path.exists() or not place.exists():
        return False
    if place.is_file() or path.is_dir():
        return place.samefile(path)
    if path.resolve().is_relative_to(place.resolve()):
        return True
    return any(  # linked from the folder
        path.resolve().is_relative_to(each.resolve())
        if each.is_symlink()
        else each.is_file() and each.samefile(path)
        for each in place.rglob("*")
    )


def _try(path: Path, folder: bool) -> None:
    """Write a block where `path` is to be, in a file without a name."""
    place = path.resolve() if folder else path.resolve().parent
    while not place.exists():
        place = place.parent
    try:
        if path.is_file() and not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, "it is write-protected")
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(bytes(4096))
    except OSError as error:
        reason = f"nothing can be written there ({error.strerror})"
        raise OSError(error.errno, reason, str(path)) from error


def escaped(text: str) -> str:
    r"""Return the text with \\u and four digits for what would steer a terminal.

    That are control characters but tab and newline, marks of direction (Unicode's
    bidi), line separators and half surrogates. JSON stays the same JSON.
    """
    return STEERING.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text)


def write_json(path: Path, content: Any) -> Path:
    """Write `content` as indented JSON, whole or not at all.

    NaN is refused: JSON has none (see `nulls`). A table in the content is written as
    `nested` says, with null for what is missing there.
    """
    style = {"indent": 1, "ensure_ascii": False, "allow_nan": False}
    text = json.dumps(content, default=lambda table: nulls(nested(table)), **style)
    with atomic(path) as part:
        part.write_text(escaped(text) + "\n", encoding="utf-8")
    return Path(path)


def digest(path: Path) -> str:
    """Return a file's SHA-256, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_json(path: Path) -> Any:
    """Read a JSON file, UTF-8."""
    return json.loads(path.read_text(encoding="utf-8"))


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object (`json.loads`'s object_pairs_hook) without repeated keys.

    ValueError naming keys that come twice: Python would keep the last.
    """
    content = dict(pairs)
    if len(content) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        twice = [repr(key[:80]) for key, count in counts.items() if count > 1]
        raise ValueError(f"key {', '.join(twice)} is there twice")
    return content


def nulls(content: Any) -> Any:
    """Return the content with None for each NaN: a value that is rightly missing."""
    if isinstance(content, dict):
        return {key: nulls(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [nulls(value) for value in content]
    return None if isinstance(content, float) and content != content else content


def nested(table: pd.DataFrame | pd.Series) -> dict | list:
    """Return {row: {column: value}}, one level of rows for each level of the index.

    Of a series it is {row: value}, of a table whose rows are only numbered the list of
    its rows. TypeError for what is no table.
    """
    from pandas import RangeIndex

    if not hasattr(table, "to_dict"):
        raise TypeError(f"{type(table).__name__} can't be written as JSON: {table!r}")
    if table.ndim == 1:
        return table.to_dict()
    if len(table) and isinstance(table.index, RangeIndex):
        return table.to_dict("records")
    if table.index.nlevels == 1:
        return table.to_dict("index")
    groups = table.groupby(level=0, sort=False)
    return {name: nested(rows.droplevel(0)) for name, rows in groups}


def cache_folder() -> Path:
    """Return this user's folder for what any run can make again.

    That is FASHIONLIB_CACHE, else ~/.cache/fashionlib.
    """
    chosen = os.environ.get("FASHIONLIB_CACHE")
    return Path(chosen) if chosen else Path.home() / ".cache" / "fashionlib"
