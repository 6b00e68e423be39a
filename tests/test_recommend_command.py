"""`fashionlib recommend` on files: the same numbers as from tables, bad lines named."""

import numpy as np
import pandas as pd
import pytest

from fashionlib import purchases, recommend
from fashionlib.recommend import command


def bought(rows):
    table = pd.DataFrame(rows, columns=["user_id", "item_id", "date"])
    return table.assign(date=pd.to_datetime("2020-09-01") + pd.to_timedelta(table["date"], unit="D"))


def outfits(seed=0, users=300):
    """Shoppers who buy items in pairs (2i, 2i + 1), the first of a pair a day before the second."""
    random = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        for day, pair in enumerate(random.choice(20, size=5, replace=False)):
            rows += [(f"u{user}", f"{2 * pair:02}", 2 * day), (f"u{user}", f"{2 * pair + 1:02}", 2 * day + 1)]
    return bought(rows).sample(frac=1, random_state=seed)


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
