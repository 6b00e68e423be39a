"""Recommenders that know nothing of taste: Random and MostPop."""

from __future__ import annotations

import numpy as np
from scipy import sparse


class Random:
    """n distinct items the user has not bought, uniformly (Elliot draws with replacement: a list may repeat).
    """

    def __init__(self, seed: int = 42) -> None:
        self.seed = seed

    def fit(self, train: sparse.csr_matrix) -> Random:
        self.train = train
        return self

    def recommend(self, users: np.ndarray, n: int) -> np.ndarray:
        generator, items = np.random.default_rng(self.seed), self.train.shape[1]
        lists = np.full((len(users), n), -1)
        for row, user in enumerate(users):
            seen = _row(self.train, user)
            drawn = generator.choice(items, size=min(items, n + len(seen)), replace=False)
            drawn = drawn[~np.isin(drawn, seen)][:n]
            lists[row, : len(drawn)] = drawn
        return lists


class MostPop:
    """The items with most distinct train users, ties by position; the same for everybody but for the mask."""

    def fit(self, train: sparse.csr_matrix) -> MostPop:
        self.train = train
        self.order = np.argsort(-np.bincount(train.indices, minlength=train.shape[1]), kind="stable")
        return self

    def recommend(self, users: np.ndarray, n: int) -> np.ndarray:
        places = np.argsort(self.order)  # item position -> popularity rank
        lists = np.full((len(users), n), -1)
        for start in range(0, len(users), 4096):
            seen = self.train[users[start : start + 4096]]
            depth = min(len(self.order), n + int(np.diff(seen.indptr).max()))
            taken = np.zeros((seen.shape[0], depth), dtype=bool)
            rows, ranks = np.repeat(np.arange(seen.shape[0]), np.diff(seen.indptr)), places[seen.indices]
            taken[rows[ranks < depth], ranks[ranks < depth]] = True
            best = np.argsort(taken, axis=1, kind="stable")[:, :n]  # free ranks first, each in order
            free = ~np.take_along_axis(taken, best, axis=1)
            lists[start : start + 4096, : best.shape[1]] = np.where(free, self.order[best], -1)
        return lists


def _row(matrix: sparse.csr_matrix, row: int) -> np.ndarray:
    return matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]]
