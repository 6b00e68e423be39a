"""H&M's pictures and texts as the hub's `tomytjandra/h-and-m-fashion-caption` has them.

    ROOT/data/train-0000N-of-0000M.parquet    columns `image` {bytes, path} and `text`;
                                              20.5k rows in 16 files

Terms: H&M's own, research only, no redistribution.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from fashionlib.data.items import (
    CAPTION,
    IMAGE,
    ITEM,
    ITEM_COLUMNS,
    PRODUCT,
    SHOP,
    SOURCE,
)
from fashionlib.data.readers.faults import MISSING, Report
from fashionlib.data.readers.folders import check_each, climbs, frame, open_report
from fashionlib.data.readers.hm import ARTICLE_ID

COLUMNS = {"image.bytes": "binary", "image.path": "string", "text": "string"}


def shards(root: Path) -> list[Path]:
    """Return the parquet files by name, as absolute paths."""
    root = Path(root).absolute()
    inner = sorted((root / "data").glob("*.parquet"))
    return inner or sorted(root.glob("*-of-*.parquet"))


def items(root: Path) -> pd.DataFrame:
    """Return the items table in the files' order; no picture is read.

    A row whose picture is named like an article (ten digits) is that article, its first
    seven digits the product; any other has the made-up id FILE-ROW and no product. A
    text of blanks alone counts as missing. FileNotFoundError without parquet;
    ValueError for files without those columns or an article twice.
    """
    table, report = _read(root)
    report.refuse()
    return table[ITEM_COLUMNS]


def check(root: Path) -> Report:
    """Report what lies in the folder and what is broken, every picture included.

    Notes are normal: pictures not named like an article, rows without text.
    FileNotFoundError only when the folder itself isn't there.
    """
    table, report = _read(root)
    report.counts |= {"rows": len(table), "distinct captions": table[CAPTION].nunique()}
    report.add("row without text", table[ITEM][table[CAPTION].isna()], "note")
    unnamed = table[ITEM][table[PRODUCT].isna()]
    report.add("picture not named like an article", unnamed, "note")
    climbing = [path for path in table["path"].dropna() if climbs(path)]
    report.add("picture path that climbs out", climbing)
    check_each(list(zip(table[ITEM], table[IMAGE], strict=True)), report)
    return report


def _read(root: Path) -> tuple[pd.DataFrame, Report]:
    """Return the items, with a column `path` (the picture's own), and faults."""
    report = open_report(root)
    paths = shards(report.root)
    if not paths:
        report.add(MISSING, ["data/*.parquet"])
    rows = [row for path in paths for row in _rows(path, report)]
    table = frame(rows, [*ITEM_COLUMNS, "path"], report)
    report.add("article twice", table[ITEM][table[ITEM].duplicated()])
    return table, report


def _rows(path: Path, report: Report) -> Iterator[dict[str, Any]]:
    number = 0
    for batch in _batches(path, report):
        for picture, text in zip(batch["image"], batch["text"], strict=True):
            name = (picture or {}).get("path")
            stem = PurePosixPath(name or "").stem
            article = stem if ARTICLE_ID.fullmatch(stem) else None
            yield {
                ITEM: article or f"{path.stem}-{number}",
                PRODUCT: article and article[:7],
                IMAGE: f"{path}#{number}",
                CAPTION: text if text and text.strip() else None,
                SOURCE: SHOP,
                "path": name,
            }
            number += 1


def _batches(path: Path, report: Report) -> Iterator[dict[str, list[Any]]]:
    """Yield the pictures' paths and the texts; what can't be read is a fault."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            wrong = _wrong_columns(file.schema_arrow)
            places = [f"{path.name}: {column}" for column in wrong]
            report.add("column missing or of another type", places)
            if not wrong:
                for batch in file.iter_batches(columns=["image.path", "text"]):
                    yield batch.to_pydict()
    except (OSError, ValueError, pa.ArrowException) as error:  # ValueError: no UTF-8
        report.add("parquet can't be read", [f"{path.name}: {error}"])


def _wrong_columns(schema: Any) -> list[str]:
    """Return those of `COLUMNS` that a file lacks or has of another type."""
    types = {field.name: field.type for field in schema}
    for part in getattr(types.get("image"), "fields", ()):
        types[f"image.{part.name}"] = part.type
    wrong = []
    for name, kind in COLUMNS.items():
        given = str(types.get(name)).removeprefix("large_")
        if given != kind:
            wrong.append(f"{name} is {given}, not {kind}")
    return wrong
