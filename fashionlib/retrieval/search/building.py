"""Building an index: what is new is encoded, in chunks that outlive a killed run, and
one commit swaps the rows in.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import math
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from tqdm import tqdm

from fashionlib.data import images
from fashionlib.features import chunks, unit
from fashionlib.retrieval.search.encoder import Encoder
from fashionlib.retrieval.search.index import (
    ABOUT,
    FILTERS,
    SHOWN,
    TABLE,
    features,
    opened,
    told,
)

CHUNKS = "encoded"  # folder of an unfinished build's vectors, below the index
COMPARED = 50_000  # items up to which a query is compared with all: exact, 40 ms
KEPT = timedelta(
    days=1
)  # for how long rows of earlier builds stay, for readers that have them open


def build(
    items: pd.DataFrame,
    encoder: Encoder,
    folder: str | Path,
    root: str | Path | None = None,
    compared: int = COMPARED,
) -> dict[str, int]:
    """Make `folder` an index of exactly these items, and count: items, new, updated,
    removed, without picture, and encoded (pictures that had to be, equal ones once).

    `items` have columns item_id (unique) and image, those of `SHOWN` that they have,
    and perhaps box: then the box's part is what is encoded. An item whose picture's
    bytes and box haven't changed since the last build keeps its vector. An item without
    a picture is left out and counted. Pictures lie below `root` (else: their common
    folder), and the index keeps the way from one to the other. Readers get the old
    index until the new one is complete, and so does everybody after a killed build; the
    next one goes on with the vectors that it had made. More than `compared` items get
    an approximate index (IVF, the square root of their number in cells). The vectors
    have to fit in memory. ValueError naming what is wrong: a column, an id, a picture;
    BlockingIOError while another build runs.
    """
    shown = _checked(items)
    if not len(shown):
        raise ValueError(f"none of {len(items)} items has a picture to index")
    folder, place = Path(folder), _root(shown["image"], root)
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        before = opened(folder)
        shown["content"] = [
            _content(image, encoder)
            for image in tqdm(shown["image"], desc="pictures", leave=False)
        ]
        matrix, encoded = _vectors(shown, encoder, folder, before)
        shown["image"] = [os.path.relpath(image, place) for image in shown["image"]]
        cells = math.isqrt(len(shown)) if len(shown) > compared else 0
        about = _about(encoder, folder, place, len(shown), cells)
        rows = _table(shown, matrix, about)
        counts = _changes(rows, before) | {
            "encoded": encoded,
            "without picture": len(items) - len(shown),
        }
        if (
            before is None
            or told(before) != about
            or counts["new"]
            or counts["updated"]
            or counts["removed"]
        ):
            _commit(folder, rows, cells)
        shutil.rmtree(folder / CHUNKS, ignore_errors=True)
    return counts


def _checked(items: pd.DataFrame) -> pd.DataFrame:
    """The items that have a picture, columns `SHOWN`; `image` is an absolute reference
    of what is encoded.
    """
    absent = [column for column in ("item_id", "image") if column not in items]
    if absent:
        raise ValueError(
            f"items have no column {absent[0]!r}; their columns are"
            f" {', '.join(map(str, items.columns))}"
        )
    ids = items["item_id"]
    bad = [item for item in ids if not isinstance(item, str) or not item]
    if bad or ids.duplicated().any():
        told = (
            f"the id {bad[0]!r}, which is no text"
            if bad
            else f"the id {ids[ids.duplicated()].iloc[0]!r} twice"
        )
        raise ValueError(f"{len(items)} items have {told}; give each its own")
    shown = (
        items[items["image"].notna()]
        .reindex(columns=[*SHOWN, "box"])
        .reset_index(drop=True)
    )
    shown = shown.astype(object).where(shown.notna(), None)
    shown["image"] = [
        (
            os.path.abspath(image)
            if box is None
            else images.cropped(os.path.abspath(image), box)
        )
        for image, box in zip(shown["image"], shown.pop("box"), strict=True)
    ]
    return shown


def _root(references: pd.Series, root: str | Path | None) -> str:
    """The catalogue's folder, absolute. ValueError naming a picture that lies
    elsewhere.
    """
    place = (
        os.path.abspath(root)
        if root
        else os.path.commonpath(list(map(os.path.dirname, references)))
    )
    outside = [image for image in references if not Path(image).is_relative_to(place)]
    if outside:
        raise ValueError(
            f"{len(outside)} of {len(references)} pictures lie outside {place},"
            f" {outside[0]} first; name a folder that holds all as root"
        )
    return place


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which ends with the process however it ends."""
    with open(folder / ".lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BlockingIOError(
                f"another build of {folder} is running; wait for it"
            ) from error
        yield


def _content(image: str, encoder: Encoder) -> str:
    """A digest of what decides an item's vector: the encoder, the picture's bytes, the
    box that is cut.
    """
    box = image.partition("#box=")[2]
    return hashlib.sha256(
        chunks.digest_picture(image) + f"{box}\n{encoder.fingerprint}".encode()
    ).hexdigest()[:32]


def _vectors(
    shown: pd.DataFrame, encoder: Encoder, folder: Path, before: Any
) -> tuple[np.ndarray, int]:
    """The items' vectors, (items, dim) float32 of length one, and how many of them had
    to be encoded.
    """
    known: dict[str, np.ndarray] = {}
    if before is not None and told(before).get("fingerprint") == encoder.fingerprint:
        rows = before.search().select(["content"]).to_arrow()["content"].to_pylist()
        known = dict(zip(rows, features(before).matrix, strict=True))
    new = shown[~shown["content"].isin(known)].drop_duplicates("content")
    if len(new):
        pairs = list(zip(new["image"], new["content"], strict=True))
        made = chunks.encode_chunks(
            lambda some: {
                "vectors": unit(encoder.images([image for image, _ in some]))
            },
            pairs,
            lambda pair: pair[1].encode(),
            ["search", encoder.fingerprint],
            folder / CHUNKS,
        )
        known |= dict(
            zip(new["content"], made["vectors"].astype(np.float32), strict=True)
        )
    return np.stack([known[content] for content in shown["content"]]), len(new)


def _about(
    encoder: Encoder, folder: Path, root: str, count: int, cells: int
) -> dict[str, Any]:
    """What the index says of itself; ways are from its folder, so that both may be
    moved together.
    """
    here = folder.absolute()
    model = os.path.relpath(encoder.name, here) if Path(encoder.name).is_dir() else None
    return {
        "encoder": encoder.name,
        "fingerprint": encoder.fingerprint,
        "model": model,
        "root": os.path.relpath(root, here),
        "items": count,
        "cells": cells,
    }


def _table(shown: pd.DataFrame, matrix: np.ndarray, about: dict[str, Any]) -> pa.Table:
    texts = [pa.field(column, pa.string()) for column in (*SHOWN, "content")]
    schema = pa.schema(
        [*texts, pa.field("vector", pa.list_(pa.float32(), matrix.shape[1]))],
        metadata={ABOUT: json.dumps(about)},
    )
    vectors = pa.FixedSizeListArray.from_arrays(
        pa.array(np.ascontiguousarray(matrix).reshape(-1)), matrix.shape[1]
    )
    columns = [
        pa.array([None if value is None else str(value) for value in shown[field.name]])
        for field in texts
    ]
    return pa.Table.from_arrays([*columns, vectors], schema=schema)


def _changes(rows: pa.Table, before: Any) -> dict[str, int]:
    """How many items there are, and of the earlier ones: how many say something else
    now, how many are gone.
    """
    columns = [*SHOWN, "content"]
    earlier = (
        [] if before is None else before.search().select(columns).to_arrow().to_pylist()
    )
    old, new = (
        {row["item_id"]: row for row in some}
        for some in (earlier, rows.select(columns).to_pylist())
    )
    return {
        "items": len(new),
        "new": len(new.keys() - old.keys()),
        "updated": sum(old.get(item, row) != row for item, row in new.items()),
        "removed": len(old.keys() - new.keys()),
    }


def _commit(folder: Path, rows: pa.Table, cells: int) -> None:
    """Swap the rows in; an approximate index follows, until then answers are exact."""
    import lancedb
    from lancedb.index import Bitmap, IvfFlat

    mode = "overwrite" if (folder / f"{TABLE}.lance").is_dir() else "create"
    table = lancedb.connect(folder).create_table(TABLE, rows, mode=mode)
    if cells:
        table.create_index(
            "vector", config=IvfFlat(distance_type="dot", num_partitions=cells)
        )
        for column in FILTERS:
            table.create_index(column, config=Bitmap())
    table.optimize(cleanup_older_than=KEPT)
