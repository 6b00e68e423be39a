"""Splits by time, and what they leak."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from fashionlib.data.interactions.ids import encode_ids

DAYS = ("cut", "train", "test")  # where the day goes through which a user's cut falls


def temporal_split(
    transactions: pd.DataFrame, share: float = 0.8, day: str = "cut"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return (train, test): each user's first floor(n * share) rows by date are train.

    Rows of one day keep file order, so the cut may fall inside a day, as in Paper A's
    published script (`day` "cut"); "train" or "test" puts that whole day there, so that
    no user's day stands on both sides. Both tables keep the rows' index and file order.
    A user with one row has no train row. `date` is a day; ids may be of any kind.
    Raises ValueError for a row without user, item or date.
    """
    if day not in DAYS:
        raise ValueError(f"day {day!r}; known: {', '.join(DAYS)}")
    _refuse_missing(transactions)
    users = encode_ids(transactions["user_id"])[0]  # (rows,)
    dates = encode_ids(transactions["date"])[0]
    order = np.lexsort((dates, users))  # by user, then date; ties in file order
    sizes = np.bincount(users)  # (users,)
    cuts = np.cumsum(sizes) - sizes + np.floor(sizes * share).astype(np.int64)
    train = np.empty(len(users), dtype=bool)
    train[order] = np.arange(len(users)) < np.repeat(cuts, sizes)
    if day != "cut":
        train[_on_cut_days(users, dates, train)] = day == "train"
    return transactions[train], transactions[~train]


def _on_cut_days(users: np.ndarray, dates: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Return which rows are of a user's day that has both train and test rows."""
    last = np.full_like(users, -1, shape=users.max() + 1)  # (users,) day of train
    first = np.full_like(last, dates.max() + 1)  # (users,) day of test
    np.maximum.at(last, users[train], dates[train])
    np.minimum.at(first, users[~train], dates[~train])
    return (dates == last[users]) & (dates == first[users])


def global_split(
    transactions: pd.DataFrame, share: float = 0.8
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return (train, test), cut at one date for everybody.

    Train is all days before the one through which `share` of the rows falls, so at most
    floor(n * share) rows. Index and order as in `temporal_split`. Raises ValueError as
    there, and when the first day alone holds that share.
    """
    _refuse_missing(transactions)
    dates = encode_ids(transactions["date"])[0]  # (rows,)
    rows = np.cumsum(np.bincount(dates))  # (days,) rows up to and with that day
    most = int(np.floor(len(dates) * share))
    train = dates < np.searchsorted(rows, most, side="right")
    if train.all() or not train.any():
        raise ValueError(
            f"{len(dates)} rows on {len(rows)} days: no date has a share of {share}"
            " before it and rows after it; give more days or another share"
        )
    return transactions[train], transactions[~train]


def core(transactions: pd.DataFrame, least: int) -> pd.DataFrame:
    """Keep users with `least` distinct items and items with `least` distinct users.

    Again and again, until all that is left have them (the k-core). ValueError when
    nothing is left.
    """
    left = transactions
    while True:
        pairs = left.drop_duplicates(["user_id", "item_id"])
        enough = np.ones(len(left), dtype=bool)
        for column in ("user_id", "item_id"):
            sizes = pairs[column].value_counts()
            enough &= left[column].isin(sizes.index[sizes >= least]).to_numpy()
        if not enough.any():
            raise ValueError(
                f"{len(transactions)} transactions: no user and item with {least} of"
                " each other are left; give less"
            )
        if enough.all():
            return left
        left = left[enough]


def table_one(
    transactions: pd.DataFrame, setups: Mapping[str, Collection[str]]
) -> dict[str, int]:
    """Count as Paper A's Table 1 does, for each set-up's item ids, under its labels.

    Train and test are the rows of `temporal_split`.
    """
    cells = {}
    for name, items in setups.items():
        bought = transactions[transactions["item_id"].isin(set(items))]
        train, test = temporal_split(bought)
        cells |= {
            f"{name}: users": bought["user_id"].nunique(),
            f"{name}: items, all": len(items),
            f"{name}: items, in transactions": bought["item_id"].nunique(),
            f"{name}: transactions, all": len(bought),
            f"{name}: transactions, train": len(train),
            f"{name}: transactions, test": len(test),
        }
    return cells


def leaks(train: pd.DataFrame, test: pd.DataFrame) -> dict[str, float]:
    """Return what the test rows share with the train rows, as fractions of the test.

    The means of `leaking`'s columns; one row: of all customers, those with a single
    row. ValueError for an empty test.
    """
    shared = {name: float(rows.mean()) for name, rows in leaking(train, test).items()}
    sizes = pd.concat([train["user_id"], test["user_id"]]).value_counts()
    return shared | {"one row": float((sizes[sizes > 0] == 1).mean())}


def leaking(train: pd.DataFrame, test: pd.DataFrame) -> pd.DataFrame:
    """Say of each test row what it shares with a train row: columns of 0 and 1.

    same day: the customer also has a train row of that day (the cut fell inside a day);
    same day and product: of that day and product (other colour or size), both where
    there is a date; bought before: the customer has a train row of that item, which a
    recommender that masks train items can't recommend; missing where the pair repeats
    an earlier test row. A product is the item's id without its last three digits, as
    H&M's. The index is the test's; ValueError for an empty one.
    """
    if len(test) == 0:
        raise ValueError(
            f"{len(train)} train and 0 test rows: nothing to compare; was the share 1?"
        )
    bought = pd.concat([train, test], ignore_index=True)
    bought["product"] = _products(bought["item_id"])

    def in_train(*columns: str) -> np.ndarray:
        """Return which test rows have a train row with the same values."""
        rows = bought.groupby(list(columns), sort=False, observed=True).ngroup()
        known = pd.Index(rows)
        # a hash table: ten times faster than np.isin
        return known[len(train) :].isin(known[: len(train)]).astype(float)

    shared = {}
    if "date" in train and "date" in test:
        shared["same day"] = in_train("user_id", "date")
        shared["same day and product"] = in_train("user_id", "date", "product")
    repeats = test.duplicated(["user_id", "item_id"]).to_numpy()
    before = in_train("user_id", "item_id")
    shared["bought before"] = np.where(repeats, np.nan, before)
    return pd.DataFrame(shared, test.index)


def _products(items: pd.Series) -> np.ndarray:
    """Return one number for all items of a product."""
    codes, ids = encode_ids(items)
    if pd.api.types.is_integer_dtype(ids.dtype):
        products = ids // 1000
    else:
        products = ids.astype("str").str[:7]
    return pd.factorize(products)[0][codes]


def _refuse_missing(transactions: pd.DataFrame) -> None:
    needed = transactions[["user_id", "item_id", "date"]]
    missing = needed.isna().any(axis=1).to_numpy()
    if missing.any():
        row, total = transactions.index[missing.argmax()], len(transactions)
        raise ValueError(
            f"{missing.sum()} of {total} transactions lack user, item or date; first:"
            f" row {row}"
        )
