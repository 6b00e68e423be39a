"""Where wanted items stand among all candidates, by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from fashionlib.data import interactions
from fashionlib.recommending import places

SCORES = np.array([[5.0, 4, 3, 2, 2, 1], [0, 0, 0, 0, 0, 0]])


class Scored:
    """A model whose scores are known."""

    def scores(self, users):
        return SCORES[users].copy()


def pairs(*cells, users=2, items=6):
    rows, columns = zip(*cells, strict=True)
    return sparse.csr_matrix((np.ones(len(cells)), (rows, columns)), (users, items))


def test_shares_below_by_hand():
    wanted, bought = pairs((0, 3), (0, 1), (1, 2)), pairs((0, 0))
    groups = np.array(["p", "q", "r", "p", "s", "t"])
    table = places.shares_below({"m": Scored()}, wanted, bought, np.arange(6), groups)
    # user 0's others are 2, 4, 5: item 1 is above all, 3 ties with 4 and is above 5
    assert table["below", "m"].to_dict() == {"p": 1.5 / 3, "q": 1, "r": 0.5}
    assert (table["in twelve", "m"] == 1).all()


def test_only_candidates_are_compared():
    wanted, nothing = pairs((0, 3)), sparse.csr_matrix((2, 6))
    table = places.shares_below(
        {"m": Scored()}, wanted, nothing, np.array([3, 5]), np.arange(6)
    )
    assert table["below", "m"].to_dict() == {3: 1}


def test_nothing_wanted_is_an_empty_table():
    nothing = sparse.csr_matrix((2, 6))
    models = {"m": Scored()}
    table = places.shares_below(models, nothing, nothing, np.arange(6), np.arange(6))
    assert table.shape == (0, 2)


def test_twelve_places_and_no_more():
    class Ordered:
        def scores(self, users):
            return -np.arange(20.0)[None]

    wanted = sparse.csr_matrix((np.ones(2), ([0, 0], [11, 14])), (1, 20))
    nothing = sparse.csr_matrix((1, 20))
    table = places.shares_below(
        {"m": Ordered()}, wanted, nothing, np.arange(20), np.arange(20)
    )
    # item 11 has 11 others above it; 14 has 13, since 11 is wanted too
    assert table["in twelve", "m"].to_dict() == {11: 1, 14: 0}


def test_a_summary_writes_intervals_and_differences():
    frame = pd.DataFrame({("below", "a"): [0.5, 0.7], ("below", "b"): [0.6, 0.8]})
    frame = frame.join(
        pd.DataFrame({("in twelve", "a"): [0.0, 1], ("in twelve", "b"): [1.0, 1]})
    )
    frame.columns = pd.MultiIndex.from_tuples(frame.columns)
    shown = places.summary(frame, "a", seed=0)
    assert shown.loc["b", "minus a"] == "+0.100 [+0.100, +0.100]"
    assert shown.loc["a", "articles below"].startswith("0.600 [0.500, ")
    assert shown["in the first twelve"].to_dict() == {"a": "0.500", "b": "1.000"}
    assert (shown["still rising"] == "no").all()
    one = places.summary(frame, "a", seed=0, rising=["b"])
    assert one["still rising"].to_dict() == {"a": "no", "b": "yes"}
    assert one["minus a"].equals(shown["minus a"])


ROWS = pd.DataFrame(
    [("u", "a"), ("u", "b"), ("v", "b"), ("v", "c"), ("w", "c")],
    columns=["user_id", "item_id"],
)
TEST = pd.DataFrame(
    [("u", "a"), ("u", "c"), ("v", "a"), ("w", "x")], columns=["user_id", "item_id"]
)


def test_test_pairs_that_can_be_found():
    data = interactions.to_matrices(ROWS, TEST)
    found = places.new_test_pairs(data, ["a", "x"]).toarray()
    assert np.argwhere(found).tolist() == [[1, 0]]  # u has a in train; x is unseen


def test_new_items_have_no_entry_to_learn_from():
    new = places.without_interactions(ROWS, pd.concat([ROWS, TEST]), ["c"])
    assert new.items.tolist() == ["a", "b", "c"] and new.new.tolist() == [2]
    assert new.learn.toarray().tolist() == [[1, 1, 0], [0, 1, 0]]  # w has only c
    assert new.wanted.toarray().tolist() == [[0, 0, 1], [0, 0, 1]]
    assert new.facts["purchases removed from train"] == 2
    assert new.facts["customers left out"] == 1
    assert new.facts["purchases to find"] == pytest.approx(2)
