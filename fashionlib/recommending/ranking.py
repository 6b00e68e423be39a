"""Ranking metrics, one value per user: NDCG, both things called MAP, precision, recall,
hit rate.

Everywhere `lists` is an int array (users, n) of item positions, best first, -1 for an
empty slot, and `relevant` a sparse matrix (users, items) whose non-zero entries are the
test items, the set R of each user; it may have more columns than any list reaches.
Relevance is binary, as in Elliot (Anelli et al., SIGIR 2021, doi
10.1145/3404835.3463245) with ratings that are all equal, and so in Paper A. The first k
places of a list are judged. All raise ValueError for a list shorter than k, a repeated
item, an item position out of range, or a user without test items (the caller leaves
those out: no metric is defined for them).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from scipy import sparse


def ndcg(lists: np.ndarray, relevant: sparse.csr_matrix, k: int) -> np.ndarray:
    """(users,) DCG@k / ideal DCG@k, with discount 1 / log2(rank + 1); the ideal list
    holds min(|R|, k) hits.

    Test items that no list can reach (train items, items never sold in train) count in
    the ideal, as in Elliot.
    """
    return _ndcg(*judge(lists, relevant, k))


def average_precision(
    lists: np.ndarray, relevant: sparse.csr_matrix, k: int
) -> np.ndarray:
    """(users,) sum of precision@p over the ranks p <= k that hold a hit, / min(|R|, k):
    AP@k as in textbooks.

    Other libraries divide by |R| or by the number of hits; with min(|R|, k) a perfect
    list scores 1 at any k.
    """
    return _average_precision(*judge(lists, relevant, k))


def map_elliot(lists: np.ndarray, relevant: sparse.csr_matrix, k: int) -> np.ndarray:
    """(users,) mean of precision@1 .. precision@k, whether or not a rank holds a hit.

    Elliot, and so it seems Paper A, calls this MAP. It is not average precision: it
    falls as k grows even for a perfect list (one relevant item at rank 1: .457 at k =
    5, .259 at k = 12).
    """
    return _map_elliot(*judge(lists, relevant, k))


def precision(lists: np.ndarray, relevant: sparse.csr_matrix, k: int) -> np.ndarray:
    """(users,) hits among the first k places / k; empty slots count as misses."""
    return _precision(*judge(lists, relevant, k))


def recall(lists: np.ndarray, relevant: sparse.csr_matrix, k: int) -> np.ndarray:
    """(users,) hits among the first k places / |R|."""
    return _recall(*judge(lists, relevant, k))


def hit_rate(lists: np.ndarray, relevant: sparse.csr_matrix, k: int) -> np.ndarray:
    """(users,) 1.0 where the first k places hold at least one hit, else 0.0."""
    return _hit_rate(*judge(lists, relevant, k))


def per_user(
    lists: np.ndarray, relevant: sparse.csr_matrix, cutoffs: Iterable[int]
) -> dict[str, np.ndarray]:
    """Every metric at every cutoff, {"NDCG@5": (users,), ...}; the lists are judged
    once.
    """
    cutoffs = list(cutoffs)
    found, sizes = judge(lists, relevant, max(cutoffs))
    return {
        f"{name}@{k}": metric(found[:, :k], sizes)
        for k in cutoffs
        for name, metric in METRICS.items()
    }


def coverage(lists: np.ndarray, items: int, k: int) -> float:
    """Share of the `items` candidates that appear in the first k places of at least one
    list.
    """
    shown = np.unique(lists[:, :k])
    return float(np.count_nonzero(shown >= 0) / items)


def bootstrap_interval(
    values: np.ndarray,
    seed: int,
    n: int = 1000,
    level: float = 0.95,
    clusters: Sequence | None = None,
) -> tuple[float, float]:
    """(low, high) percentile bootstrap interval of the mean over users (Efron 1979),
    from n resamples.

    `clusters` and errors as in `resampled_means`.
    """
    low, high = np.quantile(
        resampled_means(values, seed, n, clusters), [(1 - level) / 2, (1 + level) / 2]
    )
    return float(low), float(high)


def resampled_means(
    values: np.ndarray, seed: int, n: int = 1000, clusters: Sequence | None = None
) -> np.ndarray:
    """(n,) means of n resamples of the users.

    With `clusters`, a label for each value, whole clusters are drawn, as many as there
    are: values of one aren't independent (queries for the same product). A resample's
    mean is over the values that it got.

    Resampling users is drawing how often each distinct value comes up (a multinomial),
    so few distinct values, as ranking metrics have, make it cheap for a million users.
    Raises ValueError for no values, or another number of labels.
    """
    if len(values) == 0:
        raise ValueError("no values to resample: 0 users were evaluated")
    values = np.asarray(values, dtype=float)
    if clusters is None:
        distinct, counts = np.unique(values, return_counts=True)
        sums, sizes = distinct, np.ones(len(distinct))
    else:
        if len(clusters) != len(values):
            raise ValueError(f"{len(clusters)} cluster labels for {len(values)} values")
        codes = np.unique(np.asarray(clusters), return_inverse=True)[1]
        parts = np.stack(
            [np.bincount(codes, values), np.bincount(codes)], axis=1
        )  # (clusters, 2)
        distinct, counts = np.unique(parts, axis=0, return_counts=True)
        sums, sizes = distinct.T
    generator = np.random.default_rng(seed)
    block = max(
        1, 2_000_000 // len(counts)
    )  # resamples at a time, so that memory stays small
    means = []
    for start in range(0, n, block):
        drawn = generator.multinomial(
            counts.sum(), counts / counts.sum(), size=min(block, n - start)
        )
        means.append((drawn @ sums) / (drawn @ sizes))
    return np.concatenate(means)


def judge(
    lists: np.ndarray, relevant: sparse.csr_matrix, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Hits, bool (users, k), and the number of test items |R|, int (users,). Raises as
    the module says.
    """
    lists = np.asarray(lists)
    relevant = relevant.astype(bool).tocsr()
    relevant.sum_duplicates()
    relevant.eliminate_zeros()
    _check(lists, relevant, k)
    columns = relevant.shape[1]
    keys = (
        np.repeat(np.arange(len(lists)), np.diff(relevant.indptr)) * columns
        + relevant.indices
    )  # sorted
    wanted = np.arange(len(lists))[:, None] * columns + lists[:, :k]  # (users, k)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return (keys[place] == wanted) & (lists[:, :k] >= 0), np.diff(relevant.indptr)


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


def _discounts(k: int) -> np.ndarray:
    return 1 / np.log2(np.arange(2, k + 2))


def _ndcg(found: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    k = found.shape[1]
    ideal = np.cumsum(_discounts(k))[np.minimum(sizes, k) - 1]
    return found @ _discounts(k) / ideal


def _precisions(found: np.ndarray) -> np.ndarray:
    return np.cumsum(found, axis=1) / np.arange(1, found.shape[1] + 1)  # (users, k)


def _average_precision(found: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    return (_precisions(found) * found).sum(axis=1) / np.minimum(sizes, found.shape[1])


def _map_elliot(found: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    return _precisions(found).mean(axis=1)


def _precision(found: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    return found.mean(axis=1)


def _recall(found: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    return found.sum(axis=1) / sizes


def _hit_rate(found: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    return found.any(axis=1).astype(float)


METRICS = {
    "NDCG": _ndcg,
    "AP": _average_precision,
    "Elliot MAP": _map_elliot,
    "precision": _precision,
    "recall": _recall,
    "hit rate": _hit_rate,
}
