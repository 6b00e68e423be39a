"""Read interactions from files in a stream: Kaggle's table and Elliot's TSV."""

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
    """Read user_id, item_id, date of Kaggle's transactions_train.csv, in file order.

    Of its columns t_dat, customer_id and article_id alone are read, as categorical
    text, 12 bytes a row; article ids keep their leading zero. Raises FileNotFoundError,
    or ValueError naming file, line and value: a missing column, a line with another
    number of fields, an empty id, a tab or line break in an id, a date that isn't
    YYYY-MM-DD.
    """
    table = _stream(
        path,
        list(KAGGLE),
        csv.ParseOptions(ignore_empty_lines=False),
        f"a header with {', '.join(sorted(KAGGLE))} and a row a purchase",
    )
    for name in ("customer_id", "article_id"):
        ids = _distinct(table[name])
        good = (ids.str.strip() != "") & ~ids.str.contains(r"[\t\n\r]")
        _refuse(path, table[name], good, f"{name} is empty or has a tab or line break")
    days = _distinct(table["t_dat"])
    good = days.str.fullmatch(r"\d{4}-\d{2}-\d{2}")
    good &= pd.to_datetime(days, format="%Y-%m-%d", errors="coerce").notna()
    _refuse(path, table["t_dat"], good, "t_dat is no date YYYY-MM-DD")
    return table.rename(columns=KAGGLE)


def read_tsv(path: Path) -> pd.DataFrame:
    """Read user_id, item_id, rating, date of a split in Elliot's form (no header).

    Ids and rating are categorical text, date is a number or a time. Raises
    FileNotFoundError, or ValueError naming file, line and value, for a line without
    four fields, an empty id, a rating that is no positive number, or a date that is
    neither ISO nor a number, as the first line's is.
    """
    table = _stream(
        path,
        TSV,
        csv.ParseOptions(delimiter="\t", quote_char=False, ignore_empty_lines=False),
        "lines of user, item, rating, date",
        header=False,
    )
    for name, what in (("user_id", "user"), ("item_id", "item")):
        good = _distinct(table[name]).str.strip() != ""
        _refuse(path, table[name], good, f"an empty {what}", header=0)
    rating = pd.to_numeric(_distinct(table["rating"]), errors="coerce")
    good = (rating > 0) & (rating < np.inf)
    what = "a rating that is no positive number"
    _refuse(path, table["rating"], good, what, header=0)
    return table.assign(date=_dates(path, table["date"]))


def _dates(path: Path, column: pd.Series) -> np.ndarray:
    """Return (rows,) numbers or times, whichever the first line has."""
    text, codes = _distinct(column), column.cat.codes.to_numpy()
    numbers = pd.to_numeric(text, errors="coerce")
    if np.isfinite(numbers[codes[0]]):
        dates, kind = numbers, "number"
    else:
        times = pd.to_datetime(text, format="ISO8601", errors="coerce")
        dates, kind = times.mask(numbers.notna()), "ISO date"
    what = f"a date that is no {kind}, as the first line has it"
    if pd.isna(dates[codes[0]]):
        what = "a date that is neither ISO nor a number"
    _refuse(path, column, dates.notna(), what, header=0)
    return dates.to_numpy()[codes]


def _stream(
    path: Path,
    names: list[str],
    parse: csv.ParseOptions,
    needs: str,
    header: bool = True,
) -> pd.DataFrame:
    """Read the columns `names` of a delimited file as categories, block by block."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; it needs {needs}")
    size, batches = path.stat().st_size, []
    read = csv.ReadOptions(block_size=BLOCK, column_names=None if header else names)
    convert = csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.dictionary(pa.int32(), pa.string())),
        include_columns=names,
    )
    bar = tqdm(total=size, desc=f"read {path.name}", unit="B", unit_scale=True, delay=1)
    try:
        with (
            bar,
            pa.OSFile(str(path)) as file,
            csv.open_csv(file, read, parse, convert) as reader,
        ):
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
    codes = np.concatenate([chunk.indices.to_numpy() for chunk in column.chunks])
    values = column.chunk(0).dictionary.to_pandas()
    return pd.Categorical.from_codes(codes, values, validate=False)


def _complaint(path: Path, delimiter: str, needs: str, error: Exception) -> str:
    """Return pyarrow's error about a file in one line: file, line and text."""
    if miscounted := re.search(r"Row #(\d+): Expected (\d+) columns", str(error)):
        kind = {"\t": "tab", ",": "comma"}[delimiter]
        what = f"{miscounted[2]} {kind}-separated fields expected"
        return _line_error(path, int(miscounted[1]), what)
    if other := re.search(r"Row #(\d+): (.*)", str(error)):
        return _line_error(path, int(other[1]), other[2])
    if "Empty CSV" in str(error):
        return f"{path}: the file is empty; it needs {needs}"
    return f"{path}: {error.args[0]}; it needs {needs}"


def _distinct(column: pd.Series) -> pd.Series:
    return pd.Series(column.cat.categories, dtype="str")


def _refuse(
    path: Path, column: pd.Series, good: pd.Series, what: str, header: int = 1
) -> None:
    """Raise ValueError for the first row whose value isn't `good`.

    `good` speaks of the distinct values; `header` is the number of lines above row 1.
    """
    if not good.all():
        bad = np.flatnonzero(~good.to_numpy(bool))
        row = int(np.isin(column.cat.codes, bad).argmax())
        raise ValueError(_line_error(path, row + 1 + header, what))


def _line_error(path: Path, line: int, what: str) -> str:
    with Path(path).open(encoding="utf-8", errors="replace") as file:
        text = next(itertools.islice(file, line - 1, None), "")
    return f"{path}, line {line}: {what}: {text.rstrip()[:200]!r}"
