"""Write splits in the forms of other recommender libraries: Elliot and RecBole."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv
from tqdm import tqdm

from fashionlib.data.files import atomic
from fashionlib.data.interactions.ids import encode_ids

ROWS = 1 << 20  # rows written at once


def elliot_files(folder: Path) -> dict[str, Path]:
    """Return where `write_elliot` writes each side."""
    return {side: Path(folder) / f"{side}.tsv" for side in ("train", "test")}


def recbole_files(folder: Path) -> dict[str, Path]:
    """Return where `write_recbole` writes each side; the folder names the dataset."""
    stem = Path(folder) / Path(folder).resolve().name
    return {side: Path(f"{stem}.{side}.inter") for side in ("train", "valid", "test")}


def write_elliot(folder: Path, train: pd.DataFrame, test: pd.DataFrame) -> None:
    """Write `folder`/train.tsv and test.tsv as Elliot and `recommend` read them.

    Tab-separated user, item, rating 1, date; no header.
    """
    columns = ("user_id", "item_id", 1, "date")
    _write(elliot_files(folder), (train, test), columns)


def write_recbole(
    folder: Path, train: pd.DataFrame, valid: pd.DataFrame, test: pd.DataFrame
) -> None:
    """Write RecBole's atomic files of a split, FOLDER/FOLDER.{train,valid,test}.inter.

    Tab-separated user_id:token, item_id:token, timestamp:float (seconds since 1970).
    RecBole's configuration then says `benchmark_filename: [train, valid, test]`.
    """
    header = b"user_id:token\titem_id:token\ttimestamp:float\n"
    columns = ("user_id", "item_id", "seconds")
    _write(recbole_files(folder), (train, valid, test), columns, header)


def _write(
    paths: dict[str, Path],
    tables: Sequence[pd.DataFrame],
    columns: Sequence[str | int],
    header: bytes = b"",
) -> None:
    """Write all of the files or none.

    A column is a table's name, a constant, or "seconds" of the date.
    """
    rows = sum(map(len, tables))
    with (
        ExitStack() as stack,
        tqdm(total=rows, desc="write", unit="row", unit_scale=True, delay=1) as bar,
    ):
        for path, table in zip(paths.values(), tables, strict=True):
            part = stack.enter_context(atomic(path))
            with part.open("wb") as file:
                file.write(header)
                _write_rows(file, [_encoded(table, name) for name in columns], bar)


def _write_rows(
    file: BinaryIO, columns: list[tuple[np.ndarray, pa.Array]], bar: tqdm
) -> None:
    schema = pa.schema([(str(n), values.type) for n, (_, values) in enumerate(columns)])
    options = csv.WriteOptions(
        include_header=False, delimiter="\t", quoting_style="none"
    )
    with csv.CSVWriter(file, schema, write_options=options) as writer:
        for start in range(0, len(columns[0][0]), ROWS):
            chunk = [
                values.take(pa.array(codes[start : start + ROWS]))
                for codes, values in columns
            ]
            writer.write_table(pa.Table.from_arrays(chunk, schema=schema))
            bar.update(len(chunk[0]))


def _encoded(table: pd.DataFrame, name: str | int) -> tuple[np.ndarray, pa.Array]:
    """Return (codes of the rows, the distinct values as they are written)."""
    if isinstance(name, int):
        return np.zeros(len(table), dtype=np.int32), pa.array([name])
    codes, values = encode_ids(table["date" if name == "seconds" else name])
    if name == "seconds":
        since = pd.to_datetime(values) - pd.Timestamp(0)
        return codes, pa.array(since // pd.Timedelta(seconds=1))
    if isinstance(values, pd.DatetimeIndex):
        values = values.strftime("%Y-%m-%d")
    return codes, pa.array(values.astype("str"), pa.string())
