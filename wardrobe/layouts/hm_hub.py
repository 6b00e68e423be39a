"""Write the wardrobe as H&M's catalogue on the hub: parquet of pictures and texts."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from wardrobe import views
from wardrobe.planting import garment_of
from wardrobe.words import STYLES

SHARDS, GROUP = 2, 100  # files; rows of a row group
FEATURES = {"image": {"_type": "Image"}, "text": {"dtype": "string", "_type": "Value"}}


def write(
    root: Path, truth: pd.DataFrame, seed: int, size: tuple[int, int] = (160, 240)
) -> None:
    """Write `data/train-0000N-of-0000M.parquet` into the folder `root`.

    Columns are `image` {bytes, path}, where `path` is ITEM.jpg, and `text`. Pictures
    and texts are those of layout "hm"; the colours of a product share the text.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    picture = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    # lets the hub's library show pictures
    about = {"huggingface": json.dumps({"info": {"features": FEATURES}})}
    schema = pa.schema([("image", picture), ("text", pa.string())], metadata=about)
    halves = np.array_split(np.arange(len(truth)), SHARDS)
    shards = [rows for rows in halves if len(rows)]
    (root / "data").mkdir()
    with tqdm(desc="garments", total=len(truth), disable=None) as bar:
        for n, rows in enumerate(shards):
            path = root / "data" / f"train-{n:05d}-of-{len(shards):05d}.parquet"
            with pq.ParquetWriter(path, schema) as file:
                for at in range(0, len(rows), GROUP):
                    drawn = list(_rows(truth.iloc[rows[at : at + GROUP]], seed, size))
                    file.write_table(pa.Table.from_pylist(drawn, schema))
                    bar.update(len(drawn))


def _rows(truth: pd.DataFrame, seed: int, size: tuple[int, int]) -> Iterator[dict]:
    for row in truth.to_dict("records"):
        garment, colour = garment_of(row), row["colour"]
        out = io.BytesIO()
        rng = np.random.default_rng([seed, 1, int(row["item_id"])])
        views.flat(garment, colour, rng, size).save(out, "JPEG", quality=88)
        rng = np.random.default_rng([seed, 2, int(row["product_id"])])
        text = STYLES["tailor"](garment, colour, rng)
        image = {"bytes": out.getvalue(), "path": f"{row['item_id']}.jpg"}
        yield {"image": image, "text": text}
