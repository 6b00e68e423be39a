"""Build an index: encode what is new, then swap all rows in by one commit.

Encoding runs in chunks that outlive a killed run.
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
from fashionlib.data.files import atomic
from fashionlib.data.readers.faults import Report, in_words
from fashionlib.features import chunks, unit
from fashionlib.retrieval.search.encoders import Encoder
from fashionlib.retrieval.search.index import (
    FILTERS,
    METADATA,
    SHOWN,
    TABLE,
    open_table,
    read_features,
    read_metadata,
)

SET_ASIDE = "set_aside.jsonl"  # item_id, image and reason of what was left out
CHUNKS = "encoded"  # folder of an unfinished build's vectors, below the index
COMPARED = 50_000  # items up to which a query is compared with all: exact, 40 ms
# for how long rows of earlier builds stay, for readers that have them open
OLD_ROWS = timedelta(days=1)
TEXTS = [*SHOWN, "content"]  # content: a digest of what decides the vector


def build(
    items: pd.DataFrame,
    encoder: Encoder,
    folder: str | Path,
    root: str | Path | None = None,
    compared: int = COMPARED,
    report: Report | None = None,
) -> dict[str, int]:
    """Make `folder` an index of exactly these items; return counts.

    `items` have columns item_id (unique) and image, those of `SHOWN` that they have,
    and perhaps box: then the box's part is what is encoded. An item whose picture's
    bytes and box haven't changed since the last build keeps its vector. An item without
    a picture is left out and counted. One whose picture can't be read, or is a link out
    of the folder, is refused; where there is a `report` it is a fault there, with its
    reason, and left out and listed in `SET_ASIDE` below the index.
    Pictures lie below `root` (else: their common
    folder), and the index stores the way from one to the other. Readers get the old
    index until the new one is complete, and so does everybody after a killed build; the
    next one goes on with the vectors that it had made. More than `compared` items get
    an approximate index (IVF, the square root of their number in cells). The vectors
    have to fit in memory.

    Counts are items, new, updated, removed, without picture, and encoded (pictures that
    had to be, equal ones once). ValueError naming what is wrong: a column, an id, a
    picture; BlockingIOError while another build runs.
    """
    rows = _checked(items)
    if not len(rows):
        raise ValueError(f"none of {len(items)} items has a picture to index")
    folder, place = Path(folder), _root(rows["image"], root)
    without = len(items) - len(rows)
    rows, aside = _readable(rows, place, report)
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        before = open_table(folder)
        references = tqdm(rows["image"], desc="pictures", leave=False)
        rows["content"] = [_content(image, encoder) for image in references]
        matrix, encoded = _vectors(rows, encoder, folder, before)
        rows["image"] = [os.path.relpath(image, place) for image in rows["image"]]
        cells = math.isqrt(len(rows)) if len(rows) > compared else 0
        metadata = _metadata(encoder, folder, place, len(rows), cells)
        table = _table(rows, matrix, metadata)
        counts = _changes(table, before)
        changed = counts["new"] or counts["updated"] or counts["removed"]
        if changed or before is None or read_metadata(before) != metadata:
            _commit(folder, table, cells)
        shutil.rmtree(folder / CHUNKS, ignore_errors=True)
        with atomic(folder / SET_ASIDE) as part:
            aside.to_json(part, orient="records", lines=True)
    return counts | {"encoded": encoded, "without picture": without}


def _checked(items: pd.DataFrame) -> pd.DataFrame:
    """Return the items that have a picture, columns `SHOWN`, None where missing.

    `image` is an absolute reference of what is encoded.
    """
    absent = [column for column in ("item_id", "image") if column not in items]
    if absent:
        raise ValueError(
            f"items have no column {absent[0]!r}; their columns are"
            f" {', '.join(map(str, items.columns))}"
        )
    ids = items["item_id"]
    bad = [item for item in ids if not isinstance(item, str) or not item]
    faults = [f"the id {item!r}, which is no text" for item in bad]
    faults += [f"the id {item!r} twice" for item in ids[ids.duplicated()]]
    if faults:
        raise ValueError(f"{len(items)} items have {faults[0]}; give each its own")
    rows = items[items["image"].notna()].reindex(columns=[*SHOWN, "box"])
    rows = rows.astype(object).where(rows.notna(), None).reset_index(drop=True)
    rows["image"] = [images.absolute(image) for image in rows["image"]]
    boxed = rows["box"].notna()
    pairs = zip(rows["image"][boxed], rows.pop("box")[boxed], strict=True)
    rows.loc[boxed, "image"] = [images.cropped(image, box) for image, box in pairs]
    return rows


def _root(references: pd.Series, root: str | Path | None) -> str:
    """Return the catalogue's folder, absolute.

    ValueError naming a picture that lies elsewhere.
    """
    place = images.absolute(root) if root else images.common_folder(references)
    outside = [image for image in references if not Path(image).is_relative_to(place)]
    if outside:
        raise ValueError(
            f"{len(outside)} of {len(references)} pictures lie outside {place},"
            f" {outside[0]} first; name a folder that holds all as root"
        )
    return place


def _readable(
    rows: pd.DataFrame, place: str, report: Report | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows whose picture can be read, and item, image, reason of the others.

    ValueError for these without a `report`, and where no row is left.
    """
    pictures = tqdm(rows["image"], desc="checked", leave=False)
    why = pd.Series([images.fault_below(image, place) for image in pictures], dtype=str)
    aside = rows[["item_id", "image"]].assign(reason=why)[why.notna()]
    faults = Report(Path(place)) if report is None else report
    for reason, bad in aside.groupby("reason", sort=False):
        ways = [os.path.relpath(image, place) for image in bad["image"]]
        pairs = zip(bad["item_id"], ways, strict=True)
        faults.add(reason, [f"{item}: {way}" for item, way in pairs])
    if len(aside) == 0 or (report is not None and len(aside) < len(rows)):
        return rows[why.isna()].reset_index(drop=True), aside
    raise ValueError(
        f"{len(aside)} of {len(rows)} pictures can't be indexed:"
        f" {in_words(faults.faults)}; replace them, or leave their items out"
    )


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which ends with the process however it ends."""
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BlockingIOError(
                f"another build of {folder} is running; wait for it"
            ) from error
        yield


def _content(image: str, encoder: Encoder) -> str:
    """Return a digest of encoder, picture's bytes and box, which decide a vector."""
    box = image.partition("#box=")[2]
    parts = chunks.digest_picture(image) + f"{box}\n{encoder.fingerprint}".encode()
    return hashlib.sha256(parts).hexdigest()[:32]


def _vectors(
    rows: pd.DataFrame, encoder: Encoder, folder: Path, before: Any
) -> tuple[np.ndarray, int]:
    """Return unit vectors (items, dim) float32, and how many had to be encoded."""
    known: dict[str, np.ndarray] = {}
    earlier = {} if before is None else read_metadata(before)
    if earlier.get("fingerprint") == encoder.fingerprint:
        contents = before.search().select(["content"]).to_arrow()["content"]
        vectors = read_features(before).matrix
        known = dict(zip(contents.to_pylist(), vectors, strict=True))
    new = rows[~rows["content"].isin(known)].drop_duplicates("content")
    if len(new):
        made = chunks.encode_chunks(
            lambda pairs: {
                "vectors": unit(encoder.encode_images([image for image, _ in pairs]))
            },
            list(zip(new["image"], new["content"], strict=True)),
            lambda pair: pair[1].encode(),
            ["search", encoder.fingerprint],
            folder / CHUNKS,
        )
        vectors = made["vectors"].astype(np.float32)
        known |= dict(zip(new["content"], vectors, strict=True))
    return np.stack([known[content] for content in rows["content"]]), len(new)


def _metadata(
    encoder: Encoder, folder: Path, root: str, count: int, cells: int
) -> dict[str, Any]:
    """Return what opens the index again.

    Ways are from its folder, so that both may be moved together.
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


def _table(rows: pd.DataFrame, matrix: np.ndarray, metadata: dict) -> pa.Table:
    width = matrix.shape[1]
    fields = [pa.field(name, pa.string()) for name in TEXTS]
    fields.append(pa.field("vector", pa.list_(pa.float32(), width)))
    schema = pa.schema(fields, metadata={METADATA: json.dumps(metadata)})
    columns = [
        pa.array([None if text is None else str(text) for text in rows[name]])
        for name in TEXTS
    ]
    vectors = pa.array(np.ascontiguousarray(matrix).reshape(-1))
    columns.append(pa.FixedSizeListArray.from_arrays(vectors, width))
    return pa.Table.from_arrays(columns, schema=schema)


def _changes(table: pa.Table, before: Any) -> dict[str, int]:
    """Count the items, and those that are new, updated or removed."""
    new = {row["item_id"]: row for row in table.select(TEXTS).to_pylist()}
    old = {}
    if before is not None:
        rows = before.search().select(TEXTS).to_arrow().to_pylist()
        old = {row["item_id"]: row for row in rows}
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
        nearest = IvfFlat(distance_type="dot", num_partitions=cells)
        table.create_index("vector", config=nearest)
        for column in FILTERS:
            table.create_index(column, config=Bitmap())
    table.optimize(cleanup_older_than=OLD_ROWS)
