"""DeepFashion2: a fixture written here with known answers, hostile versions of it, and
the wardrobe's.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import edits
import numpy as np
import pandas as pd
import pytest
from edits import fault_counts
from PIL import Image

import wardrobe
from fashionlib.data import images
from fashionlib.data.items import ITEM_COLUMNS
from fashionlib.data.readers import deepfashion2, layouts
from wardrobe.layouts import deepfashion2 as writer

TOP = {
    "category_id": 1,
    "category_name": "short sleeve top",
    "style": 1,
    "bounding_box": [0, 5, 20, 25],
    "landmarks": [1, 2, 2],
    "segmentation": [[1, 2, 3, 4]],
    "scale": 2,
    "occlusion": 1,
    "zoom_in": 1,
    "viewpoint": 2,
}
SKIRT = TOP | {
    "category_id": 9,
    "category_name": "skirt",
    "style": 0,
    "bounding_box": [2, 3, 12, 30],
}
OTHER = TOP | {"style": 2}
PHOTOS = {
    "train/annos/000001.json": {
        "item2": SKIRT,
        "source": "user",
        "pair_id": 7,
        "item1": TOP,
    },
    "train/annos/000002.json": {
        "source": "shop",
        "pair_id": 7,
        "item1": TOP,
        "item10": TOP,
        "item2": OTHER,
    },
    "train/annos/000003.json": {
        "source": "user",
        "pair_id": 7,
        "item1": TOP | {"style": 3},
    },
    "validation/annos/000001.json": {"source": "user", "pair_id": 7, "item1": TOP},
    "validation/annos/000002.json": {"source": "shop", "pair_id": 8, "item1": TOP},
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three photos to train on, two to validate; pairs count from the same number in
    both.
    """
    for name, content in PHOTOS.items():
        path = tmp_path / name
        picture = tmp_path / name.replace("annos", "image").replace("json", "jpg")
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
        Image.fromarray(
            np.random.default_rng(0).integers(0, 255, (30, 20, 3), dtype=np.uint8)
        ).save(picture)
    return tmp_path


def change(root: Path, name: str = "train/annos/000001.json", **fields: object) -> None:
    """Replaces fields of a photo's item1."""
    content = json.loads((root / name).read_text())
    content["item1"] |= fields
    (root / name).write_text(json.dumps(content))


def edit(root: Path, old: str, new: str) -> None:
    edits.edit(root / "train/annos/000001.json", old, new)


def test_items_are_the_garments_of_the_photos(root: Path) -> None:
    items = deepfashion2.items(root)
    assert items.columns.tolist() == [*ITEM_COLUMNS, "split"]
    assert items["item_id"].tolist() == [
        "train-000001-1",
        "train-000001-2",
        "train-000002-1",
        "train-000002-2",
        "train-000002-10",
        "train-000003-1",
        "validation-000001-1",
        "validation-000002-1",
    ]
    assert items["product_id"].tolist()[2:] == [
        "train-7-1",
        "train-7-2",
        "train-7-1",
        "train-7-3",
        "validation-7-1",
        "validation-8-1",
    ]
    assert items["product_id"][0] == "train-7-1" and pd.isna(items["product_id"][1])
    assert items["source"].tolist() == ["consumer"] * 2 + ["shop"] * 3 + [
        "consumer"
    ] * 2 + ["shop"]
    assert items["category"].tolist()[:3] == [
        "short sleeve top",
        "skirt",
        "short sleeve top",
    ]
    assert items["box"].tolist()[:2] == [(0, 5, 20, 25), (2, 3, 12, 30)]
    assert items["split"].tolist() == ["train"] * 6 + ["validation"] * 2
    assert images.load(items["image"][0]).size == (20, 30)
    assert images.load(images.cropped(items["image"][1], items["box"][1])).size == (
        10,
        27,
    )


def test_queries_match_shop_garments_of_pair_style_and_split(root: Path) -> None:
    pairs = layouts.pairs(deepfashion2.items(root))
    assert pairs[pairs["gallery"].notna()].to_numpy().tolist() == [
        ["train-000001-1", "train-000002-1"],
        ["train-000001-1", "train-000002-10"],
    ]
    assert pairs["query"][pairs["gallery"].isna()].tolist() == [
        "train-000003-1",
        "validation-000001-1",
    ]
    assert fault_counts(deepfashion2.check(root)) == {} and fault_counts(
        deepfashion2.check(root), "note"
    ) == {"query without a shop item": 2}


def test_one_split_is_enough(root: Path) -> None:
    (root / "validation").rename(root / "elsewhere")
    assert len(deepfashion2.items(root)) == 6
    assert (
        fault_counts(deepfashion2.check(root), "note")["annotation folder missing"] == 1
    )


HOSTILE: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "broken JSON": (
        lambda r: edit(r, "}}", "}"),
        "JSON can't be read",
        "train/annos/000001.json",
    ),
    "a list": (
        lambda r: (r / "train/annos/000001.json").write_text("[]"),
        "JSON can't be read",
        "list for an object",
    ),
    "empty": (
        lambda r: (r / "train/annos/000001.json").write_text("{}"),
        "unknown source",
        "None",
    ),
    "deep": (
        lambda r: (r / "train/annos/000001.json").write_text("[" * 100_000),
        "JSON can't be read",
        "recursion",
    ),
    "key twice": (
        lambda r: edit(r, "item2", "item1"),
        "JSON can't be read",
        "000001.json: key 'item1' is there twice",
    ),
    "source": (lambda r: edit(r, '"user"', '"street"'), "unknown source", "'street'"),
    "pair": (
        lambda r: edit(r, '"pair_id": 7', '"pair_id": "7"'),
        "pair_id is no whole number",
        "'7'",
    ),
    "no pair": (
        lambda r: edit(r, "pair_id", "pair"),
        "pair_id is no whole number",
        "None",
    ),
    "no style": (
        lambda r: edit(r, "style", "fashion"),
        "field missing",
        "item1: style",
    ),
    "style": (
        lambda r: change(r, style=-1),
        "style is no whole number from 0",
        "item1: -1",
    ),
    "truth": (
        lambda r: change(r, style=True),
        "style is no whole number from 0",
        "item1: True",
    ),
    "no category": (
        lambda r: change(r, category_id=14),
        "category name and number disagree",
        "14",
    ),
    "wrong category": (
        lambda r: change(r, category_id=2),
        "category name and number disagree",
        "2",
    ),
    "three corners": (
        lambda r: change(r, bounding_box=[1, 2, 3]),
        "box not of four whole numbers",
        "[1, 2, 3]",
    ),
    "no corners": (
        lambda r: change(r, bounding_box="1234"),
        "box not of four whole numbers",
        "item1",
    ),
    "item is a list": (
        lambda r: edit(r, '"item1": {', '"item1": [], "more": {'),
        "field missing",
        "category_id",
    ),
    "other name": (
        lambda r: (r / "train/annos/x.json").write_text("{}"),
        "annotation is not named",
        "x.json",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_folder_is_refused_and_listed(root: Path, name: str) -> None:
    harm, kind, example = HOSTILE[name]
    harm(root)
    with pytest.raises(ValueError, match=kind) as error:
        deepfashion2.items(root)
    assert example in str(error.value) and "fashionlib check" in str(error.value)
    listed = [
        f
        for f in deepfashion2.check(root).faults
        if f.kind == kind or f.kind.startswith(kind)
    ]
    assert len(listed) == 1 and example in listed[0].examples[0]


def test_an_annotation_of_ten_million_bytes_is_refused(root: Path) -> None:
    with (root / "train/annos/000001.json").open("r+b") as file:
        file.truncate(10_000_001)
    with pytest.raises(ValueError, match="10,000,001 bytes, more than 10,000,000"):
        deepfashion2.items(root)


def test_nothing_is_an_error(root: Path) -> None:
    for name in PHOTOS:
        (root / name).unlink()
    with pytest.raises(ValueError, match="0 rows"):
        deepfashion2.items(root)
    assert fault_counts(deepfashion2.check(root)) == {"0 rows": 1}
    with pytest.raises(FileNotFoundError, match="train/annos"):
        deepfashion2.items(root / "train" / "image")


def test_check_lists_every_fault_and_goes_on(root: Path) -> None:
    edit(root, '"user"', '"street"')
    change(root, "train/annos/000003.json", bounding_box=[0, 0, 21, 30])
    change(root, "validation/annos/000001.json", bounding_box=[5, 5, 5, 9])
    (root / "validation/image/000002.jpg").unlink()
    (root / "train/image/000009.jpg").write_bytes(b"")
    (root / "train/image/000002.jpg").write_bytes(b"no picture")
    assert fault_counts(deepfashion2.check(root)) == {
        "unknown source": 1,
        "box outside the image": 1,
        "box empty": 1,
        "image missing": 1,
        "broken image": 1,
    }
    assert fault_counts(deepfashion2.check(root), "note")["image without a row"] == 1


def test_a_box_outside_the_picture_is_read_reported_and_not_cut(root: Path) -> None:
    change(root, bounding_box=[-1, 5, 20, 25])
    items = deepfashion2.items(root)
    assert items["box"][0] == (-1, 5, 20, 25)
    assert fault_counts(deepfashion2.check(root)) == {"box outside the image": 1}
    with pytest.raises(
        ValueError, match=r"box \[-1, 5, 20, 25\] does not lie in 20 x 30 pixels"
    ):
        images.load(images.cropped(items["image"][0], items["box"][0]))


def test_the_wardrobe_is_read_back(photographed: list, tmp_path: Path) -> None:
    for count, seed in ((1, 0), (30, 1), (120, 2)):
        photographed.clear()
        root = tmp_path / str(count)
        root.mkdir()
        truth = wardrobe.articles(count, seed)
        worn = truth[truth["category"] != "accessory"]
        writer.write(root, truth, seed, (16, 24))
        items = deepfashion2.items(root)
        assert not deepfashion2.check(root).broken
        shop, users = (
            items[items["source"] == source] for source in ("shop", "consumer")
        )
        assert (
            len(shop) == len(worn) and shop["product_id"].is_unique
        )  # each article is a style of its pair
        assert set(shop["box"]) == {(0, 0, 16, 24)} and sorted(users["box"]) == sorted(
            photographed
        )
        read = shop.groupby(shop["product_id"].str.rsplit("-", n=1).str[0])
        drawn = worn.assign(
            name=[writer.category(row) for row in worn.to_dict("records")]
        ).groupby("product_id")
        assert sorted(
            (*g["product_id"].str.rsplit("-", n=1).str[1], *g["category"])
            for _, g in read
        ) == sorted(
            (*g["item_id"].str[7:].astype(int).astype(str), *g["name"])
            for _, g in drawn
        )
        pairs = layouts.pairs(items)
        assert (
            len(pairs) == users["product_id"].notna().sum()
            and pairs["gallery"].notna().all()
        )
    assert (
        0 < users["product_id"].isna().sum() < len(users) / 3
    )  # seed 2: some users' garments have no style
    assert set(items["split"]) == {"train", "validation"}


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        ({"subcategory": "t-shirt", "sleeve_length": "short"}, "short sleeve top"),
        ({"subcategory": "coat", "sleeve_length": "long"}, "long sleeve outwear"),
        ({"subcategory": "vest", "sleeve_length": "sleeveless"}, "vest"),
        (
            {
                "subcategory": "sleeveless",
                "sleeve_length": "sleeveless",
                "neckline": "halter",
            },
            "sling",
        ),
        (
            {
                "category": "dress",
                "subcategory": "mini dress",
                "sleeve_length": "sleeveless",
            },
            "vest dress",
        ),
        (
            {"category": "dress", "subcategory": "jumpsuit", "sleeve_length": "long"},
            "long sleeve dress",
        ),
        ({"category": "pants", "subcategory": "bermuda pants"}, "shorts"),
        ({"category": "pants", "subcategory": "slacks"}, "trousers"),
        ({"category": "skirt", "subcategory": "slit skirt"}, "skirt"),
    ],
)
def test_the_thirteen_categories(about: dict[str, str], expected: str) -> None:
    row = {"category": "top", "sleeve_length": "none", "neckline": "round"} | about
    assert writer.category(row) == expected and expected in deepfashion2.CATEGORIES
