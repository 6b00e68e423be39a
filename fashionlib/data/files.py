"""Write files whole or not at all; the folder of what can be made again."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` when the block ends
    well, remove it when it raises.

    The block may create a file or a folder there. A file that exists is replaced; a
    folder that exists is replaced too.
    """
    path = Path(os.path.abspath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        if part.is_dir() and path.is_dir():
            shutil.rmtree(path)
        os.replace(part, path)
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
    """Write `content` as indented JSON, atomically. NaN is refused: JSON has none (see
    `nulls`).
    """
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    with atomic(path) as part:
        part.write_text(text + "\n", encoding="utf-8")
    return Path(path)


def nulls(content: Any) -> Any:
    """The content with None in place of each NaN, for results in which a value may
    rightly be missing.
    """
    if isinstance(content, dict):
        return {key: nulls(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [nulls(value) for value in content]
    return None if isinstance(content, float) and content != content else content


def cache_folder() -> Path:
    """Folder of this user for what any run can make again: FASHIONLIB_CACHE, else
    ~/.cache/fashionlib.
    """
    return Path(
        os.environ.get("FASHIONLIB_CACHE") or Path.home() / ".cache" / "fashionlib"
    )
