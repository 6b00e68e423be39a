"""Detect which dataset a folder holds; read its items, or check it; pair its photos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

import pandas as pd

from fashionlib.data.items import CONSUMER, ITEM, PRODUCT, SHOP, SOURCE
from fashionlib.data.readers import (
    consumer2shop,
    deepfashion2,
    dfmm,
    facad,
    hm,
    hm_hub,
)
from fashionlib.data.readers.faults import Report

# Each module has items(root) -> items table and check(root) -> Report.
LAYOUTS: Mapping[str, ModuleType] = {
    "hm": hm,
    "hm_hub": hm_hub,
    "facad": facad,
    "dfmm": dfmm,
    "consumer2shop": consumer2shop,
    "deepfashion2": deepfashion2,
}
# A folder that has one of these files or folders has the layout.
SIGNS: Mapping[str, Sequence[str]] = {
    "hm": (hm.ARTICLES, hm.TRANSACTIONS),
    "hm_hub": ("data/*.parquet", "*-of-*.parquet"),
    "facad": (
        "TRAIN_IMAGES*.hdf5",
        "VAL_IMAGES*.hdf5",
        "TEST_IMAGES*.hdf5",
        "meta_all*.json",
    ),
    "dfmm": (dfmm.CAPTIONS, dfmm.SHAPES),
    # the evaluation's partition has a name that another benchmark's has too
    "consumer2shop": (
        consumer2shop.BOXES,
        consumer2shop.PRODUCTS,
        "list_*_consumer2shop.txt",
    ),
    "deepfashion2": ("train/annos/", "validation/annos/"),
}
QUERY, GALLERY = "query", "gallery"


def candidates(root: Path) -> list[str]:
    """Return the names in `LAYOUTS` of those whose signs the folder has."""
    return [
        name
        for name, signs in SIGNS.items()
        if any(path for sign in signs for path in Path(root).glob(sign))
    ]


def detect_layout(root: Path) -> str:
    """Return the name in `LAYOUTS` of the folder's layout.

    FileNotFoundError without the folder; ValueError when it has the signs of no layout,
    saying what each lacks, or of more than one.
    """
    root = Path(root)
    if not root.is_dir():
        raise FileNotFoundError(f"{root} is no folder")
    names = candidates(root)
    if not names:
        lacks = [f"  {name:13} lacks {' or '.join(SIGNS[name])}" for name in SIGNS]
        raise ValueError(
            f"{root} has none of {len(LAYOUTS)} known layouts. Name the folder that"
            " holds them:\n" + "\n".join(lacks)
        )
    if len(names) > 1:
        raise ValueError(
            f"{root} has {len(names)} layouts: {', '.join(names)}. Put each in a folder"
            " of its own."
        )
    return names[0]


def items(root: Path) -> pd.DataFrame:
    """Return the items table of the folder, whatever its layout.

    Raises as `detect_layout` and the layout's `items`.
    """
    return LAYOUTS[detect_layout(root)].items(root)


def check(root: Path) -> Report:
    """Return what the layout's `check` reports. Raises as `detect_layout`."""
    return LAYOUTS[detect_layout(root)].check(root)


def pairs(items: pd.DataFrame) -> pd.DataFrame:
    """Return (query, gallery): a consumer's item and a shop's item of the same product.

    Item ids, one pair a row; queries are in the items' order, a query's shop items too.
    A query whose product no shop item has keeps one row with `gallery` missing:
    `pairs(items)["gallery"].isna().sum()` queries can't be answered. A consumer's item
    without a product is no query. To search one split, give that split's items.
    """
    known = items.loc[items[PRODUCT].notna(), [ITEM, PRODUCT, SOURCE]]
    queries = known[known[SOURCE] == CONSUMER].rename(columns={ITEM: QUERY})
    gallery = known[known[SOURCE] == SHOP].rename(columns={ITEM: GALLERY})
    paired = queries.merge(gallery, on=PRODUCT, how="left")
    return paired[[QUERY, GALLERY]]
