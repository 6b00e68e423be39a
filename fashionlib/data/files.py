"""Write files whole or not at all; the folder of what can be made again."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the command line starts without pandas
    import pandas as pd


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path, which becomes `path` when the block ends well.

    The block may create a file or a folder there; what stands at `path` is replaced.
    Where the block raises, the temporary path is removed.
    """
    path = Path(path).absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        if part.is_dir() and path.is_dir():
            shutil.rmtree(path)
        part.replace(path)
    finally:
        if part.is_dir():
            shutil.rmtree(part)
        else:
            part.unlink(missing_ok=True)


def refuse_clash(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Raise ValueError for an output that is a folder, an input or another output."""
    taken = {Path(path).resolve() for path in inputs}
    for path in map(Path, outputs):
        if path.is_dir() or path.resolve() in taken:
            raise ValueError(
                f"{path} is a folder, one of the inputs, or named twice; name a new"
                " file"
            )
        taken.add(path.resolve())


def write_json(path: Path, content: Any) -> Path:
    """Write `content` as indented JSON, whole or not at all.

    NaN is refused: JSON has none (see `nulls`). A table in the content is written as
    `nested` says, with null for what is missing there.
    """
    style = {"indent": 1, "ensure_ascii": False, "allow_nan": False}
    text = json.dumps(content, default=lambda table: nulls(nested(table)), **style)
    with atomic(path) as part:
        part.write_text(text + "\n", encoding="utf-8")
    return Path(path)


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
