"""Bootstrap intervals of corpus values and of differences between systems, and p-values
(Efron and Tibshirani 1993).

Whole groups are resampled with replacement, as a product's colours share a caption;
every system and metric sees the same resamples, so differences are paired. Corpus BLEU
and METEOR are computed anew from each resample's summed counts; CIDEr's word weights
stay those of all items.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from fashionlib.captioning.metrics.scores import Scores, corpus_value

CHUNK = 100  # resamples whose weights are in memory at once


class Difference(NamedTuple):
    """Corpus value of a less that of b, its 95 % interval, and the two-sided
    p-value.
    """

    value: float
    low: float
    high: float
    p: float


def interval(
    scores: Scores, metric: str, groups: pd.Series | None, seed: int, n: int = 1000
) -> tuple[float, float]:
    """95 % percentile interval (low, high) of a corpus value. `groups`: item_id ->
    group; None resamples items.

    ValueError for a metric that was not computed, or an item without a group.
    """
    return _ends(_resamples({"": scores}, [metric], groups, seed, n)["", metric])


def table(
    scores: Mapping[str, Scores],
    groups: pd.Series | None = None,
    seed: int = 0,
    n: int = 1000,
) -> pd.DataFrame:
    """One row per system and metric: system, metric, value (corpus), low, high (95 %
    interval); see `interval`.

    Systems may be of different items: their intervals are not paired.
    """
    rows = []
    for name, one in scores.items():
        drawn = _resamples({name: one}, list(one.sums), groups, seed, n)
        rows += [
            (name, metric, one.corpus[metric], *_ends(drawn[name, metric]))
            for metric in one.sums
        ]
    return pd.DataFrame(rows, columns=["system", "metric", "value", "low", "high"])


def difference(
    a: Scores,
    b: Scores,
    metric: str,
    groups: pd.Series | None,
    seed: int,
    n: int = 1000,
) -> Difference:
    """One row of `differences`."""
    row = differences({"a": a, "b": b}, [("a", "b")], groups, seed, n, [metric]).iloc[0]
    return Difference(row.difference, row.low, row.high, row.p)


def differences(
    scores: Mapping[str, Scores],
    pairs: Iterable[tuple[str, str]],
    groups: pd.Series | None,
    seed: int,
    n: int = 1000,
    metrics: Sequence[str] | None = None,
) -> pd.DataFrame:
    """One row per pair of systems and metric: system, minus, metric, difference, low,
    high (95 %), p.

    `pairs`: [(system, system), ...]. p is two-sided: twice the share of resamples, one
    more counted, whose difference is not on the side of most; its smallest value is 2 /
    (n + 1). ValueError where a pair's system is unknown or two systems have other items
    or another order.
    """
    pairs = list(pairs)
    if unknown := [name for pair in pairs for name in pair if name not in scores]:
        raise ValueError(f"pairs: no system {unknown[0]!r}; known: {', '.join(scores)}")
    metrics = (
        list(next(iter(scores.values())).sums) if metrics is None else list(metrics)
    )
    drawn = _resamples(
        {name: scores[name] for pair in pairs for name in pair},
        metrics,
        groups,
        seed,
        n,
    )
    rows = []
    for one, other in pairs:
        for metric in metrics:
            spread = drawn[one, metric] - drawn[other, metric]
            low, high = _ends(spread)
            p = min(
                1.0, 2 * (1 + min((spread <= 0).sum(), (spread >= 0).sum())) / (n + 1)
            )
            value = scores[one].corpus[metric] - scores[other].corpus[metric]
            rows.append(
                (
                    one,
                    other,
                    metric,
                    value,
                    low,
                    high,
                    p if np.isfinite(value) else np.nan,
                )
            )
    return pd.DataFrame(
        rows, columns=["system", "minus", "metric", "difference", "low", "high", "p"]
    )


def _resamples(
    scores: Mapping[str, Scores],
    metrics: Sequence[str],
    groups: pd.Series | None,
    seed: int,
    n: int,
) -> dict[tuple[str, str], np.ndarray]:
    """Corpus values (n,) of each system and metric on `n` resamples."""
    if n < 1:
        raise ValueError(f"{n} resamples; at least 1 is needed")
    first = next(iter(scores.values())).per_item.index
    for name, one in scores.items():
        if not one.per_item.index.equals(first):
            raise ValueError(
                f"{name}: not the same items: {len(one.per_item)} and {len(first)}, in"
                " this order"
            )
        if unknown := [metric for metric in metrics if metric not in one.sums]:
            raise ValueError(
                f"unknown metric {unknown[0]!r}; known: {', '.join(one.sums)}"
            )
    codes = _codes(first, groups)
    size = int(codes.max()) + 1
    keys = [(name, metric) for name in scores for metric in metrics]
    parts = [scores[name].sums[metric] for name, metric in keys]
    stacked = np.concatenate(parts, axis=1).astype(float)  # (items, all k)
    summed = np.stack(
        [np.bincount(codes, column, size) for column in stacked.T], axis=1
    )  # (groups, all k)
    rng, sums = np.random.default_rng(seed), []
    for start in range(0, n, CHUNK):
        draws = range(start, min(start + CHUNK, n))
        weights = np.stack(
            [np.bincount(rng.integers(size, size=size), minlength=size) for _ in draws]
        )
        sums.append(weights.astype(float) @ summed)
    ends = np.cumsum([part.shape[1] for part in parts])
    cut = np.split(np.concatenate(sums), ends[:-1], axis=1)
    return {
        key: corpus_value(key[1], part) for key, part in zip(keys, cut, strict=True)
    }


def _ends(values: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of resampled values (n,), of those that have one: a mean of
    nothing has none.
    """
    there = values[np.isfinite(values)]
    low, high = np.quantile(there, [0.025, 0.975]) if len(there) else (np.nan, np.nan)
    return float(low), float(high)


def _codes(items: pd.Index, groups: pd.Series | None) -> np.ndarray:
    """Number of each item's group (items,)."""
    if groups is None:
        return np.arange(len(items))
    missing = items.difference(groups.dropna().index)
    if len(missing):
        raise ValueError(
            f"groups: none for {len(missing)} of {len(items)} items; missing:"
            f" {list(missing[:3])}"
        )
    return pd.factorize(groups[~groups.index.duplicated()].loc[items])[0]
