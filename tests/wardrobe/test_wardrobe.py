"""The wardrobe: read back by the H&M reader, with its planted truth."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import wardrobe
from fashionlib.data.readers import folders, hm, layouts
from fashionlib.labelling import attribute_schema
from wardrobe import catalogue, shoppers, shops, views, words
from wardrobe.layouts.hm import APPEARANCE

KAGGLE = [
    "article_id",
    "product_code",
    "prod_name",
    "product_type_no",
    "product_type_name",
    "product_group_name",
    "graphical_appearance_no",
    "graphical_appearance_name",
    "colour_group_code",
    "colour_group_name",
    "perceived_colour_value_id",
    "perceived_colour_value_name",
    "perceived_colour_master_id",
    "perceived_colour_master_name",
    "department_no",
    "department_name",
    "index_code",
    "index_name",
    "index_group_no",
    "index_group_name",
    "section_no",
    "section_name",
    "garment_group_no",
    "garment_group_name",
    "detail_desc",
]


@pytest.fixture(scope="module")
def made(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Path, pd.DataFrame]]:
    root = tmp_path_factory.mktemp("data") / "wardrobe"
    yield root, wardrobe.write(root, items=360, shoppers=150, seed=3)


def hashes(root: Path) -> dict[str, str]:
    files = sorted(p for p in root.rglob("*") if p.is_file())
    return {
        str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in files
    }


def test_reader_returns_the_planted_truth(made: tuple[Path, pd.DataFrame]) -> None:
    root, truth = made
    items = hm.items(root)
    assert items["item_id"].tolist() == truth["item_id"].tolist() and len(items) == 360
    assert items["category"].tolist() == truth["type"].tolist()
    assert items["colour"].tolist() == [
        catalogue.SHADES[c][1][1] for c in truth["colour"]
    ]
    assert items["pattern"].tolist() == [APPEARANCE[p][1] for p in truth["pattern"]]
    assert items["caption"].isna().sum() == 3 and items["image"].isna().sum() == 2
    assert Image.open(items["image"].dropna().iloc[0]).size == (160, 240)
    written = pd.read_csv(
        root / "truth.csv",
        dtype={"item_id": "str", "product_id": "str"},
        keep_default_na=False,
    )
    pd.testing.assert_frame_equal(written, truth, check_dtype=False)


@pytest.mark.parametrize("layout", [name for name in wardrobe.LAYOUTS if name != "hm"])
def test_every_layout_is_read_back_and_faultless(layout: str, tmp_path: Path) -> None:
    truth = wardrobe.write(
        tmp_path / "w", items=12, seed=2, layout=layout, size=(48, 72)
    )
    assert layouts.detect_layout(tmp_path / "w") == layout
    items, report = layouts.items(tmp_path / "w"), layouts.check(tmp_path / "w")
    assert not report.broken, str(report)
    assert (
        items["item_id"].is_unique and len(items) >= 12 and items["image"].notna().all()
    )
    assert folders.is_synthetic(tmp_path / "w") and len(truth) == 12


def test_check_finds_nothing_wrong_but_says_synthetic(
    made: tuple[Path, pd.DataFrame],
) -> None:
    report = hm.check(made[0])
    assert not report.broken and {f.kind for f in report.faults} <= {
        "article without caption",
        "article without image",
    }
    assert folders.is_synthetic(made[0]) and "synthetic" in report.counts.values()
    assert "seed 3" in (made[0] / "WARDROBE").read_text()


def test_tables_have_kaggles_columns_with_one_name_per_code(
    made: tuple[Path, pd.DataFrame],
) -> None:
    articles = pd.read_csv(made[0] / "articles.csv", dtype={"article_id": "str"})
    assert articles.columns.tolist() == KAGGLE
    assert articles["article_id"].str.fullmatch(r"0\d{9}").all()
    assert (
        articles["article_id"].str[:7].astype(int) == articles["product_code"]
    ).all()
    for code, name in pairwise(KAGGLE):
        if (
            code.endswith(("_no", "_id", "colour_group_code", "index_code"))
            and code != "article_id"
        ):
            assert articles.groupby(code)[name].nunique().max() == 1, code
    customers = pd.read_csv(made[0] / "customers.csv")
    assert len(customers.columns) == 7 and len(customers) == 150
    assert customers["customer_id"].str.fullmatch("[0-9a-f]{64}").all()


def test_captions_are_constant_inside_a_product_and_silent_about_colour(
    made: tuple[Path, pd.DataFrame],
) -> None:
    items = hm.items(made[0]).dropna(subset=["caption"])
    assert items.groupby("product_id")["caption"].nunique().max() == 1
    assert items.groupby("product_id").size().max() > 1
    lengths = items["caption"].str.split().str.len()
    assert 17 < lengths.mean() < 25 and lengths.max() < 60
    said = set(
        " ".join(items["caption"]).lower().replace(",", " ").replace(".", " ").split()
    )
    assert not said & set(attribute_schema.ATTRIBUTES["colour"])
    assert items["caption"].nunique() > 0.9 * items["product_id"].nunique()


def test_kinds_and_attributes_are_all_there() -> None:
    truth = wardrobe.articles(3000, 0)
    assert set(truth["subcategory"]) == set(catalogue.KINDS)
    assert {
        s for names in attribute_schema.SUBCATEGORIES.values() for s in names
    } <= set(catalogue.KINDS)
    for attribute, values in attribute_schema.ATTRIBUTES.items():
        found = set(truth[attribute])
        assert set(values) <= found <= {*values, attribute_schema.NONE}, attribute
    assert (
        truth[list(attribute_schema.DETAILS)].any().all()
        and not truth[list(attribute_schema.DETAILS)].all().any()
    )
    assert (
        truth.groupby("product_id")[[*wardrobe.PARTS, *attribute_schema.DETAILS]]
        .nunique()
        .max()
        .max()
        == 1
    )
    assert not truth.duplicated(["product_id", "colour"]).any()
    garment = wardrobe.garment_of(truth.iloc[7].to_dict())
    assert garment.fabric == truth["fabric"][7] and set(garment.details) == {
        d for d in attribute_schema.DETAILS if truth[d][7]
    }


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        wardrobe.write(tmp_path / name, items=30, shoppers=20, seed=seed, size=(40, 60))
    assert hashes(tmp_path / "a") == hashes(tmp_path / "b")
    assert set(hashes(tmp_path / "a").values()).isdisjoint(
        hashes(tmp_path / "c").values()
    )


def test_transactions_are_in_order_and_nothing_sells_before_its_launch(
    made: tuple[Path, pd.DataFrame],
) -> None:
    root, truth = made
    bought = hm.transactions(root)
    assert bought["date"].is_monotonic_increasing
    assert set(bought["item_id"]) <= set(truth["item_id"])
    days = (bought["date"] - pd.Timestamp(shoppers.FIRST_DAY)).dt.days
    launch = bought["item_id"].map(truth.set_index("item_id")["launch"])
    assert (days >= launch).all() and days.between(0, shoppers.DAYS - 1).all()
    assert 6 <= bought.groupby("user_id").size().median() <= 14
    assert bought.groupby(["user_id", "date"]).size().max() > 1


def test_companions_are_bought_on_one_day(made: tuple[Path, pd.DataFrame]) -> None:
    truth = made[1].assign(launch=0, type=["T-shirt", "Trousers"] * (len(made[1]) // 2))

    def reunions(companion: float) -> int:
        """How many ordered pairs of articles one shopper or another bought on one day,
        at least four times.
        """
        bought = shoppers.interactions(
            truth,
            150,
            np.random.default_rng(0),
            companion=companion,
            repeat=0.0,
            style=0.0,
        )
        pairs = bought.merge(bought, on=["shopper", "day"]).query("item_x != item_y")
        return int((pairs.groupby(["item_x", "item_y"]).size() >= 4).sum())

    assert reunions(0.5) > 10 * max(1, reunions(0.0))


def test_launches_can_be_turned_off(made: tuple[Path, pd.DataFrame]) -> None:
    truth = made[1]

    def before_launch(**habits: bool) -> float:
        bought = shoppers.interactions(truth, 60, np.random.default_rng(0), **habits)
        return float(
            (bought["day"] < truth["launch"].to_numpy()[bought["item"]]).mean()
        )

    assert before_launch() == 0 and before_launch(launches=False) > 0.1


def test_repeats_and_tastes_show_in_the_purchases(
    made: tuple[Path, pd.DataFrame],
) -> None:
    truth = made[1]

    def same_type(**switches: float) -> float:
        """Share of a shopper's pairs of different articles that are of one type."""
        bought = shoppers.interactions(truth, 120, np.random.default_rng(0), **switches)
        kind = bought["item"].map(truth["type"])
        pairs = bought.assign(kind=kind).drop_duplicates(["shopper", "item"])
        groups = [
            g["kind"].value_counts() for _, g in pairs.groupby("shopper") if len(g) > 1
        ]
        return float(
            sum((n * (n - 1)).sum() for n in groups)
            / sum(n.sum() * (n.sum() - 1) for n in groups)
        )

    assert same_type(style=2.0, companion=0.0) > 1.3 * same_type(
        style=0.0, companion=0.0
    )
    none = shoppers.interactions(
        truth, 60, np.random.default_rng(0), repeat=0.0, companion=0.0
    )
    some = shoppers.interactions(
        truth, 60, np.random.default_rng(0), repeat=0.5, companion=0.0
    )
    assert (
        some.duplicated(["shopper", "item"]).mean()
        > none.duplicated(["shopper", "item"]).mean() + 0.2
    )


def test_a_folder_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match="is not a wardrobe"):
        wardrobe.write(tmp_path, items=5, shoppers=2)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]
    with pytest.raises(ValueError, match="at least 1 item"):
        wardrobe.write(tmp_path / "new", items=0)
    with pytest.raises(ValueError, match="unknown layout 'coco'; known: hm, "):
        wardrobe.write(tmp_path / "new", layout="coco")


def test_an_older_wardrobe_is_replaced_and_an_interrupted_one_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "w"
    wardrobe.write(root, items=12, shoppers=5, seed=0, size=(40, 60))
    wardrobe.write(root, items=8, shoppers=5, seed=1, size=(40, 60))
    before = hashes(root)
    assert len(hm.items(root)) == 8
    monkeypatch.setattr(views, "flat", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        wardrobe.write(root, items=12, shoppers=5)
    assert hashes(root) == before and [p.name for p in tmp_path.iterdir()] == ["w"]


def test_a_mark_of_snakemake_is_nobodys_work(tmp_path: Path) -> None:
    wardrobe.write(tmp_path / "w", items=5, shoppers=2, size=(40, 60))
    (tmp_path / "w" / ".snakemake_timestamp").touch()
    wardrobe.write(tmp_path / "w", items=5, shoppers=2, size=(40, 60))
    assert not (tmp_path / "w" / ".snakemake_timestamp").exists()


def test_what_the_wardrobe_did_not_draw_is_never_replaced(tmp_path: Path) -> None:
    root, given = tmp_path / "w", {"items": 5, "shoppers": 2, "size": (40, 60)}
    wardrobe.write(root, **given)
    drawn, articles = hashes(root), (root / "articles.csv").read_text()

    def mine() -> None:
        (root / "adapter").mkdir()
        (root / "adapter" / "weights").write_text("mine")

    for spoil, undo in (
        (mine, lambda: shutil.rmtree(root / "adapter")),
        (lambda: (root / ".git").touch(), (root / ".git").unlink),
        (lambda: (root / "l").symlink_to("/none"), (root / "l").unlink),
        (
            lambda: (root / "articles.csv").write_text("article_id\n"),
            lambda: (root / "articles.csv").write_text(articles),
        ),
        (
            lambda: (root / "WARDROBE").write_text("Synthetic: an older edition\n"),
            lambda: folders.mark(root, "Synthetic"),
        ),
    ):
        spoil()
        before = hashes(root)
        with pytest.raises(ValueError, match="doesn't list as drawn .* would be lost"):
            wardrobe.write(root, **given)
        assert hashes(root) == before
        undo()
    wardrobe.write(root, **given)
    assert hashes(root) == drawn


def test_the_marker_alone_makes_no_data_synthetic(tmp_path: Path) -> None:
    wardrobe.write(tmp_path / "w", items=5, shoppers=2, size=(40, 60))
    assert folders.is_synthetic(tmp_path / "w")
    (tmp_path / "w" / ".cache").touch()
    assert folders.is_synthetic(tmp_path / "w")
    (tmp_path / "w" / "splits.csv").touch()
    with pytest.raises(ValueError, match="1 files that it doesn't list .splits.csv"):
        folders.is_synthetic(tmp_path / "w")
    assert "not drawn by wardrobe" in str(hm.check(tmp_path / "w"))
    real = tmp_path / "real"
    real.mkdir()
    (real / "articles.csv").write_text("article_id,detail_desc\n0108775015,a top\n")
    assert not folders.is_synthetic(real)
    shutil.copy(tmp_path / "w" / "WARDROBE", real)
    assert not folders.is_synthetic(real)
    assert "synthetic" not in hm.check(real).counts.values()


def test_the_truth_is_read_back_as_it_was_planted(
    made: tuple[Path, pd.DataFrame], tmp_path: Path
) -> None:
    root, planted = made
    read = wardrobe.truth(root)
    pd.testing.assert_frame_equal(read, planted, check_dtype=False)
    assert all(
        wardrobe.garment_of(a) == wardrobe.garment_of(b)
        for a, b in zip(
            read.to_dict("records"), planted.to_dict("records"), strict=True
        )
    )
    with pytest.raises(
        FileNotFoundError, match="only a drawn wardrobe has a known truth"
    ):
        wardrobe.truth(tmp_path)


def test_each_article_is_photographed_twice_beside_its_truth(tmp_path: Path) -> None:
    wardrobe.write(tmp_path / "w", items=9, shoppers=0, seed=2, layout="consumer2shop")
    photos, truth = wardrobe.photographed(tmp_path / "w")
    assert sorted(photos["source"]) == ["consumer"] * 9 + ["shop"] * 9
    assert photos["item_id"].is_unique and truth["item_id"].equals(photos["item_id"])
    assert truth["product_id"].equals(photos["product_id"])
    shop, worn = (truth[photos["source"] == s] for s in ("shop", "consumer"))
    assert sorted(shop["subcategory"]) == sorted(worn["subcategory"])
    captions = words.captions("manual", truth, 5)
    assert len(captions) == 18 and captions == words.captions("manual", truth, 5)
    assert captions != words.captions("manual", truth, 6)


def test_measures_of_habits_by_hand() -> None:
    truth = pd.DataFrame({"item_id": ["a000", "b000", "c000"], "type": [*"xxy"]})
    rows = pd.DataFrame(
        {
            "user_id": [0] * 5 + [1],
            "item_id": ["a000", "b000", "c000", "a000", "a000", "c000"],
            "date": [1, 1, 2, 3, 4, 1],
        }
    )
    measured = shops.measures(truth, rows)
    # the test: the last of user 0's five rows, bought before, and user 1's only row
    assert measured["bought before"] == 1 / 2 and measured["same day"] == 0
    assert measured["top 60 articles"] == pytest.approx(1)
    assert measured["own favourite type"] == pytest.approx((4 / 5 + 1) / 2)
