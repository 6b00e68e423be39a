"""Recommenders by neighbourhood: UserKNN and ItemKNN."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import sparse
from tqdm import tqdm


class UserKNN:
    """score(u, i) = sum of sim(u, v) over v in N_k(u) who bought i; N_k(u): the k users most similar to u by
    cosine.

    The user is not among its neighbours. Elliot sums over the users that have u in THEIR k nearest
    (transposed), and its `standard` implementation counts the user among the k. Items no neighbour bought are
    not offered.
    """

    def __init__(self, k: int = 10) -> None:
        self.k = k

    def fit(self, train: sparse.csr_matrix) -> UserKNN:
        self.train, self.similar = train, neighbours(train, self.k)
        return self

    def recommend(self, users: np.ndarray, n: int) -> np.ndarray:
        return _best(self.similar, self.train, self.train, users, n)


class ItemKNN:
    """score(u, i) = sum of sim(i, j) over j in N_k(i) that u bought; N_k(i): the k items most similar to the
    candidate i by cosine of their buyers (candidate side, as Elliot; `implicit` keeps the neighbours of the
    bought item).

    The item is not among its neighbours (Elliot's `standard` implementation counts it: k = 20 means 19
    others). Items with no bought neighbour are not offered (Elliot fills such places with arbitrary items).
    """

    def __init__(self, k: int = 20) -> None:
        self.k = k

    def fit(self, train: sparse.csr_matrix) -> ItemKNN:
        self.train, self.similar = train, neighbours(train.T.tocsr(), self.k).T.tocsr()
        return self

    def recommend(self, users: np.ndarray, n: int) -> np.ndarray:
        return _best(self.train, self.similar, self.train, users, n)


def neighbours(rows: sparse.csr_matrix, k: int) -> sparse.csr_matrix:
    """(n, n) cosines between binary rows, each row's k largest others only; ties by position."""
    degree = np.diff(rows.indptr).astype(np.float64)
    columns = rows.T.tocsr()
    parts = []
    for block in tqdm(_blocks(rows @ np.diff(columns.indptr)), desc="neighbours", unit="batch", leave=False):
        common = (rows[block] @ columns).tocoo()
        other = common.col != common.row + block.start
        row, col, shared = common.row[other], common.col[other], common.data[other]
        # squared cosine: a quotient of whole numbers, so equal cosines are equal floats and tie as they should
        squared = shared**2 / (degree[row + block.start] * degree[col])
        similar = sparse.csr_matrix((squared, (row, col)), shape=common.shape)
        items, values = _top(similar, k)
        parts.append(sparse.csr_matrix((np.sqrt(values[items >= 0]), items[items >= 0],
                                        np.append(0, np.cumsum((items >= 0).sum(axis=1)))), shape=common.shape))
    return sparse.vstack(parts, format="csr")


def _best(left: sparse.csr_matrix, right: sparse.csr_matrix, seen: sparse.csr_matrix,
          users: np.ndarray, n: int) -> np.ndarray:
    """Top n of the rows `users` of left @ right, without the entries of `seen`."""
    lists, rows = [np.empty((0, n), dtype=np.int64)], left[users]
    for block in tqdm(_blocks(rows @ np.diff(right.indptr)), desc="lists", unit="batch", leave=False):
        scores = (rows[block] @ right).tocsr()
        scores.data = scores.data.round(12)  # the order of a sum must not break ties
        scores = (scores - scores.multiply(seen[users[block]])).tocsr()
        scores.eliminate_zeros()
        lists.append(_top(scores, n)[0])
    return np.concatenate(lists)


def _blocks(work: np.ndarray, limit: int = 8_000_000) -> Iterator[slice]:
    """Consecutive slices of rows of at most `limit` multiplications together (or one row): bounds the memory.
    """
    total, start = np.cumsum(work), 0
    while start < len(work):
        done = total[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(total, done + limit, side="right")))
        yield slice(start, stop)
        start = stop


def _top(scores: sparse.csr_matrix, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Columns and values (rows, n) of each row's largest stored entries, ties by column; -1 and 0 where it
    has fewer.
    """
    scores.sort_indices()
    columns, values = np.full((scores.shape[0], n), -1), np.zeros((scores.shape[0], n))
    for row, (start, stop) in enumerate(zip(scores.indptr[:-1], scores.indptr[1:], strict=True)):
        value, column = scores.data[start:stop], scores.indices[start:stop]
        if len(value) > n:
            enough = value >= np.partition(value, len(value) - n)[len(value) - n]
            value, column = value[enough], column[enough]
        order = np.argsort(-value, kind="stable")[:n]
        columns[row, : len(order)], values[row, : len(order)] = column[order], value[order]
    return columns, values
