"""Estimate with an interval: one bootstrap resampler for every number of the book.

Units (users, articles, queries) are drawn with replacement, whole clusters at a time
where units aren't independent (Efron and Tibshirani 1993). What is resampled are sums
over units, so a corpus value (BLEU from summed counts) is computed anew from each
resample, and a mean is a sum over a count. Two systems judged on the same units see the
same resamples, so their difference is paired.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

HOLDS, OPEN, FAILS = VERDICTS = ("holds", "open", "fails")
CELLS = 2_000_000  # weights in memory at once


@dataclass(frozen=True)
class Estimate:
    """A number, its 95 % interval and, for a difference, its two-sided p-value.

    Formats itself: `f"{estimate:.1f}"` is "36.1 [34.0, 38.2]", and `100 * estimate`
    or `-estimate` scale value and interval alike.
    """

    value: float
    low: float
    high: float
    p: float | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any], value: str | None = None) -> Estimate:
        """Read a row with columns low, high and the one that `value` names.

        Without a name it is the first of "value", "difference" and "accuracy".
        """
        value = value or next(name for name in VALUE_COLUMNS if name in row)
        return cls(row[value], row["low"], row["high"], row.get("p"))

    @property
    def verdict(self) -> str:
        """Say whether the interval lies above zero: "holds", "open" or "fails"."""
        return verdict(self.low, self.high)

    def __mul__(self, factor: float) -> Estimate:
        low, high = sorted((factor * self.low, factor * self.high))
        return Estimate(factor * self.value, low, high, self.p)

    __rmul__ = __mul__

    def __neg__(self) -> Estimate:
        return -1 * self

    def __format__(self, spec: str) -> str:
        value, low, high = (format(x, spec or ".3g") for x in self.ends)
        return f"{value} [{low}, {high}]"

    def __str__(self) -> str:
        return format(self, "")

    @property
    def ends(self) -> tuple[float, float, float]:
        """Return value, low and high."""
        return self.value, self.low, self.high


ENDS = ["value", "low", "high"]
VALUE_COLUMNS = ("value", "difference", "accuracy")


def verdict(low: float, high: float, words: Sequence[str] = VERDICTS) -> str:
    """Say where the interval lies: above zero, around it, or below.

    `words` are said in this order, e.g. ("above", "not told apart from", "below").
    """
    return words[0] if low > 0 else words[2] if high < 0 else words[1]


def agreed(effect: Mapping[str, Any], sign: int = 1) -> str:
    """Say `verdict` of a difference times `sign`, open where its seeds disagree.

    `effect` has the keys of `Estimate.of` and, where several trainings stand behind it,
    "seeds": each one's own difference.
    """
    alike = len({np.sign(value) for value in effect.get("seeds") or [sign]}) == 1
    return (sign * Estimate.of(effect)).verdict if alike else OPEN


def judged(effect: Mapping[str, Any], sign: int = 1) -> str:
    """Write `agreed` with the difference in points (times 100), and each seed's own."""
    seeds = ", ".join(f"{100 * value:+.1f}" for value in effect["seeds"])
    word = "seeds" if len(effect["seeds"]) > 1 else "one seed"
    return f"{agreed(effect, sign)}: {100 * Estimate.of(effect):+.1f} ({word} {seeds})"


def spans(
    table: pd.DataFrame, form: str = ".1f", scale: float = 1, value: str | None = None
) -> pd.Series:
    """Write each row of a table with columns value, low and high as one text.

    `scale` multiplies (100 for percent), `form` formats, `value` names the column as in
    `Estimate.of`. Where value or interval is missing, so is the text.
    """
    rows = table.to_dict("records")
    texts = [format(scale * Estimate.of(row, value), form) for row in rows]
    known = table[["low", "high"]].notna().all(axis=1)
    return pd.Series(texts, table.index, dtype=object).where(known)


def verdicts(table: pd.DataFrame, words: Sequence[str] = VERDICTS) -> pd.Series:
    """Say `verdict` of each row of a table with columns low and high."""
    ends = zip(table["low"], table["high"], strict=True)
    return pd.Series([verdict(*row, words) for row in ends], table.index, dtype=object)


def wide(long: pd.Series | pd.DataFrame, level: Any = -1) -> pd.DataFrame:
    """Unstack levels of the index; rows and columns keep the order of the index.

    This is `unstack(sort=False)`, which in pandas 2 puts values into other cells.
    """
    if isinstance(long, pd.DataFrame):
        parts = {name: wide(long[name], level) for name in long}
        return pd.concat(parts, axis=1, names=[long.columns.name])
    values = long.index.get_level_values
    several = isinstance(level, list)
    keys = pd.MultiIndex.from_arrays(map(values, level)) if several else values(level)
    rows = long.index.droplevel(level)
    return long.unstack(level).reindex(rows.unique(), columns=keys.unique())


def mean(
    values: Sequence[float] | np.ndarray,
    seed: int,
    n: int = 1000,
    clusters: Sequence | None = None,
) -> Estimate:
    """Estimate the mean of `values` (units,), with p against zero; errors: `resample`.

    A resample of clusters has its own number of units, which its mean is over.
    """
    resampled = resampled_means(values, seed, n, clusters)
    return summary(float(np.mean(values)), resampled)


def means(
    table: pd.DataFrame, seed: int, n: int = 1000, clusters: Sequence | None = None
) -> pd.DataFrame:
    """Estimate each column's mean, of the values that are there: value, low and high.

    One row a column; `clusters` has a label for each row of the table; see `mean`.
    """
    rows = []
    for _, column in table.items():
        there = column.notna().to_numpy()
        labels = None if clusters is None else np.asarray(clusters)[there]
        rows.append(mean(column[there], seed, n, labels).ends)
    return pd.DataFrame(rows, table.columns, ENDS)


def means_by(
    values: pd.Series, levels: Sequence[str], seed: int, n: int = 1000
) -> pd.DataFrame:
    """Estimate the mean of `values` within each group of these levels of its index.

    One row a group, in order of appearance: its levels, value, low and high.
    """
    groups = values.groupby(level=list(levels), sort=False, observed=True)
    rows = {name: mean(group, seed, n).ends for name, group in groups}
    index = pd.MultiIndex.from_tuples(rows, names=levels)
    return pd.DataFrame(list(rows.values()), index, ENDS).reset_index()


def resampled_means(
    values: Sequence[float] | np.ndarray,
    seed: int,
    n: int = 1000,
    clusters: Sequence | None = None,
) -> np.ndarray:
    """Return the means (n,) of n resamples of `values` (units,); see `resample`."""
    values = np.asarray(values, dtype=float)
    if clusters is None:
        return resample(values[:, None], seed, n)[:, 0] / max(len(values), 1)
    sums = resample(np.column_stack([values, np.ones(len(values))]), seed, n, clusters)
    return sums[:, 0] / sums[:, 1]


def summary(value: float, resampled: np.ndarray) -> Estimate:
    """Sum up resampled values (n,) as an Estimate of `value`, with interval and p.

    The interval is that of percentiles. p is two-sided: twice the share of resamples on
    the side of zero with fewer, one more counted, so with 1,000 resamples the smallest
    p is 0.002. A resample without a value (a mean of nothing) is left out; an estimate
    of none has no interval.
    """
    finite = resampled[np.isfinite(resampled)]
    if not len(finite) or not np.isfinite(value):
        return Estimate(value, np.nan, np.nan, np.nan)
    low, high = np.quantile(finite, [0.025, 0.975])
    fewer = min((resampled <= 0).sum(), (resampled >= 0).sum())
    p = min(1.0, 2 * (1 + int(fewer)) / (len(resampled) + 1))
    return Estimate(value, float(low), float(high), p)


def resample(
    statistics: np.ndarray, seed: int, n: int = 1000, clusters: Sequence | None = None
) -> np.ndarray:
    """Return sums (n, k) of `statistics` (units, k) over n resamples of the units.

    With `clusters`, a label for each unit, whole clusters are drawn, as many as there
    are. ValueError for no units, no resamples, or another number of labels.
    """
    statistics = np.asarray(statistics, dtype=float)
    if len(statistics) == 0:
        raise ValueError("no values to resample: 0 users were evaluated")
    if n < 1:
        raise ValueError(f"{n} resamples; at least 1 is needed")
    if clusters is not None:
        statistics = _per_cluster(statistics, clusters)
    # One value and its count repeat among units; rows of many statistics hardly do.
    draw = _drawn_counts if statistics.shape[1] <= 2 else _drawn_units
    return np.concatenate(list(draw(np.random.default_rng(seed), statistics, n)))


def _per_cluster(statistics: np.ndarray, clusters: Sequence) -> np.ndarray:
    """Sum the statistics (units, k) of each cluster, in order of appearance."""
    if len(clusters) != len(statistics):
        raise ValueError(f"{len(clusters)} cluster labels for {len(statistics)} values")
    codes, labels = pd.factorize(np.asarray(clusters))
    columns = [np.bincount(codes, column, len(labels)) for column in statistics.T]
    return np.stack(columns, axis=1)  # (clusters, k)


def _distinct(statistics: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct rows, sorted, and how often each stands there."""
    if statistics.shape[1] == 1:  # numpy sorts plain numbers far faster than rows
        rows, counts = np.unique(statistics[:, 0], return_counts=True)
        return rows[:, None], counts
    return np.unique(statistics, axis=0, return_counts=True)


def _blocks(n: int, units: int) -> Iterator[int]:
    """Split n resamples into blocks whose weights fit in memory."""
    size = max(1, CELLS // units)
    for start in range(0, n, size):
        yield min(size, n - start)


def _drawn_counts(
    generator: np.random.Generator, statistics: np.ndarray, n: int
) -> Iterator[np.ndarray]:
    """Draw how often each distinct row comes up: cheap where few rows are distinct.

    A million users share a few dozen values of a ranking metric.
    """
    rows, counts = _distinct(statistics)
    total = counts.sum()
    for size in _blocks(n, len(rows)):
        weights = generator.multinomial(total, counts / total, size=size)
        yield weights @ rows  # (size, k)


def _drawn_units(
    generator: np.random.Generator, statistics: np.ndarray, n: int
) -> Iterator[np.ndarray]:
    """Draw units one by one, which no distinct row needs to be known for."""
    units = len(statistics)
    for size in _blocks(n, units):
        draws = (generator.integers(units, size=units) for _ in range(size))
        weights = [np.bincount(draw, minlength=units) for draw in draws]
        yield np.stack(weights).astype(float) @ statistics  # (size, k)


def one_factor(design: pd.DataFrame) -> pd.DataFrame:
    """Pair the runs of a factorial design, whole or not, that differ in one factor.

    `design` has a row a run, named by its index, and a column a factor. Returns columns
    factor, run, minus: of each factor with two levels, `run` has the second (in order
    of appearance) and `minus` the first; all other factors are equal.
    """
    keys = map(tuple, design.to_numpy())
    names = dict(zip(keys, design.index, strict=True))
    pairs = []
    for place, factor in enumerate(design):
        levels = list(design[factor].unique())
        for key, name in names.items():
            if len(levels) == 2 and key[place] == levels[1]:
                base = (*key[:place], levels[0], *key[place + 1 :])
                if base in names:
                    pairs.append((factor, name, names[base]))
    return pd.DataFrame(pairs, columns=["factor", "run", "minus"])
