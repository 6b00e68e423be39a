"""FACAD (Yang et al., 2020) in the authors' preprocessed layout; see `facad_files`.

Rows of one item follow each other and share its caption. Nothing in the layout ties a
row to its metadata item: their texts do. The attributes shipped for the test rows are
of other items (Paper A, section 3.1). In the release "_5" a user counted 99,981 test
pictures for 99,946 captions (the repository's issue 2), and its splits share items
(issue 5: about 1,673 train and test). Terms: no commercial use.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd

from fashionlib.data import overlap, tables
from fashionlib.data.items import (
    CAPTION,
    CATEGORY,
    IMAGE,
    ITEM,
    ITEM_COLUMNS,
    PRODUCT,
    SHOP,
    SOURCE,
    SPLIT,
    shared_by_splits,
)
from fashionlib.data.readers import facad_files
from fashionlib.data.readers.facad_files import (
    METADATA,
    SPLIT_OF,
    Part,
    metadata,
    metadata_file,
    parts,
)
from fashionlib.data.readers.faults import MISSING, Report
from fashionlib.data.readers.folders import frame, open_report

SHIPPED = "shipped"
READ = 100  # pictures of a file that `check` reads
FITS = (
    "nothing says which belong together; the release without _5 fits: TRAIN_IMAGES.hdf5"
    " with TRAIN_CAPTIONS.json, VAL and TEST"
)
# ours: overlap from which a caption is its metadata item's (words lost as unknown shift
# the rest)
SAME_TEXT = 0.8


def items(root: Path) -> pd.DataFrame:
    """Return the items table and `split`, a row per picture; no pixel is read.

    `product_id`: the metadata item whose text the caption is; without one, rows of the
    same caption are a product. `category`: the number's name in the metadata, else the
    number. FileNotFoundError without pictures or their captions, ValueError for what
    can't be read or lists of other lengths.
    """
    report = open_report(root)
    meta = metadata(report)
    table = _read(SPLIT_OF, meta, report)
    report.refuse()
    table[PRODUCT] = tables.text(table[CAPTION].map(_products(table[CAPTION], meta)))
    return table[[*ITEM_COLUMNS, SPLIT]]


def attributes(root: Path) -> pd.DataFrame:
    """Return the test rows' attributes, repaired as in Paper A (section 3.1).

    They are those of the metadata item whose description overlaps most with the
    caption; how overlap is counted is its code's. Columns item_id, caption, product_id
    (of that item; missing where no description shares a word), overlap (as in
    `overlap.closest`), attributes (a tuple of words), shipped (what TEST_ATTRS says,
    missing without that file). FileNotFoundError without test pictures or metadata;
    ValueError as `items`.
    """
    report = open_report(root)
    meta = metadata(report)
    table = _read(["TEST"], meta, report, shipped=True)
    if meta.empty:
        report.add(MISSING, [METADATA])
    report.refuse()
    captions = table[CAPTION].dropna().unique()
    rows, overlaps = overlap.closest(captions, meta["description"].tolist())
    matches = meta.reindex(rows).set_axis(pd.Index(captions, dtype="str"))
    matches["overlap"] = overlaps
    table = table[[ITEM, CAPTION, SHIPPED]].join(matches, on=CAPTION)
    return table[[ITEM, CAPTION, PRODUCT, "overlap", "attributes", SHIPPED]]


def repair(root: Path) -> dict[str, float]:
    """Return the share of attributes that stand in their caption: shipped, repaired.

    The keys are "shipped" and "attributes", as the columns of `attributes`.
    """
    table = attributes(root).dropna(subset=[CAPTION, SHIPPED])
    captions, shares = table[CAPTION].str.split(), {}
    for column in (SHIPPED, "attributes"):
        rows = zip(table[column], captions, strict=True)
        stands = [word in caption for words, caption in rows for word in words]
        shares[column] = float(np.mean(stands))
    return shares


def check(root: Path) -> Report:
    """Report what lies in the folder, what is missing and broken, of all files.

    Of each file `READ` pictures are read. Notes are normal: a split or metadata that
    wasn't downloaded, captions without words, items without description, attributes
    none of which is in the caption, captions that stand in two splits.
    FileNotFoundError only when the folder itself isn't there.
    """
    report = open_report(root)
    meta = metadata(report)
    table = _read(SPLIT_OF, meta, report, shipped=True, pictures=READ)
    report.counts |= {
        "rows": len(table),
        "distinct captions": table[CAPTION].nunique(),
        "metadata items": len(meta),
    }
    present = {part.prefix for part in parts(report.root)}
    if present:
        absent = sorted(SPLIT_OF.keys() - present)
        report.add("split missing", [f"{name}_IMAGES*.hdf5" for name in absent], "note")
    if metadata_file(root) is None:
        report.add(MISSING, [METADATA], "note")
    silent = table[ITEM][table[CAPTION].isna()]
    report.add("caption without words", silent, "note")
    blank = meta[PRODUCT][meta["description"] == ""]
    report.add("metadata item without description", blank, "note")
    foreign = [
        row[ITEM]
        for _, row in table.dropna(subset=[CAPTION, SHIPPED]).iterrows()
        if row[SHIPPED] and not set(row[SHIPPED]) & set(row[CAPTION].split())
    ]
    report.add("attributes none of which is in the caption", foreign, "note")
    for pair, captions in shared_by_splits(table, CAPTION).items():
        report.counts[f"rows of a caption in {pair}"] = len(captions)
        report.add(f"caption in {pair}", captions.unique(), "note")
    return report


def _read(
    prefixes: Collection[str],
    meta: pd.DataFrame,
    report: Report,
    shipped: bool = False,
    pictures: int = 0,
) -> pd.DataFrame:
    """Read the rows of those splits, products still missing; some `pictures` of each.

    The attributes that were `shipped` with the rows are read if asked for.
    """
    found = [part for part in parts(report.root) if part.prefix in prefixes]
    if not found:
        report.add(MISSING, [f"{'|'.join(prefixes)}_IMAGES*.hdf5"])
    names = dict(zip(meta["number"], meta[CATEGORY], strict=True))
    tables = [_items(part, names, report, shipped, pictures) for part in found]
    table = pd.concat([pd.DataFrame(columns=[SHIPPED], dtype=object), *tables])
    items = frame(table, [*ITEM_COLUMNS, SPLIT], report)
    return items.assign(**{SHIPPED: table[SHIPPED].to_numpy()})


def _items(
    part: Part, names: dict[str, str], report: Report, shipped: bool, pictures: int
) -> pd.DataFrame:
    """Read one file of pictures and the lists beside it."""
    count = facad_files.pictures(part, report, pictures)
    words = facad_files.word_map(part, report)
    captions = facad_files.words_of(part, "CAPTIONS", words, report)
    numbers = facad_files.categories(part, report)
    rows = {
        CAPTION: ("CAPTIONS", [" ".join(row) or None for row in captions]),
        CATEGORY: ("CATES", [names.get(number, number) for number in numbers]),
    }
    if shipped:
        attributes = facad_files.words_of(part, "ATTRS", words, report)
        rows[SHIPPED] = "ATTRS", [tuple(dict.fromkeys(row)) for row in attributes]
    table = pd.DataFrame(index=range(len(captions)), columns=[SHIPPED], dtype=object)
    for column, (kind, values) in rows.items():
        path = part.beside(kind)
        if path.is_file() and len(values) != count:
            fits = f" ({FITS})" if part.suffix else ""
            lengths = f"{path.name}: {len(values)} for {count}"
            report.add(f"rows differ from pictures{fits}", [lengths])
        if len(values) == len(captions):
            table[column] = pd.Series(values, dtype=object)
    table[ITEM] = [f"{part.images.stem}-{row}" for row in table.index]
    table[IMAGE] = [f"{part.images}#{row}" for row in table.index]
    return table.assign(**{SOURCE: SHOP, SPLIT: SPLIT_OF[part.prefix]})


def _products(captions: pd.Series, meta: pd.DataFrame) -> dict[str, str]:
    """Return {caption: its product}."""
    texts = captions.dropna().unique().tolist()
    rows, overlaps = overlap.closest(texts, meta["description"].tolist())
    ids, products = meta[PRODUCT].tolist(), {}
    for text, row, share in zip(texts, rows, overlaps, strict=True):
        if share >= SAME_TEXT:
            products[text] = ids[row]
        else:
            digest = hashlib.sha256(text.encode()).hexdigest()
            products[text] = f"caption-{digest[:12]}"
    return products
