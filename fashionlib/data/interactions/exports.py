"""Write splits in the forms of other recommender libraries: Elliot and RecBole."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv
from tqdm import tqdm

from fashionlib.data.files import atomic
from fashionlib.data.interactions.ids import encode_ids

ROWS = 1 << 20  # rows written at once


class Side(NamedTuple):
    """One side of a split, and the file that it becomes."""

    path: Path
    table: pd.DataFrame
    columns: tuple[str | int, ...]  # a name, a constant, or "seconds" of the date
    header: bytes = b""


def elliot_files(folder: Path) -> dict[str, Path]:
    """Return where `write_elliot` writes each side."""
    return {side: Path(folder) / f"{side}.tsv" for side in ("train", "test")}


def recbole_files(folder: Path) -> dict[str, Path]:
    """Return where `write_recbole` writes each side; the folder names the dataset."""
    stem = Path(folder) / Path(folder).resolve().name
    return {side: Path(f"{stem}.{side}.inter") for side in ("train", "valid", "test")}


def write_elliot(folder: Path, train: pd.DataFrame, test: pd.DataFrame) -> None:
    """Write `folder`/train.tsv and test.tsv as Elliot and `read_tsv` read them.

    Tab-separated user, item, rating 1, date; no header.
    """
    paths = elliot_files(folder)
    columns = ("user_id", "item_id", 1, "date")
    _write([Side(paths["train"], train, columns), Side(paths["test"], test, columns)])


def write_recbole(
    folder: Path, train: pd.DataFrame, valid: pd.DataFrame, test: pd.DataFrame
) -> None:
    """Write RecBole's atomic files of a split, FOLDER/FOLDER.{train,valid,test}.inter.

    Tab-separated user_id:token, item_id:token, timestamp:float (seconds since 1970).
    RecBole's configuration then says `benchmark_filename: [train, valid, test]`.
    """
    header = b"user_id:token\titem_id:token\ttimestamp:float\n"
    columns = ("user_id", "item_id", "seconds")
    sides = zip(recbole_files(folder).values(), (train, valid, test), strict=True)
    _write([Side(path, table, columns, header) for path, table in sides])


def _write(sides: list[Side]) -> None:
    """Write all of the files or none."""
    rows = sum(len(side.table) for side in sides)
    with (
        ExitStack() as stack,
        tqdm(total=rows, desc="write", unit="row", unit_scale=True, delay=1) as bar,
    ):
        for side in sides:
            part = stack.enter_context(atomic(side.path))
            _write_side(side, part, bar)


def _write_side(side: Side, path: Path, bar: tqdm) -> None:
    columns = [_encoded(side.table, name) for name in side.columns]
    schema = pa.schema([(str(n), values.type) for n, (_, values) in enumerate(columns)])
    options = csv.WriteOptions(
        include_header=False, delimiter="\t", quoting_style="none"
    )
    with path.open("wb") as file:
        file.write(side.header)
        with csv.CSVWriter(file, schema, write_options=options) as writer:
            for start in range(0, len(side.table), ROWS):
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
