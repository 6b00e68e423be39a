"""DeepFashion's consumer-to-shop benchmark: find a customer's photo among the shop's.

    ROOT/Eval/list_eval_partition.txt
        image_pair_name_1 (consumer's) image_pair_name_2 (shop's) item_id
        evaluation_status (train, val or test)
    ROOT/Anno/list_bbox_consumer2shop.txt
        image_name clothes_type (1 upper, 2 lower, 3 full body) source_type (1 shop, 2
        consumer) x_1 y_1 x_2 y_2
    ROOT/Anno/list_item_consumer2shop.txt
        item ids, one a line
    ROOT/img/CATEGORY/SUBCATEGORY/id_XXXXXXXX/NAME.jpg, or under ROOT/Img

Each text file begins with the number of its rows, the first two also have a line of
column names; they may also lie in ROOT itself. The codes are those of the benchmark's
README (also github.com/open-mmlab/mmfashion, docs/dataset/CONSUMER_TO_SHOP_DATASET.md);
it says that no item is in two splits, that the gallery is the shop photos of val and
test, and 239,557 images and 195,540 pairs. Terms: non-commercial research, no
redistribution.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from fashionlib.data.items import (
    BOX,
    CATEGORY,
    CONSUMER,
    GROUP,
    IMAGE,
    ITEM,
    ITEM_COLUMNS,
    PRODUCT,
    SHOP,
    SOURCE,
    SPLIT,
    SPLITS,
    TEST,
    TRAIN,
    VALIDATION,
    shared_by_splits,
)
from fashionlib.data.readers.faults import MISSING, Report
from fashionlib.data.readers.folders import (
    WHOLE,
    check_pictures,
    climbs,
    count_values,
    files,
    frame,
    open_report,
    read_lines,
    sift,
    unanswered,
)

PARTITION = "Eval/list_eval_partition.txt"
BOXES = "Anno/list_bbox_consumer2shop.txt"
PRODUCTS = "Anno/list_item_consumer2shop.txt"
PAIR_HEADER = "image_pair_name_1 image_pair_name_2 item_id evaluation_status"
BOX_HEADER = "image_name clothes_type source_type x_1 y_1 x_2 y_2"
CORNERS = ["x_1", "y_1", "x_2", "y_2"]
BOX_FIELDS = [ITEM, "clothes_type", "source_type", *CORNERS]
STATUS: Mapping[str, str] = {"train": TRAIN, "val": VALIDATION, "test": TEST}
SOURCE_TYPE: Mapping[str, str] = {"1": SHOP, "2": CONSUMER}
COLUMNS = [*ITEM_COLUMNS, SPLIT]
BOX_SOURCE = "source of the box"
NAME = rf"img/(?P<{GROUP}>[^/\\]+)/(?P<{CATEGORY}>[^/\\]+)/[^/\\]+/[^/\\]*\.jpg"


def items(root: Path) -> pd.DataFrame:
    """Return the items table and `split`, one row per image of the partition.

    Rows are in the order in which the partition first names them. `item_id` is the
    image's name in the files, `product_id` their item id, `group` and `category` the
    two folders. `source` is the box list's source type, and the pair's column where an
    image has no box (`box` is then missing, as is `image` where it isn't there).
    FileNotFoundError without partition or boxes; ValueError, naming file and line, for
    a name of another form, an unknown status or source type, an image of two items or
    splits or with two boxes, a wrong number of fields or rows, other columns, 0 rows.
    """
    table, report = _read(root)
    report.refuse()
    return table


def check(root: Path) -> Report:
    """Report what lies in the folder, what is missing and broken; never stop early.

    Notes: a source type that contradicts the pair's column, boxes of images in no pair.
    """
    table, report = _read(root)
    report.counts |= count_values(table, SPLITS, "images")
    report.add("image without box", table[ITEM][table[BOX].isna()])
    report.add("consumer image without shop image", unanswered(table))
    for pair, products in shared_by_splits(table, PRODUCT).items():
        report.add(f"item in {pair}", products.unique())
    _check_products(set(table[PRODUCT]), report)
    check_pictures(table, report, [_pictures(report.root)])
    return report


def _read(root: Path) -> tuple[pd.DataFrame, Report]:
    """Read the partition and the boxes; return the items and what is wrong."""
    report = open_report(root)
    boxes = _boxes(report)
    table = _partition(report).join(boxes, on=ITEM)
    source = table[BOX_SOURCE].fillna(table[SOURCE])
    other = table[source != table[SOURCE]]
    report.add(
        "source type is not the pair's column",
        other[ITEM] + ": " + other[BOX_SOURCE] + " for " + other[SOURCE],
        "note",
    )
    if len(table):
        extra = boxes.index.difference(table[ITEM])
        report.add("box of an image in no pair", extra, "note")
    folder = report.root / _pictures(report.root)
    paths = table[ITEM].str.removeprefix("img/")
    table[SOURCE] = source
    table[IMAGE] = (f"{folder}/" + paths).where(paths.isin(files(folder)))
    return frame(table, COLUMNS, report), report


def _partition(report: Report) -> pd.DataFrame:
    """Read one row per image of the pairs, without what the boxes say."""
    name = _place(report.root, PARTITION)
    fields = [CONSUMER, SHOP, PRODUCT, SPLIT]
    pairs = read_lines(name, fields, report, header=2)
    known = pairs[SPLIT].isin(STATUS)
    images = sift(pairs, known, SPLIT, "unknown evaluation status", report)
    # two rows a line
    images = images.melt(
        [PRODUCT, SPLIT], var_name=SOURCE, value_name=ITEM, ignore_index=False
    )
    images = images.sort_index(kind="stable")  # a line's consumer first
    images = _well_named(images, report).drop_duplicates()
    once = ~images[ITEM].duplicated()
    images = sift(images, once, ITEM, "image of two items, splits or sources", report)
    # the README calls it the number of images
    _check_head(name, {len(pairs), len(images)}, PAIR_HEADER, report)
    images = images.reset_index(drop=True)
    images[SPLIT] = images[SPLIT].map(STATUS)
    return images.join(images[ITEM].str.extract(NAME))


def _boxes(report: Report) -> pd.DataFrame:
    """Read source and box, indexed by the image's name."""
    name = _place(report.root, BOXES)
    table = read_lines(name, BOX_FIELDS, report, header=2)
    _check_head(name, {len(table)}, BOX_HEADER, report)
    table = _well_named(table, report)
    table[BOX] = table["x_1"].str.cat(table[CORNERS[1:]], sep=" ")
    whole = table[BOX].str.fullmatch(rf"{WHOLE}( {WHOLE})*")
    table = sift(table, whole, BOX, "box not of whole numbers", report)
    known = table["source_type"].isin(SOURCE_TYPE)
    table = sift(table, known, "source_type", "unknown source type", report)
    once = ~table[ITEM].duplicated()
    table = sift(table, once, ITEM, "image with two boxes", report).set_index(ITEM)
    table[BOX] = [tuple(map(int, box.split())) for box in table[BOX]]
    table[BOX_SOURCE] = table["source_type"].map(SOURCE_TYPE)
    return table[[BOX_SOURCE, BOX]]


def _well_named(images: pd.DataFrame, report: Report) -> pd.DataFrame:
    """Return the rows whose image has a name of the benchmark's form."""
    inside = ~images[ITEM].map(climbs).astype(bool)
    images = sift(images, inside, ITEM, "path climbs out of the folder", report)
    formed = images[ITEM].str.fullmatch(NAME)
    form = "name is not img/CATEGORY/SUBCATEGORY/id_XXXXXXXX/NAME.jpg"
    return sift(images, formed, ITEM, form, report)


def _check_head(name: str, counts: set[int], header: str, report: Report) -> None:
    """Add a fault for a first line that is no such count, a second not this header."""
    try:
        with (report.root / name).open(encoding="utf-8", errors="replace") as file:
            first, columns = file.readline(20).strip(), file.readline(1000).split()
    except OSError:
        return  # reported when the file was read
    number = int(first) if re.fullmatch(WHOLE, first) else "no number"
    if number not in counts:
        rows = " or ".join(map(str, sorted(counts)))
        kind = "first line is not the number of rows"
        report.add(kind, [f"{name}: {number} for {rows}"])
    if header and columns != header.split():
        where = f"{name} line 2: {' '.join(columns)} for {header}"
        report.add("column missing or in another place", [where])


def _check_products(products: set[str], report: Report) -> None:
    name = _place(report.root, PRODUCTS)
    if not (report.root / name).is_file():
        report.add(MISSING, [name], "note")
        return
    listed = set(read_lines(name, ["item_id"], report, header=1)["item_id"])
    _check_head(name, {len(listed)}, "", report)
    report.add("item not in the item list", sorted(products - listed))
    report.add("listed item without images", sorted(listed - products), "note")


def _place(root: Path, name: str) -> str:
    """Return where the file lies: in the root itself, or else in its own folder."""
    bare = Path(name).name
    return bare if (root / bare).is_file() else name


def _pictures(root: Path) -> str:
    return "Img/img" if (root / "Img" / "img").is_dir() else "img"
