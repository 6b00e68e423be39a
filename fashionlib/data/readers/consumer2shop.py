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
column names; they may also lie in ROOT itself. An item's photos are never in two
splits; the gallery is the test split's shop photos. The README says 239,557 images and
195,540 pairs. Terms: non-commercial research, no redistribution.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
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
    TEST,
    TRAIN,
    VALIDATION,
)
from fashionlib.data.readers.faults import MISSING, Report
from fashionlib.data.readers.folders import (
    WHOLE,
    check_pictures,
    climbs,
    files,
    frame,
    lines_of,
    open_report,
    read_lines,
)

PARTITION = "list_eval_partition.txt"
BOXES = "list_bbox_consumer2shop.txt"
PRODUCTS = "list_item_consumer2shop.txt"
HOME = {PARTITION: "Eval", BOXES: "Anno", PRODUCTS: "Anno"}
PAIR_FIELDS = ["image_pair_name_1", "image_pair_name_2", "item_id", "evaluation_status"]
CORNERS = ["x_1", "y_1", "x_2", "y_2"]
BOX_FIELDS = ["image_name", "clothes_type", "source_type", *CORNERS]
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
    for source in (CONSUMER, SHOP):
        report.counts[f"{source} images"] = int((table[SOURCE] == source).sum())
    for split in STATUS.values():
        report.counts[f"{split} images"] = int((table[SPLIT] == split).sum())
    report.add("image without box", table[ITEM][table[BOX].isna()])
    shops = table[PRODUCT][table[SOURCE] == SHOP]
    lonely = (table[SOURCE] == CONSUMER) & ~table[PRODUCT].isin(shops)
    report.add("consumer image without shop image", table[ITEM][lonely])
    _check_products(set(table[PRODUCT]), report)
    named = set(table[ITEM].str.removeprefix("img/"))
    check_pictures(table, report, sorted(files(_pictures(report.root)) - named))
    return report


def _read(root: Path) -> tuple[pd.DataFrame, Report]:
    """Read the partition and the boxes; return the items and what is wrong."""
    report = open_report(root)
    boxes = _boxes(report)
    table = _partition(report).join(boxes, on=ITEM)
    column, source = table[SOURCE], table[BOX_SOURCE]
    other = table[source.notna() & (source != column)]
    report.add(
        "source type is not the pair's column",
        (other[ITEM] + ": " + source[other.index] + " for " + column[other.index]),
        "note",
    )
    if len(table):
        extra = boxes.index.difference(table[ITEM])
        report.add("box of an image in no pair", extra, "note")
    folder = _pictures(report.root)
    paths = table[ITEM].str.removeprefix("img/")
    table[SOURCE] = source.fillna(column)
    table[IMAGE] = (f"{folder}/" + paths).where(paths.isin(files(folder)))
    return frame(table, COLUMNS, report), report


def _partition(report: Report) -> pd.DataFrame:
    """Read one row per image of the pairs, without what the boxes say."""
    name = _place(report.root, PARTITION)
    pairs = read_lines(name, PAIR_FIELDS, report, header=2)
    known = pairs["evaluation_status"].isin(STATUS)
    report.add(
        "unknown evaluation status", lines_of(name, pairs["evaluation_status"][~known])
    )
    shared = {"item_id": PRODUCT, "evaluation_status": SPLIT}
    sides = []
    for column, source in (PAIR_FIELDS[0], CONSUMER), (PAIR_FIELDS[1], SHOP):
        side = pairs[known].rename(columns={column: ITEM, **shared})
        sides.append(side[[ITEM, PRODUCT, SPLIT]].assign(**{SOURCE: source}))
    images = pd.concat(sides).sort_index(kind="stable")  # a line's consumer first
    images = images[_well_named(images[ITEM], name, report)].drop_duplicates()
    again = images[ITEM].duplicated()
    report.add(
        "image of two items, splits or sources", lines_of(name, images[ITEM][again])
    )
    images = images[~again]
    # the README calls it the number of images
    _check_head(name, {len(pairs), len(images)}, PAIR_FIELDS, report)
    images = images.reset_index(drop=True)
    images[SPLIT] = images[SPLIT].map(STATUS)
    return images.join(images[ITEM].str.extract(NAME))


def _boxes(report: Report) -> pd.DataFrame:
    """Read source and box, indexed by the image's name."""
    name = _place(report.root, BOXES)
    table = read_lines(name, BOX_FIELDS, report, header=2)
    _check_head(name, {len(table)}, BOX_FIELDS, report)
    table = table[_well_named(table["image_name"], name, report)]
    whole = pd.Series(True, index=table.index)
    for corner in CORNERS:
        whole &= table[corner].str.fullmatch(WHOLE)
    broken = table.loc[~whole, CORNERS]
    report.add(
        "box not of whole numbers",
        [f"{name} line {line}: {' '.join(box)}" for line, *box in broken.itertuples()],
    )
    table = table[whole]
    known = table["source_type"].isin(SOURCE_TYPE)
    report.add("unknown source type", lines_of(name, table["source_type"][~known]))
    table = table[known]
    again = table["image_name"].duplicated()
    report.add("image with two boxes", lines_of(name, table["image_name"][again]))
    table = table[~again].set_index("image_name")
    corners = table[CORNERS].astype(int).to_numpy().tolist()
    boxes = pd.Series(list(map(tuple, corners)), index=table.index, dtype=object)
    sources = table["source_type"].map(SOURCE_TYPE)
    return pd.DataFrame({BOX_SOURCE: sources, BOX: boxes})


def _well_named(images: pd.Series, name: str, report: Report) -> pd.Series:
    """Return whether each image's name has the benchmark's form; else it is a fault."""
    climbing = images.map(climbs).astype(bool)
    formed = images.str.fullmatch(NAME)
    report.add("path climbs out of the folder", lines_of(name, images[climbing]))
    report.add(
        "name is not img/CATEGORY/SUBCATEGORY/id_XXXXXXXX/NAME.jpg",
        lines_of(name, images[~formed & ~climbing]),
    )
    return formed & ~climbing


def _check_head(
    name: str, counts: set[int], fields: Sequence[str], report: Report
) -> None:
    """Add a fault for a first line that is no such count, a second not these fields."""
    try:
        with (report.root / name).open(encoding="utf-8", errors="replace") as file:
            first, columns = file.readline(20).split(), file.readline(1000).split()
    except OSError:
        return  # reported when the file was read
    number = int(first[0]) if first and re.fullmatch(WHOLE, first[0]) else None
    if number not in counts:
        rows = " or ".join(map(str, sorted(counts)))
        given = "no number" if number is None else number
        report.add(
            "first line is not the number of rows", [f"{name}: {given} for {rows}"]
        )
    if fields and columns != fields:
        where = f"{name} line 2: {' '.join(columns)} for {' '.join(fields)}"
        report.add("column missing or in another place", [where])


def _check_products(products: set[str], report: Report) -> None:
    name = _place(report.root, PRODUCTS)
    if not (report.root / name).is_file():
        report.add(MISSING, [name], "note")
        return
    listed = set(read_lines(name, ["item_id"], report, header=1)["item_id"])
    _check_head(name, {len(listed)}, [], report)
    report.add("item not in the item list", sorted(products - listed))
    report.add("listed item without images", sorted(listed - products), "note")


def _place(root: Path, name: str) -> str:
    """Return where the file lies in the root; its own folder where it lies nowhere."""
    home = f"{HOME[name]}/{name}"
    for place in (home, name, f"Anno/{name}", f"Eval/{name}"):
        if (Path(root) / place).is_file():
            return place
    return home


def _pictures(root: Path) -> Path:
    inner = root / "Img" / "img"
    return inner if inner.is_dir() else root / "img"
