"""DeepFashion's consumer-to-shop benchmark: photos by customers, each to be found among
the shop's photos.

    ROOT/Eval/list_eval_partition.txt         image_pair_name_1 (consumer's) image_pair_name_2 (shop's) item_id
                                              evaluation_status (train, val or test)
    ROOT/Anno/list_bbox_consumer2shop.txt     image_name clothes_type (1 upper, 2 lower, 3 full body)
                                              source_type (1 shop, 2 consumer) x_1 y_1
                                              x_2 y_2
    ROOT/Anno/list_item_consumer2shop.txt     item ids, one a line
    ROOT/img/CATEGORY/SUBCATEGORY/id_XXXXXXXX/NAME.jpg, or under ROOT/Img

Each text file begins with the number of its rows, the first two also have a line of
column names; they may also lie in ROOT itself. An item's photos are never in two
splits; the gallery is the test split's shop photos. The README says 239,557 images and
195,540 pairs. Terms: non-commercial research, no redistribution.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

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
    check_pictures,
    climbs,
    files,
    frame,
    integers,
    lines,
    open_report,
    table,
)

PARTITION, BOXES, PRODUCTS = (
    "list_eval_partition.txt",
    "list_bbox_consumer2shop.txt",
    "list_item_consumer2shop.txt",
)
PAIR_FIELDS = ["image_pair_name_1", "image_pair_name_2", "item_id", "evaluation_status"]
BOX_FIELDS = ["image_name", "clothes_type", "source_type", "x_1", "y_1", "x_2", "y_2"]
HOME = {PARTITION: "Eval", BOXES: "Anno", PRODUCTS: "Anno"}
STATUS: Mapping[str, str] = {"train": TRAIN, "val": VALIDATION, "test": TEST}
SOURCE_TYPE: Mapping[str, str] = {"1": SHOP, "2": CONSUMER}
COLUMNS = [*ITEM_COLUMNS, SPLIT]


def recognise(root: Path) -> bool:
    """Whether there are the boxes or the item list of this name (the partition's name
    is also another benchmark's).
    """
    return any(
        (Path(root) / _place(Path(root), name)).is_file() for name in (BOXES, PRODUCTS)
    )


def items(root: Path) -> pd.DataFrame:
    """The items table and `split`, one row per image of the partition, in the order in
    which it first names them.

    `item_id` is the image's name in the files, `product_id` their item id, `group` and
    `category` the two folders. `source` is the box list's source type, and the pair's
    column where an image has no box (`box` is then missing, as is `image` where it
    isn't there). FileNotFoundError without partition or boxes; ValueError, naming file
    and line, for a name of another form, an unknown status or source type, an image of
    two items or splits or with two boxes, a wrong number of fields or rows, other
    columns, 0 rows.
    """
    report = open_report(root)
    return table(_rows(report), COLUMNS, report)


def check(root: Path) -> Report:
    """What lies in the folder, what is missing and what is broken; goes through
    everything, never stops at the first.

    Notes: a source type that contradicts the pair's column, boxes of images in no pair.
    """
    report = open_report(root)
    found = frame(_rows(report), COLUMNS)
    report.counts |= {
        f"{source} images": int((found[SOURCE] == source).sum())
        for source in (CONSUMER, SHOP)
    }
    report.counts |= {
        f"{split} images": int((found[SPLIT] == split).sum())
        for split in STATUS.values()
    }
    report.add("image without box", found[ITEM][found[BOX].isna()].tolist())
    shops = set(found[PRODUCT][found[SOURCE] == SHOP])
    lonely = found[(found[SOURCE] == CONSUMER) & ~found[PRODUCT].isin(shops)]
    report.add("consumer image without shop image", lonely[ITEM].tolist())
    _check_products(set(found[PRODUCT]), report)
    stray = files(_pictures(report.root)) - {
        item.removeprefix("img/") for item in found[ITEM]
    }
    check_pictures(found, report, sorted(stray))
    return report


def _place(root: Path, name: str) -> str:
    """Where the file lies, relative to the root; its own folder where it lies
    nowhere.
    """
    home = f"{HOME[name]}/{name}"
    return next(
        (
            p
            for p in (home, name, f"Anno/{name}", f"Eval/{name}")
            if (root / p).is_file()
        ),
        home,
    )


def _pictures(root: Path) -> Path:
    return root / "Img" / "img" if (root / "Img" / "img").is_dir() else root / "img"


def _rows(report: Report) -> list[dict[str, Any]]:
    folder = _pictures(report.root)
    there = files(folder)
    boxes = _boxes(report)
    rows = _partition(report)
    for image, row in rows.items():
        source, box = boxes.get(image, (row[SOURCE], None))
        if source != row[SOURCE]:
            report.add(
                "source type is not the pair's column",
                [f"{image}: {source} for {row[SOURCE]}"],
                "note",
            )
        file = image.removeprefix("img/")
        row |= {
            SOURCE: source,
            BOX: box,
            IMAGE: str(folder / file) if file in there else None,
        }
    if rows:
        report.add(
            "box of an image in no pair", sorted(boxes.keys() - rows.keys()), "note"
        )
    return list(rows.values())


def _partition(report: Report) -> dict[str, dict[str, Any]]:
    """{image: its row, without what the boxes say}."""
    name, rows, pairs = _place(report.root, PARTITION), {}, 0
    for where, (consumer, shop, product, status) in lines(
        name, len(PAIR_FIELDS), report, header=2
    ):
        pairs += 1
        if status not in STATUS:
            report.add("unknown evaluation status", [f"{where}: {status}"])
            continue
        for image, source in ((consumer, CONSUMER), (shop, SHOP)):
            parts = _parts(image, where, report)
            if parts:
                row = {
                    ITEM: image,
                    PRODUCT: product,
                    GROUP: parts[1],
                    CATEGORY: parts[2],
                    SOURCE: source,
                }
                row[SPLIT] = STATUS[status]
                old = rows.setdefault(image, row)
                report.add(
                    "image of two items, splits or sources",
                    [f"{where}: {image}"] if old != row else [],
                )
    _check_head(
        name, {pairs, len(rows)}, PAIR_FIELDS, report
    )  # the README calls it the number of images
    return rows


def _boxes(report: Report) -> dict[str, tuple[str, tuple[int, ...]]]:
    """{image: (source, box)}."""
    name, found, count = _place(report.root, BOXES), {}, 0
    for where, (image, _, source, *corners) in lines(
        name, len(BOX_FIELDS), report, header=2
    ):
        count += 1
        box = integers(corners)
        if not _parts(image, where, report):
            continue
        if box is None:
            report.add("box not of whole numbers", [f"{where}: {' '.join(corners)}"])
        elif source not in SOURCE_TYPE:
            report.add("unknown source type", [f"{where}: {source}"])
        elif image in found:
            report.add("image with two boxes", [f"{where}: {image}"])
        else:
            found[image] = (SOURCE_TYPE[source], box)
    _check_head(name, {count}, BOX_FIELDS, report)
    return found


def _parts(image: str, where: str, report: Report) -> list[str] | None:
    """The five parts of img/CATEGORY/SUBCATEGORY/id_XXXXXXXX/NAME.jpg; a fault for
    another form.
    """
    parts = image.split("/")
    if climbs(image):
        report.add("path climbs out of the folder", [f"{where}: {image}"])
    elif (
        len(parts) == 5
        and all(parts)
        and parts[0] == "img"
        and "\\" not in image
        and image.endswith(".jpg")
    ):
        return parts
    else:
        report.add(
            "name is not img/CATEGORY/SUBCATEGORY/id_XXXXXXXX/NAME.jpg",
            [f"{where}: {image}"],
        )
    return None


def _check_head(name: str, counts: set[int], fields: list[str], report: Report) -> None:
    """A fault where the first line is none of the counts (the file was cut short), or
    the second not these fields.
    """
    try:
        with open(report.root / name, encoding="utf-8", errors="replace") as file:
            said, columns = (
                integers(file.readline(20).split()[:1]),
                file.readline(1000).split(),
            )
    except OSError:
        return  # reported when the file was read
    if not said or said[0] not in counts:
        rows = " or ".join(map(str, sorted(counts)))
        report.add(
            "first line is not the number of rows",
            [f"{name}: {said[0] if said else 'no number'} for {rows}"],
        )
    if fields and columns != fields:
        report.add(
            "column missing or in another place",
            [f"{name} line 2: {' '.join(columns)} for {' '.join(fields)}"],
        )


def _check_products(products: set[str], report: Report) -> None:
    name = _place(report.root, PRODUCTS)
    if not (report.root / name).is_file():
        report.add(MISSING, [name], "note")
        return
    listed = {product for _, (product,) in lines(name, 1, report, header=1)}
    _check_head(name, {len(listed)}, [], report)
    report.add("item not in the item list", sorted(products - listed))
    report.add("listed item without images", sorted(listed - products), "note")
