"""DeepFashion2: photos by shops and users, one JSON each, with every garment's box,
category and style.

    ROOT/train/annos/NNNNNN.json        ROOT/validation/annos/NNNNNN.json
    ROOT/train/image/NNNNNN.jpg         ROOT/validation/image/NNNNNN.jpg

A JSON has `source` ("shop" or "user"), `pair_id` and `item1`, `item2` ... each with
`category_id` (1-13), `category_name`, `style` (0: none), `bounding_box` [x1, y1, x2,
y2] and more that isn't read. A user's garment with a style above 0 is a query; its
truths are shop garments with the same pair and style (README of
github.com/switchablenorms/DeepFashion2). Terms: non-commercial research, no
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
    files,
    frame,
    open_report,
    read_json,
    table,
)

SPLITS = (
    TRAIN,
    VALIDATION,
)  # also the names of the folders; the test split ships without annotations
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


def recognise(root: Path) -> bool:
    """Whether there is a folder of annotations."""
    return any((Path(root) / split / ANNOTATIONS).is_dir() for split in SPLITS)


def items(root: Path) -> pd.DataFrame:
    """The items table and `split`, one row per garment, in the order of split, file and
    number.

    `item_id` is "SPLIT-NNNNNN-n" for the nth garment of an image, `product_id`
    "SPLIT-PAIR-STYLE" and missing without a style: both splits count their images and
    their pairs from 1. `image` is missing where it isn't there; a box stays as it is,
    also outside the image (`check` reports it). One JSON is in memory at a time.
    FileNotFoundError without annotations; ValueError, naming file and key, for JSON
    that can't be read, a field that is missing or of the wrong kind, an unknown source,
    a category whose name and number disagree, 0 rows.
    """
    report = open_report(root)
    return table(list(_rows(report)), COLUMNS, report)


def check(root: Path) -> Report:
    """What lies in the folder, what is missing and what is broken; goes through
    everything, never stops at the first.

    Notes are normal here: users' garments with a style that no shop garment of the pair
    has (they can't be found).
    """
    report = open_report(root)
    found = frame(list(_rows(report)), COLUMNS)
    report.counts |= {
        f"{source} items": int((found[SOURCE] == source).sum())
        for source in (CONSUMER, SHOP)
    }
    report.counts |= {
        f"{split} items": int((found[SPLIT] == split).sum()) for split in SPLITS
    }
    report.counts["items without a style"] = int(found[PRODUCT].isna().sum())
    queries = found[(found[SOURCE] == CONSUMER) & found[PRODUCT].notna()]
    shops = set(found[PRODUCT][found[SOURCE] == SHOP].dropna())
    report.add(
        "query without a shop item",
        queries[ITEM][~queries[PRODUCT].isin(shops)].tolist(),
        "note",
    )
    absent = [
        f"{split}/{ANNOTATIONS}"
        for split in SPLITS
        if not _folder(report, split).is_dir()
    ]
    report.add("annotation folder missing", absent, "note")
    stray = [
        f"{split}/{IMAGES}/{file}"
        for split in SPLITS
        for file in sorted(_unannotated(report, split))
    ]
    check_pictures(found, report, stray)
    return report


def _folder(report: Report, split: str) -> Path:
    return report.root / split / ANNOTATIONS


def _unannotated(report: Report, split: str) -> set[str]:
    annotated = {f"{Path(name).stem}.jpg" for name in files(_folder(report, split))}
    return files(report.root / split / IMAGES) - annotated


def _rows(report: Report) -> Iterator[dict[str, Any]]:
    if not any(_folder(report, split).is_dir() for split in SPLITS):
        report.add(MISSING, [f"{split}/{ANNOTATIONS}/" for split in SPLITS])
    for split in SPLITS:
        names = sorted(files(_folder(report, split)))
        wanted = [name for name in names if re.fullmatch(r"[0-9]+\.json", name)]
        report.add("annotation is not named NNNNNN.json", sorted({*names} - {*wanted}))
        there = files(report.root / split / IMAGES)
        for name in tqdm(wanted, desc=f"{split} annotations", disable=None):
            yield from _garments(split, name.removesuffix(".json"), there, report)


def _garments(
    split: str, stem: str, there: set[str], report: Report
) -> Iterator[dict[str, Any]]:
    """The rows of one image; nothing and a fault where its JSON isn't as it should
    be.
    """
    name = f"{split}/{ANNOTATIONS}/{stem}.json"
    content = read_json(name, report, MOST_BYTES)
    if content is None:
        return
    garments = sorted(
        (key for key in content if re.fullmatch(r"item[0-9]{1,4}", key)),
        key=lambda key: int(key[4:]),
    )
    image = report.root / split / IMAGES / f"{stem}.jpg"
    shared = {SPLIT: split, SOURCE: SOURCES.get(str(content.get("source")))}
    shared[IMAGE] = str(image) if image.name in there else None
    if shared[SOURCE] is None:
        report.add("unknown source", [f"{name}: {content.get('source')!r}"])
    if not _number(content.get("pair_id")):
        report.add(
            "pair_id is no whole number", [f"{name}: {content.get('pair_id')!r}"]
        )
    if not garments:
        report.add("image without items", [name], "note")
    for key in garments:
        garment = content[key] if isinstance(content[key], dict) else {}
        if _is_sound(garment, f"{name} {key}", report):
            product = (
                f"{split}-{content.get('pair_id')}-{garment['style']}"
                if garment["style"]
                else None
            )
            yield shared | {
                ITEM: f"{split}-{stem}-{key[4:]}",
                PRODUCT: product,
                CATEGORY: garment["category_name"],
                BOX: tuple(garment["bounding_box"]),
            }


def _is_sound(garment: dict[str, Any], where: str, report: Report) -> bool:
    """Whether the fields that are read are there and make sense; else a fault for
    each.
    """
    lacks = [field for field in FIELDS if field not in garment]
    report.add("field missing", [f"{where}: {field}" for field in lacks])
    if lacks:
        return False
    number, name, style, box = (garment[field] for field in FIELDS)
    known = (
        _number(number)
        and 1 <= number <= len(CATEGORIES)
        and CATEGORIES[number - 1] == name
    )
    styled = _number(style) and style >= 0
    boxed = isinstance(box, list) and len(box) == 4 and all(map(_number, box))
    report.add(
        "category name and number disagree",
        [] if known else [f"{where}: {name!r} and {number!r}"],
    )
    report.add(
        "style is no whole number from 0", [] if styled else [f"{where}: {style!r}"]
    )
    report.add("box not of four whole numbers", [] if boxed else [f"{where}: {box!r}"])
    return known and styled and boxed


def _number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
