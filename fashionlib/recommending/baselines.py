"""Recommenders that know nothing of taste: Random, MostPop and Repeat."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from fashionlib.recommending import kernels


class Random:
    """n distinct items the user has not bought, drawn uniformly.

    A user's list depends on the seed and n, not on who else is asked. Elliot draws with
    replacement, so a list of its may hold an item twice.
    """

    def __init__(self, seed: int = 42) -> None:
        self.seed = seed

    def fit(self, train: sparse.csr_matrix) -> Random:
        """Keep the train matrix, whose items are masked."""
        self.train = train
        return self

    def recommend(self, users: np.ndarray, n: int, repeats: bool = False) -> np.ndarray:
        """Return (len(users), n) item positions; see `Model.recommend`."""
        everybody, items = self.train.shape
        masked = mask(self.train, np.arange(everybody), repeats)
        bought = np.diff(masked.indptr)
        rows = np.arange(everybody)
        keys = np.repeat(rows, bought) * items + masked.indices  # sorted, one a pair
        keys = np.append(keys, everybody * items)
        generator = np.random.default_rng(self.seed)
        lists = generator.integers(items, size=(everybody, n), dtype=np.int32)
        room = np.arange(n) < (items - bought)[:, None]  # (everybody, n)
        while len(rows):
            drawn = lists[rows]
            wanted = rows[:, None] * items + drawn
            wrong = keys[np.searchsorted(keys, wanted)] == wanted
            for place in range(1, n):
                earlier = drawn[:, :place] == drawn[:, [place]]
                wrong[:, place] |= earlier.any(axis=1)
            wrong &= room[rows]
            drawn[wrong] = generator.integers(items, size=wrong.sum(), dtype=np.int32)
            lists[rows] = drawn
            rows = rows[wrong.any(axis=1)]
        return np.where(room, lists, -1)[users]


class MostPop:
    """The items with most distinct train users, ties in order of position.

    The list is the same for everybody but for the mask.
    """

    def fit(self, train: sparse.csr_matrix) -> MostPop:
        """Count each item's users."""
        self.train = train
        users = np.bincount(train.indices, minlength=train.shape[1])
        self.order = np.argsort(-users, kind="stable")
        return self

    def recommend(self, users: np.ndarray, n: int, repeats: bool = False) -> np.ndarray:
        """Return (len(users), n) item positions; see `Model.recommend`."""
        masked = mask(self.train, users, repeats)
        return kernels.first_unmasked(self.order, masked.indptr, masked.indices, n)


class Repeat:
    """What the user bought, latest first.

    `latest` (users, items) holds larger values for later interactions, as
    `interactions.latest` gives. With train items masked its lists are empty.
    """

    def __init__(self, latest: sparse.csr_matrix) -> None:
        self.latest = latest

    def fit(self, train: sparse.csr_matrix) -> Repeat:
        """Keep the train matrix, whose items are masked."""
        self.train = train
        return self

    def recommend(self, users: np.ndarray, n: int, repeats: bool = False) -> np.ndarray:
        """Return (len(users), n) item positions; see `Model.recommend`."""
        same_items = sparse.identity(self.latest.shape[1], format="csr")
        masked = mask(self.train, users, repeats)
        return kernels.top_products(
            self.latest[users].astype(float), same_items, masked, n
        )


def mask(
    train: sparse.csr_matrix, users: np.ndarray, repeats: bool
) -> sparse.csr_matrix:
    """Return what must not be recommended: the users' train rows, columns sorted.

    Nothing where `repeats` are allowed.
    """
    if repeats:
        return sparse.csr_matrix((len(users), train.shape[1]))
    return train[users].sorted_indices()
