"""`fashionlib split-purchases` on files: cut as tables are, all sides or none."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fashionlib.commands.jobs import split_purchases
from fashionlib.data import interactions, tables
from fashionlib.data.interactions import exports, files


def bought(rows):
    table = pd.DataFrame(rows, columns=["user_id", "item_id", "date"])
    return table.assign(
        date=pd.to_datetime("2020-09-01") + pd.to_timedelta(table["date"], unit="D")
    )


def kaggle(path: Path, table: pd.DataFrame) -> Path:
    rows = table.assign(price=0.1, sales_channel_id=2)[
        ["date", "user_id", "item_id", "price", "sales_channel_id"]
    ]
    rows.columns = ["t_dat", "customer_id", "article_id", "price", "sales_channel_id"]
    rows.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def history() -> pd.DataFrame:
    random = np.random.default_rng(7)
    users, items, days = (random.integers(most, size=900) for most in (40, 30, 25))
    return bought(
        [
            (f"{u:064x}", f"{i:010d}", d)
            for u, i, d in zip(users, items, np.sort(days), strict=True)
        ]
    )


def read_back(*paths: Path) -> list[pd.DataFrame]:
    return [
        files.read_interactions(path)[["user_id", "item_id", "date"]].astype(
            {"user_id": "str", "item_id": "str"}
        )
        for path in paths
    ]


@pytest.mark.parametrize(
    "choices", [{}, {"day": "train"}, {"day": "test"}, {"by": "date"}]
)
def test_files_are_cut_as_tables_are(history, choices, tmp_path, monkeypatch):
    monkeypatch.setattr(
        tables, "BLOCK", 5000
    )  # several blocks, whose dictionaries differ
    monkeypatch.setattr(exports, "ROWS", 100)
    table, written = split_purchases.split_files(
        kaggle(tmp_path / "t.csv", history), tmp_path / "out", **choices
    )
    sides = (
        interactions.global_split(history)
        if choices.get("by") == "date"
        else interactions.temporal_split(history, **choices)
    )
    for got, side in zip(read_back(*written), sides, strict=True):
        pd.testing.assert_frame_equal(
            got, side.reset_index(drop=True), check_dtype=False
        )
    train, test = sides
    assert table.loc["rows"].tolist() == [900, 900, len(train), len(test)]
    assert table.loc["customers"].tolist() == [
        40,
        40,
        train["user_id"].nunique(),
        test["user_id"].nunique(),
    ]


def test_only_the_listed_articles_are_cut(history, tmp_path):
    listed = sorted(history["item_id"].unique())[:5]
    (tmp_path / "articles.csv").write_text(
        "\ufeffarticle_id,detail_desc\n" + "".join(f'{i},"a, b"\n' for i in listed)
    )
    table, written = split_purchases.split_files(
        kaggle(tmp_path / "t.csv", history), tmp_path / "o", tmp_path / "articles.csv"
    )
    kept = history[history["item_id"].isin(listed)]
    assert table.loc["rows", ["read", "kept"]].tolist() == [900, len(kept)]
    for got, side in zip(
        read_back(*written), interactions.temporal_split(kept), strict=True
    ):
        assert got["item_id"].tolist() == side["item_id"].tolist()
    (tmp_path / "two.csv").write_text("article_id,item_id\n1,2\n")
    with pytest.raises(ValueError, match="2 columns called article_id or item_id"):
        split_purchases.split_files(
            tmp_path / "t.csv", tmp_path / "o", tmp_path / "two.csv"
        )


def test_both_files_or_none(history, tmp_path, monkeypatch):
    calls = []

    def fail(table: pd.DataFrame, name: str) -> None:
        calls.append(name)
        if len(calls) == 6:  # in the second file
            raise OSError("disk full")
        return encoded(table, name)

    encoded = exports._encoded
    monkeypatch.setattr(exports, "_encoded", fail)
    with pytest.raises(OSError, match="disk full"):
        split_purchases.split_files(kaggle(tmp_path / "t.csv", history), tmp_path / "o")
    assert list((tmp_path / "o").iterdir()) == []


def test_recbole_files_have_typed_headers_and_three_sides(history, tmp_path):
    table, written = split_purchases.split_files(
        kaggle(tmp_path / "t.csv", history), tmp_path / "hm", layout="recbole"
    )
    assert [path.name for path in written] == [
        "hm.train.inter",
        "hm.valid.inter",
        "hm.test.inter",
    ]
    train, test = interactions.temporal_split(history)
    sides = (*interactions.temporal_split(train), test)
    for path, side in zip(written, sides, strict=True):
        got = pd.read_csv(
            path, sep="\t", dtype={"user_id:token": "str", "item_id:token": "str"}
        )
        assert got.columns.tolist() == [
            "user_id:token",
            "item_id:token",
            "timestamp:float",
        ]
        assert got["user_id:token"].tolist() == side["user_id"].tolist()
        assert got["item_id:token"].tolist() == side["item_id"].tolist()
        assert got["timestamp:float"].tolist() == [
            when.timestamp() for when in side["date"]
        ]
    assert table.loc["rows", ["train", "valid", "test"]].tolist() == [
        len(side) for side in sides
    ]
