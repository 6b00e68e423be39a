"""Bootstrap intervals of corpus values and of differences between systems.

Whole groups are resampled, as a product's colours share a caption; every system and
metric sees the same resamples, so differences are paired. Corpus BLEU and METEOR are
computed anew from each resample's summed counts; CIDEr's word weights stay those of all
items.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from fashionlib import stats
from fashionlib.captioning.metrics.scores import Scores


def table(
    scores: Mapping[str, Scores],
    groups: pd.Series | None = None,
    seed: int = 0,
    n: int = 1000,
) -> pd.DataFrame:
    """Return one row a system and metric: system, metric, value, low, high (95 %).

    `groups`: item_id -> group; None resamples items. Systems may be of different items:
    their intervals are not paired. ValueError for an item without a group.
    """
    rows = []
    for name, one in scores.items():
        resampled = _resampled({name: one}, list(one.sums), groups, seed, n)
        for metric, value in one.corpus.items():
            estimate = stats.summary(value, resampled[name, metric])
            rows.append((name, metric, *estimate.ends))
    return pd.DataFrame(rows, columns=["system", "metric", "value", "low", "high"])


def difference(
    a: Scores,
    b: Scores,
    metric: str,
    groups: pd.Series | None,
    seed: int,
    n: int = 1000,
) -> stats.Estimate:
    """Estimate the corpus value of a less that of b; see `differences`."""
    rows = differences({"a": a, "b": b}, [("a", "b")], groups, seed, n, [metric])
    return stats.Estimate.of(rows.iloc[0])


def differences(
    scores: Mapping[str, Scores],
    pairs: Iterable[tuple[str, str]],
    groups: pd.Series | None,
    seed: int,
    n: int = 1000,
    metrics: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Return one row a pair of systems and metric, with interval and p-value.

    Columns: system, minus, metric, difference, low, high (95 %), p (two-sided, of
    `stats.summary`). ValueError where a pair's system or a metric is unknown, or two
    systems have other items or another order.
    """
    pairs = list(pairs)
    if unknown := [name for pair in pairs for name in pair if name not in scores]:
        raise ValueError(f"pairs: no system {unknown[0]!r}; known: {', '.join(scores)}")
    metrics = list(metrics or next(iter(scores.values())).sums)
    paired = {name: scores[name] for pair in pairs for name in pair}
    resampled = _resampled(paired, metrics, groups, seed, n)
    rows = []
    for one, other in pairs:
        for metric in metrics:
            value = scores[one].corpus[metric] - scores[other].corpus[metric]
            spread = resampled[one, metric] - resampled[other, metric]
            estimate = stats.summary(value, spread)
            rows.append((one, other, metric, *estimate.ends, estimate.p))
    return pd.DataFrame(
        rows, columns=["system", "minus", "metric", "difference", "low", "high", "p"]
    )


def _resampled(
    scores: Mapping[str, Scores],
    metrics: Sequence[str],
    groups: pd.Series | None,
    seed: int,
    n: int,
) -> dict[tuple[str, str], np.ndarray]:
    """Return corpus values (n,) of each system and metric on the same n resamples."""
    items = next(iter(scores.values())).per_item.index
    for name, one in scores.items():
        if not one.per_item.index.equals(items):
            raise ValueError(
                f"{name}: not the same items: {len(one.per_item)} and {len(items)}, in"
                " this order"
            )
        if unknown := [metric for metric in metrics if metric not in one.sums]:
            raise ValueError(
                f"unknown metric {unknown[0]!r}; known: {', '.join(one.sums)}"
            )
    sums = {(name, m): one.sums[m] for name, one in scores.items() for m in metrics}
    statistics = np.hstack([one.rows for one in sums.values()])  # (items, all k)
    resampled = stats.resample(statistics, seed, n, _of_items(groups, items))
    ends = np.cumsum([one.rows.shape[1] for one in sums.values()])
    parts = np.split(resampled, ends[:-1], axis=1)  # of each metric (n, k)
    return {key: sums[key].value(part) for key, part in zip(sums, parts, strict=True)}


def _of_items(groups: pd.Series | None, items: pd.Index) -> np.ndarray | None:
    """Return the group of each item (items,)."""
    if groups is None:
        return None
    missing = items.difference(groups.dropna().index)
    if len(missing):
        raise ValueError(
            f"groups: none for {len(missing)} of {len(items)} items; missing:"
            f" {list(missing[:3])}"
        )
    return groups[~groups.index.duplicated()].loc[items].to_numpy()
