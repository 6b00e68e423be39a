"""The matrices that recommenders learn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from fashionlib.data.interactions.ids import encode_ids, places


@dataclass(frozen=True)
class Interactions:
    """Binary interactions of the users that have a train row.

    The first len(items) columns are `items`, the candidates: all that have a train row.
    `test` has one more column for each of `unseen`, the test items without a train row:
    nothing can recommend them, but they count in |R|. Ids are sorted.
    """

    users: np.ndarray  # (users,) ids
    items: np.ndarray  # (items,) ids
    unseen: np.ndarray  # (unseen,) ids
    train: sparse.csr_matrix  # (users, items)
    test: sparse.csr_matrix  # (users, items + unseen)

    @property
    def evaluated(self) -> np.ndarray:
        """Positions of the users with a test row, over whom every mean is taken."""
        return np.flatnonzero(np.diff(self.test.indptr))


def to_matrices(train: pd.DataFrame, test: pd.DataFrame) -> Interactions:
    """Return two tables (columns user_id, item_id) as matrices; repeats become one.

    Raises ValueError when no user has both train and test rows.
    """
    user, users = encode_ids(train["user_id"])
    item, items = encode_ids(train["item_id"])
    row, column = places(test["user_id"], users), places(test["item_id"], items)
    known = row >= 0
    if not known.any():
        raise ValueError(
            f"{len(train)} train and {len(test)} test rows share no user: nothing to"
            " evaluate"
        )
    new = known & (column < 0)
    codes, unseen = encode_ids(test["item_id"][new])
    column[new] = codes + len(items)
    return Interactions(
        users.to_numpy(),
        items.to_numpy(),
        unseen.to_numpy(),
        _binary(user, item, (len(users), len(items))),
        _binary(row[known], column[known], (len(users), len(items) + len(unseen))),
    )


def latest(train: pd.DataFrame, data: Interactions) -> sparse.csr_matrix:
    """Return (users, items), float32: the place of the latest purchase in the history.

    1 is the user's first row by date (ties in file order), larger is later. `train` is
    the table of `data`.
    """
    user = places(train["user_id"], pd.Index(data.users))
    item = places(train["item_id"], pd.Index(data.items))
    order = np.lexsort((encode_ids(train["date"])[0], user))
    history = pd.DataFrame({"user": user[order], "item": item[order]})
    history["place"] = history.groupby("user").cumcount() + 1
    last = history.drop_duplicates(["user", "item"], keep="last")
    return sparse.csr_matrix(
        (last["place"].astype(np.float32), (last["user"], last["item"])),
        shape=data.train.shape,
    )


def _binary(
    rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]
) -> sparse.csr_matrix:
    # repeats are summed, which leaves True true
    ones = np.ones(len(rows), dtype=bool)
    return sparse.csr_matrix((ones, (rows, columns)), shape=shape).astype(float)
