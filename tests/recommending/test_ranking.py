import math

import numpy as np
import pytest
from cornac.metrics import NDCG
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from fashionlib.recommending import ranking


def relevant(sets, items):
    matrix = sparse.lil_matrix((len(sets), items))
    for row, members in enumerate(sets):
        matrix[row, list(members)] = 1
    return matrix.tocsr()


def log_discount(rank):
    return 1 / math.log2(rank + 1)


def test_case_a_hits_at_ranks_2_and_5():
    lists, truth = np.array([[0, 1, 2, 3, 4]]), relevant([{1, 4}], 6)
    ideal = log_discount(1) + log_discount(2)
    assert ranking.ndcg(*ranking.judge(lists, truth, 5))[0] == pytest.approx(
        (log_discount(2) + log_discount(5)) / ideal
    )
    assert ranking.map_elliot(*ranking.judge(lists, truth, 5))[0] == pytest.approx(
        (0 + 1 / 2 + 1 / 3 + 1 / 4 + 2 / 5) / 5
    )
    assert ranking.average_precision(*ranking.judge(lists, truth, 5))[
        0
    ] == pytest.approx((1 / 2 + 2 / 5) / 2)
    assert ranking.precision(*ranking.judge(lists, truth, 5))[0] == pytest.approx(2 / 5)
    assert ranking.recall(*ranking.judge(lists, truth, 4))[0] == pytest.approx(1 / 2)
    assert ranking.hit_rate(*ranking.judge(lists, truth, 1))[0] == 0
    assert ranking.hit_rate(*ranking.judge(lists, truth, 2))[0] == 1


def test_case_b_perfect_list_falls_under_elliots_map_only():
    lists, truth = np.arange(12)[None], relevant([{0}], 12)
    harmonic = {
        5: 1 + 1 / 2 + 1 / 3 + 1 / 4 + 1 / 5,
        12: sum(1 / p for p in range(1, 13)),
    }
    for k in (5, 12):
        assert ranking.ndcg(*ranking.judge(lists, truth, k))[0] == 1
        assert ranking.average_precision(*ranking.judge(lists, truth, k))[0] == 1
        assert ranking.map_elliot(*ranking.judge(lists, truth, k))[0] == pytest.approx(
            harmonic[k] / k
        )


def test_case_c_more_test_items_than_places():
    lists, truth = np.arange(5)[None], relevant([set(range(20))], 20)
    assert ranking.ndcg(*ranking.judge(lists, truth, 5))[0] == 1
    assert ranking.average_precision(*ranking.judge(lists, truth, 5))[0] == 1
    assert ranking.map_elliot(*ranking.judge(lists, truth, 5))[0] == 1
    assert ranking.recall(*ranking.judge(lists, truth, 5))[0] == pytest.approx(5 / 20)


def test_case_d_unreachable_item_counts_in_the_ideal():
    lists, truth = np.array([[0, 1], [0, 1]]), relevant([{7}, {0, 7}], 8)
    assert ranking.ndcg(*ranking.judge(lists, truth, 2)).tolist() == [
        0,
        pytest.approx(1 / (1 + log_discount(2))),
    ]
    assert ranking.average_precision(*ranking.judge(lists, truth, 2)).tolist() == [
        0,
        1 / 2,
    ]


def test_case_f_a_test_item_bought_twice_is_one_item():
    twice = sparse.csr_matrix(
        (np.ones(2), np.array([3, 3]), np.array([0, 2])), shape=(1, 4)
    )
    assert ranking.recall(*ranking.judge(np.array([[3, 0]]), twice, 2))[0] == 1
    assert ranking.ndcg(*ranking.judge(np.array([[3, 0]]), twice, 2))[0] == 1


def elliot(listed, truth, k):
    """Elliot's definitions, user by user : nDCG, MAP, precision, recall, HR; and
    textbook AP.
    """
    hits = [1 if item in truth else 0 for item in listed[:k]]
    dcg = sum(math.log(2) / math.log(r + 2) for r, hit in enumerate(hits) if hit)
    ideal = sum(math.log(2) / math.log(r + 2) for r in range(min(len(truth), k)))
    mean_precision = sum(sum(hits[:n]) / n for n in range(1, k + 1)) / k
    precisions = [
        sum(hits[:p]) / p for p in range(1, k + 1) if p <= len(hits) and hits[p - 1]
    ]
    return {
        "NDCG": dcg / ideal,
        "Elliot MAP": mean_precision,
        "AP": sum(precisions) / min(len(truth), k),
        "precision": sum(hits) / k,
        "recall": sum(hits) / len(truth),
        "hit rate": float(any(hits)),
    }


ITEMS = 15
truths = st.sets(st.integers(0, ITEMS + 3), min_size=1)
user = st.tuples(st.permutations(range(ITEMS)), truths, st.integers(0, 12))


@settings(max_examples=60, deadline=None)
@given(st.lists(user, min_size=1, max_size=6), st.sampled_from([1, 3, 5, 12]))
def test_agrees_with_elliots_definitions(users, k):
    listed = [order[:length] for order, _, length in users]
    lists = np.array([items + [-1] * (12 - len(items)) for items in map(list, listed)])
    measured = ranking.per_user(
        lists, relevant([truth for _, truth, _ in users], ITEMS + 4), [k]
    )
    for row, (items, (_, truth, _)) in enumerate(zip(listed, users, strict=True)):
        for name, expected in elliot(items, truth, k).items():
            assert measured[f"{name}@{k}"][row] == pytest.approx(expected, rel=1e-12)


def test_agrees_with_cornacs_ndcg():
    random = np.random.default_rng(0)
    lists = np.array([random.permutation(30)[:12] for _ in range(40)])
    sets = [
        set(random.choice(30, size=random.integers(1, 9), replace=False).tolist())
        for _ in range(40)
    ]
    for k in (5, 12):
        theirs = [
            NDCG(k=k).compute(gt_pos=np.array(sorted(truth)), pd_rank=row)
            for row, truth in zip(lists, sets, strict=True)
        ]
        np.testing.assert_allclose(
            ranking.ndcg(*ranking.judge(lists, relevant(sets, 30), k)),
            theirs,
            rtol=1e-6,
        )


@pytest.mark.parametrize(
    "lists, truth, k, message",
    [
        ([[0, 1]], [{0}], 3, "cutoff 3 for lists of 2 places"),
        (
            [[0, 1], [1, 0]],
            [{0}, set()],
            2,
            "1 of 2 users have no test item, first in row 1",
        ),
        ([[0, 1], [1, 1]], [{0}, {0}], 2, "row 1 lists item 1 twice"),
        ([[0, 9]], [{0}], 2, "item positions 0..9 for 4 items"),
        ([[0, 1]], [{0}, {1}], 2, r"shape \(1, 2\) for 2 users"),
    ],
)
def test_bad_input_is_named(lists, truth, k, message):
    with pytest.raises(ValueError, match=message):
        ranking.ndcg(*ranking.judge(np.array(lists), relevant(truth, 4), k))


def test_coverage_counts_items_shown():
    assert ranking.coverage(np.array([[0, 1, -1], [1, 0, 2]]), 8, 2) == 2 / 8
    assert ranking.coverage(np.array([[0, 1, -1], [1, 0, 2]]), 8, 3) == 3 / 8


def test_means_at_every_length_are_those_of_single_cutoffs():
    lists, truth = np.array([[0, 1, 2], [2, 1, 0]]), relevant([{1, 4}, {0}], 6)
    table = ranking.by_length(lists, truth, ["NDCG", "Elliot MAP"])
    table = table.set_index(["metric", "k"]).value
    assert table["NDCG", 2] == pytest.approx(
        ranking.ndcg(*ranking.judge(lists, truth, 2)).mean()
    )
    assert table["Elliot MAP"].tolist() == pytest.approx(
        [ranking.map_elliot(*ranking.judge(lists, truth, k)).mean() for k in (1, 2, 3)]
    )
