"""Purchases: splits by time, what they leak, the matrices that recommenders learn
from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

DAYS = ("cut", "train", "test")  # where the day goes through which a user's cut falls


def temporal_split(
    transactions: pd.DataFrame, share: float = 0.8, day: str = "cut"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(train, test): per user the first floor(n * share) rows by date are train, the
    others test.

    Rows of one day keep file order, so the cut may fall inside a day, as in Paper A's
    published script (`day` "cut"); "train" or "test" puts that whole day there, so that
    no user's day stands on both sides. Both tables keep the rows' index and file order.
    A user with one row has no train row. `date` is a day; ids may be of any kind.
    Raises ValueError for a row without user, item or date.
    """
    if day not in DAYS:
        raise ValueError(f"day {day!r}; known: {', '.join(DAYS)}")
    _refuse_missing(transactions)
    users, dates = (encode(transactions[name])[0] for name in ("user_id", "date"))
    counts = np.bincount(users)  # (users,)
    order = _history(users, dates)
    cut = (
        np.cumsum(counts) - counts + np.floor(counts * share).astype(np.int64)
    )  # (users,) places in `order`
    train = np.empty(len(users), dtype=bool)
    train[order] = np.arange(len(users)) < np.repeat(cut, counts)
    if day != "cut":
        inside = np.flatnonzero(
            (cut > np.cumsum(counts) - counts) & (cut < np.cumsum(counts))
        )
        before, after = dates[order[cut[inside] - 1]], dates[order[cut[inside]]]
        torn = np.full(
            len(counts), -1, dtype=dates.dtype
        )  # each user's day with rows on both sides, or -1
        torn[inside] = np.where(before == after, before, -1)
        train[dates == torn[users]] = day == "train"
    return transactions[train], transactions[~train]


def global_split(
    transactions: pd.DataFrame, share: float = 0.8
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(train, test): one date for everybody. Train is all days before the one through
    which `share` of the rows falls.

    So train has at most floor(n * share) rows, and its last day lies before the test's
    first. Index and order as in `temporal_split`. Raises ValueError as there, and when
    the first day alone holds that share.
    """
    _refuse_missing(transactions)
    dates = encode(transactions["date"])[0]
    rows = np.cumsum(np.bincount(dates))  # (days,) rows up to and with that day
    train = dates < np.searchsorted(
        rows, int(np.floor(len(dates) * share)), side="right"
    )
    if train.all() or not train.any():
        raise ValueError(
            f"{len(dates)} rows on {len(rows)} days: no date has a share of {share}"
            " before it and rows after it; give more days or another share"
        )
    return transactions[train], transactions[~train]


def counts(transactions: pd.DataFrame, share: float = 0.8) -> dict[str, int]:
    """Table 1's counts of Paper A: users, items, transactions, and the rows of the
    temporal split's train and test.
    """
    train, test = temporal_split(transactions, share)
    users, items = transactions["user_id"].nunique(), transactions["item_id"].nunique()
    return {
        "users": users,
        "items": items,
        "transactions": len(transactions),
        "train": len(train),
        "test": len(test),
    }


def leaks(train: pd.DataFrame, test: pd.DataFrame) -> dict[str, float]:
    """What a split lets the test rows share with the train rows, as fractions of the
    test rows unless said otherwise.

    same day: the customer also has a train row of that day (the cut fell inside a day);
    same day and product: of that day and product (other colour or size); bought before:
    of the distinct (customer, item) pairs of the test, those in train too, which a
    recommender that masks train items can't recommend; one row: of all customers, those
    with a single row. `product` is the item's id without its last three digits, as
    H&M's. ValueError for an empty test.
    """
    if len(test) == 0:
        raise ValueError(
            f"{len(train)} train and 0 test rows: nothing to compare; was the share 1?"
        )
    known, rows = (
        table.assign(product=_products(table["item_id"])) for table in (train, test)
    )
    user, item = encode(test["user_id"])[0], encode(test["item_id"])[0]
    first = np.unique(user * (item.max() + np.int64(1)) + item, return_index=True)[
        1
    ]  # a row of each distinct pair
    sizes = pd.concat([train["user_id"], test["user_id"]]).value_counts()
    return {
        "same day": float(_shared(known, rows, ["user_id", "date"]).mean()),
        "same day and product": float(
            _shared(known, rows, ["user_id", "date", "product"]).mean()
        ),
        "bought before": float(
            _shared(known, rows, ["user_id", "item_id"])[first].mean()
        ),
        "one row": float((sizes[sizes > 0] == 1).mean()),
    }


def _products(items: pd.Series) -> pd.Series:
    codes, ids = encode(items)
    products = (
        ids // 1000
        if pd.api.types.is_integer_dtype(ids.dtype)
        else ids.astype("str").str[:7]
    )
    code, names = pd.factorize(products)
    return pd.Series(pd.Categorical.from_codes(code[codes], names), index=items.index)


def _shared(train: pd.DataFrame, test: pd.DataFrame, columns: list[str]) -> np.ndarray:
    """Whether each test row's values of these columns stand together in a train row."""
    theirs, mine = (
        np.zeros(len(train), dtype=np.int64),
        np.zeros(len(test), dtype=np.int64),
    )
    for name in columns:
        codes, ids = encode(train[name])
        place = _places(test[name], ids)
        theirs, mine = (
            theirs * len(ids) + codes,
            np.where((mine < 0) | (place < 0), -1, mine * len(ids) + place),
        )
    return pd.Index(mine).isin(
        theirs
    )  # a hash table; numpy sorts, at ten times the cost


@dataclass(frozen=True)
class Interactions:
    """Binary purchases. Rows are `users` (all with a train row), the first len(items)
    columns are `items` (all with a train row: the candidates); `test` has one more
    column for each of `unseen`, the test items that no train row has: nothing can
    recommend them, but they count in |R|. Ids are sorted. Users without train rows are
    left out.
    """

    users: np.ndarray  # (users,) ids
    items: np.ndarray  # (items,) ids
    unseen: np.ndarray  # (unseen,) ids
    train: sparse.csr_matrix  # (users, items)
    test: sparse.csr_matrix  # (users, items + unseen)

    @property
    def evaluated(self) -> np.ndarray:
        """Positions of the users that have a test row, the ones that count in every
        mean.
        """
        return np.flatnonzero(np.diff(self.test.indptr))


def interactions(train: pd.DataFrame, test: pd.DataFrame) -> Interactions:
    """The two tables (columns user_id, item_id) as matrices; repeated purchases
    collapse to one.

    Raises ValueError when the train table is empty or no user has both train and test
    rows.
    """
    (user, users), (item, items) = encode(train["user_id"]), encode(train["item_id"])
    row, column = _places(test["user_id"], users), _places(test["item_id"], items)
    known = row >= 0
    if not known.any():
        raise ValueError(
            f"{len(train)} train and {len(test)} test rows share no user: nothing to"
            " evaluate"
        )
    new = known & (column < 0)
    codes, unseen = encode(test["item_id"][new])
    column[new] = codes + len(items)
    shape = len(users), len(items)
    return Interactions(
        users.to_numpy(),
        items.to_numpy(),
        unseen.to_numpy(),
        _binary(user, item, shape),
        _binary(row[known], column[known], (shape[0], shape[1] + len(unseen))),
    )


def latest(train: pd.DataFrame, data: Interactions) -> sparse.csr_matrix:
    """(users, items) of `data`, float32: where the user bought the item, the place of
    the latest such purchase in the user's history, 1 for the first row by date (ties in
    file order). Larger is later. `train` is the table of `data`.
    """
    user, item = (
        _places(train["user_id"], pd.Index(data.users)),
        _places(train["item_id"], pd.Index(data.items)),
    )
    order = _history(user, encode(train["date"])[0])
    sizes = np.bincount(user)
    place = np.arange(1, len(user) + 1) - np.repeat(
        np.cumsum(sizes) - sizes, sizes
    )  # in the user's history
    again = _sorted(item[order])
    again = again[_sorted(user[order[again]])]  # by user, item, date
    user, item, place = user[order[again]], item[order[again]], place[again]
    last = np.append(
        (user[1:] != user[:-1]) | (item[1:] != item[:-1]), True
    )  # of the pair's rows
    return sparse.csr_matrix(
        (place[last].astype(np.float32), (user[last], item[last])),
        shape=data.train.shape,
    )


def _refuse_missing(transactions: pd.DataFrame) -> None:
    missing = np.zeros(len(transactions), dtype=bool)
    for name in ("user_id", "item_id", "date"):
        missing |= transactions[name].isna().to_numpy()
    if missing.any():
        row, total = transactions.index[missing.argmax()], len(transactions)
        raise ValueError(
            f"{missing.sum()} of {total} transactions lack user, item or date; first:"
            f" row {row}"
        )


def encode(column: pd.Series) -> tuple[np.ndarray, pd.Index]:
    """(codes, ids): int32 places of the values among the distinct values, `ids`, which
    are sorted.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes, ids = column.cat.codes.to_numpy(), column.cat.categories
    elif _dense(column):
        low = int(column.min())
        codes, ids = (
            column.to_numpy().astype(np.int64) - low,
            pd.RangeIndex(low, int(column.max()) + 1),
        )
    else:
        codes, ids = pd.factorize(column)
        ids = pd.Index(ids)
    used = np.flatnonzero(np.bincount(codes, minlength=len(ids)))
    used = used[ids[used].argsort()]
    place = np.empty(len(ids), dtype=np.int32)
    place[used] = np.arange(len(used))
    return place[codes], ids[used]


def _dense(column: pd.Series) -> bool:
    """Whether the values are whole numbers with so few gaps that a table of the whole
    range is cheap.
    """
    whole = pd.api.types.is_integer_dtype(column.dtype) and len(column) > 0
    return whole and int(column.max()) - int(column.min()) < 8 * len(column)


def _places(column: pd.Series, ids: pd.Index) -> np.ndarray:
    """int32 places of the values among `ids`, -1 for a value that isn't there; only
    distinct values are looked up.
    """
    codes, known = encode(column)
    return ids.get_indexer(known).astype(np.int32)[codes]


def _sorted(codes: np.ndarray) -> np.ndarray:
    """np.argsort(codes, kind="stable") of small whole numbers, as the counting sort
    inside scipy's COO to CSR.
    """
    place = np.arange(len(codes), dtype=np.int32)
    return (
        sparse.coo_matrix((np.ones(len(codes), dtype=bool), (codes, place)))
        .tocsr()
        .indices
    )


def _history(users: np.ndarray, dates: np.ndarray) -> np.ndarray:
    """Order of the rows by user, then date; ties in file order."""
    if (dates[1:] >= dates[:-1]).all():  # as H&M's file comes
        return _sorted(users)
    order = _sorted(dates)
    return order[_sorted(users[order])]


def _binary(
    rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]
) -> sparse.csr_matrix:
    matrix = sparse.csr_matrix(
        (np.ones(len(rows), dtype=bool), (rows, columns)), shape=shape
    )
    matrix.sum_duplicates()
    return sparse.csr_matrix(
        (np.ones(matrix.nnz), matrix.indices, matrix.indptr), shape=shape
    )
