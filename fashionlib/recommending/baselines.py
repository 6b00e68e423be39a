"""Recommenders that know nothing of taste: Random, MostPop, and Repeat, which knows
what you have.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from fashionlib.recommending import kernels


class Random:
    """n distinct items the user has not bought, uniformly; a user's list depends on the
    seed and on nobody else.

    Elliot draws with replacement, so a list of its may hold an item twice.
    """

    def __init__(self, seed: int = 42) -> None:
        self.seed = seed

    def fit(self, train: sparse.csr_matrix) -> Random:
        self.train = train
        return self

    def recommend(self, users: np.ndarray, n: int, repeats: bool = False) -> np.ndarray:
        seen = mask(self.train, users, repeats)
        return kernels.random_unseen(
            np.asarray(users),
            self.seed,
            self.train.shape[1],
            seen.indptr,
            seen.indices,
            n,
        )


class MostPop:
    """The items with most distinct train users, ties by position; the same for
    everybody but for the mask.
    """

    def fit(self, train: sparse.csr_matrix) -> MostPop:
        self.train = train
        self.order = np.argsort(
            -np.bincount(train.indices, minlength=train.shape[1]), kind="stable"
        )
        return self

    def recommend(self, users: np.ndarray, n: int, repeats: bool = False) -> np.ndarray:
        seen = mask(self.train, users, repeats)
        return kernels.first_unseen(self.order, seen.indptr, seen.indices, n)


class Repeat:
    """What the user bought, latest first; `latest` (users, items) holds larger values
    for later purchases, as `purchases.latest` gives. With train items masked its lists
    are empty.
    """

    def __init__(self, latest: sparse.csr_matrix) -> None:
        self.latest = latest

    def fit(self, train: sparse.csr_matrix) -> Repeat:
        self.train = train
        return self

    def recommend(self, users: np.ndarray, n: int, repeats: bool = False) -> np.ndarray:
        one, seen = (
            sparse.identity(self.latest.shape[1], format="csr"),
            mask(self.train, users, repeats),
        )
        own = self.latest[users].astype(float)
        return kernels.best_products(
            own.indptr,
            own.indices,
            own.data,
            one.indptr,
            one.indices,
            one.data,
            one.shape[1],
            seen.indptr,
            seen.indices,
            n,
            kernels.threads(),
        )


def mask(
    train: sparse.csr_matrix, users: np.ndarray, repeats: bool
) -> sparse.csr_matrix:
    """What must not be recommended: the users' train rows, columns sorted; nothing
    where `repeats` are allowed.
    """
    if repeats:
        return sparse.csr_matrix((len(users), train.shape[1]))
    seen = train[users]
    seen.sort_indices()
    return seen
