"""Labels as a data set: an image folder whose `metadata.jsonl` is what
`datasets.load_dataset` looks for.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from fashionlib.data import images
from fashionlib.data.files import atomic
from fashionlib.labelling import records, templates

METADATA, PICTURES = "metadata.jsonl", "images"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")


def captioned(found: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """The rows of `Labels.records` with a column `caption` behind `image`."""
    rows = found.to_dict("records")
    said = [
        templates.caption(records.of_row(row), row["item_id"], seed) for row in rows
    ]
    return found.assign(caption=pd.Series(said, found.index, dtype=str))[
        _columns(found)
    ]


def write(folder: Path, captioned: pd.DataFrame) -> Path:
    """Write `folder`: images/ID.jpg and metadata.jsonl, one line a garment: file_name
    and all columns but image.

    Pictures are saved anew as JPEG, which leaves behind what a camera wrote into them,
    such as a place. An id that is no plain name is hashed. A folder that exists is
    replaced when the new one is complete. ValueError where there is no row, or for a
    picture that can't be read.
    """
    if captioned.empty:
        raise ValueError("no labelled garment to export")
    folder = Path(folder)
    with atomic(folder) as part:
        (part / PICTURES).mkdir(parents=True)
        with (part / METADATA).open("w", encoding="utf-8") as file:
            for row in tqdm(captioned.to_dict("records"), desc="export", disable=None):
                name = f"{PICTURES}/{file_name(row['item_id'])}"
                if not (part / name).exists():
                    images.load(row["image"]).save(part / name, "JPEG", quality=95)
                shown = {key: value for key, value in row.items() if key != "image"}
                file.write(
                    json.dumps({"file_name": name} | shown, allow_nan=False) + "\n"
                )
    return folder


def file_name(item_id: str) -> str:
    """The picture's file of an item: its id where that is a plain name, else a hash of
    it.
    """
    plain = NAME.fullmatch(item_id)
    return (
        f"{item_id if plain else hashlib.sha256(item_id.encode()).hexdigest()[:24]}.jpg"
    )


def _columns(found: pd.DataFrame) -> list[str]:
    rest = [column for column in found.columns if column not in ("item_id", "image")]
    return ["item_id", "image", "caption", *rest]
