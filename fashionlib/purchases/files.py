"""Purchases as files: Elliot's TSV."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd


def read_tsv(path: Path) -> pd.DataFrame:
    """A split in Elliot's form: no header, tab-separated user, item, rating, date -> user_id, item_id,
    rating, date.

    Ids and date stay strings. Raises FileNotFoundError, or ValueError naming file, line and value, for a line
    without four fields, an empty id, a rating that is no positive number, or a date that is neither ISO nor a
    number.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: no such file; it needs lines of user, item, rating, date")
    try:
        table = pd.read_csv(path, sep="\t", header=None, dtype=str, na_filter=False, quoting=3, encoding="utf-8",
                            skip_blank_lines=False)
    except pd.errors.EmptyDataError as error:
        raise ValueError(f"{path}: the file is empty; it needs lines of user, item, rating, date") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 text: {error}") from error
    except pd.errors.ParserError as error:  # a line with more fields than the first
        raise ValueError(_miscounted(path)) from error
    if table.shape[1] != 4:
        raise ValueError(_miscounted(path))
    table.columns = ["user_id", "item_id", "rating", "date"]
    rating, date = pd.to_numeric(table["rating"], errors="coerce"), table["date"]
    number = pd.to_numeric(date, errors="coerce").notna()
    dated = number | pd.to_datetime(date.mask(number), format="ISO8601", errors="coerce").notna()
    for good, expected in ((table["user_id"].str.strip() != "", "an empty user"),
                           (table["item_id"].str.strip() != "", "an empty item"),
                           ((rating > 0) & (rating < np.inf), "a rating that is no positive number"),
                           (dated, "a date that is neither ISO nor a number")):
        if not good.all():
            raise ValueError(_wrong(path, int(np.argmin(good)) + 1, expected))
    return table


def _miscounted(path: Path) -> str:
    with open(path, encoding="utf-8") as file:
        line = next(number for number, text in enumerate(file, 1) if text.count("\t") != 3)
    return _wrong(path, line, "4 tab-separated fields expected")


def _wrong(path: Path, line: int, what: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        text = next(itertools.islice(file, line - 1, None), "")
    return f"{path}, line {line}: {what}: {text.rstrip()[:200]!r}"
