"""The resampler: agreement with scipy, hand-made fractions, planted coverage."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats

from fashionlib import stats
from fashionlib.stats import Estimate


def test_the_interval_is_scipys_percentile_bootstrap():
    values = np.random.default_rng(1).gamma(2.0, size=400)
    ours = stats.mean(values, seed=3, n=4000)
    theirs = scipy_stats.bootstrap(
        (values,), np.mean, n_resamples=4000, method="percentile", rng=4
    ).confidence_interval
    assert ours.value == pytest.approx(values.mean())
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=0.02)


@pytest.mark.parametrize("columns", [1, 2, 5])
def test_both_ways_of_drawing_spread_alike(columns):
    """Sums have the bootstrap's variance, units x variance, however they are drawn."""
    statistics = np.random.default_rng(2).integers(0, 9, (300, columns)).astype(float)
    sums = stats.resample(statistics, seed=5, n=6000)
    assert sums.shape == (6000, columns)
    assert sums.mean(axis=0) == pytest.approx(statistics.sum(axis=0), rel=0.01)
    expected = 300 * statistics.var(axis=0)
    assert sums.var(axis=0) == pytest.approx(expected, rel=0.1)


def test_few_and_many_resamples_at_a_time_are_the_same(monkeypatch):
    values = np.arange(50.0)[:, None] * [1, 2, 3]
    whole = stats.resample(values, seed=1, n=40)
    monkeypatch.setattr(stats, "CELLS", 120)
    assert (stats.resample(values, seed=1, n=40) == whole).all()


def test_clusters_that_repeat_a_value_widen_the_interval_by_the_root_of_their_size():
    groups = np.random.default_rng(3).normal(size=100)
    alone = stats.mean(groups, seed=1, n=4000)
    members = stats.mean(
        np.repeat(groups, 9), seed=1, n=4000, clusters=np.arange(900) // 9
    )
    naive = stats.mean(np.repeat(groups, 9), seed=1, n=4000)
    width, narrow = members.high - members.low, naive.high - naive.low
    assert width == pytest.approx(alone.high - alone.low, rel=0.05)
    assert width / narrow == pytest.approx(3, rel=0.1)


def test_a_resample_of_clusters_is_averaged_over_its_own_units():
    means = stats.resampled_means([1, 1, 1, 0], 0, 2000, clusters=["a", "a", "a", "b"])
    assert set(np.round(means, 6)) == {0.0, 0.75, 1.0}
    assert (means == 0.75).mean() == pytest.approx(1 / 2, abs=0.05)


def test_p_counts_the_side_with_fewer_and_one_more():
    resampled = np.array([-1.0, 1.0, 2.0, 3.0])
    assert stats.summary(1.25, resampled).p == pytest.approx(2 * (1 + 1) / 5)
    assert stats.summary(2.0, np.arange(1.0, 1000.0)).p == pytest.approx(2 / 1000)
    assert stats.summary(0.0, np.zeros(9)).p == 1.0


def test_a_mean_of_nothing_has_no_interval():
    none = stats.summary(float("nan"), np.array([np.nan]))
    assert np.isnan(none.low) and np.isnan(none.p)
    part = stats.summary(1.0, np.array([np.nan, 1.0, 1.0]))
    assert (part.low, part.high) == (1.0, 1.0)


def test_an_estimate_scales_turns_and_writes_itself():
    gain = Estimate(0.125, 0.05, 0.25, p=0.01)
    assert f"{100 * gain:+.1f}" == "+12.5 [+5.0, +25.0]"
    assert f"{-gain:.2f}" == "-0.12 [-0.25, -0.05]"
    assert (gain.verdict, (-gain).verdict) == ("holds", "fails")
    assert Estimate(0.1, -0.1, 0.2).verdict == "open"
    assert Estimate.of({"difference": 1, "low": 0, "high": 2}) == Estimate(1, 0, 2)


def test_a_verdict_needs_all_seeds_to_agree():
    effect = {"difference": -0.04, "low": -0.06, "high": -0.02, "seeds": [-0.05, -0.03]}
    text = "holds: -4.0 [-6.0, -2.0] (seeds -5.0, -3.0)"
    assert stats.judged(effect, sign=-1) == text
    assert stats.agreed(effect) == "fails"
    apart = effect | {"seeds": [-0.09, 0.01]}
    assert stats.agreed(apart) == stats.agreed(apart, -1) == "open"


def test_tables_are_written_and_judged_row_by_row():
    rows = {"a": (0.5, 0.4, 0.6), "b": (-0.5, -0.6, -0.4), "c": (0.1, None, None)}
    table = pd.DataFrame.from_dict(
        rows, orient="index", columns=["value", "low", "high"]
    )
    texts = stats.spans(table, scale=100)
    assert texts["a"] == "50.0 [40.0, 60.0]" and pd.isna(texts["c"])
    words = ("above", "around", "below")
    assert list(stats.verdicts(table[:2], words)) == ["above", "below"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], 0), "no values to resample"),
        (([1.0], 0, 0), "0 resamples; at least 1"),
        (([1.0, 2.0], 0, 10, ["a"]), "1 cluster labels for 2 values"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        stats.mean(*arguments)


def test_pairs_of_a_design_differ_in_one_factor_of_two_levels():
    runs = {
        "s": ("small", "plain", False),
        "sj": ("small", "plain", True),
        "l": ("large", "plain", False),
        "lj": ("large", "plain", True),
    }
    design = pd.DataFrame.from_dict(
        runs, orient="index", columns=["size", "data", "joint"]
    )
    assert stats.one_factor(design).values.tolist() == [
        ["size", "l", "s"],
        ["size", "lj", "sj"],
        ["joint", "sj", "s"],
        ["joint", "lj", "l"],
    ]
    assert stats.one_factor(design[:1]).empty
    without = stats.one_factor(design.iloc[1:])  # not whole: a pair needs both its runs
    assert len(without) == len(stats.one_factor(design)) - 2


def test_columns_means_are_each_of_the_values_that_are_there():
    table = pd.DataFrame({"a": [1.0, 2.0, np.nan, 5.0], "b": [0.0, 1.0, 1.0, 0.0]})
    means = stats.means(table, seed=3, n=50, clusters=["x", "x", "y", "z"])
    alone = stats.mean([1.0, 2.0, 5.0], seed=3, n=50, clusters=["x", "x", "z"])
    assert tuple(means.loc["a"]) == alone.ends
    assert stats.means(table, 3, 50).loc["b"].tolist() == pytest.approx(
        list(stats.mean(table.b, 3, 50).ends)
    )


def test_means_of_columns_and_of_groups_are_those_of_their_values():
    index = pd.MultiIndex.from_product([list("ba"), range(50)], names=["kind", "user"])
    values = pd.Series(np.random.default_rng(0).random(100), index, name="score")
    groups = stats.means_by(values, ["kind"], seed=1)
    assert groups.kind.tolist() == ["b", "a"]
    columns = stats.means(values.unstack("kind"), seed=1)
    for kind in "ab":
        expected = stats.mean(values.xs(kind), seed=1).ends
        assert tuple(groups.set_index("kind").loc[kind]) == expected
        assert tuple(columns.loc[kind]) == expected


@pytest.mark.parametrize("level", ["model", 0])
def test_a_wide_table_keeps_the_order_and_the_cells(level):
    index = [("b", "y"), ("a", "x"), ("b", "x"), ("c", "z")]
    index = pd.MultiIndex.from_tuples(index, names=["model", "data"])
    long = pd.Series([1.0, 2.0, 3.0, 4.0], index)
    table = stats.wide(long, level)
    assert list(table.index) == ["y", "x", "z"] and list(table) == ["b", "a", "c"]
    cells = {(model, data): table.loc[data, model] for model, data in index}
    assert cells == long.to_dict() and table.notna().to_numpy().sum() == len(long)
    both = stats.wide(pd.DataFrame({"n": long, "k": 2 * long}), level)
    assert both["n"].equals(table) and list(both)[3] == ("k", "b")
