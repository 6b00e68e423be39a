"""DeepFashion2: photos by shops and users, with every garment's box and style.

    ROOT/train/annos/NNNNNN.json        ROOT/validation/annos/NNNNNN.json
    ROOT/train/image/NNNNNN.jpg         ROOT/validation/image/NNNNNN.jpg

A JSON has `source` ("shop" or "user"), `pair_id` and `item1`, `item2` ... each with
`category_id` (1-13), `category_name`, `style` (0: none), `bounding_box` [x1, y1, x2,
y2] and more that isn't read. A user's garment with a style above 0 is a query; its
truths are shop garments with the same pair and style. x1, y1 is the upper left corner
(README of github.com/switchablenorms/DeepFashion2 at commit fdf5ac3, as are the
categories; older ones said lower left). Terms: non-commercial research, no
redistribution.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from fashionlib.data.items import (
    BOX,
    CATEGORY,
    CONSUMER,
    IMAGE,
    ITEM,
    ITEM_COLUMNS,
    PRODUCT,
    SHOP,
    SOURCE,
    SPLIT,
    TRAIN,
    VALIDATION,
)
from fashionlib.data.readers.faults import MISSING, Report
from fashionlib.data.readers.folders import (
    check_pictures,
    count_values,
    files,
    frame,
    open_report,
    read_json,
    unanswered,
)

# also the names of the folders; the test split ships without annotations
SPLITS = (TRAIN, VALIDATION)
ANNOTATIONS, IMAGES = "annos", "image"
CATEGORIES = (
    "short sleeve top",
    "long sleeve top",
    "short sleeve outwear",
    "long sleeve outwear",
    "vest",
    "sling",
    "shorts",
    "trousers",
    "skirt",
    "short sleeve dress",
    "long sleeve dress",
    "vest dress",
    "sling dress",
)
SOURCES: Mapping[str, str] = {"shop": SHOP, "user": CONSUMER}
FIELDS = ("category_id", "category_name", "style", "bounding_box")
COLUMNS = [*ITEM_COLUMNS, SPLIT]
MOST_BYTES = 10_000_000  # of one annotation; a real one has some thousand


def items(root: Path) -> pd.DataFrame:
    """Return the items table and `split`, one row per garment.

    The order is that of split, file and number. `item_id` is "SPLIT-FILE-n" for the nth
    garment of an image (FILE is the annotation's name), `product_id` "SPLIT-PAIR-STYLE"
    and missing without a style; the split stands in both because each split counts its
    images and pairs from 1. `image` is missing where there is no file; a box stays as
    it is, also outside the image (`check` reports it). One JSON is in memory at a time.
    FileNotFoundError where the folder or all annotations are missing; ValueError with
    every fault, by file and key: JSON that can't be read, a misnamed file, a field that
    is missing or of the wrong kind, an unknown source, a category whose name and number
    disagree, 0 rows.
    """
    table, report = _read(root)
    report.refuse()
    return table


def check(root: Path) -> Report:
    """Report what lies in the folder, what is missing and broken; never stop early.

    Notes are normal here: users' garments with a style that no shop garment of the pair
    has (they can't be found).
    """
    table, report = _read(root)
    report.counts |= count_values(table, SPLITS, "items")
    report.counts["items without a style"] = int(table[PRODUCT].isna().sum())
    report.add("query without a shop item", unanswered(table), "note")
    check_pictures(table, report, [f"{split}/{IMAGES}" for split in SPLITS])
    return report


def _read(root: Path) -> tuple[pd.DataFrame, Report]:
    """Read all annotations; return the items and what is wrong."""
    report, rows = open_report(root), []
    folders = {f"{split}/{ANNOTATIONS}/": split for split in SPLITS}
    missing = [folder for folder in folders if not (report.root / folder).is_dir()]
    if len(missing) == len(folders):
        report.add(MISSING, missing)
    else:
        report.add("annotation folder missing", missing, "note")
    for folder, split in folders.items():
        names = sorted(files(report.root / folder))
        wanted = [name for name in names if re.fullmatch(r"[0-9]+\.json", name)]
        wrong = sorted(set(names) - set(wanted))
        report.add("annotation is not named NNNNNN.json", wrong)
        there = files(report.root / split / IMAGES)
        for name in tqdm(wanted, desc=f"{split} annotations", disable=None):
            rows += _garments(split, name.removesuffix(".json"), there, report)
    return frame(rows, COLUMNS, report), report


def _garments(
    split: str, stem: str, there: set[str], report: Report
) -> Iterator[dict[str, Any]]:
    """Yield the rows of one image; what isn't as it should be is a fault."""
    name = f"{split}/{ANNOTATIONS}/{stem}.json"
    content = read_json(name, report, MOST_BYTES)
    if content is None:
        return
    source, pair = content.get("source"), content.get("pair_id")
    if str(source) not in SOURCES:
        report.add("unknown source", [f"{name}: {source!r}"])
    if not _is_whole(pair):
        report.add("pair_id is no whole number", [f"{name}: {pair!r}"])
    image = report.root / split / IMAGES / f"{stem}.jpg"
    shared = {
        SPLIT: split,
        SOURCE: SOURCES.get(str(source)),
        IMAGE: str(image) if image.name in there else None,
    }
    keys = [key for key in content if re.fullmatch(r"item[0-9]{1,4}", key)]
    if not keys:
        report.add("image without items", [name], "note")
    for key in sorted(keys, key=lambda key: int(key[4:])):
        garment = content[key] if isinstance(content[key], dict) else {}
        if _is_sound(garment, f"{name} {key}", report):
            style = garment["style"]
            yield shared | {
                ITEM: f"{split}-{stem}-{key[4:]}",
                PRODUCT: f"{split}-{pair}-{style}" if style else None,
                CATEGORY: garment["category_name"],
                BOX: tuple(garment["bounding_box"]),
            }


def _is_sound(garment: dict[str, Any], where: str, report: Report) -> bool:
    """Return whether the fields that are read make sense; else they are faults."""
    lacks = [field for field in FIELDS if field not in garment]
    report.add("field missing", [f"{where}: {field}" for field in lacks])
    if lacks:
        return False
    number, name, style, box = (garment[field] for field in FIELDS)
    categories = dict(enumerate(CATEGORIES, start=1))
    known = _is_whole(number) and categories.get(number) == name
    styled = _is_whole(style) and style >= 0
    boxed = isinstance(box, list) and len(box) == 4 and all(map(_is_whole, box))
    for good, kind, value in (
        (known, "category name and number disagree", f"{name!r} and {number!r}"),
        (styled, "style is no whole number from 0", repr(style)),
        (boxed, "box not of four whole numbers", repr(box)),
    ):
        if not good:
            report.add(kind, [f"{where}: {value}"])
    return known and styled and boxed


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
