"""Neighbours of other groups, what two spaces share, and maps."""

import numpy as np
import pandas as pd
import pytest

from fashionlib.features import Features, neighbourhoods

ANGLES = np.deg2rad([0, 5, 20, 45, 90])
SPACE = Features(list("abcde"), np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1))


def test_the_nearest_of_other_groups_by_hand():
    groups = pd.Series([1, 1, 2, 3, 2], index=list("abcde"))
    rows = neighbourhoods.nearest_of_other_groups(SPACE, ["a", "c"], groups, 2)
    assert rows.tolist() == [
        [2, 3],
        [1, 0],
    ]  # a: not b; c: b at 15°, a at 20°, d at 25°


def test_common_shares_by_hand():
    near = {"one": np.array([[1, 2], [3, 4]]), "two": np.array([[2, 1], [0, 3]])}
    shares = neighbourhoods.common_shares(near)
    assert shares.loc["one", "two"] == (2 / 2 + 1 / 2) / 2
    assert np.diag(shares).tolist() == [1, 1]


def test_a_map_keeps_two_planted_groups_apart():
    random = np.random.default_rng(0)
    matrix = random.normal(size=(60, 20)) + 9 * (np.arange(60) < 30)[:, None]
    places, trust = neighbourhoods.project(matrix, seed=1)
    middles = places[:30].mean(0), places[30:].mean(0)
    off = np.linalg.norm(places[:30] - middles[0], axis=1)
    assert places.shape == (60, 2) and 0.5 < trust <= 1
    assert np.linalg.norm(middles[0] - middles[1]) > off.max()
    again, _ = neighbourhoods.project(matrix, seed=1)
    assert places == pytest.approx(again)
