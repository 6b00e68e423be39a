"""What `fashionlib split-purchases` does: cut H&M's transactions in two."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from fashionlib.data import tables
from fashionlib.data.files import refuse_clash
from fashionlib.data.interactions import exports, global_split, temporal_split
from fashionlib.data.readers.hm import read_transactions

ARTICLE_COLUMNS = ("article_id", "item_id")
LAYOUTS = {  # layout: where its files lie, and what writes them
    "elliot": (exports.elliot_files, exports.write_elliot),
    "recbole": (exports.recbole_files, exports.write_recbole),
}


def split_files(
    transactions: Path,
    folder: Path,
    articles: Path | None = None,
    by: str = "customer",
    day: str = "cut",
    layout: str = "elliot",
) -> tuple[pd.DataFrame, list[Path]]:
    """Cut H&M's transactions 80/20 by time and write all sides into `folder`, or none.

    `by` "customer": each one's last rows are the test (`temporal_split`, `day` as
    there); "date": one date for everybody. `articles`, a CSV with a column article_id
    or item_id: only purchases of these are cut. Layout "elliot": train.tsv, test.tsv
    (`write_elliot`). "recbole": the train side is cut once more by the same rule, for
    RecBole wants a validation set (`write_recbole`). Rows keep the table's order.
    Returns the counts of `describe` and the written files. Raises FileNotFoundError,
    and ValueError for bad rows (file, line, value) and when an output is an input.
    """
    if by == "date" and day != "cut":
        raise ValueError(
            f"day {day!r} says what becomes of the day that a customer's cut falls"
            " through; a split by date keeps all days whole"
        )
    files, write = LAYOUTS[layout]
    paths = list(files(folder).values())
    refuse_clash(paths, filter(None, [transactions, articles]))

    def cut(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        return temporal_split(rows, day=day) if by == "customer" else global_split(rows)

    table = read_transactions(transactions)
    rows = table if articles is None else _only(table, transactions, articles)
    train, test = cut(rows)
    sides = {"train": train, "test": test}
    if layout == "recbole":
        train, valid = cut(train)
        sides = {"train": train, "valid": valid, "test": test}
    write(folder, *sides.values())
    return describe({"read": table, "kept": rows} | sides), paths


def describe(sides: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return one column a side: rows, customers, articles, customers with one row.

    The last are those with one row of that side.
    """
    counts = {}
    for name, table in sides.items():
        per_customer = table["user_id"].value_counts()
        counts[name] = {
            "rows": len(table),
            "customers": table["user_id"].nunique(),
            "articles": table["item_id"].nunique(),
            "customers with one row": int((per_customer == 1).sum()),
        }
    return pd.DataFrame(counts)


def _only(table: pd.DataFrame, transactions: Path, articles: Path) -> pd.DataFrame:
    """Return the rows of `table` whose item is listed in the CSV `articles`."""
    listing = tables.open_table(articles)
    named = [name for name in ARTICLE_COLUMNS if name in listing.names]
    if len(named) != 1:
        raise ValueError(
            f"{articles}: {len(named)} columns called article_id or item_id; give one"
        )
    tables.refuse_numbers(listing, named)
    listed = listing.read(named).dropna()
    listing.refuse_misfits()
    if listed.empty:
        raise ValueError(f"{articles}: a header and no rows")
    ids = listed.iloc[:, 0]
    rows = table[table["item_id"].isin(ids)]
    if rows.empty:
        raise ValueError(
            f"none of the {len(ids)} ids of {articles} (first: {ids[0]!r}) is among"
            f" those of {transactions} (first: {table['item_id'].iloc[0]!r}); has a"
            " leading zero been lost?"
        )
    return rows
