"""DeepFashion-MultiModal: photos of people with a caption, shapes, fabrics, patterns.

    ROOT/captions.json                        {file: caption}
    ROOT/images/GENDER-Category-id_XXXXXXXX-NN_V_view.jpg
    ROOT/labels/shape/shape_anno_all.txt      file and 12 numbers, one for a `SHAPE`
    ROOT/labels/texture/fabric_ann.txt        file and 3 numbers of `FABRIC`: upper,
                                              lower and outer clothing
    ROOT/labels/texture/pattern_ann.txt       the same of `PATTERNS`

The names of the values are those of the README at
github.com/yumingj/DeepFashion-MultiModal ("NA": not visible) since its commit 4265495;
before, it named no neckline 3 and counted the later ones one higher. It calls patterns
colours, and says 44,096 images; the shapes of 42,544 are annotated. Terms:
non-commercial research, no redistribution.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from fashionlib.data.items import (
    CAPTION,
    CATEGORY,
    IMAGE,
    ITEM,
    ITEM_COLUMNS,
    PATTERN,
    SHOP,
    SOURCE,
)
from fashionlib.data.readers.faults import Report
from fashionlib.data.readers.folders import (
    WHOLE,
    check_pictures,
    climbs,
    files,
    frame,
    lines_of,
    open_report,
    read_json,
    read_lines,
    sift,
)

CAPTIONS, IMAGES = "captions.json", "images"
SHAPES, FABRICS = "labels/shape/shape_anno_all.txt", "labels/texture/fabric_ann.txt"
PATTERN_FILE = "labels/texture/pattern_ann.txt"
NAME = re.compile(
    r"(?P<group>[A-Z]+)-(?P<category>\w+)-(?P<product_id>id_\d{8})-\d{2}_\d_\w+\.jpg",
    re.ASCII,
)

# attribute -> its values by number
SHAPE: Mapping[str, tuple[str, ...]] = {
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

FILES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    SHAPES: SHAPE,
    FABRICS: {f"{part} fabric": FABRIC for part in PARTS},
    PATTERN_FILE: {f"{part} pattern": PATTERNS for part in PARTS},
}
ATTRIBUTES = [attribute for attributes in FILES.values() for attribute in attributes]
ANNOTATION_COLUMNS = [ITEM, *ATTRIBUTES]


def items(root: Path) -> pd.DataFrame:
    """Return the items table, one row per captioned image in the file's order.

    `item_id` is the file's name without ending. `pattern` is that of the part of the
    body which the category clothes (`PART_OF`), missing where not annotated or not
    visible. A caption of blanks and an image that isn't there are missing.
    FileNotFoundError without captions; ValueError, naming file and line or key, for a
    name of another form, a key or line twice, a wrong number of fields, 0 rows.
    """
    report = open_report(root)
    table = _captions(_annotations(PATTERN_FILE, report, needed=False), report)
    report.refuse()
    return table


def annotations(root: Path) -> pd.DataFrame:
    """Return `ANNOTATION_COLUMNS` of each image that any of the three files names.

    A file that doesn't name an image (or isn't there) leaves its attributes missing;
    "NA" says that the annotator couldn't see it. ValueError as in `items`.
    """
    report = open_report(root)
    tables = [_annotations(name, report, needed=False) for name in FILES]
    rows = pd.concat(tables, axis=1, sort=False)
    rows[ITEM] = rows.index.str.removesuffix(".jpg")
    table = frame(rows, ANNOTATION_COLUMNS, report)
    report.refuse()
    return table


def check(root: Path) -> Report:
    """Report what lies in the folder, what is missing and broken; never stop early.

    Notes are normal here: images without caption, annotations of images without
    caption, numbers without a name.
    """
    report = open_report(root)
    annotated = {name: _annotations(name, report) for name in FILES}
    table = _captions(annotated[PATTERN_FILE], report)
    report.counts["captions"] = int(table[CAPTION].notna().sum())
    report.add("empty caption", table[ITEM][table[CAPTION].isna()])
    captioned = set(table[ITEM] + ".jpg")
    for name, rows in annotated.items():
        report.counts[f"annotated in {Path(name).name}"] = len(rows)
        stray, lacking = set(rows.index) - captioned, captioned - set(rows.index)
        for kind, names in (
            ("annotation of an image without caption", stray),
            ("caption without annotation", lacking),
        ):
            report.add(kind, [f"{name}: {file}" for file in sorted(names)], "note")
    check_pictures(table, report, [IMAGES])
    return report


def _captions(patterns: pd.DataFrame, report: Report) -> pd.DataFrame:
    """Read the captions into the items table; `patterns` are by file."""
    there = files(report.root / IMAGES)
    known = patterns.to_dict("index")
    rows = []
    for file, caption in (read_json(CAPTIONS, report) or {}).items():
        name = _name(file, f"{CAPTIONS}: {file}", report)
        if not isinstance(caption, str):
            report.add("caption is no text", [f"{CAPTIONS}: {file}"])
        elif name:
            part = PART_OF.get(name[CATEGORY], UPPER)
            pattern = known.get(file, {}).get(f"{part} pattern")
            row = name.groupdict() | {
                ITEM: file.removesuffix(".jpg"),
                CAPTION: caption if caption.strip() else None,
                SOURCE: SHOP,
                IMAGE: str(report.root / IMAGES / file) if file in there else None,
                PATTERN: None if pattern == "NA" else pattern,
            }
            rows.append(row)
    return frame(rows, ITEM_COLUMNS, report)


def _name(file: str, where: str, report: Report) -> re.Match[str] | None:
    """Return what the file's name says; a name of another form is a fault.

    Another form may lead out of the folder, or to no JPEG.
    """
    name = NAME.fullmatch(file)
    if not name:
        form = "name is not GENDER-Category-id_XXXXXXXX-NN_V_view.jpg"
        report.add("path climbs out of the folder" if climbs(file) else form, [where])
    return name


def _annotations(name: str, report: Report, needed: bool = True) -> pd.DataFrame:
    """Read one of `FILES`: attributes in words, missing without a name, by image file.

    No rows, and a fault if it is `needed`, without the file.
    """
    attributes = FILES[name]
    if not needed and not (report.root / name).is_file():
        return pd.DataFrame(columns=list(attributes), dtype="str")
    table = read_lines(name, ["file", *attributes], report)
    named = [
        _name(file, f"{name} line {line}", report) is not None
        for line, file in table["file"].items()
    ]
    table = table.loc[named]
    first, *others = attributes
    numbers = table[first].str.cat(table[others], sep=" ")
    whole = numbers.str.fullmatch(rf"{WHOLE}( {WHOLE})*")
    table = sift(
        table.assign(numbers=numbers), whole, "numbers", "not whole numbers", report
    )
    once = ~table["file"].duplicated()
    table = sift(table, once, "file", "image annotated twice", report)
    for attribute, values in attributes.items():
        numbers = table[attribute].astype(int)
        words = numbers.map(dict(enumerate(values)))
        nameless = f"{attribute} " + numbers[words.isna()].astype("str")
        report.add("number without a name", lines_of(nameless), "note")
        table[attribute] = words
    return table.set_index("file")[list(attributes)]
