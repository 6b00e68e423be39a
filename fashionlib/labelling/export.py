"""Export labels as an image folder, the form that `datasets.load_dataset` reads."""

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


def captioned(labels: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Return the rows of `Labels.records` with a column `caption` behind `image`."""
    captions = [
        templates.caption(records.of_row(row), row["item_id"], seed)
        for row in labels.to_dict("records")
    ]
    made = labels[["item_id", "image"]].copy()
    made["caption"] = pd.Series(captions, labels.index, dtype=str)
    return made.join(labels.drop(columns=["item_id", "image"]))


def write(folder: Path, captioned: pd.DataFrame) -> Path:
    """Write images/ID.jpg and metadata.jsonl, one line a garment, into `folder`.

    A line holds file_name and all columns but image. Pictures are saved anew as JPEG,
    which leaves behind what a camera wrote into them, such as a place. An id that is no
    plain name is hashed. A folder that exists is replaced when the new one is complete.
    ValueError where there is no row, or for a picture that can't be read.
    """
    if captioned.empty:
        raise ValueError("no labelled garment to export")
    folder = Path(folder)
    with atomic(folder) as part:
        (part / PICTURES).mkdir(parents=True)
        with (part / METADATA).open("w", encoding="utf-8") as file:
            for row in tqdm(captioned.to_dict("records"), desc="export", disable=None):
                name = f"{PICTURES}/{file_name(row['item_id'])}"
                image = row.pop("image")
                if not (part / name).exists():
                    images.load(image).save(part / name, "JPEG", quality=95)
                line = json.dumps({"file_name": name} | row, allow_nan=False)
                file.write(f"{line}\n")
    return folder


def file_name(item_id: str) -> str:
    """Return the name of an item's picture: its id, or a hash where it is no name."""
    if NAME.fullmatch(item_id):
        return f"{item_id}.jpg"
    return f"{hashlib.sha256(item_id.encode()).hexdigest()[:24]}.jpg"
