"""Top-k accuracy from ranks: with intervals, beside chance, per category, and between
two encoders.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from fashionlib.recommending import ranking
from fashionlib.retrieval.benchmarks import Benchmark

CUTOFFS = (1, 10, 20)  # Thesis B, table 4.3


def accuracy(
    first: np.ndarray,
    benchmark: Benchmark,
    cutoffs: Sequence[int] = CUTOFFS,
    seed: int = 0,
) -> pd.DataFrame:
    """Index "top-1", "top-10" ...: accuracy, low, high, chance, queries.

    Accuracy is the share of the queries with a true row among the first k; a query
    without one is a miss. The interval is a 95 % bootstrap that resamples products, as
    one product's queries aren't independent. `first` is `first_hits`'.
    """
    _check(first, benchmark, cutoffs)
    by_chance = chance(benchmark, cutoffs)
    rows = {
        f"top-{k}": _row(hits(first, k), benchmark.clusters, by_chance[k], seed)
        for k in cutoffs
    }
    return pd.DataFrame.from_dict(rows, orient="index").astype({"queries": int})


def per_group(
    first: np.ndarray,
    benchmark: Benchmark,
    column: str = "category",
    cutoffs: Sequence[int] = CUTOFFS,
    seed: int = 0,
) -> pd.DataFrame:
    """The table of `accuracy` for each value of a column of the queries: index (value,
    "top-k"), most queries first.

    Queries without a value are in none.
    """
    _check(first, benchmark, cutoffs)
    groups, by_chance, rows = benchmark.queries[column], chance(benchmark, cutoffs), {}
    for group in groups.value_counts().index:
        mine = (groups == group).to_numpy()
        for k in cutoffs:
            rows[group, f"top-{k}"] = _row(
                hits(first, k)[mine], benchmark.clusters[mine], by_chance[k][mine], seed
            )
    return pd.DataFrame.from_dict(rows, orient="index").astype({"queries": int})


def difference(
    first: np.ndarray,
    other: np.ndarray,
    benchmark: Benchmark,
    cutoffs: Sequence[int] = CUTOFFS,
    seed: int = 0,
    n: int = 1000,
) -> pd.DataFrame:
    """Index "top-k": difference (accuracy of `first` less that of `other`, on the same
    queries), low, high, p.

    The 95 % interval resamples products, the same for both; p is two-sided: twice the
    share of resamples, one more counted, on the other side of nought.
    """
    rows = {}
    for ranks in (first, other):
        _check(ranks, benchmark, cutoffs)
    for k in cutoffs:
        gap = hits(first, k) - hits(other, k)
        means = ranking.resampled_means(gap, seed, n, benchmark.clusters)
        low, high = np.quantile(means, [0.025, 0.975])
        tail = min((means <= 0).sum(), (means >= 0).sum())
        rows[f"top-{k}"] = {
            "difference": gap.mean(),
            "low": low,
            "high": high,
            "p": min(1.0, 2 * (tail + 1) / (n + 1)),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def chance(
    benchmark: Benchmark, cutoffs: Sequence[int] = CUTOFFS
) -> dict[int, np.ndarray]:
    """{k: (queries,)} the probability that a random order has a true row among its
    first k, exact.

    1 - C(N - R, k) / C(N, k), with R true rows among the N that aren't excluded
    (hypergeometric).
    """
    true = np.diff(benchmark.relevant.indptr)
    there = benchmark.relevant.shape[1] - (
        0 if benchmark.excluded is None else np.diff(benchmark.excluded.indptr)
    )
    pairs = np.stack([np.broadcast_to(there, true.shape), true])
    (sizes, sought), at = np.unique(pairs, axis=1, return_inverse=True)
    missed, done, found = np.ones(len(sizes)), 0, {}
    for k in sorted(cutoffs):
        for drawn in range(done, min(k, int(sizes.max()))):
            missed = (
                missed
                * np.clip(sizes - sought - drawn, 0, None)
                / np.clip(sizes - drawn, 1, None)
            )
        done = max(done, k)
        found[k] = np.where(sought > 0, 1 - missed, 0.0)[at.reshape(-1)]
    return {k: found[k] for k in cutoffs}


def hits(first: np.ndarray, k: int) -> np.ndarray:
    """(queries,) 1.0 where the first true row is among the first k, else 0.0."""
    return ((first >= 1) & (first <= k)).astype(float)


def _row(
    found: np.ndarray, clusters: np.ndarray, by_chance: np.ndarray, seed: int
) -> dict[str, float]:
    low, high = ranking.bootstrap_interval(found, seed, clusters=clusters)
    return {
        "accuracy": found.mean(),
        "low": low,
        "high": high,
        "chance": by_chance.mean(),
        "queries": len(found),
    }


def _check(first: np.ndarray, benchmark: Benchmark, cutoffs: Sequence[int]) -> None:
    if len(first) != len(benchmark.queries):
        raise ValueError(
            f"{len(first)} ranks for {len(benchmark.queries)} queries of the benchmark"
        )
    if not len(cutoffs) or min(cutoffs) < 1:
        raise ValueError(
            f"cutoffs {list(cutoffs)}: give ranks from 1, such as 1, 10, 20"
        )
