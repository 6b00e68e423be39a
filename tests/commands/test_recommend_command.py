"""`fashionlib recommend` on files: the same numbers as from tables, bad lines named."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fashionlib import recommending
from fashionlib.commands.jobs import recommend
from fashionlib.data import interactions
from fashionlib.data.interactions import exports, files
from fashionlib.features import Features, load, unit


def bought(rows):
    table = pd.DataFrame(rows, columns=["user_id", "item_id", "date"])
    return table.assign(
        date=pd.to_datetime("2020-09-01") + pd.to_timedelta(table["date"], unit="D")
    )


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


def tsv(path, table):
    table.assign(rating=1)[["user_id", "item_id", "rating", "date"]].to_csv(
        path, sep="\t", header=False, index=False
    )
    return path


@pytest.fixture(scope="module")
def split(tmp_path_factory):
    folder = tmp_path_factory.mktemp("split")
    train, test = interactions.temporal_split(outfits())
    return tsv(folder / "train.tsv", train), tsv(folder / "test.tsv", test), train, test


@pytest.fixture(scope="module")
def spaces(tmp_path_factory, split):
    """Two spaces, one with more items than the split and in another order."""
    folder, items = (
        tmp_path_factory.mktemp("spaces"),
        sorted(split[2]["item_id"].unique()),
    )
    random = np.random.default_rng(3)
    ids = [*reversed(items), "never bought"]
    for name, rows, dim in (("a", ids, 6), ("b", items, 4)):
        matrix = random.standard_normal((len(rows), dim)).astype("float32")
        Features(rows, matrix, {"encoder": name}).save(folder / f"{name}.parquet")
    return folder


def test_files_give_the_numbers_that_tables_give(split):
    train_file, test_file, train, test = split
    options = recommend.Options(k=7)
    result = recommend.recommend_files(
        train_file, test_file, ["ItemKNN"], options=options
    ).result
    table = recommending.compare(
        {"m": recommending.ItemKNN(7)}, interactions.to_matrices(train, test)
    ).table.loc["m"]
    assert (
        result["users"],
        result["items"],
        result["repeats"],
        result["differences"],
    ) == (300, 40, False, {})
    found = result["models"]["ItemKNN"]
    assert found["parameters"] == {"k": 7, "convention": "plain"}
    assert set(found["metrics"]) >= {
        "NDCG@5",
        "AP@5",
        "Elliot MAP@5",
        "NDCG@12",
        "AP@12",
        "Elliot MAP@12",
    }
    for name, values in found["metrics"].items():
        assert values == {
            "mean": table[name],
            "low": table[f"{name} low"],
            "high": table[f"{name} high"],
        }
    assert found["coverage@12"] == table["coverage@12"]


@pytest.mark.parametrize(
    "model, convention",
    [
        ("UserKNN", "elliot"),
        ("UserKNN", "aiolli"),
        ("ItemKNN", "elliot"),
        ("ItemKNN", "aiolli"),
        ("ItemKNN", "implicit"),
    ],
)
def test_a_convention_is_used_and_told(split, model, convention):
    train_file, test_file, train, test = split
    found = recommend.recommend_files(
        train_file, test_file, [model], options=recommend.Options(convention=convention)
    )
    data = interactions.to_matrices(train, test)
    expected = (
        getattr(recommending, model)(convention=convention)
        .fit(data.train)
        .recommend(data.evaluated, 12)
    )
    assert (found.lists[model] == expected).all()
    assert found.result["models"][model]["parameters"]["convention"] == convention
    told = found.result["conventions"][f"{model}'s neighbours"]
    assert ("self not counted" in told) == (convention == "aiolli")
    assert ("THEIR" in told) == (model == "UserKNN")


def test_several_models_are_compared_on_the_same_users(split):
    train_file, test_file, _, _ = split
    models = ["MostPop", "ItemKNN", "Random"]
    result = recommend.recommend_files(
        train_file, test_file, models, (3, 5), recommend.Options(seed=4)
    ).result
    assert list(result["models"]) == models and list(result["differences"]) == [
        "NDCG@3",
        "NDCG@5",
    ]
    assert list(result["differences"]["NDCG@5"]) == [
        "MostPop minus ItemKNN",
        "MostPop minus Random",
        "ItemKNN minus Random",
    ]
    mean = {
        name: result["models"][name]["metrics"]["NDCG@5"]["mean"] for name in models
    }
    for pair, values in result["differences"]["NDCG@5"].items():
        a, b = pair.split(" minus ")
        assert values["difference"] == pytest.approx(mean[a] - mean[b], rel=1e-9)
        assert values["low"] <= values["difference"] <= values["high"]


def test_repeats_are_offered_latest_first(split):
    train_file, test_file, train, _ = split
    found = recommend.recommend_files(
        train_file,
        test_file,
        ["Repeat", "MostPop"],
        options=recommend.Options(repeats=True),
    )
    history = (
        train.sort_values("date", kind="stable").groupby("user_id")["item_id"].agg(list)
    )
    for user, items in zip(
        found.data.users[found.data.evaluated], found.lists["Repeat"], strict=True
    ):
        assert found.data.items[items[items >= 0]].tolist() == history[user][::-1][:12]
    assert (
        "own train items included" in found.result["conventions"]["candidates"]
        and found.result["repeats"]
    )
    assert (
        found.lists["MostPop"] == found.lists["MostPop"][0]
    ).all()  # nothing is masked


def test_lists_hold_every_place_that_is_filled(split, tmp_path):
    found = recommend.recommend_files(
        *split[:2], ["ItemKNN"], (3,), recommend.Options(k=2)
    )
    recommend.write_lists(tmp_path / "lists.parquet", found, 2)
    table = pd.read_parquet(tmp_path / "lists.parquet")
    assert table.columns.tolist() == ["user_id", "rank", "item_id"] and set(
        table["rank"]
    ) == {1, 2}
    at = {user: row for row, user in enumerate(found.data.users[found.data.evaluated])}
    assert len(table) == (found.lists["ItemKNN"][:, :2] >= 0).sum() < 600
    for user, rank, item in table.itertuples(index=False):
        assert found.data.items[found.lists["ItemKNN"][at[user], rank - 1]] == item
    several = recommend.recommend_files(*split[:2], ["MostPop", "Random"], (3,))
    recommend.write_lists(tmp_path / "lists.parquet", several, 3)
    table = pd.read_parquet(tmp_path / "lists.parquet")
    assert table.columns.tolist() == ["user_id", "rank", "item_id", "model"]
    assert table["model"].value_counts().to_dict() == {"MostPop": 900, "Random": 900}


@pytest.mark.parametrize("name", ["BPR", "VBPR", "FREEDOM", "BM3"])
def test_models_that_learn_get_features_by_id(split, spaces, name):
    pytest.importorskip("torch")
    pytest.importorskip(
        f"fashionlib.recommending.{'vbpr' if name == 'BPR' else name.lower()}"
    )
    train_file, test_file, train, test = split
    given = (
        {}
        if name == "BPR"
        else {"visual": spaces / "a.parquet", "textual": spaces / "b.parquet"}
    )
    options = recommend.Options(factors=8, epochs=2, features=given, seed=5)
    found = recommend.recommend_files(train_file, test_file, [name], options=options)
    parameters = found.result["models"][name]["parameters"]
    assert (
        parameters["factors"],
        parameters["epochs"],
        parameters["seed"],
        parameters["epochs_run"],
    ) == (8, 2, 5, 2)
    assert parameters["still_rising"]
    assert "still rising after 2 epochs: give --epochs" in recommend.report(
        found.result
    )
    data = interactions.to_matrices(train, test)
    rows = {key: load(path).rows(data.items) for key, path in given.items()}
    if name == "VBPR":
        from fashionlib.recommending.vbpr import VBPR

        model = VBPR(
            np.concatenate([unit(each) for each in rows.values()], 1), 8, 2, seed=5
        )
        expected = model.fit(data.train).recommend(data.evaluated, 12)
        assert (found.lists[name] == expected).all()
    if given:
        assert parameters["features"] == {
            "visual": {"file": "a.parquet", "dim": 6, "made_by": {"encoder": "a"}},
            "textual": {"file": "b.parquet", "dim": 4, "made_by": {"encoder": "b"}},
        }


def test_items_without_features_are_counted_and_named(split, tmp_path):
    items = sorted(split[2]["item_id"].unique())
    Features(items[2:], np.ones((len(items) - 2, 3), "float32")).save(
        tmp_path / "few.parquet"
    )
    options = recommend.Options(features={"few": tmp_path / "few.parquet"})
    wanted = (
        rf"few\.parquet: features for 38 of 40 items; missing: \['{items[0]}',"
        rf" '{items[1]}'\].* split-purchases"
    )
    with pytest.raises(ValueError, match=wanted):
        recommend.recommend_files(*split[:2], ["VBPR"], options=options)


@pytest.mark.parametrize(
    "models, options, message",
    [
        (
            ["SVD"],
            {},
            (
                "'SVD'; known: Random, MostPop, Repeat, UserKNN, ItemKNN, BPR, VBPR,"
                " FREEDOM, BM3"
            ),
        ),
        (["MostPop", "MostPop"], {}, "name each once"),
        (["MostPop"], {"k": 3}, "k is of no use to MostPop; UserKNN, ItemKNN read it"),
        (["ItemKNN"], {"epochs": 3}, "epochs is of no use to ItemKNN; BPR, VBPR"),
        (
            ["BPR"],
            {"features": {"a": Path("a.parquet")}},
            "features is of no use to BPR",
        ),
        (
            ["UserKNN"],
            {"convention": "implicit"},
            "UserKNN has no convention 'implicit'; known: plain, elliot, aiolli",
        ),
        (["ItemKNN"], {"k": 0}, "k: 0, and must be 1 or more"),
        (["VBPR"], {}, "VBPR needs features"),
        (["Repeat"], {}, "allow repeats"),
    ],
)
def test_choices_that_make_no_sense_are_refused(split, models, options, message):
    with pytest.raises(ValueError, match=message):
        recommend.recommend_files(
            *split[:2], models, options=recommend.Options(**options)
        )


@pytest.mark.parametrize(
    "text, message",
    [
        (
            "u\t01\t1\t2020-09-01\nu\t02\tone\t2020-09-01\n",
            r"train\.tsv, line 2: a rating .*u\\t02\\tone",
        ),
        ("u\t01\t1\t2020-09-01\nu\t02\t1\n", r"train\.tsv, line 2: .*u\\t02\\t1'"),
        (
            "u\t01\t1\t2020-09-01\nu\t02\t1\t2020-09-01\t5\n",
            r"train\.tsv, line 2: 5 fields for 4 tab-separated ones: 'u\\t02",
        ),
        (
            "u\t01\t1\t2020-09-01\n\t02\t1\t2020-09-01\n",
            r"train\.tsv, line 2: an empty user",
        ),
        (
            "u\t01\t1\t2020-09-01\nu\t02\t1\tyesterday\n",
            r"train\.tsv, line 2: a date .*yesterday",
        ),
        (
            "u\t01\t1\t2020-09-01\n\nu\t02\tone\t2020-09-01\n",
            r"train\.tsv, line 3: a rating",
        ),
        (
            "u,01,1,2020-09-01\n",
            r"train\.tsv, line 1: .* found 4 comma-separated: 'u,01",
        ),
        ("u;01;1\n", r"train\.tsv, line 1: .* found 3 semicolon-separated: 'u;01"),
        ("u 01\n", r"train\.tsv, line 1: .* found 2 space-separated: 'u 01"),
        (
            "u\t01\t1\nu\t02\t1\t2020-09-01\n",
            r"train\.tsv, line 2: 4 fields for 3 tab-separated ones",
        ),
        ("", r"train\.tsv: the file is empty"),
    ],
)
def test_bad_lines_are_named(tmp_path, text, message):
    (tmp_path / "train.tsv").write_text(text)
    (tmp_path / "test.tsv").write_text("u\t03\t1\t2020-09-02\n")
    with pytest.raises(ValueError, match=message):
        recommend.recommend_files(
            tmp_path / "train.tsv", tmp_path / "test.tsv", ["MostPop"]
        )


FOUR = "u\t01\t1\t2020-09-01\nu\t02\t1\t2020-09-02\nv\t02\t1\t2020-09-01\n"
INTER = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("train.tsv", FOUR),
        ("train.tsv", "u\t01\nu\t02\nv\t02\n"),
        ("train.tsv", "u\t01\t1\nu\t02\t1\nv\t02\t5\n"),
        ("train.tsv", "u\t01\t2020-09-01\nu\t02\t2020-09-02\nv\t02\t2020-09-01\n"),
        ("train.csv", "u,01\nu,02\nv,02\n"),
        ("train.csv", "u;01;1\nu;02;1\nv;02;1\n"),
        ("train.csv", 'note,item_id,user_id\n"a,b",01,u\n,02,u\n,02,v\n'),
        ("x.train.inter", INTER + "u\t01\t1\t9\nu\t02\t1\t8.5\nv\t02\t4\t7\n"),
        ("x.train.inter", "item_id:token\tuser_id:token\n01\tu\n02\tu\n02\tv\n"),
    ],
)
def test_interactions_are_read_as_they_come(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    rows = files.read_interactions(tmp_path / name)
    assert rows["user_id"].tolist() == ["u", "u", "v"]
    assert rows["item_id"].tolist() == ["01", "02", "02"]
    assert ("date" in rows) == ("2020" in text or "timestamp" in text)
    dated = rows.assign(user_id=rows["user_id"].astype("str"))
    dated.astype({"item_id": "str"}).to_parquet(tmp_path / "x.parquet")
    again = files.read_interactions(tmp_path / "x.parquet")
    assert again["item_id"].tolist() == ["01", "02", "02"]
    if "date" in rows:
        assert again["date"].tolist() == rows["date"].tolist()


def test_what_recbole_writes_is_recommended_from(split, tmp_path):
    train, test = (files.read_interactions(path) for path in split[:2])
    exports.write_recbole(tmp_path / "hm", train, test[:0], test)
    paths = exports.recbole_files(tmp_path / "hm")
    ours, theirs = (
        recommend.recommend_files(*sides, ["MostPop", "ItemKNN"]).result["models"]
        for sides in (split[:2], (paths["train"], paths["test"]))
    )
    assert ours == theirs


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("user\titem\trating\tdate\textra\n", "5 fields, expected"),
        ("u\n", "1 fields, expected"),
        ("user_id\titem_id\nu\t01\nu\n", "line 3: 1 fields for 2"),
        ("user_id\titem_id\n", "no rows"),
    ],
)
def test_other_forms_are_refused_with_what_was_found(tmp_path, text, says):
    (tmp_path / "x.tsv").write_text(text)
    with pytest.raises(ValueError, match=says):
        files.read_interactions(tmp_path / "x.tsv")


def test_repeat_needs_dates_and_parquets_need_text(tmp_path):
    path = tmp_path / "x.tsv"
    path.write_text("u\t01\n")
    options = recommend.Options(repeats=True)
    with pytest.raises(ValueError, match="no date, and Repeat .* add a fourth"):
        recommend.recommend_files(path, path, ["Repeat"], [1], options)
    numbers = pd.DataFrame({"user_id": [1], "item_id": [108775015]})
    numbers.to_parquet(tmp_path / "x.parquet")
    with pytest.raises(ValueError, match="user_id is int64"):
        files.read_interactions(tmp_path / "x.parquet")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (0, "of all . items are zero"),
        (0.5, "of all . items are the same"),
        (1e30, "too large to square"),
        (np.nan, "not finite"),
        (np.inf, "not finite"),
    ],
)
def test_features_that_say_nothing_are_refused(split, tmp_path, value, says):
    items = sorted(set(files.read_interactions(split[0])["item_id"]))
    matrix = np.full((len(items), 4), value, dtype=np.float64)
    Features(items, matrix, {}).save(tmp_path / "x.parquet")
    options = recommend.Options(features={"x": tmp_path / "x.parquet"})
    with pytest.raises(ValueError, match=says.replace("all .", r"all \d+")):
        recommend.recommend_files(*split[:2], ["VBPR"], options=options)


def test_features_of_no_width_are_refused(split, tmp_path):
    items = sorted(set(files.read_interactions(split[0])["item_id"]))
    path = tmp_path / "x.parquet"
    with pytest.raises(ValueError, match="hold no number"):  # Arrow would crash
        Features(items, np.empty((len(items), 0), np.float32), {}).save(path)
    lists = pa.array([[]] * len(items), pa.list_(pa.float32()))
    pq.write_table(pa.table({"item_id": items, "features": lists}), path)
    options = recommend.Options(features={"x": path})
    with pytest.raises(ValueError, match=r"x\.parquet.* shape \(0,\)"):
        recommend.recommend_files(*split[:2], ["VBPR"], options=options)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="train.tsv"):
        recommend.recommend_files(
            tmp_path / "train.tsv", tmp_path / "test.tsv", ["MostPop"]
        )


def test_ids_stay_strings_with_their_zeros(tmp_path):
    (tmp_path / "train.tsv").write_text(
        "1\t0108775015\t1.0\t1599004800\n2\t108775015\t1.0\t1599004800\n"
    )
    (tmp_path / "test.tsv").write_text(
        "1\t108775015\t1.0\t1599004801\nNA\t0108775015\t1\t1599004801\n"
    )
    result = recommend.recommend_files(
        tmp_path / "train.tsv", tmp_path / "test.tsv", ["MostPop"], [1]
    ).result
    mean = result["models"]["MostPop"]["metrics"]["NDCG@1"]["mean"]
    assert (result["users"], result["items"], mean) == (1, 2, 1)
