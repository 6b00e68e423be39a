"""Splits and features in the forms of other recommender libraries: Elliot, RecBole,
cornac.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv
from tqdm import tqdm

from fashionlib.data.files import atomic
from fashionlib.data.interactions.tables import encode

ROWS = 1 << 20  # rows written at once


def elliot_files(folder: Path) -> dict[str, Path]:
    """Where `write_elliot` writes each side."""
    return {side: Path(folder) / f"{side}.tsv" for side in ("train", "test")}


def recbole_files(folder: Path) -> dict[str, Path]:
    """Where `write_recbole` writes each side; the folder's name is the dataset's."""
    name = Path(folder).resolve().name
    return {
        side: Path(folder) / f"{name}.{side}.inter"
        for side in ("train", "valid", "test")
    }


def write_elliot(folder: Path, train: pd.DataFrame, test: pd.DataFrame) -> None:
    """`folder`/train.tsv and test.tsv as Elliot and `read_tsv` read them: user, item,
    rating 1, date; no header.
    """
    rows = ("user_id", "item_id", 1, "date")
    _write(
        [
            (path, b"", side, rows)
            for path, side in zip(
                elliot_files(folder).values(), (train, test), strict=True
            )
        ]
    )


def write_recbole(
    folder: Path, train: pd.DataFrame, valid: pd.DataFrame, test: pd.DataFrame
) -> None:
    """RecBole's atomic files of a given split, FOLDER/FOLDER.train.inter, .valid.inter
    and .test.inter: tab-separated user_id:token, item_id:token, timestamp:float
    (seconds since 1970). Its configuration then says `benchmark_filename: [train,
    valid, test]`.
    """
    header = b"user_id:token\titem_id:token\ttimestamp:float\n"
    rows = ("user_id", "item_id", "seconds")
    files = zip(recbole_files(folder).values(), (train, valid, test), strict=True)
    _write([(path, header, side, rows) for path, side in files])


def write_recbole_items(path: Path, ids: Sequence[str], matrix: np.ndarray) -> None:
    """RecBole's NAME.item of a feature space (items, dim): item_id:token,
    features:float_seq (numbers with blanks).
    """
    if len(ids) != len(matrix) or not np.isfinite(matrix).all():
        raise ValueError(
            f"{len(ids)} ids for features of shape {matrix.shape}: give one finite row"
            " an id"
        )
    with atomic(path) as part, open(part, "w", encoding="utf-8", newline="\n") as file:
        file.write("item_id:token\tfeatures:float_seq\n")
        for item, row in zip(ids, matrix.astype(np.float32), strict=True):
            file.write(f"{item}\t{' '.join(map(str, row.tolist()))}\n")


def cornac_tuples(table: pd.DataFrame) -> list[tuple[str, str, float]]:
    """(user, item, 1.0) for each distinct pair, in order of its first row: what
    cornac's Dataset.from_uir takes.
    """
    pairs = table[["user_id", "item_id"]].drop_duplicates()
    return [
        (user, item, 1.0)
        for user, item in zip(pairs["user_id"], pairs["item_id"], strict=True)
    ]


def cornac_features(
    ids: Sequence[str], matrix: np.ndarray, item_map: Mapping[str, int]
) -> tuple[np.ndarray, list[str]]:
    """(matrix, ids) for cornac's ImageModality: exactly the items of `item_map` (a
    Dataset's iid_map), in its order.

    cornac leaves another item's row in the place of an item without features, so these
    raise ValueError.
    """
    at, wanted = (
        {item: row for row, item in enumerate(ids)},
        sorted(item_map, key=item_map.get),
    )
    if missing := [item for item in wanted if item not in at]:
        raise ValueError(
            f"features for {len(wanted) - len(missing)} of {len(wanted)} items;"
            f" missing: {missing[:3]}. Make their features, or leave their purchases"
            " out."
        )
    return matrix[[at[item] for item in wanted]], wanted


def _write(sides: Iterable[tuple[Path, bytes, pd.DataFrame, tuple]]) -> None:
    """Tab-separated files (path, header, table, columns): a name, a constant, or
    "seconds" of the date. All or none.
    """
    sides = list(sides)
    with (
        ExitStack() as stack,
        tqdm(
            total=sum(len(table) for _, _, table, _ in sides),
            desc="write",
            unit="row",
            unit_scale=True,
            delay=1,
        ) as bar,
    ):
        parts = [stack.enter_context(atomic(path)) for path, *_ in sides]
        for part, (_, header, table, names) in zip(parts, sides, strict=True):
            columns = [_encoded(table, name) for name in names]
            schema = pa.schema(
                [(str(place), values.type) for place, (_, values) in enumerate(columns)]
            )
            options = csv.WriteOptions(
                include_header=False, delimiter="\t", quoting_style="none"
            )
            with open(part, "wb") as file:
                file.write(header)
                with csv.CSVWriter(file, schema, write_options=options) as writer:
                    for start in range(0, len(table), ROWS):
                        chunk = [
                            values.take(pa.array(code[start : start + ROWS]))
                            for code, values in columns
                        ]
                        writer.write_table(pa.Table.from_arrays(chunk, schema=schema))
                        bar.update(len(chunk[0]))


def _encoded(table: pd.DataFrame, name: str | int) -> tuple[np.ndarray, pa.Array]:
    """(codes of the rows, the distinct values as they are written)."""
    if isinstance(name, int):
        return np.zeros(len(table), dtype=np.int32), pa.array([name])
    code, values = encode(table["date" if name == "seconds" else name])
    if name == "seconds":
        return code, pa.array(
            (pd.to_datetime(values) - pd.Timestamp(0)) // pd.Timedelta(seconds=1)
        )
    if isinstance(values, pd.DatetimeIndex):
        values = values.strftime("%Y-%m-%d")
    return code, pa.array(values.astype("str"), pa.string())
