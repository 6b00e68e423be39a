"""What `fashionlib split-purchases` does: H&M's transactions cut into train and test."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from fashionlib.data.files import refuse_clash
from fashionlib.data.interactions import (
    encode_ids,
    exports,
    global_split,
    temporal_split,
)
from fashionlib.data.interactions.files import read_transactions

LAYOUTS = ("elliot", "recbole")


def split_files(
    transactions: Path,
    folder: Path,
    articles: Path | None = None,
    by: str = "customer",
    day: str = "cut",
    layout: str = "elliot",
) -> tuple[pd.DataFrame, list[Path]]:
    """Cut H&M's transactions 80/20 by time and write the sides into `folder`, all of
    them or none.

    `by` "customer": each one's last rows are the test (`temporal_split`, `day` as
    there); "date": one date for everybody. `articles`, a CSV with a column article_id
    or item_id: only purchases of these are cut. Layout "elliot": train.tsv, test.tsv
    (`write_elliot`). "recbole": the train side is cut once more by the same rule, for
    RecBole wants a validation set (`write_recbole`). Rows keep the table's order.
    Returns the counts of `describe` and the written files. Raises FileNotFoundError,
    and ValueError for bad rows (file, line, value), an unknown choice, and when an
    output is an input.
    """
    for name, value, known in (
        ("by", by, ("customer", "date")),
        ("layout", layout, LAYOUTS),
    ):
        if value not in known:
            raise ValueError(f"{name} {value!r}; known: {', '.join(known)}")
    if by == "date" and day != "cut":
        raise ValueError(
            f"day {day!r} says what becomes of the day that a customer's cut falls"
            " through; a split by date keeps all days whole"
        )
    files = (exports.elliot_files if layout == "elliot" else exports.recbole_files)(
        folder
    )
    refuse_clash(files.values(), filter(None, (transactions, articles)))

    def cut(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        return temporal_split(rows, day=day) if by == "customer" else global_split(rows)

    table = read_transactions(transactions)
    kept = table if articles is None else _only(table, transactions, articles)
    train, test = cut(kept)
    if layout == "elliot":
        exports.write_elliot(folder, train, test)
        return describe(
            {"read": table, "kept": kept, "train": train, "test": test}
        ), list(files.values())
    learn, valid = cut(train)
    exports.write_recbole(folder, learn, valid, test)
    sides = {"read": table, "kept": kept, "train": learn, "valid": valid, "test": test}
    return describe(sides), list(files.values())


def describe(sides: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One column a side; rows: rows, customers, articles, customers with one row (of
    that side).
    """
    counts = {}
    for name, table in sides.items():
        users, items = (
            np.bincount(encode_ids(table[column])[0])
            for column in ("user_id", "item_id")
        )
        counts[name] = {
            "rows": len(table),
            "customers": len(users),
            "articles": len(items),
            "customers with one row": int((users == 1).sum()),
        }
    return pd.DataFrame(counts)


def _only(table: pd.DataFrame, transactions: Path, articles: Path) -> pd.DataFrame:
    """The rows of `table` whose item is listed in the CSV `articles`."""
    if not Path(articles).is_file():
        raise FileNotFoundError(
            f"{articles}: no such file; it needs a column article_id or item_id"
        )
    try:
        listed = pd.read_csv(
            articles,
            dtype="str",
            keep_default_na=False,
            encoding="utf-8-sig",
            usecols=lambda name: name in ("article_id", "item_id"),
        )
    except (
        pd.errors.ParserError,
        pd.errors.EmptyDataError,
        UnicodeDecodeError,
    ) as error:
        raise ValueError(f"{articles}: {error}") from error
    if listed.shape[1] != 1:
        raise ValueError(
            f"{articles}: {listed.shape[1]} columns called article_id or item_id;"
            " give one"
        )
    kept = table[table["item_id"].isin(set(listed.iloc[:, 0]))]
    if kept.empty:
        raise ValueError(
            f"none of the {len(listed)} ids of {articles} (first:"
            f" {listed.iloc[0, 0]!r}) is among those of {transactions} (first:"
            f" {table['item_id'].iloc[0]!r}); has a leading zero been lost?"
            if len(listed)
            else f"{articles}: a header and no rows"
        )
    return kept
