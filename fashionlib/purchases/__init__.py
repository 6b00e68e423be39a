"""Purchases: the per-user temporal split, the matrices that recommenders learn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse


def temporal_split(transactions: pd.DataFrame, share: float = 0.8) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(train, test): per user the first floor(n * share) rows by date are train, the others test.

    Rows of one day keep file order, so the cut may fall inside a day, as in Paper A's published script; both
    tables keep the rows' index and file order. A user with one row has no train row. Raises ValueError for a
    row without user, item or date.
    """
    missing = transactions[["user_id", "item_id", "date"]].isna().any(axis=1).to_numpy()
    if missing.any():
        row, total = transactions.index[missing.argmax()], len(transactions)
        raise ValueError(f"{missing.sum()} of {total} transactions lack user, item or date; first: row {row}")
    users = pd.factorize(transactions["user_id"])[0]
    order = np.lexsort((transactions["date"].to_numpy(), users))  # stable: ties stay in file order
    counts = np.bincount(users)
    place = np.empty(len(users), dtype=np.int64)  # how many rows of the same user come before
    place[order] = np.arange(len(users)) - np.repeat(np.cumsum(counts) - counts, counts)
    train = place < np.floor(counts * share)[users]
    return transactions[train], transactions[~train]


def counts(transactions: pd.DataFrame, share: float = 0.8) -> dict[str, int]:
    """Table 1's counts of Paper A: users, items, transactions, and the rows of the temporal split's train and test."""
    train, test = temporal_split(transactions, share)
    users, items = transactions["user_id"].nunique(), transactions["item_id"].nunique()
    return {"users": users, "items": items, "transactions": len(transactions), "train": len(train), "test": len(test)}


def leaks(train: pd.DataFrame, test: pd.DataFrame) -> dict[str, float]:
    """What a split lets the test rows share with the train rows, as fractions of the test rows unless said otherwise.

    same day: the customer also has a train row of that day (the cut fell inside a day); same day and product: of that
    day and product (other colour or size); bought before: of the distinct (customer, item) pairs of the test, those in
    train too, which a recommender that masks train items can't recommend; one row: of all customers, those with a
    single row. `product` is the first seven digits of the item's id, as H&M's. ValueError for an empty test.
    """
    if len(test) == 0:
        raise ValueError(f"{len(train)} train and 0 test rows: nothing to compare; was the share 1?")
    known = train.assign(product=train["item_id"].str[:7])
    rows = test.assign(product=test["item_id"].str[:7])

    def share(keys: list[str]) -> float:
        return float(pd.MultiIndex.from_frame(rows[keys]).isin(pd.MultiIndex.from_frame(known[keys])).mean())

    pairs = pd.MultiIndex.from_frame(test[["user_id", "item_id"]].drop_duplicates())
    bought = pairs.isin(pd.MultiIndex.from_frame(train[["user_id", "item_id"]])).mean()
    sizes = pd.concat([train["user_id"], test["user_id"]]).value_counts()
    return {"same day": share(["user_id", "date"]), "same day and product": share(["user_id", "date", "product"]),
            "bought before": float(bought), "one row": float((sizes == 1).mean())}


@dataclass(frozen=True)
class Interactions:
    """Binary purchases. Rows are `users` (all with a train row), the first len(items) columns are `items`
    (all with a train row: the candidates); `test` has one more column for each of `unseen`, the test items
    that no train row has: nothing can recommend them, but they count in |R|. Ids are sorted. Users without
    train rows are left out.
    """

    users: np.ndarray  # (users,) ids
    items: np.ndarray  # (items,) ids
    unseen: np.ndarray  # (unseen,) ids
    train: sparse.csr_matrix  # (users, items)
    test: sparse.csr_matrix  # (users, items + unseen)

    @property
    def evaluated(self) -> np.ndarray:
        """Positions of the users that have a test row, the ones that count in every mean."""
        return np.flatnonzero(np.diff(self.test.indptr))


def interactions(train: pd.DataFrame, test: pd.DataFrame) -> Interactions:
    """The two tables (columns user_id, item_id) as matrices; repeated purchases collapse to one.

    Raises ValueError when the train table is empty or no user has both train and test rows.
    """
    users, items = _ids(train["user_id"]), _ids(train["item_id"])
    known = test[test["user_id"].isin(users)]
    if len(known) == 0:
        raise ValueError(f"{len(train)} train and {len(test)} test rows share no user: nothing to evaluate")
    unseen = _ids(known["item_id"]).difference(items)
    columns = items.append(unseen)
    return Interactions(users.to_numpy(object), items.to_numpy(object), unseen.to_numpy(object),
                        _binary(train, users, items), _binary(known, users, columns))


def _ids(column: pd.Series) -> pd.Index:
    return pd.Index(column.unique()).sort_values()


def _binary(table: pd.DataFrame, users: pd.Index, items: pd.Index) -> sparse.csr_matrix:
    rows, columns = users.get_indexer(table["user_id"]), items.get_indexer(table["item_id"])
    matrix = sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(users), len(items)))
    matrix.sum_duplicates()
    matrix.data[:] = 1
    return matrix
