"""Options that may name what they give: `--features visual=a.parquet`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path


def named_paths(
    option: str, texts: Sequence[str], name: str, example: str, suffix: bool = True
) -> dict[str, str]:
    """Read PATH or NAME=PATH of each text as {name: path}.

    A path without a name is called by its last part, or without that part's suffix.
    `name` is the pattern of a name. ValueError for a name given twice.
    """
    paths = {}
    for text in texts:
        parts = re.fullmatch(f"({name})=(.+)", text)
        last = Path(text).name if suffix else Path(text).stem
        key, path = (parts[1], parts[2]) if parts else (last, text)
        if key in paths:
            raise ValueError(f"{option} {text}: {key!r} is named twice; e.g. {example}")
        paths[key] = path
    return paths
