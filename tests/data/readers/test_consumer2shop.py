"""Consumer-to-shop: a fixture written here with known answers, hostile versions of it,
and the wardrobe's.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from edits import edit, fault_counts
from PIL import Image

import wardrobe
from fashionlib.data import images
from fashionlib.data.items import ITEM_COLUMNS
from fashionlib.data.readers import consumer2shop, layouts
from wardrobe.layouts import consumer2shop as writer

SKIRT, SHIRT = "img/DRESSES/Skirt/id_00000001", "img/TOPS/T_Shirt/id_00000002"
PARTITION = f"""3
image_pair_name_1        image_pair_name_2        item_id   evaluation_status
{SKIRT}/comsumer_01.jpg  {SKIRT}/shop_01.jpg      id_00000001   train
{SKIRT}/comsumer_01.jpg  {SKIRT}/shop_02.jpg      id_00000001   train
{SHIRT}/comsumer_01.jpg  {SHIRT}/shop_01.jpg      id_00000002   val
"""
BOXES = f"""5
image_name clothes_type source_type x_1 y_1 x_2 y_2
{SKIRT}/comsumer_01.jpg  2 2 000 004 019 028
{SKIRT}/shop_01.jpg      2 1 0 0 20 30
{SKIRT}/shop_02.jpg      2 1 1 2 3 4
{SHIRT}/comsumer_01.jpg  1 2 5 5 10 10
{SHIRT}/shop_01.jpg      1 1 5 6 7 8
"""
IDS = [
    f"{SKIRT}/comsumer_01.jpg",
    f"{SKIRT}/shop_01.jpg",
    f"{SKIRT}/shop_02.jpg",
    f"{SHIRT}/comsumer_01.jpg",
    f"{SHIRT}/shop_01.jpg",
]
PAIRS, BOXED = "Eval/list_eval_partition.txt", "Anno/list_bbox_consumer2shop.txt"
PRODUCTS = "Anno/list_item_consumer2shop.txt"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A faultless folder: two items, five pictures."""
    for name, text in (
        (PAIRS, PARTITION),
        (BOXED, BOXES),
        (PRODUCTS, "2\nid_00000001\nid_00000002\n"),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    for image in IDS:
        (tmp_path / image).parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(0).integers(0, 255, (30, 20, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / image)
    return tmp_path


def test_items_are_the_distinct_images(root: Path) -> None:
    items = consumer2shop.items(root)
    assert items.columns.tolist() == [*ITEM_COLUMNS, "split"]
    assert items["item_id"].tolist() == IDS
    assert items["product_id"].tolist() == ["id_00000001"] * 3 + ["id_00000002"] * 2
    assert items["group"].tolist() == ["DRESSES"] * 3 + ["TOPS"] * 2
    assert items["category"].tolist() == ["Skirt"] * 3 + ["T_Shirt"] * 2
    assert items["source"].tolist() == ["consumer", "shop", "shop", "consumer", "shop"]
    assert items["split"].tolist() == ["train"] * 3 + ["validation"] * 2
    assert items["box"].tolist() == [
        (0, 4, 19, 28),
        (0, 0, 20, 30),
        (1, 2, 3, 4),
        (5, 5, 10, 10),
        (5, 6, 7, 8),
    ]
    assert items["caption"].isna().all()
    assert (
        fault_counts(consumer2shop.check(root))
        == fault_counts(consumer2shop.check(root), "note")
        == {}
    )


def test_a_query_has_the_shop_images_of_its_item(root: Path) -> None:
    pairs = layouts.pairs(consumer2shop.items(root))
    assert pairs.to_numpy().tolist() == [
        [IDS[0], IDS[1]],
        [IDS[0], IDS[2]],
        [IDS[3], IDS[4]],
    ]


def test_crop_and_full_image(root: Path) -> None:
    items = consumer2shop.items(root)
    assert images.load(items["image"][0]).size == (20, 30)
    assert images.load(images.cropped(items["image"][0], items["box"][0])).size == (
        19,
        24,
    )


def test_files_may_lie_in_the_root_and_pictures_in_img(root: Path) -> None:
    expected = consumer2shop.items(root)
    for name in (PAIRS, BOXED, PRODUCTS):
        shutil.move(root / name, root / Path(name).name)
    assert consumer2shop.items(root).equals(expected)
    (root / "Img").mkdir()
    shutil.move(root / "img", root / "Img" / "img")
    items = consumer2shop.items(root)
    assert (
        all(Path(image).is_file() for image in items["image"])
        and items["item_id"].tolist() == IDS
    )


def test_an_image_without_box_keeps_its_columns_source(root: Path) -> None:
    edit(root / BOXED, f"{SHIRT}/shop_01.jpg      1 1 5 6 7 8\n", "")
    edit(root / BOXED, "5\nimage", "4\nimage")
    items = consumer2shop.items(root)
    assert (
        items["box"].isna().tolist() == [False] * 4 + [True]
        and items["source"][4] == "shop"
    )
    assert fault_counts(consumer2shop.check(root)) == {"image without box": 1}


def test_the_box_lists_source_decides(root: Path) -> None:
    edit(root / BOXED, "shop_02.jpg      2 1", "shop_02.jpg      2 2")
    assert consumer2shop.items(root)["source"][2] == "consumer"
    assert fault_counts(consumer2shop.check(root), "note") == {
        "source type is not the pair's column": 1
    }


HOSTILE: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "climbing": (
        lambda r: edit(r / PAIRS, f"{SHIRT}/shop_01", "../../../../x"),
        "path climbs out",
        "line 5",
    ),
    "absolute": (
        lambda r: edit(r / BOXED, f"{SHIRT}/shop_01", "/img/a/b/c"),
        "path climbs out",
        "shop.txt line 7",
    ),
    "inner": (
        lambda r: edit(r / BOXED, f"{SHIRT}/shop_01", "img/../../c/d"),
        "path climbs out",
        "shop.txt line 7",
    ),
    "other name": (
        lambda r: edit(r / PAIRS, f"{SHIRT}/shop_01", "img/shop"),
        "name is not img/CATEGORY",
        "line 5",
    ),
    "missing field": (
        lambda r: edit(r / PAIRS, "   val", ""),
        "wrong number of fields",
        "line 5: 3 for 4",
    ),
    "missing corner": (
        lambda r: edit(r / BOXED, "1 2 3 4", "1 2 3"),
        "wrong number of fields",
        "line 5: 6 for 7",
    ),
    "status": (
        lambda r: edit(r / PAIRS, "  val", "  dev"),
        "unknown evaluation status",
        "line 5: dev",
    ),
    "source": (
        lambda r: edit(r / BOXED, "2 1 0 0", "2 3 0 0"),
        "unknown source type",
        "line 4: 3",
    ),
    "corner": (
        lambda r: edit(r / BOXED, "1 2 3 4", "1 2 3 x"),
        "box not of whole numbers",
        "line 5",
    ),
    "two boxes": (
        lambda r: edit(r / BOXED, "shop_02", "shop_01"),
        "image with two boxes",
        "line 5",
    ),
    "two items": (
        lambda r: edit(r / PAIRS, f"{SHIRT}/shop", f"{SKIRT}/shop"),
        "image of two items",
        "line 5",
    ),
    "both sides": (
        lambda r: edit(r / PAIRS, f"{SKIRT}/shop_02", f"{SKIRT}/comsumer_01"),
        "image of two",
        "line 4",
    ),
    "cut short": (
        lambda r: edit(r / PAIRS, "3\nimage", "9\nimage"),
        "first line is not the number",
        "9 for 3 or 5",
    ),
    "no columns": (
        lambda r: edit(r / BOXED, "image_name clothes_type", "image_name"),
        "column missing",
        "line 2",
    ),
    "no header": (
        lambda r: edit(r / PAIRS, PARTITION.splitlines()[1] + "\n", ""),
        "column missing",
        "line 2: img/",
    ),
    "no count": (
        lambda r: edit(r / BOXED, "5\nimage", "five\nimage"),
        "first line is not",
        "no number for 5",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_folder_is_refused_and_listed(root: Path, name: str) -> None:
    harm, kind, example = HOSTILE[name]
    harm(root)
    with pytest.raises(ValueError, match=kind) as error:
        consumer2shop.items(root)
    assert example in str(error.value) and "fashionlib check" in str(error.value)
    listed = [
        f
        for f in consumer2shop.check(root).faults
        if f.kind.startswith(kind) and f.severity == "fault"
    ]
    assert len(listed) == 1 and example in listed[0].examples[0]


def test_nothing_is_an_error(root: Path) -> None:
    (root / PAIRS).write_text("0\n" + PARTITION.splitlines()[1] + "\n")
    with pytest.raises(ValueError, match="0 rows"):
        consumer2shop.items(root)
    (root / PAIRS).unlink()
    (root / BOXED).unlink()
    with pytest.raises(
        FileNotFoundError, match="list_bbox_consumer2shop.txt.*list_eval_partition.txt"
    ):
        consumer2shop.items(root)
    assert fault_counts(consumer2shop.check(root))["file missing"] == 2


def test_check_lists_every_fault_of_pictures_boxes_and_lists(root: Path) -> None:
    edit(root / BOXED, "1 2 3 4", "3 2 3 4")
    edit(root / BOXED, "5 5 10 10", "5 5 10 31")
    edit(root / BOXED, "5 6 7 8", "-5 6 7 8")
    edit(root / PRODUCTS, "id_00000002", "id_00000003")
    (root / IDS[0]).unlink()
    (root / IDS[1]).write_bytes((root / IDS[1]).read_bytes()[:-9])
    (root / SHIRT / "more.jpg").write_bytes(b"")
    assert fault_counts(consumer2shop.check(root)) == {
        "box empty": 1,
        "box outside the image": 2,
        "item not in the item list": 1,
        "image missing": 1,
        "broken image": 1,
    }
    assert fault_counts(consumer2shop.check(root), "note") == {
        "listed item without images": 1,
        "image without a row": 1,
    }
    items = consumer2shop.items(root)
    for row in (2, 3, 4):
        with pytest.raises(ValueError, match="does not lie in 20 x 30 pixels"):
            images.load(images.cropped(items["image"][row], items["box"][row]))


def test_the_wardrobe_is_read_back(photographed: list, tmp_path: Path) -> None:
    for count, seed in ((1, 0), (30, 1), (90, 2)):
        root = tmp_path / str(count)
        root.mkdir()
        truth = wardrobe.articles(count, seed)
        numbers = [
            n
            for n, category in enumerate(truth["category"], start=1)
            if category != "accessory"
        ]
        writer.write(root, truth, seed, (16, 24))
        items = consumer2shop.items(root)
        assert not consumer2shop.check(root).faults
        shop, consumers = (
            items[items["source"] == source] for source in ("shop", "consumer")
        )
        assert shop["product_id"].tolist() == [f"id_{n:08d}" for n in numbers]
        assert consumers.groupby("product_id").size().between(1, 3).all()
        assert set(consumers["product_id"]) == set(shop["product_id"])
        assert set(shop["box"]) == {(0, 0, 16, 24)}
        products = (
            items["product_id"]
            .str[3:]
            .astype(int)
            .map(truth["product_id"].set_axis(truth.index + 1))
        )
        assert items.groupby(products)["split"].nunique().eq(1).all()
        pairs = layouts.pairs(items)
        assert (
            len(pairs) == len(consumers) and pairs["gallery"].notna().all()
        )  # one true item a query
        for row in items.itertuples():
            left, upper, right, lower = row.box
            assert images.load(images.cropped(row.image, row.box)).size == (
                right - left,
                lower - upper,
            )


def test_an_item_in_two_splits_is_a_fault_for_each_pair(root: Path) -> None:
    path = root / "Eval" / "list_eval_partition.txt"
    if not path.is_file():
        path = root / "list_eval_partition.txt"
    pair = f"{SHIRT}/comsumer_02.jpg {SHIRT}/shop_02.jpg id_00000002 train\n"
    path.write_text(path.read_text() + pair)
    (fault,) = [
        f for f in consumer2shop.check(root).faults if f.kind.startswith("item in ")
    ]
    assert fault.kind == "item in train and validation"
    assert (fault.count, fault.examples) == (1, ("id_00000002",))
