"""Shops for experiments: the same articles, other habits."""

import numpy as np

from wardrobe import planting, shops
from wardrobe.shoppers import VISIBLE


def test_the_same_articles_and_other_habits():
    truth = planting.articles(60, 3)
    rows = shops.visited(truth, 20, 3)
    once = shops.visited(truth, 20, 3, basket=1.0, repeat=0.0)
    assert not rows.equals(once) and shops.visited(truth, 20, 3).equals(rows)
    assert list(rows) == ["user_id", "item_id", "date"]
    assert rows.user_id.nunique() <= 20 and set(rows.item_id) <= set(truth.item_id)
    assert not once.duplicated(["user_id", "item_id"]).all()


def test_true_looks_are_what_tastes_are_about():
    truth = planting.articles(40, 0)
    items = shops.visited(truth, 5, 0).item_id.unique()
    looks = shops.true_looks(truth, items)
    assert looks.shape[0] == len(items) and set(np.unique(looks)) == {0, 1}
    assert (looks.sum(axis=1) == len(VISIBLE)).all()
