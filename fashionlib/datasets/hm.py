"""H&M's article data in the layout of the Kaggle competition *H&M Personalized Fashion Recommendations*.

    ROOT/articles.csv, customers.csv, transactions_train.csv, images/<first 3 digits>/<10-digit article id>.jpg

An article id is text: read as a number it loses its leading zero, and joins with the pictures fail silently. Its first
seven digits are the product; the colours of a product share one caption. Terms: research only, no redistribution.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from fashionlib.datasets import CAPTION, CATEGORY, DATE, IMAGE, ITEM, ITEM_COLUMNS, PRODUCT, TRANSACTION_COLUMNS, USER

ARTICLES, CUSTOMERS, TRANSACTIONS, IMAGES = "articles.csv", "customers.csv", "transactions_train.csv", "images"
MARKER = "WARDROBE"  # a file of this name says that the folder was drawn by fashionlib.wardrobe

ARTICLE_FIELDS = {
    "article_id": ITEM,
    "detail_desc": CAPTION,
    "product_type_name": CATEGORY,
    "product_group_name": "group",
    "colour_group_name": "colour",
    "graphical_appearance_name": "pattern",
}
TRANSACTION_FIELDS = {"t_dat": DATE, "customer_id": USER, "article_id": ITEM}

# Paper A, section 3.2, removes "non-fashion-related categories, e.g. Dog Wear and Sleeping Sack" by hand without listing
# them. These eleven are the ones (of at least 7 articles) whose removal gives its code's 104,660 rows and 89 types.
NON_FASHION_TYPES = (
    "Unknown",
    "Sleeping sack",
    "Soft Toys",
    "Fine cosmetics",
    "Umbrella",
    "Waterbottle",
    "Dog Wear",
    "Dog wear",
    "Nipple covers",
    "Giftbox",
    "Side table",
)


def is_synthetic(root: Path) -> bool:
    """Whether the folder was drawn by `fashionlib.wardrobe`: numbers measured on it say nothing about H&M."""
    return (Path(root) / MARKER).is_file()


def items(root: Path, images: bool = True) -> pd.DataFrame:
    """The items table of `ROOT/articles.csv`; with `images=False` the disk isn't searched and `image` is all missing.

    A caption of blanks alone counts as missing. FileNotFoundError without the table; ValueError when a column is missing
    or an id is not of 10 digits or occurs twice (`check` lists every such fault).
    """
    table = _read(Path(root) / ARTICLES, ARTICLE_FIELDS)
    _refuse_bad_ids(table[ITEM], Path(root) / ARTICLES)
    table[PRODUCT] = table[ITEM].str[:7]
    table[CAPTION] = table[CAPTION].where(table[CAPTION].str.strip().ne(""))
    found = dict(image_files(root)) if images else {}
    table[IMAGE] = pd.Series([found.get(i) for i in table[ITEM]], index=table.index, dtype="str")
    return table[ITEM_COLUMNS]


def transactions(root: Path) -> pd.DataFrame:
    """The transactions table of `ROOT/transactions_train.csv` in file order; `date` is a day.

    FileNotFoundError without the table; ValueError when a column is missing or a date is not YYYY-MM-DD.
    """
    path = Path(root) / TRANSACTIONS
    table = _read(path, TRANSACTION_FIELDS)
    dates = pd.to_datetime(table[DATE], format="%Y-%m-%d", errors="coerce")
    if dates.isna().any():
        row = int(dates.isna().to_numpy().argmax())
        raise ValueError(f"{path}: {dates.isna().sum()} dates are not YYYY-MM-DD, first {table[DATE][row]!r} in line {row + 2}")
    return table.assign(**{DATE: dates})[TRANSACTION_COLUMNS]


def filter_captioned(items: pd.DataFrame, minimum: int = 7, images: bool = True) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The items Paper A captions (section 3.2), reindexed, and the steps that led there: step, rows, removed.

    Order as in the paper: a caption, an image (skipped with `images=False`), product types of at least `minimum` rows
    counted after those two, then `NON_FASHION_TYPES` out.
    """
    steps = [("all articles", len(items), 0)]

    def keep(rows: pd.DataFrame, wanted: pd.Series, step: str) -> pd.DataFrame:
        kept = rows[wanted]
        steps.append((step, len(kept), len(rows) - len(kept)))
        return kept

    rows = keep(items, items[CAPTION].notna(), "has a caption")
    if images:
        rows = keep(rows, rows[IMAGE].notna(), "has an image")
    counts = rows[CATEGORY].map(rows[CATEGORY].value_counts())
    rows = keep(rows, counts >= minimum, f"product type with at least {minimum} articles")
    rows = keep(rows, ~rows[CATEGORY].isin(NON_FASHION_TYPES), "product type is fashion")
    return rows.reset_index(drop=True), pd.DataFrame(steps, columns=["step", "rows", "removed"])


def image_files(root: Path) -> Iterator[tuple[str, str]]:
    """(article id, absolute path) of each `images/<3 digits>/<10 digits>.jpg`, sorted by name; others are passed over."""
    folder = Path(os.path.abspath(root)) / IMAGES  # not resolved: a linked image folder keeps its own name
    if not folder.is_dir():
        return
    for part in sorted(e.name for e in os.scandir(folder) if e.is_dir()):
        for name in sorted(os.listdir(folder / part)):
            stem, dot, ending = name.partition(".")
            if dot and ending == "jpg" and is_item_id(stem) and stem[:3] == part:
                yield stem, str(folder / part / name)


def is_item_id(text: object) -> bool:
    """Ten ASCII digits."""
    return isinstance(text, str) and len(text) == 10 and text.isascii() and text.isdigit()


def columns_of(path: Path) -> list[str]:
    """The header of a CSV file; FileNotFoundError without the file."""
    with open(path, encoding="utf-8", newline="") as file:
        return next(csv.reader(file), [])


def _read(path: Path, fields: dict[str, str]) -> pd.DataFrame:
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; the folder should hold {ARTICLES}, {TRANSACTIONS} and {IMAGES}/")
    missing = [f for f in fields if f not in columns_of(path)]
    if missing:
        raise ValueError(f"{path} lacks {len(missing)} of {len(fields)} needed columns: {', '.join(missing)}")
    table = pd.read_csv(path, usecols=list(fields), dtype="str", keep_default_na=False, na_values=[""])
    return table.rename(columns=fields)


def _refuse_bad_ids(ids: pd.Series, path: Path) -> None:
    bad = [i for i in ids if not is_item_id(i)]
    if bad:
        raise ValueError(f"{path}: {len(bad)} of {len(ids)} article ids are not 10 digits, first {bad[0]!r}; was the leading zero lost?")
    twice = ids[ids.duplicated()]
    if len(twice):
        raise ValueError(f"{path}: {len(twice)} article ids occur twice, first {twice.iloc[0]!r}")
