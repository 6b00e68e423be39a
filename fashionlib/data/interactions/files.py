"""Read a split's files: Elliot's TSV, RecBole's .inter, CSV and parquet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from fashionlib.data import tables
from fashionlib.data.items import DATE, ITEM, USER

RATING = "rating"
TSV = [USER, ITEM, RATING, DATE]
MODEL, RANK = "model", "rank"
SCORES = ("score", RATING, "prediction")
OTHER_NAMES = {"timestamp": DATE}  # RecBole's
NEEDS = "it needs user, item, and perhaps rating and date, or a header with user_id"


def read_interactions(path: Path) -> pd.DataFrame:
    """Read user_id, item_id and, where the file has it, date of one side of a split.

    Tab-separated, or in a .csv with commas or semicolons. A first line that names
    user_id and item_id is a header, as RecBole's .inter has it (`user_id:token`); its
    columns rating, timestamp and date are read, others are not. Without a header the
    fields are user, item, rating, date as in Elliot's files, or fewer: a third is the
    date unless it is a number. Ids are categorical text; a date is a number or a time.
    FileNotFoundError, or ValueError naming file, line and value, for a line with
    another number of fields than the first, an empty id, a rating that is no positive
    number, or a date that is neither ISO nor a number, as the first line's is.
    """
    table = _open(Path(path))
    table.require([USER, ITEM])
    tables.refuse_numbers(table, [USER, ITEM])
    rows = table.read([name for name in TSV if name in table.names], codes=True)
    table.refuse_misfits()
    if rows.empty:
        raise ValueError(f"{path}: no rows; {NEEDS}")
    for name, what in ((USER, "user"), (ITEM, "item")):
        good = tables.distinct(rows[name]).str.strip() != ""
        _refuse(table, rows[name], good, f"an empty {what}")
    if RATING in rows:
        rating = pd.to_numeric(tables.distinct(rows[RATING]), errors="coerce")
        good = (rating > 0) & (rating < np.inf)
        _refuse(table, rows[RATING], good, "a rating that is no positive number")
    if DATE in rows:
        rows[DATE] = _dates(table, rows[DATE])
    return rows.drop(columns=RATING, errors="ignore")


def read_lists(path: Path) -> pd.DataFrame:
    """Read user_id, item_id and, where the file has them, model, rank, score of lists.

    Rows come best first of each user: by rank, else by score (a column score, rating or
    prediction, or the third field of a file without a header, as Elliot writes it),
    else as they stand. Files as `read_interactions` reads them. FileNotFoundError, or
    ValueError naming file and line for an empty id, or a rank or score that is no
    number.
    """
    table = _open(Path(path))
    table.require([USER, ITEM])
    tables.refuse_numbers(table, [USER, ITEM])
    score = next((name for name in SCORES if name in table.names), None)
    named = [name for name in (USER, ITEM, MODEL, RANK, score) if name in table.names]
    rows = table.read(named)
    table.refuse_misfits()
    for name in (USER, ITEM):
        if (empty := rows[name].isna()).any():
            raise table.fault(empty.argmax(), f"an empty {name}")
    numbers = [name for name in (RANK, score) if name in rows]
    for name in numbers:
        rows[name] = pd.to_numeric(rows[name], errors="coerce")
        if (wrong := rows[name].isna()).any():
            raise table.fault(wrong.argmax(), f"a {name} that is no number")
    if numbers:
        rows = rows.sort_values(numbers[0], ascending=RANK in rows, kind="stable")
    return rows.rename(columns={score: SCORES[0]})


def _open(path: Path) -> tables.Table:
    """Say what the columns are called, whether a header does or their order."""
    if tables.beginning(path).startswith(b"PAR1"):
        table = tables.open_table(path)
        table.names = [OTHER_NAMES.get(name, name) for name in table.names]
        return table
    line = tables.first_line(path)
    comma = path.suffix.lower() == ".csv"
    delimiter = max(",;", key=line.count) if comma else "\t"
    fields = line.split(delimiter)
    names = [field.strip().partition(":")[0] for field in fields]
    if {USER, ITEM} <= set(names):
        names = [OTHER_NAMES.get(name, name) for name in names]
        return tables.Table(path, names, delimiter, quote=comma)
    return tables.Table(path, _by_place(path, fields, line), delimiter, False, comma)


def _by_place(path: Path, fields: list[str], line: str) -> list[str]:
    """Return the names of a file's fields without a header."""
    if not line:
        raise ValueError(f"{path}: the file is empty; {NEEDS}")
    if not 2 <= len(fields) <= len(TSV):
        other = max(",; \t", key=line.count)
        raise ValueError(
            f"{path}, line 1: {len(fields)} fields, expected tab-separated user, item,"
            f" rating, date (or a .csv); found {line.count(other) + 1}"
            f" {tables.KINDS[other]}-separated: {line[:200]!r}. {NEEDS}"
        )
    if len(fields) == 3 and pd.isna(pd.to_numeric(fields[2], errors="coerce")):
        return [USER, ITEM, DATE]
    return TSV[: len(fields)]


def _dates(table: tables.Table, column: pd.Series) -> np.ndarray:
    """Return (rows,) numbers or times, whichever the first line has."""
    text, codes = tables.distinct(column), column.cat.codes.to_numpy()
    numbers = pd.to_numeric(text, errors="coerce")
    if np.isfinite(numbers[codes[0]]):
        dates, kind = numbers, "number"
    else:
        times = pd.to_datetime(text, format="ISO8601", errors="coerce")
        dates, kind = times.mask(numbers.notna()), "ISO date"
    what = f"a date that is no {kind}, as the first line has it"
    if pd.isna(dates[codes[0]]):
        what = "a date that is neither ISO nor a number"
    _refuse(table, column, dates.notna(), what)
    return dates.to_numpy()[codes]


def _refuse(table: tables.Table, column: pd.Series, good: pd.Series, what: str) -> None:
    """Raise ValueError for the first row whose distinct value isn't `good`."""
    if not good.all():
        raise table.fault(tables.rows_with(column, ~good)[0], what)
