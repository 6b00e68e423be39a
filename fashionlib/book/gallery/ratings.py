"""Ratings by hand: what the form of `gallery.form` asks, and the files that it
exports.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

CATEGORY = ("right", "wrong")
ATTRIBUTES = ("all", "most", "some", "none")
ERRORS = (
    "material",
    "size",
    "look-alike",
    "hallucination",
    "over-generation",
)  # Paper A, section 4.1


def ratings(path: str | Path) -> pd.DataFrame:
    """An exported file as a table indexed (system, item_id), in the form's order.

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
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(
            f"{path} is no JSON ({error}); export the ratings again"
        ) from error
    _check(
        path,
        "the file",
        content,
        isinstance(content, dict),
        "an object with rater and ratings",
    )
    rater, rows = content.get("rater"), content.get("ratings")
    _check(path, "rater", rater, isinstance(rater, str), "a name")
    _check(
        path,
        "ratings",
        rows,
        isinstance(rows, list) and bool(rows),
        "a list of at least one rating",
    )
    table = pd.DataFrame(
        [_rating(path, f"ratings[{n}]", row) for n, row in enumerate(rows)]
    )
    table.insert(2, "rater", rater)
    table = table.set_index(["system", "item_id"])
    twice = table.index[table.index.duplicated()]
    _check(
        path,
        "ratings",
        [tuple(pair) for pair in twice[:1]],
        twice.empty,
        "one rating for each system and item",
    )
    return table


def _rating(path: Path, key: str, row: Any) -> dict[str, Any]:
    _check(path, key, row, isinstance(row, dict), "an object")
    for name in ("system", "item", "remark"):
        _check(
            path, f"{key}.{name}", row.get(name), isinstance(row.get(name), str), "text"
        )
    for name, answers in (("category", CATEGORY), ("attributes", ATTRIBUTES)):
        told = f"one of {', '.join(answers)}, or null"
        _check(
            path,
            f"{key}.{name}",
            row.get(name, ""),
            row.get(name, "") in (None, *answers),
            told,
        )
    errors = row.get("errors")
    known = isinstance(errors, list) and all(error in ERRORS for error in errors)
    _check(
        path, f"{key}.errors", errors, known, f"a list of some of {', '.join(ERRORS)}"
    )
    answers = {
        "category": row["category"],
        "right_attributes": row["attributes"],
        "remark": row["remark"],
    }
    return {
        "system": row["system"],
        "item_id": row["item"],
        **answers,
        **{error: error in errors for error in ERRORS},
    }


def _check(path: Path, key: str, found: Any, fine: bool, expected: str) -> None:
    if not fine:
        raise ValueError(
            f"{path}, {key}: {str(found)[:80]!r} instead of {expected}; export the"
            " ratings again"
        )
