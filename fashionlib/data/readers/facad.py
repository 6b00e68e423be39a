"""FACAD (Yang et al., 2020), in the authors' preprocessed layout; `facad_files` lists
its files.

Rows of one item follow each other and share its caption. Nothing in the layout ties a
row to its metadata item: their texts do. The attributes shipped for the test rows are
of other items (Paper A, section 3.1). Terms: no commercial use.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd

from fashionlib.data import overlap
from fashionlib.data.items import (
    BOX,
    CAPTION,
    CATEGORY,
    IMAGE,
    ITEM,
    ITEM_COLUMNS,
    PRODUCT,
    SHOP,
    SOURCE,
    SPLIT,
    TRAIN,
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
from fashionlib.data.readers.folders import open_report

SHIPPED = "shipped"
READ = 100  # pictures of a file that `check` reads
# ours: overlap from which a caption is its metadata item's (words lost as unknown shift
# the rest)
SAME_TEXT = 0.8

# Thesis B, section 3.3, leaves out "accessories, such as hat, shoes, and jewelry";
# which categories is our reading.
ACCESSORIES = frozenset(
    [
        "accessory",
        "anklet",
        "backpack",
        "bag",
        "beanie",
        "belt",
        "beret",
        "bootie",
        "boot",
        "bracelet",
        "brooch",
        "cap",
        "case",
        "charm",
        "clog",
        "clutch",
        "cufflink",
        "earring",
        "espadrille",
        "eyeglass",
        "fedora",
        "flat",
        "glasses",
        "glove",
        "handbag",
        "hat",
        "headband",
        "heel",
        "hobo",
        "jewelry",
        "keychain",
        "lanyard",
        "loafer",
        "mitten",
        "moccasin",
        "mule",
        "necklace",
        "oxford",
        "pendant",
        "pouch",
        "pump",
        "purse",
        "ring",
        "satchel",
        "sandal",
        "scarf",
        "shoe",
        "slipper",
        "sneaker",
        "sock",
        "stud",
        "sunglasses",
        "tie",
        "tote",
        "umbrella",
        "wallet",
        "watch",
        "wedge",
    ]
)


def recognise(root: Path) -> bool:
    """Whether the folder holds a file of this layout."""
    return bool(parts(root)) or metadata_file(root) is not None


def items(root: Path) -> pd.DataFrame:
    """The items table and `split`, a row per picture; no pixel is read.

    `product_id`: the metadata item whose text the caption is; without one, rows of the
    same caption are a product. `category`: the number's name in the metadata, else the
    number. FileNotFoundError without pictures or their captions, ValueError for what
    can't be read or lists of other lengths; both name all that was found.
    """
    report = open_report(root)
    meta = metadata(report)
    table = _read(_parts(report), meta, report)
    report.refuse()
    return table.assign(**{PRODUCT: _products(table[CAPTION], meta)})[
        [*ITEM_COLUMNS, SPLIT]
    ]


def attributes(root: Path) -> pd.DataFrame:
    """The test rows' attributes, repaired as in Paper A (section 3.1): those of the
    metadata item whose description overlaps most with the caption.

    Columns item_id, caption, product_id (of that item; missing where no description
    shares a word), overlap (as in `overlap.closest`), attributes (a tuple of words),
    shipped (what TEST_ATTRS says, missing without that file). FileNotFoundError without
    test pictures or metadata; ValueError as `items`.
    """
    report = open_report(root)
    meta = metadata(report)
    table = _read(_parts(report, ("TEST",)), meta, report, shipped=True)
    report.add(MISSING, [METADATA] * meta.empty)
    report.refuse()
    texts = table[CAPTION].dropna().unique().tolist()
    rows, shares = overlap.closest(texts, meta["description"].tolist())
    matched = (
        meta.reindex(rows).set_axis(pd.Index(texts, dtype="str")).assign(overlap=shares)
    )
    table = table[[ITEM, CAPTION, SHIPPED]].join(matched, on=CAPTION)
    return table[[ITEM, CAPTION, PRODUCT, "overlap", "attributes", SHIPPED]]


def check(root: Path) -> Report:
    """What lies in the folder, what is missing and what is broken, of all files; never
    stops at the first fault.

    Of each file `READ` pictures are read. Notes are normal: a split or metadata that
    wasn't downloaded, captions without words, items without description, attributes
    none of which is in the caption. FileNotFoundError only when the folder itself isn't
    there.
    """
    report = open_report(root)
    meta, found = metadata(report), _parts(report)
    table = _read(found, meta, report, shipped=True, read=READ)
    report.counts |= {
        "rows": len(table),
        "distinct captions": table[CAPTION].nunique(),
        "metadata items": len(meta),
    }
    absent = SPLIT_OF.keys() - {part.prefix for part in found} if found else ()
    report.add(
        "split missing", [f"{prefix}_IMAGES*.hdf5" for prefix in sorted(absent)], "note"
    )
    report.add(MISSING, [METADATA] * (metadata_file(root) is None), "note")
    report.add(
        "caption without words", table[ITEM][table[CAPTION].isna()].tolist(), "note"
    )
    report.add(
        "metadata item without description",
        meta[PRODUCT][meta["description"] == ""].tolist(),
        "note",
    )
    told = table.dropna(subset=[CAPTION, SHIPPED])
    foreign = [
        item
        for item, text, words in zip(
            told[ITEM], told[CAPTION], told[SHIPPED], strict=True
        )
        if words and not set(words) & set(text.split())
    ]
    report.add("attributes none of which is in the caption", foreign, "note")
    return report


def _parts(report: Report, prefixes: Collection[str] = SPLIT_OF) -> list[Part]:
    found = [part for part in parts(report.root) if part.prefix in prefixes]
    report.add(MISSING, [f"{'|'.join(prefixes)}_IMAGES*.hdf5"] * (not found))
    return found


def _read(
    found: list[Part],
    meta: pd.DataFrame,
    report: Report,
    shipped: bool = False,
    read: int = 0,
) -> pd.DataFrame:
    """The items of those files one below the other, products still missing."""
    names = dict(zip(meta["number"], meta[CATEGORY], strict=True))
    tables = [_items(part, names, report, shipped, read) for part in found]
    return pd.concat(
        [pd.DataFrame(columns=[*ITEM_COLUMNS, SPLIT, SHIPPED], dtype="str"), *tables],
        ignore_index=True,
    )


def _items(
    part: Part, names: dict[str, str], report: Report, shipped: bool, read: int
) -> pd.DataFrame:
    count, words = (
        facad_files.pictures(part, report, read),
        facad_files.word_map(part, report),
    )
    captions = [
        " ".join(said) or None
        for said in facad_files.words_of(part, "CAPTIONS", words, report)
    ]
    lists = {
        "CAPTIONS": captions,
        "CATES": [names.get(n, n) for n in facad_files.categories(part, report)],
    }
    if shipped:
        lists["ATTRS"] = [
            tuple(dict.fromkeys(said))
            for said in facad_files.words_of(part, "ATTRS", words, report)
        ]
    for kind, rows in lists.items():
        if part.beside(kind).is_file() and len(rows) != count:
            report.add(
                "rows differ from pictures",
                [f"{part.beside(kind).name}: {len(rows)} for {count}"],
            )
    fitting = {
        kind: rows if len(rows) == len(captions) else None
        for kind, rows in lists.items()
    }
    rows = pd.RangeIndex(len(captions))
    known = {
        ITEM: [f"{part.images.stem}-{row}" for row in rows],
        IMAGE: [f"{part.images}#{row}" for row in rows],
        CAPTION: captions,
        CATEGORY: fitting["CATES"],
        SOURCE: SHOP,
        SPLIT: SPLIT_OF[part.prefix],
    }
    table = pd.DataFrame(known, index=rows, columns=[*ITEM_COLUMNS, SPLIT], dtype="str")
    return table.assign(
        **{
            BOX: None,
            SHIPPED: pd.Series(fitting.get("ATTRS"), index=rows, dtype=object),
        }
    )


def _products(captions: pd.Series, meta: pd.DataFrame) -> pd.Series:
    texts = captions.dropna().unique().tolist()
    rows, shares = overlap.closest(texts, meta["description"].tolist())
    ids = meta[PRODUCT].tolist()
    product = {
        text: (
            ids[row]
            if share >= SAME_TEXT
            else "caption-" + hashlib.sha256(text.encode()).hexdigest()[:12]
        )
        for text, row, share in zip(texts, rows, shares, strict=True)
    }
    return captions.map(product).astype("str")


def thesis_subset(
    items: pd.DataFrame, count: int = 70_000, seed: int = 0
) -> pd.DataFrame:
    """FACAD as Thesis B trains on it (section 3.3): `count` rows without accessories,
    in their order, reindexed.

    The thesis says that hats, shoes, jewelry and the like were left out and 70K of the
    rest sampled "due to imbalance"; not how. Ours: `ACCESSORIES`, the train split
    alone, every row equally likely. ValueError when categories are numbers (no
    metadata) or fewer than `count` rows remain.
    """
    rows = items[items[SPLIT] == TRAIN]
    names = rows[CATEGORY].dropna().unique()
    if len(names) == 0 or all(name.isdigit() for name in names):
        raise ValueError(
            f"{len(names)} categories, none with a name; put meta_all_129927.json"
            " beside the pictures"
        )
    clothes = rows[~rows[CATEGORY].isin([name for name in names if is_accessory(name)])]
    if len(clothes) < count:
        raise ValueError(
            f"{len(clothes)} of {len(rows)} train rows are no accessories, fewer than"
            f" the {count} asked"
        )
    chosen = np.sort(
        np.random.default_rng(seed).choice(len(clothes), count, replace=False)
    )
    return clothes.iloc[chosen].reset_index(drop=True)


def is_accessory(category: str) -> bool:
    """Whether the last word of the category's name, or its singular, is one of
    `ACCESSORIES`.
    """
    word = "".join(re.findall(r"[a-z]+", category.lower())[-1:])
    return bool({word, word.removesuffix("s"), word.removesuffix("es")} & ACCESSORIES)
