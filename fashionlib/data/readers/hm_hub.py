"""H&M's catalogue as `tomytjandra/h-and-m-fashion-caption` ships it on the hub: a
picture and a text, nothing else.

    ROOT/data/train-0000N-of-0000M.parquet    columns `image` {bytes, path} and `text`; 20.5k rows in 16 files

Terms: H&M's own, research only, no redistribution.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd
from tqdm import tqdm

from fashionlib.data import images
from fashionlib.data.items import (
    BOX,
    CAPTION,
    IMAGE,
    ITEM,
    ITEM_COLUMNS,
    PRODUCT,
    SHOP,
    SOURCE,
)
from fashionlib.data.readers.faults import MISSING, Report
from fashionlib.data.readers.folders import climbs, open_report
from fashionlib.data.readers.hm import is_item_id

COLUMNS = {"image.bytes": "binary", "image.path": "string", "text": "string"}
HIDDEN = ["path", "file"]
BATCH = 64  # rows whose pictures are in memory at a time


def recognise(root: Path) -> bool:
    """Whether there are parquet files in ROOT/data, or shards in ROOT itself."""
    return bool(shards(root))


def shards(root: Path) -> list[Path]:
    """The parquet files by name, as absolute paths."""
    root = Path(os.path.abspath(root))
    return sorted((root / "data").glob("*.parquet")) or sorted(
        root.glob("*-of-*.parquet")
    )


def items(root: Path) -> pd.DataFrame:
    """The items table in the files' order; no picture is read.

    A row whose picture is named like an article (ten digits) is that article, its first
    seven digits the product; any other has the made-up id FILE-ROW and no product. A
    text of blanks alone counts as missing. FileNotFoundError without parquet;
    ValueError for files without those columns or an article twice, naming all that was
    found.
    """
    report = open_report(root)
    table = _read(report)
    report.refuse()
    return table[ITEM_COLUMNS]


def check(root: Path) -> Report:
    """What lies in the folder and what is broken, every picture included; never stops
    at the first fault.

    Notes are normal: pictures not named like an article, rows without text.
    FileNotFoundError only when the folder itself isn't there.
    """
    report = open_report(root)
    table = _read(report)
    report.counts |= {"rows": len(table), "distinct captions": table[CAPTION].nunique()}
    report.add("row without text", table[ITEM][table[CAPTION].isna()].tolist(), "note")
    report.add(
        "picture not named like an article",
        table[ITEM][table[PRODUCT].isna()].tolist(),
        "note",
    )
    report.add(
        "picture path that climbs out",
        [str(p) for p in table["path"].dropna() if climbs(p)],
    )
    with tqdm(desc="images", total=len(table), disable=None) as bar:
        for path, rows in table.groupby("file", sort=False):
            batches = _batches(Path(path), ["image.bytes"], report)
            pictures = (
                (row or {}).get("bytes") for batch in batches for row in batch["image"]
            )
            for item, picture in zip(
                rows[ITEM], pictures, strict=False
            ):  # fewer pictures are a fault already
                why = images.fault(picture) if picture else "no bytes"
                report.add("broken image", [f"{item}: {why}"] * bool(why))
                bar.update()
    return report


def _read(report: Report) -> pd.DataFrame:
    """The items and the columns `path`, of the picture, and `file`."""
    found = shards(report.root)
    report.add(MISSING, ["data/*.parquet"] * (not found))
    tables = [_items(path, report) for path in found]
    table = pd.concat(
        [pd.DataFrame(columns=[*ITEM_COLUMNS, *HIDDEN], dtype="str"), *tables],
        ignore_index=True,
    )
    report.add("0 rows", ["data/*.parquet"] * (table.empty and not report.broken))
    report.add("article twice", table[ITEM][table[ITEM].duplicated()].tolist())
    return table


def _items(path: Path, report: Report) -> pd.DataFrame:
    texts: list[str | None] = []
    names: list[str | None] = []
    for batch in _batches(path, ["image.path", "text"], report):
        texts += [text if text and text.strip() else None for text in batch["text"]]
        names += [(picture or {}).get("path") for picture in batch["image"]]
    stems = [PurePosixPath(name or "").stem for name in names]
    articles = [stem if is_item_id(stem) else None for stem in stems]
    known = {
        ITEM: [article or f"{path.stem}-{row}" for row, article in enumerate(articles)],
        PRODUCT: [article and article[:7] for article in articles],
        IMAGE: [f"{path}#{row}" for row in range(len(articles))],
        CAPTION: texts,
        SOURCE: SHOP,
        "path": names,
        "file": str(path),
    }
    columns = [*ITEM_COLUMNS, *HIDDEN]
    return pd.DataFrame(
        known, index=pd.RangeIndex(len(texts)), columns=columns, dtype="str"
    ).assign(**{BOX: None})


def _batches(
    path: Path, columns: list[str], report: Report
) -> Iterator[dict[str, list[Any]]]:
    """Those columns, `BATCH` rows at a time, a struct as dicts; what can't be read is a
    fault.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            wrong = _wrong_columns(file.schema_arrow)
            report.add(
                "column missing or of another type",
                [f"{path.name}: {w}" for w in wrong],
            )
            for batch in file.iter_batches(BATCH, columns=columns) if not wrong else ():
                yield {
                    name: batch.column(name).to_pylist() for name in batch.schema.names
                }
    except (
        OSError,
        ValueError,
        pa.ArrowException,
    ) as error:  # ValueError: text that is no UTF-8
        report.add("parquet can't be read", [f"{path.name}: {error}"])


def _wrong_columns(schema: Any) -> list[str]:
    """Those of `COLUMNS` that a file lacks or has of another type."""
    types = {field.name: field.type for field in schema}
    inner = {
        f"image.{part.name}": part.type
        for part in getattr(types.get("image"), "fields", ())
    }
    found = {
        name: str((types | inner).get(name)).removeprefix("large_") for name in COLUMNS
    }
    return [
        f"{name} is {found[name]}, not {kind}"
        for name, kind in COLUMNS.items()
        if found[name] != kind
    ]
