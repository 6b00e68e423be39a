import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import sparse

from fashionlib import recommending
from fashionlib.data import interactions
from fashionlib.recommending import kernels, neighbours
from fashionlib.recommending.comparison import Comparison

BASELINES = {
    "Random": recommending.Random,
    "MostPop": recommending.MostPop,
    "UserKNN": recommending.UserKNN,
    "ItemKNN": recommending.ItemKNN,
}


def bought(rows):
    table = pd.DataFrame(rows, columns=["user_id", "item_id", "date"])
    return table.assign(
        date=pd.to_datetime("2020-09-01") + pd.to_timedelta(table["date"], unit="D")
    )


def matrix(rows):
    return sparse.csr_matrix(np.array(rows, dtype=float))


CLOTHES = matrix(
    [
        [
            1,
            1,
            0,
            0,
            0,
        ],  # items 0 and 1 share users 0 and 1, item 2 is bought with 1 once
        [1, 1, 0, 0, 0],
        [0, 1, 1, 0, 0],
        [0, 0, 1, 1, 0],
        [0, 0, 0, 0, 1],
    ]
)


def test_item_neighbours_by_hand():
    similar = neighbours.cosine_neighbours(CLOTHES.T.tocsr(), 1).toarray()
    expected = np.zeros((5, 5))
    expected[0, 1] = expected[1, 0] = 2 / np.sqrt(2 * 3)
    expected[2, 3] = 1 / np.sqrt(2 * 1)  # not item 1, at 1 / sqrt(2 * 3)
    expected[3, 2] = 1 / np.sqrt(1 * 2)
    np.testing.assert_allclose(
        similar, expected, rtol=1e-12
    )  # item 4 has no neighbour, itself not counted


def test_item_knn_cuts_on_the_candidates_side():
    lists = recommending.ItemKNN(k=1).fit(CLOTHES).recommend(np.arange(5), 3)
    # user 2 bought 1 and 2: item 0's neighbour is 1, item 3's is 2; 2 / sqrt(6) > 1 /
    # sqrt(2)
    assert lists.tolist() == [[-1] * 3, [-1] * 3, [0, 3, -1], [-1] * 3, [-1] * 3]


def test_user_knn_sums_over_the_users_own_neighbours():
    lists = recommending.UserKNN(k=1).fit(CLOTHES).recommend(np.arange(5), 2)
    # users 0 and 1 are each other's nearest; 2's nearest are 0, 1 and 3 at 1/2: the
    # first, who adds item 0;
    # 3's nearest is 2, who adds item 1; 4 shares nothing with anybody
    assert lists.tolist() == [[-1, -1], [-1, -1], [0, -1], [1, -1], [-1, -1]]


def dense(model, train, k, convention):
    """The definitions of `recommending.neighbours`, with dense arrays and loops: scores
    (users, items).
    """
    rows = train.T if model == "ItemKNN" else train
    norm = np.sqrt(np.outer(rows.sum(1), rows.sum(1)))
    cosine = np.divide(
        rows @ rows.T, norm, out=np.zeros_like(norm), where=norm > 0
    ).round(12)
    counted = convention in ("elliot", "implicit")
    np.fill_diagonal(cosine, 9 if counted else 0)  # 9: first among the k
    cut = np.zeros_like(cosine)
    for r, similar in enumerate(cosine):
        best = np.argsort(-similar, kind="stable")[:k]
        cut[r, best] = np.minimum(similar[best], 1)
    if model == "UserKNN":
        return (cut if convention == "plain" else cut.T) @ train
    return train @ (cut if convention == "implicit" else cut.T)


@pytest.mark.parametrize("repeats", [False, True])
@pytest.mark.parametrize(
    "name, convention",
    [(m, c) for m, known in neighbours.CONVENTIONS.items() for c in known],
)
def test_neighbourhoods_are_what_their_convention_says(name, convention, repeats):
    train = (np.random.default_rng(3).random((60, 40)) < 0.12).astype(float)
    train[:, 5] = train[7] = 0
    model = getattr(recommending, name)(k=4, convention=convention).fit(matrix(train))
    lists, scores = (
        model.recommend(np.arange(60), 12, repeats),
        dense(name, train, 4, convention),
    )
    for user in range(60):
        scores[user][train[user] > 0] *= repeats
        order = [
            i
            for i in np.argsort(-scores[user].round(10), kind="stable")[:12]
            if scores[user, i] > 0
        ]
        assert lists[user].tolist() == order + [-1] * (12 - len(order))


def test_an_unknown_convention_is_named():
    with pytest.raises(
        ValueError,
        match="UserKNN has no convention 'implicit'; known: plain, elliot, aiolli",
    ):
        recommending.UserKNN(convention="implicit")
    with pytest.raises(ValueError, match="ItemKNN with k = 0"):
        recommending.ItemKNN(0)


@settings(max_examples=60, deadline=None)
@example(4294967295, 1, 0.328125, 3)  # a tie that rounding hid
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 6),
    st.floats(0.05, 0.9),
    st.sampled_from([1, 3, 8, 50]),
)
def test_pruned_neighbours_are_all_neighbours(seed, k, share, block):
    """Popular and rare columns, long and short rows, many blocks: the bounds may leave
    out work, no neighbour.
    """
    random = np.random.default_rng(seed)
    chances = np.outer(random.random(40) ** 2, random.random(30) ** 2) * 4 * share
    rows = (random.random((40, 30)) < chances).astype(float)
    norm = np.sqrt(np.outer(rows.sum(1), rows.sum(1)))
    cosine = np.divide(rows @ rows.T, norm, out=np.zeros_like(norm), where=norm > 0)
    np.fill_diagonal(cosine, 0)
    compiled = kernels._most_similar
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            kernels, "BLOCK", block
        )  # in Python: compiled code has its constants built in
        patch.setattr(kernels, "SLACK", 1 + seed % 3)
        patch.setattr(kernels, "_most_similar", compiled.py_func)
        similar = neighbours.cosine_neighbours(matrix(rows), k).toarray()
    for mine, row in zip(similar, cosine, strict=True):
        kept = [i for i in np.argsort(-row.round(12), kind="stable")[:k] if row[i] > 0]
        assert np.flatnonzero(mine).tolist() == sorted(kept)
        np.testing.assert_allclose(mine[kept], row[kept], rtol=1e-12)


def test_neighbours_agree_with_implicit():
    library = pytest.importorskip("implicit.nearest_neighbours")
    train = matrix((np.random.default_rng(8).random((300, 80)) < 0.05).astype(float))
    theirs = library.CosineRecommender(K=21)  # counts the item itself
    theirs.fit(train.tocsr(), show_progress=False)
    mine = neighbours.cosine_neighbours(train.T.tocsr(), 21, counting_self=True)
    # equal cosines may be cut at another of the tied items: compare the sorted values,
    # then the scores of the lists
    for a, b in zip(theirs.similarity, mine, strict=True):
        np.testing.assert_allclose(
            np.sort(a.data[a.data > 0]), np.sort(b.data), rtol=1e-9
        )
    users = np.flatnonzero(np.diff(train.indptr))
    model = recommending.ItemKNN(80, "implicit").fit(
        train
    )  # all neighbours: no tie is cut
    theirs = library.CosineRecommender(K=80)
    theirs.fit(train.tocsr(), show_progress=False)
    ids, scores = theirs.recommend(users, train[users], N=5)
    lists = model.recommend(users, 5)
    full = (train[users] @ model.similar).toarray()
    for row, (user_ids, user_scores) in enumerate(zip(ids, scores, strict=True)):
        listed = lists[row][lists[row] >= 0]
        np.testing.assert_allclose(
            full[row, listed], user_scores[user_scores > 0], rtol=1e-9
        )
        certain = (
            user_scores > user_scores[-1] + 1e-9
        )  # what ties with the last place may be another item
        assert set(user_ids[certain]) <= set(listed)


def test_most_pop_counts_users_and_masks():
    train = matrix([[1, 0, 1, 0], [0, 1, 1, 0], [0, 1, 0, 0]])
    lists = recommending.MostPop().fit(train).recommend(np.arange(3), 3)
    assert lists.tolist() == [
        [1, 3, -1],
        [0, 3, -1],
        [2, 0, 3],
    ]  # items 1 and 2 tie at two users


def test_random_is_uniform_over_unbought_items_without_repeats():
    train = sparse.vstack([matrix([[1, 0, 0, 0, 0, 0]])] * 6000, format="csr")
    lists = recommending.Random(seed=1).fit(train).recommend(np.arange(6000), 2)
    counts = np.bincount(lists.ravel(), minlength=6)
    assert counts[0] == 0
    np.testing.assert_allclose(counts[1:], 2400, rtol=0.1)
    assert (lists[:, 0] != lists[:, 1]).all()
    assert (
        recommending.Random(seed=1).fit(train).recommend(np.arange(6000), 2).tolist()
        == lists.tolist()
    )
    alone = recommending.Random(seed=1).fit(train).recommend(np.array([7, 3]), 2)
    assert alone.tolist() == lists[[7, 3]].tolist()  # whoever else is asked
    assert recommending.Random().fit(matrix([[1, 0, 1]])).recommend(
        np.array([0]), 3
    ).tolist() == [[1, -1, -1]]


@pytest.mark.parametrize("name", sorted(BASELINES))
def test_no_model_offers_what_the_user_bought(name):
    train = matrix((np.random.default_rng(5).random((50, 30)) < 0.2).astype(float))
    users = np.array([7, 3, 3, 49])
    lists = BASELINES[name]().fit(train).recommend(users, 12)
    for user, items in zip(users, lists, strict=True):
        offered = items[items >= 0]
        assert not train[user].toarray().ravel()[offered].any()
        assert len(set(offered)) == len(offered) > 0
    assert lists[1].tolist() == lists[2].tolist()


def outfits(seed=0, users=300):
    """Shoppers who buy items in pairs (2i, 2i + 1), the first of a pair a day before
    the second.
    """
    random = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        for day, pair in enumerate(random.choice(20, size=5, replace=False)):
            rows += [
                (f"u{user}", f"{2 * pair:02}", 2 * day),
                (f"u{user}", f"{2 * pair + 1:02}", 2 * day + 1),
            ]
    return bought(rows).sample(frac=1, random_state=seed)


def test_compare_finds_the_planted_companions():
    data = interactions.to_matrices(*interactions.temporal_split(outfits()))
    models = {
        "MostPop": recommending.MostPop(),
        "ItemKNN": recommending.ItemKNN(k=1),
        "Random": recommending.Random(),
    }
    table = recommending.compare(models, data, cutoffs=(1, 5)).table
    assert table.loc["Random", "NDCG@5"] < 0.2
    # floor(10 * .8): the fifth pair is all in test; nothing in train tells it,
    # companions of bought items are bought
    assert table.loc["ItemKNN", "NDCG@5"] < 0.2
    shifted = outfits().assign(
        date=lambda t: (
            t["date"] + pd.Timedelta(days=1) * (t["item_id"].astype(int) % 2) * 99
        )
    )
    train, test = interactions.temporal_split(
        shifted, share=0.9
    )  # now each user's one test row completes a pair
    comparison = recommending.compare(
        models, interactions.to_matrices(train, test), cutoffs=(1, 5)
    )
    table, per_user, lists = comparison.table, comparison.per_user, comparison.lists
    assert table.loc["ItemKNN", "hit rate@1"] == 1
    assert table.loc["ItemKNN", "Elliot MAP@5"] == pytest.approx(
        (1 + 1 / 2 + 1 / 3 + 1 / 4 + 1 / 5) / 5
    )
    assert table.loc["MostPop", "NDCG@5"] < 0.5
    assert per_user.loc["ItemKNN"].shape[0] == lists["ItemKNN"].shape[0] == 300
    for model in models:
        assert (
            table.loc[model, "AP@5 low"]
            <= table.loc[model, "AP@5"]
            <= table.loc[model, "AP@5 high"]
        )
        assert table.loc[model, "AP@5"] == pytest.approx(
            per_user.loc[model, "AP@5"].mean(), rel=1e-12
        )


def test_a_model_that_is_still_rising_is_told_in_the_table():
    class Rising(recommending.MostPop):
        still_rising = True

    pairs = [(user, item, 1) for user in "uvw" for item in "abc"]
    table = pd.DataFrame(pairs, columns=["user_id", "item_id", "date"])
    data = interactions.to_matrices(table[::2], table[1::2])
    models = {"rises": Rising(), "stands": recommending.MostPop()}
    comparison = recommending.compare(models, data, (1,))
    assert comparison.rising == {"rises"}
    assert comparison.table["still rising"].to_dict() == {
        "rises": True,
        "stands": False,
    }


def test_repeat_offers_own_purchases_latest_first():
    train = matrix([[1, 0, 1, 1], [0, 1, 0, 0]])
    latest = matrix([[2, 0, 9, 4], [0, 1, 0, 0]])
    model = recommending.Repeat(latest).fit(train)
    assert model.recommend(np.arange(2), 2, repeats=True).tolist() == [[2, 3], [1, -1]]
    assert model.recommend(np.arange(2), 2).tolist() == [[-1, -1], [-1, -1]]


def test_paired_differences_know_a_real_one_from_none():
    users = pd.Index([f"u{n}" for n in range(400)], name="user_id")
    random = np.random.default_rng(0)
    base = random.random(400)
    models = {"a": base + 0.1, "b": base, "c": base + random.normal(0, 0.5, 400)}
    per_user = pd.concat(
        {m: pd.DataFrame({"NDCG@5": v}, index=users) for m, v in models.items()},
        names=["model"],
    )
    table = recommending.paired(per_user, [("a", "b"), ("c", "b")])
    assert table.loc["a minus b"].tolist() == pytest.approx([0.1, 0.1, 0.1, 2 / 1001])
    assert (
        table.loc["c minus b", "low"] < 0 < table.loc["c minus b", "high"]
        and table.loc["c minus b", "p"] > 0.05
    )
    with pytest.raises(
        ValueError, match="1 of 400 users were judged for one of 'a' and 'b' alone"
    ):
        recommending.paired(per_user.drop(("b", "u3")), [("a", "b")])


def test_every_model_against_one():
    users = pd.Index(["u", "v"], name="user_id")
    scores = {"a": [0.1, 0.3], "b": [0.2, 0.4], "c": [0.0, 0.0]}
    tables = {name: pd.DataFrame({"NDCG@5": s}, users) for name, s in scores.items()}
    per_user = pd.concat(tables, names=["model"])
    comparison = Comparison(per_user, dict.fromkeys("abc"), (5,), items=9, seed=0)
    table = recommending.against(comparison, "a")
    assert table.value.to_dict() == pytest.approx({"b": 0.1, "c": -0.2})
    pair = recommending.paired(per_user, [("b", "a")]).iloc[0]
    assert table.loc["b"].tolist() == pair.tolist()


def test_loops_are_compiled_where_no_cache_can_be_kept(tmp_path):
    """A read-only install and a home that can't be written: numba finds no place."""
    shutil.copy(kernels.__file__, tmp_path)
    (tmp_path / "__pycache__").write_text("no folder")
    code = (
        "import logging, kernels, numpy as np\n"
        "logging.basicConfig(level=logging.INFO, format='%(message)s')\n"
        "print(kernels.SPARE.name, kernels._holds(np.arange(3), 2))\n"
        "kernels._before(np.arange(3.0), 2.0)"
    )
    nowhere = {"HOME": "/proc/no", "XDG_CACHE_HOME": "/proc/no"}
    environment = {k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment | nowhere,
        capture_output=True,
        text=True,
    )
    folder, held = done.stdout.split()
    assert held == "True" and not Path(folder).exists(), done.stderr
    assert done.stderr == "compiling loops for this machine, once: some ten seconds\n"


def test_content_knn_by_hand():
    looks = np.array([[1, 0], [2, 0.2], [0, 1], [-1, 0.05], [1, 1]])
    train = sparse.csr_matrix([[1, 0, 1, 0, 0], [0, 0, 0, 1, 0]])
    model = recommending.ContentKNN(looks, 2).fit(train)

    def cosine(a, b):
        return looks[a] @ looks[b] / np.linalg.norm(looks[a]) / np.linalg.norm(looks[b])

    # of what user 0 bought, 1 and 4 have item 0 near, and 3 has item 2 alone
    scores = {1: cosine(1, 0), 3: cosine(3, 2), 4: cosine(4, 0)}
    lists = model.recommend(np.array([0, 1]), 3)
    assert lists[0].tolist() == sorted(scores, key=scores.get, reverse=True)
    assert lists[1].tolist() == [-1] * 3  # nothing has item 3 among its two nearest
    with pytest.raises(ValueError, match=r"\(4, 2\) for 5 items"):
        recommending.ContentKNN(looks[1:]).fit(train)


def test_lists_in_another_order_differ_by_ties_alone():
    random = np.random.default_rng(0)
    bought = (random.random((60, 40)) < 0.2).astype(float)
    train, users = sparse.csr_matrix(bought), np.array([3, 0, 59])
    popular = recommending.MostPop()
    plain = popular.fit(train).recommend(users, 40)
    other = neighbours.in_another_order(popular, train, users, 40, seed=1)
    assert (plain != other).any()  # articles with as many buyers
    counts = np.r_[bought.sum(0), -1]  # the last for an empty place
    np.testing.assert_array_equal(counts[plain], counts[other])
    distinct = np.tril(np.ones((60, 40)))[:, ::-1]  # no two articles as popular
    train = sparse.csr_matrix(distinct)
    expected = popular.fit(train).recommend(users, 10)
    found = neighbours.in_another_order(popular, train, users, 10, seed=1)
    np.testing.assert_array_equal(found, expected)
