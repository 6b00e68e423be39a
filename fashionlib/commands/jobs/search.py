"""What `fashionlib search` asks an index, and how it lists the hits."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pandas as pd

from fashionlib.data import images


def parts(query: str, image: Path | None) -> tuple[Path | None, str]:
    """Split a query into picture and words.

    A file that is there is a picture, whatever its name, and what is called as one has
    to be there: FileNotFoundError. ValueError for two pictures, and for a file that is
    no picture that can be read.
    """
    called = query.lower().endswith((*images.SUFFIXES, *images.PHONE))
    is_file = os.path.isfile(query)  # noqa: PTH113 (a long text is none, and no error)
    if not (called or is_file):
        return image, query
    if image is not None:
        raise ValueError(f"two pictures, {query} and --image {image}; give one of them")
    if not is_file:
        raise FileNotFoundError(f"no picture at {query}")
    if why := images.fault(query):
        raise ValueError(
            f"{query} is a file, and no picture that can be read: {why}. To search for"
            " these words, ask from another folder"
        )
    return Path(query), ""


def boxed(image: Path | None, box: str) -> str:
    """Return the reference of a part of the picture; ValueError for a bad box."""
    if image is None:
        raise ValueError(
            f"--box {box} is a part of a picture, and there is none; give --image"
        )
    try:
        edges = [int(edge) for edge in box.split(",")]
    except ValueError as error:
        raise ValueError(
            f"--box {box!r} is not of four whole numbers; e.g. 40,60,310,540"
        ) from error
    return images.cropped(image, edges)


def as_json(hits: pd.DataFrame) -> str:
    """Return the hits as a JSON list, a missing value as null."""
    rows = hits.astype(object).where(hits.notna(), None).to_dict("records")
    return json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def listed(hits: pd.DataFrame, width: int) -> str:
    """List rank, score, id, category, colour, and as much of the caption as fits."""
    if hits.empty:
        return "nothing was found\n"
    cells = hits[["item_id", "category", "colour", "caption"]].map(_printable)
    for column in ("item_id", "category", "colour"):
        cells[column] = cells[column].str.ljust(cells[column].str.len().max())
    rows = zip(hits["score"], cells.agg("  ".join, axis=1), strict=True)
    lines = [f"{n:3} {score:6.3f}  {text}" for n, (score, text) in enumerate(rows, 1)]
    return "".join(f"{line[: max(width, 40)].rstrip()}\n" for line in lines)


def _printable(value: Any) -> str:
    """Leave out what would steer a terminal."""
    text = value if isinstance(value, str) else ""
    return "".join(sign if sign.isprintable() else " " for sign in text)
