"""Purchases as files: Kaggle's table and Elliot's TSV, read in a stream."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv
from tqdm import tqdm

KAGGLE = {"customer_id": "user_id", "article_id": "item_id", "t_dat": "date"}
TSV = ["user_id", "item_id", "rating", "date"]
BLOCK = 1 << 26  # bytes of the table read at once


def read_transactions(path: Path) -> pd.DataFrame:
    """Kaggle's transactions_train.csv (t_dat, customer_id, article_id; others are
    passed over) in file order: user_id, item_id, date, all categorical text, 12 bytes a
    row. Article ids keep their leading zero.

    Raises FileNotFoundError, or ValueError naming file, line and value: a missing
    column, a line with another number of fields, an empty id, a tab or line break in an
    id, a date that isn't YYYY-MM-DD.
    """
    table = _stream(
        path,
        list(KAGGLE),
        csv.ReadOptions(block_size=BLOCK),
        csv.ParseOptions(ignore_empty_lines=False),
        f"a header with {', '.join(sorted(KAGGLE))} and a row a purchase",
    )
    for name in ("customer_id", "article_id"):
        ids = _distinct(table[name])
        good = (ids.str.strip() != "") & ~ids.str.contains(r"[\t\n\r]")
        _refuse(
            path,
            table[name],
            good,
            f"{name} is empty or has a tab or line break",
            header=1,
        )
    days = _distinct(table["t_dat"])
    good = (
        days.str.fullmatch(r"\d{4}-\d{2}-\d{2}")
        & pd.to_datetime(days, format="%Y-%m-%d", errors="coerce").notna()
    )
    _refuse(path, table["t_dat"], good, "t_dat is no date YYYY-MM-DD", header=1)
    return table.rename(columns=KAGGLE)


def read_tsv(path: Path) -> pd.DataFrame:
    """A split in Elliot's form: no header, tab-separated user, item, rating, date ->
    user_id, item_id, rating, date.

    Ids and rating are categorical text, date is a number or a time. Raises
    FileNotFoundError, or ValueError naming file, line and value, for a line without
    four fields, an empty id, a rating that is no positive number, or a date that is
    neither ISO nor a number, as the first line's is.
    """
    table = _stream(
        path,
        TSV,
        csv.ReadOptions(block_size=BLOCK, column_names=TSV),
        csv.ParseOptions(delimiter="\t", quote_char=False, ignore_empty_lines=False),
        "lines of user, item, rating, date",
    )
    for name, what in (("user_id", "user"), ("item_id", "item")):
        _refuse(
            path,
            table[name],
            _distinct(table[name]).str.strip() != "",
            f"an empty {what}",
        )
    rating = pd.to_numeric(_distinct(table["rating"]), errors="coerce")
    _refuse(
        path,
        table["rating"],
        (rating > 0) & (rating < np.inf),
        "a rating that is no positive number",
    )
    text = _distinct(table["date"])
    number, time = (
        pd.to_numeric(text, errors="coerce"),
        pd.to_datetime(text, format="ISO8601", errors="coerce"),
    )
    first = table["date"].cat.codes.iloc[0]
    dates, kind = (
        (number, "number")
        if np.isfinite(number[first])
        else (time.mask(number.notna()), "ISO date")
    )
    _refuse(
        path,
        table["date"],
        dates.notna(),
        (
            f"a date that is no {kind}, as the first line has it"
            if dates.notna()[first]
            else "a date that is neither ISO nor a number"
        ),
    )
    return table.assign(date=dates.to_numpy()[table["date"].cat.codes.to_numpy()])


def _stream(
    path: Path,
    names: list[str],
    read: csv.ReadOptions,
    parse: csv.ParseOptions,
    needs: str,
) -> pd.DataFrame:
    """The columns `names` of a delimited file as categorical text, read block by
    block.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: no such file; it needs {needs}")
    size = Path(path).stat().st_size
    convert = csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.dictionary(pa.int32(), pa.string())),
        include_columns=names,
    )
    try:
        with (
            pa.OSFile(str(path)) as file,
            csv.open_csv(file, read, parse, convert) as reader,
            tqdm(
                total=size,
                desc=f"read {Path(path).name}",
                unit="B",
                unit_scale=True,
                delay=1,
            ) as bar,
        ):
            batches = []
            for batch in reader:
                batches.append(batch)
                bar.update(min(file.tell(), size) - bar.n)
            table = pa.Table.from_batches(batches, reader.schema).unify_dictionaries()
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        raise ValueError(_complaint(path, parse.delimiter, needs, error)) from error
    if table.num_rows == 0:
        raise ValueError(f"{path}: no rows; it needs {needs}")
    return pd.DataFrame({name: _categorical(table.column(name)) for name in names})


def _categorical(column: pa.ChunkedArray) -> pd.Categorical:
    places = np.concatenate([chunk.indices.to_numpy() for chunk in column.chunks])
    return pd.Categorical.from_codes(
        places, column.chunk(0).dictionary.to_pandas(), validate=False
    )


def _complaint(path: Path, delimiter: str, needs: str, error: Exception) -> str:
    """Pyarrow's error about a file, in one line that names file, line and text."""
    if miscounted := re.search(r"Row #(\d+): Expected (\d+) columns", str(error)):
        kind = {"\t": "tab", ",": "comma"}[delimiter]
        return _wrong(
            path,
            int(miscounted[1]),
            f"{miscounted[2]} {kind}-separated fields expected",
        )
    if other := re.search(r"Row #(\d+): (.*)", str(error)):
        return _wrong(path, int(other[1]), other[2])
    if "Empty CSV" in str(error):
        return f"{path}: the file is empty; it needs {needs}"
    return f"{path}: {error.args[0]}; it needs {needs}"


def _distinct(column: pd.Series) -> pd.Series:
    return pd.Series(column.cat.categories, dtype="str")


def _refuse(
    path: Path, column: pd.Series, good: pd.Series, what: str, header: int = 0
) -> None:
    """Raise ValueError for the first row whose value is not `good`, which says so for
    each of the distinct values.
    """
    if not good.all():
        row = int(
            np.isin(column.cat.codes, np.flatnonzero(~good.to_numpy(bool))).argmax()
        )
        raise ValueError(_wrong(path, row + 1 + header, what))


def _wrong(path: Path, line: int, what: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        text = next(itertools.islice(file, line - 1, None), "")
    return f"{path}, line {line}: {what}: {text.rstrip()[:200]!r}"
