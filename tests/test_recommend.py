import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from fashionlib import purchases, recommend
from fashionlib.recommend import neighbours

BASELINES = {"Random": recommend.Random, "MostPop": recommend.MostPop, "UserKNN": recommend.UserKNN,
             "ItemKNN": recommend.ItemKNN}


def bought(rows):
    table = pd.DataFrame(rows, columns=["user_id", "item_id", "date"])
    return table.assign(date=pd.to_datetime("2020-09-01") + pd.to_timedelta(table["date"], unit="D"))


def matrix(rows):
    return sparse.csr_matrix(np.array(rows, dtype=float))


CLOTHES = matrix([[1, 1, 0, 0, 0],  # items 0 and 1 share users 0 and 1, item 2 is bought with 1 once
                  [1, 1, 0, 0, 0],
                  [0, 1, 1, 0, 0],
                  [0, 0, 1, 1, 0],
                  [0, 0, 0, 0, 1]])


def test_item_neighbours_by_hand():
    similar = neighbours.neighbours(CLOTHES.T.tocsr(), 1).toarray()
    expected = np.zeros((5, 5))
    expected[0, 1] = expected[1, 0] = 2 / np.sqrt(2 * 3)
    expected[2, 3] = 1 / np.sqrt(2 * 1)  # not item 1, at 1 / sqrt(2 * 3)
    expected[3, 2] = 1 / np.sqrt(1 * 2)
    np.testing.assert_allclose(similar, expected, rtol=1e-12)  # item 4 has no neighbour, itself not counted


def test_item_knn_cuts_on_the_candidates_side():
    lists = recommend.ItemKNN(k=1).fit(CLOTHES).recommend(np.arange(5), 3)
    # user 2 bought 1 and 2: item 0's neighbour is 1, item 3's is 2; 2 / sqrt(6) > 1 / sqrt(2)
    assert lists.tolist() == [[-1] * 3, [-1] * 3, [0, 3, -1], [-1] * 3, [-1] * 3]


def test_user_knn_sums_over_the_users_own_neighbours():
    lists = recommend.UserKNN(k=1).fit(CLOTHES).recommend(np.arange(5), 2)
    # users 0 and 1 are each other's nearest; 2's nearest are 0, 1 and 3 at 1/2: the first, who adds item 0;
    # 3's nearest is 2, who adds item 1; 4 shares nothing with anybody
    assert lists.tolist() == [[-1, -1], [-1, -1], [0, -1], [1, -1], [-1, -1]]


def dense(model, train, k, user):
    """The definition, with dense arrays and loops: scores (items,) of one user."""
    rows = train.T if model == "ItemKNN" else train
    norm = np.sqrt(np.outer(rows.sum(1), rows.sum(1)))
    cosine = np.divide(rows @ rows.T, norm, out=np.zeros_like(norm), where=norm > 0).round(12)
    np.fill_diagonal(cosine, 0)
    cut = np.zeros_like(cosine)
    for r, similar in enumerate(cosine):
        best = np.argsort(-similar, kind="stable")[:k]
        cut[r, best] = similar[best]
    return cut @ train[user] if model == "ItemKNN" else cut[user] @ train


@pytest.mark.parametrize("name", ["ItemKNN", "UserKNN"])
@pytest.mark.parametrize("limit", [50, 8_000_000])
def test_knn_agrees_with_the_dense_definition(name, limit, monkeypatch):
    whole = neighbours._blocks
    monkeypatch.setattr(neighbours, "_blocks", lambda work: whole(work, limit))  # 50: many small blocks
    train = (np.random.default_rng(3).random((60, 40)) < 0.12).astype(float)
    lists = BASELINES[name](k=4).fit(matrix(train)).recommend(np.arange(60), 12)
    for user in range(60):
        scores = dense(name, train, 4, user)
        scores[train[user] > 0] = 0
        order = [i for i in np.argsort(-scores.round(10), kind="stable")[:12] if scores[i] > 0]
        assert lists[user].tolist() == order + [-1] * (12 - len(order))


def test_most_pop_counts_users_and_masks():
    train = matrix([[1, 0, 1, 0], [0, 1, 1, 0], [0, 1, 0, 0]])
    lists = recommend.MostPop().fit(train).recommend(np.arange(3), 3)
    assert lists.tolist() == [[1, 3, -1], [0, 3, -1], [2, 0, 3]]  # items 1 and 2 tie at two users


def test_random_is_uniform_over_unbought_items_without_repeats():
    train = sparse.vstack([matrix([[1, 0, 0, 0, 0, 0]])] * 6000, format="csr")
    lists = recommend.Random(seed=1).fit(train).recommend(np.arange(6000), 2)
    counts = np.bincount(lists.ravel(), minlength=6)
    assert counts[0] == 0
    np.testing.assert_allclose(counts[1:], 2400, rtol=0.1)
    assert (lists[:, 0] != lists[:, 1]).all()
    assert recommend.Random(seed=1).fit(train).recommend(np.arange(6000), 2).tolist() == lists.tolist()
    assert recommend.Random().fit(matrix([[1, 0, 1]])).recommend(np.array([0]), 3).tolist() == [[1, -1, -1]]


@pytest.mark.parametrize("name", sorted(BASELINES))
def test_no_model_offers_what_the_user_bought(name):
    train = matrix((np.random.default_rng(5).random((50, 30)) < 0.2).astype(float))
    users = np.array([7, 3, 3, 49])
    lists = BASELINES[name]().fit(train).recommend(users, 12)
    for user, items in zip(users, lists, strict=True):
        offered = items[items >= 0]
        assert not train[user].toarray().ravel()[offered].any()
        assert len(set(offered)) == len(offered) > 0
    assert lists[1].tolist() == lists[2].tolist() or name == "Random"


def outfits(seed=0, users=300):
    """Shoppers who buy items in pairs (2i, 2i + 1), the first of a pair a day before the second."""
    random = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        for day, pair in enumerate(random.choice(20, size=5, replace=False)):
            rows += [(f"u{user}", f"{2 * pair:02}", 2 * day), (f"u{user}", f"{2 * pair + 1:02}", 2 * day + 1)]
    return bought(rows).sample(frac=1, random_state=seed)


def test_compare_finds_the_planted_companions():
    data = purchases.interactions(*purchases.temporal_split(outfits()))
    models = {"MostPop": recommend.MostPop(), "ItemKNN": recommend.ItemKNN(k=1), "Random": recommend.Random()}
    table, per_user, lists = recommend.compare(models, data, cutoffs=(1, 5))
    assert table.loc["Random", "NDCG@5"] < 0.2
    # floor(10 * .8): the fifth pair is all in test; nothing in train tells it, companions of bought items are bought
    assert table.loc["ItemKNN", "NDCG@5"] < 0.2
    shifted = outfits().assign(date=lambda t: t["date"] + pd.Timedelta(days=1) * (t["item_id"].astype(int) % 2) * 99)
    train, test = purchases.temporal_split(shifted, share=0.9)  # now each user's one test row completes a pair
    table, per_user, lists = recommend.compare(models, purchases.interactions(train, test), cutoffs=(1, 5))
    assert table.loc["ItemKNN", "hit rate@1"] == 1
    assert table.loc["ItemKNN", "Elliot MAP@5"] == pytest.approx((1 + 1 / 2 + 1 / 3 + 1 / 4 + 1 / 5) / 5)
    assert table.loc["MostPop", "NDCG@5"] < 0.5
    assert per_user.loc["ItemKNN"].shape[0] == lists["ItemKNN"].shape[0] == 300
    for model in models:
        assert table.loc[model, "AP@5 low"] <= table.loc[model, "AP@5"] <= table.loc[model, "AP@5 high"]
        assert table.loc[model, "AP@5"] == pytest.approx(per_user.loc[model, "AP@5"].mean(), rel=1e-12)
