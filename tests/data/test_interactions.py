"""The splits against the published script and by hand; the matrices; what a split
leaks.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fashionlib import recommending
from fashionlib.data import interactions
from fashionlib.data.interactions import splits
from fashionlib.recommending import ranking


def bought(rows):
    table = pd.DataFrame(rows, columns=["user_id", "item_id", "date"])
    return table.assign(
        date=pd.to_datetime("2020-09-01") + pd.to_timedelta(table["date"], unit="D")
    )


def published_split(table):
    """Paper A's script: rank by date within the customer, ties as they come, threshold
    floor(n * (1 - .2)).
    """
    rank = table.groupby("user_id")["date"].rank(method="first")
    count = table.groupby("user_id")["item_id"].transform("size")
    return rank <= np.floor(count * (1 - 0.2))


row = st.tuples(
    st.sampled_from("abcd"), st.sampled_from(["01", "02", "03"]), st.integers(0, 4)
)


@settings(max_examples=60, deadline=None)
@given(st.lists(row, min_size=1, max_size=60))
def test_split_is_the_published_one_row_for_row(rows):
    table = bought(rows)
    train, test = interactions.temporal_split(table)
    expected = published_split(table)
    pd.testing.assert_frame_equal(train, table[expected])
    pd.testing.assert_frame_equal(test, table[~expected])


@settings(max_examples=40, deadline=None)
@given(st.lists(row, min_size=1, max_size=60), st.sampled_from(["train", "test"]))
def test_whole_days_differ_from_the_published_cut_on_the_torn_day_alone(rows, day):
    table = bought(rows)
    published = published_split(table)
    expected = published.copy()
    for _, days in table.groupby("user_id"):
        torn = set(days["date"][published[days.index]]) & set(
            days["date"][~published[days.index]]
        )
        assert len(torn) <= 1
        expected[days.index[days["date"].isin(torn)]] = day == "train"
    train, test = interactions.temporal_split(table, day=day)
    pd.testing.assert_frame_equal(train, table[expected])
    pd.testing.assert_frame_equal(test, table[~expected])
    both = (
        train[["user_id", "date"]]
        .drop_duplicates()
        .merge(test[["user_id", "date"]].drop_duplicates())
    )
    assert both.empty


@settings(max_examples=15, deadline=None)
@given(st.lists(row, min_size=1, max_size=60), st.sampled_from(splits.DAYS))
def test_ids_may_be_of_any_kind(rows, day):
    table = bought(rows)
    days = (table["date"] - pd.Timestamp("2020-09-03")).dt.days.astype(
        "int16"
    )  # some are negative
    kinds = [
        table.assign(date=table["date"].dt.strftime("%Y-%m-%d")),
        table.assign(
            user_id=pd.Categorical(table["user_id"], list("zdbace")),
            item_id=pd.Categorical(table["item_id"], ["03", "09", "02", "01"]),
        ),
        table.assign(
            user_id=table["user_id"].map(ord).astype("int32"),
            date=days,
            item_id=table["item_id"].astype("int32"),
        ),
        table.assign(
            user_id=(table["user_id"].map(ord) - 98) * 10**12,
            item_id=-table["item_id"].astype(int),
        ),
    ]
    expected = interactions.temporal_split(table, day=day)
    for kind in kinds:
        for side, wanted in zip(
            interactions.temporal_split(kind, day=day), expected, strict=True
        ):
            assert side.index.tolist() == wanted.index.tolist()
            assert side.dtypes.equals(kind.dtypes)
    if set(expected[0]["user_id"]) & set(expected[1]["user_id"]):
        plain = interactions.to_matrices(*expected)
        for kind in kinds[1:3]:  # whose order of ids is the strings'
            data = interactions.to_matrices(*interactions.temporal_split(kind, day=day))
            for name in ("train", "test"):
                assert (getattr(data, name) != getattr(plain, name)).nnz == 0
        assert data.items.tolist() == [int(item) for item in plain.items]


@settings(max_examples=60, deadline=None)
@given(st.lists(row, min_size=1, max_size=60), st.sampled_from([0.3, 0.5, 0.8]))
def test_global_split_has_one_date_for_everybody(rows, share):
    table = bought(rows)
    days = table["date"].value_counts().sort_index().cumsum()
    whole = int((days <= np.floor(len(table) * share)).sum())
    if whole == 0:
        with pytest.raises(
            ValueError,
            match=(
                f"{len(table)} rows on {len(days)} days: no date has a share of {share}"
            ),
        ):
            interactions.global_split(table, share)
        return
    train, test = interactions.global_split(table, share)
    assert train["date"].max() == days.index[whole - 1] < test["date"].min()
    assert sorted([*train.index, *test.index]) == list(range(len(table)))


def test_an_unknown_way_to_treat_the_day_is_refused():
    with pytest.raises(ValueError, match="day 'whole'; known: cut, train, test"):
        interactions.temporal_split(bought([("u", "1", 0)]), day="whole")


@settings(max_examples=60, deadline=None)
@given(st.lists(row, min_size=1, max_size=60))
def test_latest_is_the_place_in_the_history(rows):
    table = bought(rows)
    data = interactions.to_matrices(table, table)
    found = interactions.latest(table, data)
    expected = np.zeros(found.shape)
    for u, user in enumerate(data.users):
        history = table[table["user_id"] == user].sort_values("date", kind="stable")
        for place, item in enumerate(history["item_id"], 1):
            expected[u, list(data.items).index(item)] = place  # a later one overwrites
    assert found.toarray().tolist() == expected.tolist()
    assert (found.indices == data.train.indices).all()


def test_matrices_are_binary_sorted_and_small():
    table = bought(
        [("u", "02", 0)] * 300 + [("u", "01", 1), ("v", "02", 0), ("v", "01", 0)]
    )  # 300 > one byte
    data = interactions.to_matrices(table, table)
    assert data.train.toarray().tolist() == [[1, 1], [1, 1]]
    assert (
        data.train.indices.tolist() == [0, 1, 0, 1]
        and data.train.indices.dtype == np.int32
    )


def test_split_keeps_ties_in_file_order_and_single_rows_out_of_train():
    table = bought(
        [
            ("u", "9", 1),
            ("v", "1", 0),
            ("u", "8", 1),
            ("u", "7", 1),
            ("u", "6", 1),
            ("u", "5", 0),
        ]
    )
    train, test = interactions.temporal_split(table)
    assert train["item_id"].tolist() == [
        "9",
        "8",
        "7",
        "5",
    ]  # floor(5 * .8) = 4: day 0, then day 1 as in the file
    assert test["item_id"].tolist() == ["1", "6"]


def test_split_names_a_row_without_date():
    table = bought([("u", "1", 0), ("u", "2", 0)])
    table.loc[1, "date"] = pd.NaT
    with pytest.raises(ValueError, match="1 of 2 transactions .* row 1"):
        interactions.temporal_split(table)


def test_interactions_follow_elliot():
    train = bought(
        [("u", "02", 0), ("u", "02", 1), ("u", "01", 1), ("v", "03", 0), ("w", "01", 0)]
    )
    test = bought(
        [
            ("u", "02", 2),
            ("u", "09", 2),
            ("u", "09", 2),
            ("v", "01", 2),
            ("x", "01", 2),
            ("x", "08", 2),
        ]
    )
    data = interactions.to_matrices(train, test)
    assert data.users.tolist() == ["u", "v", "w"]  # x has no train row
    assert data.items.tolist() == ["01", "02", "03"]
    assert data.unseen.tolist() == ["09"]
    assert data.train.toarray().tolist() == [[1, 1, 0], [0, 0, 1], [1, 0, 0]]
    assert data.test.toarray().tolist() == [[0, 1, 0, 1], [1, 0, 0, 0], [0, 0, 0, 0]]
    assert data.users[data.evaluated].tolist() == ["u", "v"]
    relevant = data.test[data.evaluated]
    scores = ranking.per_user(np.array([[2], [0]]), relevant, [1])
    # u's two test items, a repeat and an unseen one, can't be reached
    assert scores["NDCG@1"].tolist() == [0, 1]
    scores = ranking.per_user(np.array([[2, -1], [1, 0]]), relevant, [2])
    assert scores["recall@2"].tolist() == [0, 1]
    compared = recommending.compare({"m": recommending.MostPop()}, data, [1])
    assert compared.per_user.loc["m"].index.tolist() == ["u", "v"]


def test_interactions_without_common_users_say_so():
    with pytest.raises(ValueError, match="1 train and 1 test rows share no user"):
        interactions.to_matrices(bought([("u", "1", 0)]), bought([("v", "1", 0)]))


def test_what_a_split_leaks_is_counted() -> None:
    def rows(*found: tuple[str, str, int]) -> pd.DataFrame:
        days = pd.to_datetime([f"2020-09-{day:02d}" for _, _, day in found])
        return pd.DataFrame(
            {
                "user_id": [u for u, _, _ in found],
                "item_id": [i for _, i, _ in found],
                "date": days,
            }
        )

    train = rows(("a", "0000001001", 1), ("a", "0000002001", 2), ("b", "0000001001", 1))
    test = rows(
        ("a", "0000002002", 2),
        ("a", "0000001001", 5),
        ("b", "0000003001", 1),
        ("c", "0000001001", 1),
    )
    found = interactions.leaks(train, test)
    assert found["same day"] == 2 / 4  # a on day 2, b on day 1; c has no train row
    assert found["same day and product"] == 1 / 4  # product 0000002 of a on day 2
    assert found["bought before"] == 1 / 4  # a's first article
    assert found["one row"] == 1 / 3  # c, of a, b and c
    with pytest.raises(ValueError, match="3 train and 0 test rows"):
        interactions.leaks(train, test[:0])


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcd"),
            st.sampled_from(["0000001001", "0000001002", "0000002001"]),
            st.integers(0, 4),
        ),
        min_size=1,
        max_size=60,
    )
)
def test_leaks_agree_with_sets_of_rows_whatever_the_ids_are(rows):
    train, test = interactions.temporal_split(bought(rows))
    found = interactions.leaks(train, test)

    def tuples(table, *columns):
        return list(zip(*(table[name] for name in columns), strict=True))

    days, pairs = (
        set(tuples(train, "user_id", "date")),
        set(tuples(train, "user_id", "item_id")),
    )
    products = {
        (user, day, item[:7])
        for user, day, item in tuples(train, "user_id", "date", "item_id")
    }
    assert found["same day"] == np.mean(
        [row in days for row in tuples(test, "user_id", "date")]
    )
    assert found["same day and product"] == np.mean(
        [
            (user, day, item[:7]) in products
            for user, day, item in tuples(test, "user_id", "date", "item_id")
        ]
    )
    assert found["bought before"] == np.mean(
        [pair in pairs for pair in set(tuples(test, "user_id", "item_id"))]
    )
    sizes = bought(rows)["user_id"].value_counts()
    assert found["one row"] == (sizes == 1).mean()
    numbers = [
        side.assign(
            user_id=side["user_id"].map(ord), item_id=side["item_id"].astype(int)
        )
        for side in (train, test)
    ]
    assert interactions.leaks(*numbers) == found
    kinds = {"user_id": pd.CategoricalDtype(list("zabcd")), "item_id": "category"}
    assert interactions.leaks(train.astype(kinds), test.astype(kinds)) == found


def test_table_one_counts_each_set_up_under_the_papers_labels():
    table = bought(
        [("a", item, 0) for item in "xyzxyz"] + [("b", item, 0) for item in "xyzx"]
    )
    cells = interactions.table_one(table, {"All": ["x", "y", "z", "w"], "One": ["x"]})
    assert list(cells.values()) == [
        *(2, 4, 3, 10, 4 + 3, 2 + 1),  # floor(6 * .8) and floor(4 * .8) rows train
        *(2, 1, 1, 4, 1 + 1, 1 + 1),
    ]
    assert list(cells)[:3] == [
        "All: users",
        "All: items, all",
        "All: items, in transactions",
    ]


def test_the_core_has_enough_of_each_other():
    """u and v share a, b and c; w has two of them and two that nobody else has."""
    pairs = [(user, item) for user in "uv" for item in "abc"]
    pairs += [("w", item) for item in "abxy"] + [("w", "a")] * 3
    table = pd.DataFrame(pairs, columns=["user_id", "item_id"])
    two = interactions.core(table, 2)
    assert set(two["item_id"]) == {"a", "b", "c"} and len(two) == 6 + 2 + 3
    with pytest.raises(ValueError, match="no user and item with 3 of each other"):
        interactions.core(table, 3)  # c goes, then nobody has three items
