"""The wardrobe in the layout of H&M's catalogue on the hub: parquet shards of a picture
and a tailor's text.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from wardrobe import garment_of, views
from wardrobe.words import STYLES

SHARDS, GROUP = 2, 100  # files; rows of a row group
FEATURES = {"image": {"_type": "Image"}, "text": {"dtype": "string", "_type": "Value"}}


def write(
    root: Path, truth: pd.DataFrame, seed: int, size: tuple[int, int] = (160, 240)
) -> None:
    """`data/train-0000N-of-0000M.parquet` with columns `image` {bytes, path} and
    `text`; `path` is ITEM.jpg.

    Pictures and texts are those of layout "hm"; the colours of a product share the
    text.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    picture = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    about = {
        "huggingface": json.dumps({"info": {"features": FEATURES}})
    }  # lets the hub's library show pictures
    schema = pa.schema([("image", picture), ("text", pa.string())], metadata=about)
    shards = [
        rows for rows in np.array_split(np.arange(len(truth)), SHARDS) if len(rows)
    ]
    (root / "data").mkdir()
    with tqdm(desc="garments", total=len(truth), disable=None) as bar:
        for n, rows in enumerate(shards):
            with pq.ParquetWriter(
                root / "data" / f"train-{n:05d}-of-{len(shards):05d}.parquet", schema
            ) as file:
                for at in range(0, len(rows), GROUP):
                    drawn = list(_rows(truth.iloc[rows[at : at + GROUP]], seed, size))
                    file.write_table(pa.Table.from_pylist(drawn, schema))
                    bar.update(len(drawn))


def _rows(truth: pd.DataFrame, seed: int, size: tuple[int, int]) -> Iterator[dict]:
    for row in truth.to_dict("records"):
        garment = garment_of(row)
        out = io.BytesIO()
        picture = views.flat(
            garment,
            row["colour"],
            np.random.default_rng([seed, 1, int(row["item_id"])]),
            size,
        )
        picture.save(out, "JPEG", quality=88)
        text = STYLES["tailor"](
            garment,
            row["colour"],
            np.random.default_rng([seed, 2, int(row["product_id"])]),
        )
        yield {
            "image": {"bytes": out.getvalue(), "path": f"{row['item_id']}.jpg"},
            "text": text,
        }
