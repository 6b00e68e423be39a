"""Ratings by hand: what the gallery's form asks, and the files that it exports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from fashionlib.data.files import read_json

CATEGORY = ("right", "wrong")
ATTRIBUTES = ("all", "most", "some", "none")
# Types of error that Paper A, section 4.1, describes; the list is ours.
ERRORS = ("material", "size", "look-alike", "hallucination", "over-generation")


def read_ratings(path: str | Path) -> pd.DataFrame:
    """Read an exported file as a table indexed (system, item_id), in the form's order.

    Columns `rater`, `category` ("right", "wrong"), `right_attributes` ("all", "most",
    "some", "none"), `remark`, and one boolean column for each of `ERRORS`. No answer is
    a missing value. FileNotFoundError without the file; ValueError naming the file and
    the key, what stands there and what was expected.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"no file of ratings at {path}; make one with the form's button 'Export"
            " ratings'"
        )
    try:
        content = read_json(path)
    except ValueError as error:
        raise ValueError(
            f"{path} is no JSON ({error}); export the ratings again"
        ) from error
    try:
        return _table(content)
    except _UnexpectedError as error:
        raise ValueError(f"{path}, {error}; export the ratings again") from None


def rating_shares(rated: pd.DataFrame) -> pd.DataFrame:
    """Return each system's share of captions with an error, and of right ones."""
    right = {
        "category right": rated["category"] == "right",
        "attributes all or most right": rated["right_attributes"].isin(ATTRIBUTES[:2]),
    }
    return rated[list(ERRORS)].assign(**right).groupby("system", sort=False).mean()


class _UnexpectedError(Exception):
    """A key of the file, what stands there, and what was expected."""


def _require(key: str, value: Any, fine: bool, expected: str) -> None:
    if not fine:
        raise _UnexpectedError(f"{key}: {str(value)[:80]!r} instead of {expected}")


def _table(content: Any) -> pd.DataFrame:
    is_object = isinstance(content, dict)
    _require("the file", content, is_object, "an object with rater and ratings")
    rater, rows = content.get("rater"), content.get("ratings")
    _require("rater", rater, isinstance(rater, str), "a name")
    some = isinstance(rows, list) and bool(rows)
    _require("ratings", rows, some, "a list of at least one rating")
    table = pd.DataFrame([_rating(f"ratings[{n}]", row) for n, row in enumerate(rows)])
    table.insert(2, "rater", rater)
    table = table.set_index(["system", "item_id"])
    twice = list(table.index[table.index.duplicated()][:1])
    _require("ratings", twice, not twice, "one rating for each system and item")
    return table


def _rating(key: str, row: Any) -> dict[str, Any]:
    _require(key, row, isinstance(row, dict), "an object")
    for name in ("system", "item", "remark"):
        value = row.get(name)
        _require(f"{key}.{name}", value, isinstance(value, str), "text")
    for name, answers in (("category", CATEGORY), ("attributes", ATTRIBUTES)):
        value = row.get(name, "")
        expected = f"one of {', '.join(answers)}, or null"
        _require(f"{key}.{name}", value, value in (None, *answers), expected)
    errors = row.get("errors")
    known = isinstance(errors, list) and all(error in ERRORS for error in errors)
    expected = f"a list of some of {', '.join(ERRORS)}"
    _require(f"{key}.errors", errors, known, expected)
    return {
        "system": row["system"],
        "item_id": row["item"],
        "category": row["category"],
        "right_attributes": row["attributes"],
        "remark": row["remark"],
        **{error: error in errors for error in ERRORS},
    }
