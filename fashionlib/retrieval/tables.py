"""Make tables of ranks: top-k accuracy with intervals, beside chance, by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from fashionlib import stats
from fashionlib.retrieval.benchmarks import Benchmark

CUTOFFS = (1, 10, 20)  # Thesis B, table 4.3


def accuracy(
    first: np.ndarray,
    benchmark: Benchmark,
    cutoffs: Sequence[int] = CUTOFFS,
    seed: int = 0,
) -> pd.DataFrame:
    """Return accuracy, low, high, chance and queries of each "top-k", the index.

    Accuracy is the share of the queries with a true row among the first k; a query
    without one is a miss. The interval is a 95 % bootstrap that resamples products, as
    one product's queries aren't independent. `first` is `first_hits`'.
    """
    _check(first, benchmark, cutoffs)
    return _accuracy(first, benchmark.clusters, chance(benchmark, cutoffs), seed)


def overview(tasks: Mapping[str, Benchmark]) -> pd.DataFrame:
    """Return queries, gallery, true rows per query, chance (top-1), rule of each."""
    rows = {
        name: {
            "queries": len(task.queries),
            "gallery": len(task.gallery),
            "true rows per query": task.relevant.nnz / len(task.queries),
            "chance": chance(task, [1])[1].mean(),
            "rule": task.rule,
        }
        for name, task in tasks.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def accuracies(
    ranks: Mapping[str, Mapping[str, np.ndarray]],
    tasks: Mapping[str, Benchmark],
    cutoffs: Sequence[int] = CUTOFFS,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the table of `accuracy` for {task: {encoder: ranks}}.

    The index is (task, encoder, "top-k").
    """
    tables = {
        (task, name): accuracy(first, tasks[task], cutoffs, seed)
        for task, encoders in ranks.items()
        for name, first in encoders.items()
    }
    return pd.concat(tables, names=["task", "encoder", "cutoff"])


def per_group(
    first: np.ndarray,
    benchmark: Benchmark,
    column: str = "category",
    cutoffs: Sequence[int] = CUTOFFS,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the table of `accuracy` for each value of a column of the queries.

    The index is (value, "top-k"), most queries first. Queries without a value are in
    no group.
    """
    _check(first, benchmark, cutoffs)
    groups, by_chance = benchmark.queries[column], chance(benchmark, cutoffs)
    tables = {}
    for group in groups.value_counts().index:
        rows = (groups == group).to_numpy()
        mine = {k: chances[rows] for k, chances in by_chance.items()}
        tables[group] = _accuracy(first[rows], benchmark.clusters[rows], mine, seed)
    return pd.concat(tables)


def difference(
    first: np.ndarray,
    other: np.ndarray,
    benchmark: Benchmark,
    cutoffs: Sequence[int] = CUTOFFS,
    seed: int = 0,
) -> pd.DataFrame:
    """Return difference, low, high and p of two encoders for each "top-k", the index.

    The difference is the accuracy of `first` less that of `other`, on the same queries.
    Its 95 % interval resamples products, the same for both; p is two-sided.
    """
    rows = {}
    for ranks in (first, other):
        _check(ranks, benchmark, cutoffs)
    for k in cutoffs:
        gap = is_hit(first, k) - is_hit(other, k)
        gain = stats.mean(gap, seed, clusters=benchmark.clusters)
        rows[f"top-{k}"] = [*gain.ends, gain.p]
    columns = ["difference", "low", "high", "p"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


def chance(
    benchmark: Benchmark, cutoffs: Sequence[int] = CUTOFFS
) -> dict[int, np.ndarray]:
    """Return {k: (queries,) the chance that k rows drawn at random hold a true one}.

    Exact, 1 - C(N - R, k) / C(N, k), with R true rows among the N that aren't excluded
    (hypergeometric).
    """
    from scipy.stats import hypergeom  # half a second of imports

    true = np.diff(benchmark.relevant.indptr)
    sizes = np.full(true.shape, benchmark.relevant.shape[1])
    if benchmark.excluded is not None:
        sizes = sizes - np.diff(benchmark.excluded.indptr)
    missed = {k: hypergeom.pmf(0, sizes, true, np.minimum(k, sizes)) for k in cutoffs}
    return {k: np.where(true > 0, 1 - chances, 0.0) for k, chances in missed.items()}


def is_hit(first: np.ndarray, k: int) -> np.ndarray:
    """Return (queries,) 1.0 where the first true row is among the first k, else 0.0."""
    return ((first >= 1) & (first <= k)).astype(float)


def _accuracy(
    first: np.ndarray,
    clusters: np.ndarray,
    by_chance: Mapping[int, np.ndarray],
    seed: int,
) -> pd.DataFrame:
    hits = pd.DataFrame({f"top-{k}": is_hit(first, k) for k in by_chance})
    table = stats.means(hits, seed, clusters=clusters)
    table.columns = ["accuracy", "low", "high"]
    chances = [chances.mean() for chances in by_chance.values()]
    return table.assign(chance=chances, queries=len(first))


def _check(first: np.ndarray, benchmark: Benchmark, cutoffs: Sequence[int]) -> None:
    if len(first) != len(benchmark.queries):
        raise ValueError(
            f"{len(first)} ranks for {len(benchmark.queries)} queries of the benchmark"
        )
    if not len(cutoffs) or min(cutoffs) < 1:
        raise ValueError(
            f"cutoffs {list(cutoffs)}: give ranks from 1, such as 1, 10, 20"
        )
