"""Kinds of test pairs and their hits, by hand."""

import numpy as np
import pandas as pd

from fashionlib.data import interactions
from fashionlib.recommending import kinds

COLUMNS = ["user_id", "item_id", "date"]
TRAIN = pd.DataFrame(
    [("u", "0000001001", 1), ("u", "0000002001", 2), ("v", "0000003001", 1)],
    columns=COLUMNS,
)
TEST = pd.DataFrame(
    [
        ("u", "0000001001", 9),  # bought before
        ("u", "0000001002", 9),  # another colour of it
        ("u", "0000003001", 2),  # on a day in train
        ("u", "0000003001", 2),  # twice
        ("v", "0000002001", 9),  # none of these
        ("w", "0000002001", 9),  # who has no train row isn't judged
    ],
    columns=COLUMNS,
)


def test_the_first_kind_that_fits():
    found = kinds.of_test_rows(TRAIN, TEST).tolist()
    before, colour, day, later = kinds.KINDS
    assert found == [before, colour, day, day, later, later]


def test_hits_of_each_kind():
    data = interactions.to_matrices(TRAIN, TEST)
    assert data.items.tolist() == ["0000001001", "0000002001", "0000003001"]
    lists = {"m": np.array([[2, -1], [0, 2]])}  # of u and v
    table = kinds.hits_by_kind(lists, data, TRAIN, TEST, k=2)
    assert table.hits.to_dict() == {
        ("bought before", "m", "u"): 0,
        ("other colour", "m", "u"): 0,
        ("day in train", "m", "u"): 1,
        ("later day", "m", "v"): 0,
    }
    assert table.pairs.tolist() == [1, 1, 1, 1]
    assert table.recall.tolist() == [0, 0, 1, 0]


def test_shares_of_pairs_and_hits():
    rows = [
        ("d", kind, m, 4, h) for m, h in (("Random", 0), ("KNN", 1)) for kind in "x"
    ]
    recalls = pd.DataFrame(rows, columns=["data", "kind", "model", "pairs", "hits"])
    recalls["kind"] = "later day"
    other = recalls.assign(kind="other colour", pairs=12, hits=[0, 3])
    shares = kinds.shares(pd.concat([other, recalls]))
    assert shares.index.tolist() == ["d, test pairs (16)", "d, KNN's hits (4)"]
    assert shares["other colour"].tolist() == [12 / 16, 3 / 4]
    assert shares["bought before"].tolist() == [0, 0]
