import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from fashionlib import purchases, recommend
from fashionlib.recommend import command, neighbours


def bought(rows):
    table = pd.DataFrame(rows, columns=["user_id", "item_id", "date"])
    return table.assign(date=pd.to_datetime("2020-09-01") + pd.to_timedelta(table["date"], unit="D"))


def matrix(rows):
    return sparse.csr_matrix(np.array(rows, dtype=float))


def published_split(table):
    """Paper A's script: rank by date within the customer, ties as they come, threshold floor(n * (1 - .2))."""
    rank = table.groupby("user_id")["date"].rank(method="first")
    count = table.groupby("user_id")["item_id"].transform("size")
    return rank <= np.floor(count * (1 - 0.2))


row = st.tuples(st.sampled_from("abcd"), st.sampled_from(["01", "02", "03"]), st.integers(0, 4))


@settings(max_examples=60, deadline=None)
@given(st.lists(row, min_size=1, max_size=60))
def test_split_is_the_published_one_row_for_row(rows):
    table = bought(rows)
    train, test = purchases.temporal_split(table)
    expected = published_split(table)
    pd.testing.assert_frame_equal(train, table[expected])
    pd.testing.assert_frame_equal(test, table[~expected])


def test_split_keeps_ties_in_file_order_and_single_rows_out_of_train():
    table = bought([("u", "9", 1), ("v", "1", 0), ("u", "8", 1), ("u", "7", 1), ("u", "6", 1), ("u", "5", 0)])
    train, test = purchases.temporal_split(table)
    assert train["item_id"].tolist() == ["9", "8", "7", "5"]  # floor(5 * .8) = 4: day 0, then day 1 as in the file
    assert test["item_id"].tolist() == ["1", "6"]


def test_split_names_a_row_without_date():
    table = bought([("u", "1", 0), ("u", "2", 0)])
    table.loc[1, "date"] = pd.NaT
    with pytest.raises(ValueError, match="1 of 2 transactions .* row 1"):
        purchases.temporal_split(table)


def test_interactions_follow_elliot():
    train = bought([("u", "02", 0), ("u", "02", 1), ("u", "01", 1), ("v", "03", 0), ("w", "01", 0)])
    test = bought([("u", "02", 2), ("u", "09", 2), ("u", "09", 2), ("v", "01", 2), ("x", "01", 2), ("x", "08", 2)])
    data = purchases.interactions(train, test)
    assert data.users.tolist() == ["u", "v", "w"]  # x has no train row
    assert data.items.tolist() == ["01", "02", "03"]
    assert data.unseen.tolist() == ["09"]
    assert data.train.toarray().tolist() == [[1, 1, 0], [0, 0, 1], [1, 0, 0]]
    assert data.test.toarray().tolist() == [[0, 1, 0, 1], [1, 0, 0, 0], [0, 0, 0, 0]]
    assert data.users[data.evaluated].tolist() == ["u", "v"]
    scores = recommend.evaluate(np.array([[2], [0]]), data, [1])
    assert scores["NDCG@1"].tolist() == [0, 1]  # u's two test items, a repeat and an unseen one, can't be reached
    assert scores.index.tolist() == ["u", "v"]
    assert recommend.evaluate(np.array([[2, -1], [1, 0]]), data, [2])["recall@2"].tolist() == [0, 1]


def test_interactions_without_common_users_say_so():
    with pytest.raises(ValueError, match="1 train and 1 test rows share no user"):
        purchases.interactions(bought([("u", "1", 0)]), bought([("v", "1", 0)]))


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
    lists = command.BASELINES[name](k=4).fit(matrix(train)).recommend(np.arange(60), 12)
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


@pytest.mark.parametrize("name", sorted(command.BASELINES))
def test_no_model_offers_what_the_user_bought(name):
    train = matrix((np.random.default_rng(5).random((50, 30)) < 0.2).astype(float))
    users = np.array([7, 3, 3, 49])
    lists = command.BASELINES[name]().fit(train).recommend(users, 12)
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


def tsv(path, table):
    table.assign(rating=1)[["user_id", "item_id", "rating", "date"]].to_csv(path, sep="\t", header=False, index=False)
    return path


def test_recommend_files_equals_the_tables_path(tmp_path):
    train, test = purchases.temporal_split(outfits())
    files = tsv(tmp_path / "train.tsv", train), tsv(tmp_path / "test.tsv", test)
    result = command.recommend_files(*files, "ItemKNN", 7)
    table = recommend.compare({"m": recommend.ItemKNN(7)}, purchases.interactions(train, test)).table.loc["m"]
    assert (result["model"], result["k"], result["users"], result["items"]) == ("ItemKNN", 7, 300, 40)
    assert set(result["metrics"]) >= {"NDCG@5", "AP@5", "Elliot MAP@5", "NDCG@12", "AP@12", "Elliot MAP@12"}
    for name, values in result["metrics"].items():
        assert values == {"mean": table[name], "low": table[f"{name} low"], "high": table[f"{name} high"]}
    assert result["coverage@12"] == table["coverage@12"]
    popular = command.recommend_files(tmp_path / "train.tsv", tmp_path / "test.tsv", "MostPop", 7, cutoffs=[3])
    assert popular["k"] is None and "NDCG@3" in popular["metrics"]


@pytest.mark.parametrize("text, message", [
    ("u\t01\t1\t2020-09-01\nu\t02\tone\t2020-09-01\n", r"train\.tsv, line 2: a rating .*u\\t02\\tone"),
    ("u\t01\t1\t2020-09-01\nu\t02\t1\n", r"train\.tsv, line 2: .*u\\t02\\t1'"),
    ("u\t01\t1\t2020-09-01\nu\t02\t1\t2020-09-01\t5\n", r"train\.tsv, line 2: 4 tab-separated fields expected"),
    ("u\t01\t1\t2020-09-01\n\t02\t1\t2020-09-01\n", r"train\.tsv, line 2: an empty user"),
    ("u\t01\t1\t2020-09-01\nu\t02\t1\tyesterday\n", r"train\.tsv, line 2: a date .*yesterday"),
    ("u\t01\t1\t2020-09-01\n\nu\t02\t1\t2020-09-01\n", r"train\.tsv, line 2: "),
    ("u,01,1,2020-09-01\n", r"train\.tsv, line 1: 4 tab-separated fields expected: 'u,01"),
    ("u\t01\t1\nu\t02\t1\t2020-09-01\n", r"train\.tsv, line 1: 4 tab-separated fields expected"),
    ("", r"train\.tsv: the file is empty"),
])
def test_bad_lines_are_named(tmp_path, text, message):
    (tmp_path / "train.tsv").write_text(text)
    (tmp_path / "test.tsv").write_text("u\t03\t1\t2020-09-02\n")
    with pytest.raises(ValueError, match=message):
        command.recommend_files(tmp_path / "train.tsv", tmp_path / "test.tsv", "MostPop")


def test_unknown_model_lists_the_known(tmp_path):
    with pytest.raises(ValueError, match="'SVD'; known: Random, MostPop, UserKNN, ItemKNN"):
        command.recommend_files(tmp_path / "train.tsv", tmp_path / "test.tsv", "SVD")
    with pytest.raises(FileNotFoundError, match="train.tsv"):
        command.recommend_files(tmp_path / "train.tsv", tmp_path / "test.tsv", "MostPop")


def test_ids_stay_strings_with_their_zeros(tmp_path):
    (tmp_path / "train.tsv").write_text("1\t0108775015\t1.0\t1599004800\n2\t108775015\t1.0\t1599004800\n")
    (tmp_path / "test.tsv").write_text("1\t108775015\t1.0\t1599004801\nNA\t0108775015\t1\t1599004801\n")
    result = command.recommend_files(tmp_path / "train.tsv", tmp_path / "test.tsv", "MostPop", cutoffs=[1])
    assert (result["users"], result["items"], result["metrics"]["NDCG@1"]["mean"]) == (1, 2, 1)
