"""DeepFashion-MultiModal: photos of people with a caption and annotations of shape,
fabric and pattern.

    ROOT/captions.json                        {file: caption}
    ROOT/images/GENDER-Category-id_XXXXXXXX-NN_V_view.jpg
    ROOT/labels/shape/shape_anno_all.txt      file and 12 numbers, one for each of `SHAPE`
    ROOT/labels/texture/fabric_ann.txt        file and 3 numbers, upper, lower and outer clothing, of `FABRIC`
    ROOT/labels/texture/pattern_ann.txt       the same of `PATTERNS`

The names of the values are those of the README at
github.com/yumingj/DeepFashion-MultiModal ("NA": not visible). It says 44,096 images;
the shapes of 42,544 are annotated. Terms: non-commercial research, no redistribution.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from fashionlib.data.items import (
    CAPTION,
    CATEGORY,
    GROUP,
    IMAGE,
    ITEM,
    ITEM_COLUMNS,
    PATTERN,
    PRODUCT,
    SHOP,
    SOURCE,
)
from fashionlib.data.readers.faults import Report
from fashionlib.data.readers.folders import (
    check_pictures,
    climbs,
    files,
    frame,
    integers,
    lines,
    open_report,
    read_json,
    table,
)

CAPTIONS, IMAGES = "captions.json", "images"
SHAPES, FABRICS = "labels/shape/shape_anno_all.txt", "labels/texture/fabric_ann.txt"
PATTERN_FILE = "labels/texture/pattern_ann.txt"
NAME = re.compile(
    r"(?P<group>[A-Z]+)-(?P<category>\w+)-(?P<product>id_\d{8})-\d{2}_\d_\w+\.jpg",
    re.ASCII,
)

# attribute -> its values by number; the README names no value 3 of the neckline
SHAPE: Mapping[str, tuple[str | None, ...]] = {
    "sleeve length": (
        "sleeveless",
        "short-sleeve",
        "medium-sleeve",
        "long-sleeve",
        "not long-sleeve",
        "NA",
    ),
    "lower clothing length": (
        "three-point",
        "medium short",
        "three-quarter",
        "long",
        "NA",
    ),
    "socks": ("no", "socks", "leggings", "NA"),
    "hat": ("no", "yes", "NA"),
    "glasses": (
        "no",
        "eyeglasses",
        "sunglasses",
        "have a glasses in hand or clothes",
        "NA",
    ),
    "neckwear": ("no", "yes", "NA"),
    "wrist wearing": ("no", "yes", "NA"),
    "ring": ("no", "yes", "NA"),
    "waist accessories": ("no", "belt", "have a clothing", "hidden", "NA"),
    "neckline": (
        "V-shape",
        "square",
        "round",
        None,
        "standing",
        "lapel",
        "suspenders",
        "NA",
    ),
    "outer clothing a cardigan?": ("yes", "no", "NA"),
    "upper clothing covering navel": ("no", "yes", "NA"),
}
FABRIC = ("denim", "cotton", "leather", "furry", "knitted", "chiffon", "other", "NA")
PATTERNS = (
    "floral",
    "graphic",
    "striped",
    "pure color",
    "lattice",
    "other",
    "color block",
    "NA",
)
UPPER, LOWER, OUTER = PARTS = ("upper", "lower", "outer")
# The README doesn't say which part of the body a category is; these are ours, all
# others are "upper".
PART_OF = dict.fromkeys(
    ("Denim", "Leggings", "Pants", "Shorts", "Skirts"), LOWER
) | dict.fromkeys(("Cardigans", "Jackets_Coats", "Jackets_Vests", "Suiting"), OUTER)

FILES: Mapping[str, Mapping[str, tuple[str | None, ...]]] = {
    SHAPES: SHAPE,
    FABRICS: {f"{part} fabric": FABRIC for part in PARTS},
    PATTERN_FILE: {f"{part} pattern": PATTERNS for part in PARTS},
}
ANNOTATION_COLUMNS = [
    ITEM,
    *(attribute for attributes in FILES.values() for attribute in attributes),
]


def recognise(root: Path) -> bool:
    """Whether there are captions or shape annotations of this name."""
    return any((Path(root) / name).is_file() for name in (CAPTIONS, SHAPES))


def items(root: Path) -> pd.DataFrame:
    """The items table, one row per captioned image in the file's order; `item_id` is
    the file's name without ending.

    `pattern` is that of the part of the body which the category clothes (`PART_OF`),
    missing where not annotated or not visible. A caption of blanks and an image that
    isn't there are missing. FileNotFoundError without captions; ValueError, naming file
    and line or key, for a name of another form, a key or line twice, a wrong number of
    fields, 0 rows.
    """
    report = open_report(root)
    patterns = (
        _annotations(PATTERN_FILE, report)
        if (report.root / PATTERN_FILE).is_file()
        else {}
    )
    return table(_rows(patterns, report), ITEM_COLUMNS, report)


def annotations(root: Path) -> pd.DataFrame:
    """Columns `ANNOTATION_COLUMNS`: one row per image that any of the three files
    names, values in words.

    A file that doesn't name an image (or isn't there) leaves its attributes missing;
    "NA" says that the annotator couldn't see it. ValueError as in `items`.
    """
    report = open_report(root)
    rows: dict[str, dict[str, Any]] = {}
    for name in FILES:
        for file, values in (
            _annotations(name, report).items() if (report.root / name).is_file() else ()
        ):
            rows.setdefault(file, {ITEM: file.removesuffix(".jpg")}).update(values)
    return table(list(rows.values()), ANNOTATION_COLUMNS, report)


def check(root: Path) -> Report:
    """What lies in the folder, what is missing and what is broken; goes through
    everything, never stops at the first.

    Notes are normal here: images without caption, annotations of images without
    caption, numbers without a name.
    """
    report = open_report(root)
    read = {name: _annotations(name, report) for name in FILES}
    rows = _rows(read[PATTERN_FILE], report)
    found = frame(rows, ITEM_COLUMNS)
    report.counts["captions"] = int(found[CAPTION].notna().sum())
    report.add("empty caption", found[ITEM][found[CAPTION].isna()].tolist())
    known = {f"{item}.jpg" for item in found[ITEM]}
    for name, values in read.items():
        report.counts[f"annotated in {Path(name).name}"] = len(values)
        stray, lacking = sorted(values.keys() - known), sorted(known - values.keys())
        report.add(
            "annotation of an image without caption",
            [f"{name}: {file}" for file in stray],
            "note",
        )
        report.add(
            "caption without annotation",
            [f"{name}: {file}" for file in lacking],
            "note",
        )
    check_pictures(found, report, sorted(files(report.root / IMAGES) - known))
    return report


def _rows(patterns: dict[str, dict[str, Any]], report: Report) -> list[dict[str, Any]]:
    there = files(report.root / IMAGES)
    rows = []
    for file, caption in (read_json(CAPTIONS, report) or {}).items():
        name = _name(file, f"{CAPTIONS}: {file}", report)
        if not isinstance(caption, str):
            report.add("caption is no text", [f"{CAPTIONS}: {file}"])
        elif name:
            pattern = patterns.get(file, {}).get(
                f"{PART_OF.get(name['category'], UPPER)} pattern"
            )
            rows.append(
                {
                    ITEM: file.removesuffix(".jpg"),
                    PRODUCT: name["product"],
                    CATEGORY: name["category"],
                    GROUP: name["group"],
                    CAPTION: caption if caption.strip() else None,
                    SOURCE: SHOP,
                    IMAGE: str(report.root / IMAGES / file) if file in there else None,
                    PATTERN: None if pattern == "NA" else pattern,
                }
            )
    return rows


def _name(file: str, where: str, report: Report) -> re.Match[str] | None:
    """What the file's name says; a fault if it has another form, hence leads out of the
    folder or to no JPEG.
    """
    name = NAME.fullmatch(file)
    if not name:
        form = "name is not GENDER-Category-id_XXXXXXXX-NN_V_view.jpg"
        report.add("path climbs out of the folder" if climbs(file) else form, [where])
    return name


def _annotations(name: str, report: Report) -> dict[str, dict[str, Any]]:
    """{file: {attribute: value in words}} of one of `FILES`."""
    attributes = FILES[name]
    found: dict[str, dict[str, Any]] = {}
    for where, (file, *texts) in lines(name, 1 + len(attributes), report):
        numbers = integers(texts)
        if not _name(file, where, report):
            continue
        if numbers is None:
            report.add("not whole numbers", [f"{where}: {' '.join(texts)}"])
        elif file in found:
            report.add("image annotated twice", [f"{where}: {file}"])
        else:
            words = {
                a: values[n] if 0 <= n < len(values) else None
                for (a, values), n in zip(attributes.items(), numbers, strict=True)
            }
            found[file] = words
            nameless = [
                f"{where}: {a} {n}"
                for (a, w), n in zip(words.items(), numbers, strict=True)
                if w is None
            ]
            report.add("number without a name", nameless, "note")
    return found
