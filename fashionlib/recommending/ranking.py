"""Ranking metrics, one value per user.

They are NDCG, both things called MAP, precision, recall and hit rate.

Everywhere `lists` is an int array (users, n) of item positions, best first, -1 for an
empty slot, and `relevant` a sparse matrix (users, items) whose non-zero entries are the
test items, the set R of each user; it may have more columns than any list reaches.
Relevance is binary, as in Elliot (Anelli et al., SIGIR 2021, doi
10.1145/3404835.3463245) with ratings that are all equal; Paper A's script writes 1 for
each. The first k places of a list are judged: `judge` tells which of them are hits
(users, k) and how many test items |R| each user has, `sizes` (users,); a metric is a
function of the two.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import sparse


def ndcg(hits: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return (users,) DCG@k / ideal DCG@k, with discount 1 / log2(rank + 1).

    The ideal list holds min(|R|, k) hits. Test items that no list can reach (train
    items, items never sold in train) count in the ideal, as in Elliot.
    """
    k = hits.shape[1]
    discounts = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(discounts)[np.minimum(sizes, k) - 1]
    return hits @ discounts / ideal


def average_precision(hits: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return (users,) AP@k as in textbooks.

    It is the sum of precision@p over the ranks p <= k that hold a hit / min(|R|, k).
    Other libraries divide by |R| or by the number of hits; with min(|R|, k) a perfect
    list scores 1 at any k.
    """
    return (_precisions(hits) * hits).sum(axis=1) / np.minimum(sizes, hits.shape[1])


def map_elliot(hits: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return (users,) the mean of precision@1 .. precision@k, hit or not.

    Elliot, and so it seems Paper A, calls this MAP. It is not average precision: it
    falls as k grows even for a perfect list (one relevant item at rank 1: .457 at k =
    5, .259 at k = 12).
    """
    return _precisions(hits).mean(axis=1)


def precision(hits: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return (users,) hits among the first k places / k; empty slots are misses."""
    return hits.mean(axis=1)


def recall(hits: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return (users,) hits among the first k places / |R|."""
    return hits.sum(axis=1) / sizes


def hit_rate(hits: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return (users,) 1.0 where the first k places hold at least one hit, else 0.0."""
    return hits.any(axis=1).astype(float)


def _precisions(hits: np.ndarray) -> np.ndarray:
    return np.cumsum(hits, axis=1) / np.arange(1, hits.shape[1] + 1)  # (users, k)


METRICS = {
    "NDCG": ndcg,
    "AP": average_precision,
    "Elliot MAP": map_elliot,
    "precision": precision,
    "recall": recall,
    "hit rate": hit_rate,
}


def per_user(
    lists: np.ndarray, relevant: sparse.csr_matrix, cutoffs: Sequence[int]
) -> dict[str, np.ndarray]:
    """Return every metric at every cutoff, {"NDCG@5": (users,), ...}.

    The lists are judged once.
    """
    hits, sizes = judge(lists, relevant, max(cutoffs))
    return {
        f"{name}@{k}": metric(hits[:, :k], sizes)
        for k in cutoffs
        for name, metric in METRICS.items()
    }


def by_length(
    lists: np.ndarray, relevant: sparse.csr_matrix, metrics: Sequence[str]
) -> pd.DataFrame:
    """Return these metrics' means over users at 1 place to the length of the lists.

    Columns metric, k and value.
    """
    hits, sizes = judge(lists, relevant, lists.shape[1])
    rows = [
        (name, k, METRICS[name](hits[:, :k], sizes).mean())
        for name in metrics
        for k in range(1, lists.shape[1] + 1)
    ]
    return pd.DataFrame(rows, columns=["metric", "k", "value"])


def coverage(lists: np.ndarray, items: int, k: int) -> float:
    """Return the share of `items` that stand in the first k places of some list."""
    shown = np.unique(lists[:, :k])
    return float(np.count_nonzero(shown >= 0) / items)


def judge(
    lists: np.ndarray, relevant: sparse.csr_matrix, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return hits, bool (users, k), and |R|, the number of test items, int (users,).

    ValueError for a list shorter than k, a repeated item, an item position out of
    range, or a user without test items (the caller leaves those out: no metric is
    defined for them).
    """
    lists = np.asarray(lists)
    relevant = relevant.astype(bool).tocsr()
    relevant.sum_duplicates()
    relevant.eliminate_zeros()
    _check(lists, relevant, k)
    sizes, columns = np.diff(relevant.indptr), relevant.shape[1]
    users = np.arange(len(lists))
    # one number per (user, item), sorted, so that looking up is one binary search
    keys = np.repeat(users, sizes) * columns + relevant.indices
    wanted = users[:, None] * columns + lists[:, :k]  # (users, k)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return (keys[place] == wanted) & (lists[:, :k] >= 0), sizes


def _check(lists: np.ndarray, relevant: sparse.csr_matrix, k: int) -> None:
    if lists.ndim != 2 or lists.shape[0] != relevant.shape[0]:
        raise ValueError(
            f"lists of shape {lists.shape} for {relevant.shape[0]} users: give one row"
            " per user"
        )
    if not 1 <= k <= lists.shape[1]:
        raise ValueError(
            f"cutoff {k} for lists of {lists.shape[1]} places: ask for longer lists"
        )
    if lists.size and (lists.max() >= relevant.shape[1] or lists.min() < -1):
        span = f"{lists.min()}..{lists.max()}"
        raise ValueError(
            f"item positions {span} for {relevant.shape[1]} items (-1 = empty)"
        )
    empty = np.flatnonzero(np.diff(relevant.indptr) == 0)
    if len(empty):
        raise ValueError(
            f"{len(empty)} of {len(lists)} users have no test item, first in row"
            f" {empty[0]}: leave them out"
        )
    ordered = np.sort(lists, axis=1)
    twice = np.argwhere((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0))
    if len(twice):
        row, place = twice[0]
        raise ValueError(
            f"row {row} lists item {ordered[row, place]} twice: a list holds distinct"
            " items"
        )
