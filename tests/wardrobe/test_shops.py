"""Shops of their own: the same articles, other habits."""

import numpy as np

from wardrobe import shops
from wardrobe.shoppers import VISIBLE


def test_a_world_has_its_articles_whatever_the_habits():
    truth, rows = shops.shop(60, 20, 3)
    other, once = shops.shop(60, 20, 3, basket=1.0, repeat=0.0)
    assert truth.equals(other) and not rows.equals(once)
    assert list(rows) == ["user_id", "item_id", "date"]
    assert rows.user_id.nunique() <= 20 and set(rows.item_id) <= set(truth.item_id)
    assert shops.shop(60, 20, 3)[1].equals(rows)
    assert not once.duplicated(["user_id", "item_id"]).all()


def test_true_looks_are_what_tastes_are_about():
    truth, rows = shops.shop(40, 5, 0)
    items = rows.item_id.unique()
    looks = shops.true_looks(truth, items)
    assert looks.shape[0] == len(items) and set(np.unique(looks)) == {0, 1}
    assert (looks.sum(axis=1) == len(VISIBLE)).all()
