"""H&M's article data in the layout of the Kaggle competition *H&M Personalized Fashion
Recommendations*.

    ROOT/articles.csv, customers.csv, transactions_train.csv, images/<first 3
    digits>/<article id>.jpg

An article id is text of ten digits: read as a number it loses its leading zero, and
joins with the pictures fail silently. Its first seven digits are the product, whose
colours share one caption. Terms: research only, no redistribution.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from fashionlib.data import images
from fashionlib.data.items import (
    BOX,
    CAPTION,
    CATEGORY,
    COLOUR,
    DATE,
    GROUP,
    IMAGE,
    ITEM,
    ITEM_COLUMNS,
    PATTERN,
    PRODUCT,
    SHOP,
    SOURCE,
    TRANSACTION_COLUMNS,
    USER,
)
from fashionlib.data.readers.faults import Report

ENCODING = (  # a spreadsheet's byte order mark is no part of the first column's name
    "utf-8-sig"
)
ARTICLES, CUSTOMERS, TRANSACTIONS = (
    "articles.csv",
    "customers.csv",
    "transactions_train.csv",
)
IMAGES = "images"
MARKER = "WARDROBE"  # a file of this name says that the folder was drawn by wardrobe

ARTICLE_FIELDS = {
    "article_id": ITEM,
    "detail_desc": CAPTION,
    "product_type_name": CATEGORY,
    "product_group_name": GROUP,
    "colour_group_name": COLOUR,
    "graphical_appearance_name": PATTERN,
}
AS_TEXT = {
    "dtype": "str",
    "keep_default_na": False,
    "na_values": [""],
    "encoding": ENCODING,
}
TRANSACTION_FIELDS = {"t_dat": DATE, "customer_id": USER, "article_id": ITEM}

# Paper A, section 3.2, removes "non-fashion-related categories, e.g. Dog Wear and
# Sleeping Sack" by hand without
# listing them. Removing these eleven (types of at least 7 articles) gives its code's
# 104,660 rows and 89 types.
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
    """Whether the folder was drawn by `wardrobe`: numbers measured on it say nothing
    about H&M.
    """
    return (Path(root) / MARKER).is_file()


def recognise(root: Path) -> bool:
    """Whether there is a table of Kaggle's name."""
    return any((Path(root) / name).is_file() for name in (ARTICLES, TRANSACTIONS))


def items(root: Path, images: bool = True) -> pd.DataFrame:
    """The items table of `ROOT/articles.csv`; with `images=False` no picture is looked
    for, `image` is all missing.

    A caption of blanks alone counts as missing. FileNotFoundError without the table;
    ValueError when a column is missing or an id is not of 10 digits or occurs twice
    (`check` lists every such fault).
    """
    table = _read(Path(root) / ARTICLES, ARTICLE_FIELDS)
    _refuse_bad_ids(table[ITEM], Path(root) / ARTICLES)
    table[PRODUCT] = table[ITEM].str[:7]
    table[CAPTION] = table[CAPTION].where(table[CAPTION].str.strip().ne(""))
    found = dict(image_files(root)) if images else {}
    table[IMAGE] = pd.Series(
        [found.get(i) for i in table[ITEM]], index=table.index, dtype="str"
    )
    return table.assign(**{SOURCE: SHOP, BOX: None})[ITEM_COLUMNS]


def transactions(root: Path) -> pd.DataFrame:
    """The transactions table of `ROOT/transactions_train.csv` in file order; `date` is
    a day.

    FileNotFoundError without the table; ValueError when a column is missing or a date
    is not YYYY-MM-DD.
    """
    path = Path(root) / TRANSACTIONS
    table = _read(path, TRANSACTION_FIELDS)
    dates = pd.to_datetime(table[DATE], format="%Y-%m-%d", errors="coerce")
    if dates.isna().any():
        row = int(dates.isna().to_numpy().argmax())
        bad, first = dates.isna().sum(), table[DATE][row]
        raise ValueError(
            f"{path}: {bad} of {len(table)} dates are not YYYY-MM-DD, first {first!r}"
            f" in line {row + 2}"
        )
    return table.assign(**{DATE: dates})[TRANSACTION_COLUMNS]


def generated_captions(path: Path) -> dict[str, str]:
    """{article id: caption} of a table in the article table's columns, as Paper A's
    repository publishes the captions that its captioner wrote
    (recommender/generated_text_items.csv).

    Its ids are numbers and lost their leading zero: they get it back. Articles without
    a text are left out. Errors as `items`.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"no generated captions at {path}; give a CSV with article_id and"
            " detail_desc"
        )
    table = _read(path, {"article_id": ITEM, "detail_desc": CAPTION})
    ids, captions = table[ITEM].str.zfill(10), table[CAPTION].fillna("").str.strip()
    _refuse_bad_ids(ids, path)
    return dict(zip(ids[captions != ""], captions[captions != ""], strict=True))


def filter_captioned(
    items: pd.DataFrame, minimum: int = 7, images: bool = True
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The items Paper A captions (section 3.2), reindexed, and the steps that led
    there: step, rows, removed.

    Order as in the paper: a caption, an image (skipped with `images=False`), product
    types of at least `minimum` rows counted after those two, then `NON_FASHION_TYPES`
    out. H&M's whole table without the image check: 105,542 -> 105,126 -> 105,046 ->
    104,660 rows of 89 types. The paper's text says 104,232 after it.
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
    rows = keep(
        rows, counts >= minimum, f"product type with at least {minimum} articles"
    )
    rows = keep(
        rows, ~rows[CATEGORY].isin(NON_FASHION_TYPES), "product type is fashion"
    )
    return rows.reset_index(drop=True), pd.DataFrame(
        steps, columns=["step", "rows", "removed"]
    )


def image_files(root: Path) -> Iterator[tuple[str, str]]:
    """(article id, absolute path) of each `images/<3 digits>/<10 digits>.jpg`, sorted;
    others are passed over, and so are links, which may lead out of the folder (`images`
    itself may be one: its owner made it).
    """
    folder = (
        Path(os.path.abspath(root)) / IMAGES
    )  # not resolved: a linked image folder keeps its own name
    if not folder.is_dir():
        return
    for part in sorted(e.name for e in os.scandir(folder) if e.is_dir()):
        for name in sorted(
            e.name for e in os.scandir(folder / part) if not e.is_symlink()
        ):
            stem, dot, ending = name.partition(".")
            if dot and ending == "jpg" and is_item_id(stem) and stem[:3] == part:
                yield stem, str(folder / part / name)


def is_item_id(text: object) -> bool:
    """Ten ASCII digits."""
    return (
        isinstance(text, str) and len(text) == 10 and text.isascii() and text.isdigit()
    )


def columns_of(path: Path) -> list[str]:
    """The header of a CSV file; FileNotFoundError without the file."""
    with open(path, encoding=ENCODING, newline="") as file:
        return next(csv.reader(file), [])


def _read(path: Path, fields: dict[str, str]) -> pd.DataFrame:
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing; beside it belong {ARTICLES}, {TRANSACTIONS} and"
            f" {IMAGES}/"
        )
    try:
        missing = [f for f in fields if f not in columns_of(path)]
        if missing:
            raise ValueError(
                f"{path} lacks {len(missing)} of {len(fields)} needed columns:"
                f" {', '.join(missing)}"
            )
        table = pd.read_csv(path, usecols=list(fields), **AS_TEXT)
    except (UnicodeDecodeError, pd.errors.ParserError, csv.Error) as error:
        raise ValueError(
            f"{path} can't be read as CSV in UTF-8: {error}; `fashionlib check` says"
            " more"
        ) from error
    if table.empty:
        raise ValueError(f"{path} has 0 rows below its header")
    return table.rename(columns=fields)


def _refuse_bad_ids(ids: pd.Series, path: Path) -> None:
    bad = [i for i in ids if not is_item_id(i)]
    if bad:
        first = f"first {bad[0]!r}; was the leading zero lost?"
        raise ValueError(
            f"{path}: {len(bad)} of {len(ids)} article ids are not 10 digits, {first}"
        )
    twice = ids[ids.duplicated()]
    if len(twice):
        raise ValueError(
            f"{path}: {len(twice)} article ids occur twice, first {twice.iloc[0]!r}"
        )


def check(root: Path) -> Report:
    """What lies in the folder, what is missing and what is broken; goes through
    everything, never stops at the first.

    Notes are normal in H&M's data: articles without caption or image, an absent
    customers.csv (nothing reads it). FileNotFoundError only when the folder itself
    isn't there.
    """
    root = Path(root)
    if not root.is_dir():
        raise FileNotFoundError(
            f"{root} is no folder; it should hold {ARTICLES}, {TRANSACTIONS} and"
            f" {IMAGES}/"
        )
    report = Report(root)
    if is_synthetic(root):
        report.counts["made by wardrobe, not H&M's"] = "synthetic"
    known = _check_articles(root, report)
    _check_images(root, known, report)
    _check_transactions(root, known, report)
    if not (root / CUSTOMERS).is_file():
        report.add("file missing", [CUSTOMERS], "note")
    return report


def _check_articles(root: Path, report: Report) -> set[str]:
    """The ids of the article table, as far as it can be read."""
    chunks = list(_chunks(root / ARTICLES, ARTICLE_FIELDS, report))
    if not chunks:
        return set()
    table = pd.concat(chunks, ignore_index=True)
    ids = table.get(ITEM, pd.Series(dtype="str"))
    report.counts["articles"] = len(table)
    report.add(
        "article id not of 10 digits", [str(i) for i in ids if not is_item_id(i)]
    )
    report.add("article id twice", ids[ids.duplicated() & ids.notna()].tolist())
    if CAPTION in table:
        text = table[CAPTION]
        blank = text.notna() & text.str.strip().eq("")
        report.counts |= {
            "captions": int(text.notna().sum() - blank.sum()),
            "distinct captions": text.nunique(),
        }
        report.add("article without caption", ids[text.isna()].tolist(), "note")
        report.add("caption of blanks", ids[blank].tolist())
    return {i for i in ids if is_item_id(i)}


def _check_images(root: Path, known: set[str], report: Report) -> None:
    if not (root / IMAGES).is_dir():
        report.add("folder missing", [f"{IMAGES}/"])
        return
    found = dict(image_files(root))
    report.counts["images"] = len(found)
    report.add("article without image", sorted(known - found.keys()), "note")
    report.add("image without article", sorted(found.keys() - known), "note")
    folder, taken = Path(os.path.abspath(root)) / IMAGES, set(found.values())
    every = [str(p) for p in folder.glob("**/*") if not p.is_dir()]
    stray = sorted(os.path.relpath(p, folder) for p in every if p not in taken)
    report.add(
        "file under images/ that is no <3 digits>/<10 digits>.jpg, or a link",
        stray,
        "note",
    )
    reasons = (
        (i, images.fault(Path(p)))
        for i, p in tqdm(found.items(), desc="images", disable=None)
    )
    report.add("broken image", [f"{i}: {why}" for i, why in reasons if why])


def _check_transactions(root: Path, known: set[str], report: Report) -> None:
    users: set[str] = set()
    rows, dates = 0, []
    for chunk in _chunks(root / TRANSACTIONS, TRANSACTION_FIELDS, report):
        rows += len(chunk)
        if ITEM in chunk:
            report.add(
                "purchase of an unknown article",
                chunk[ITEM][~chunk[ITEM].isin(known)].astype(str).tolist(),
            )
        if DATE in chunk:
            days = pd.to_datetime(chunk[DATE], format="%Y-%m-%d", errors="coerce")
            report.add(
                "date not YYYY-MM-DD", chunk[DATE][days.isna()].astype(str).tolist()
            )
            dates += [days.min(), days.max()]
        if USER in chunk:
            report.add(
                "purchase without customer",
                chunk.index[chunk[USER].isna()].astype(str).tolist(),
            )
            users.update(chunk[USER].dropna())
    if rows:
        report.counts |= {"purchases": rows, "customers who bought": len(users)}
    if rows and any(pd.notna(d) for d in dates):
        known_days = [d for d in dates if pd.notna(d)]
        report.counts |= {
            "first day": str(min(known_days).date()),
            "last day": str(max(known_days).date()),
        }


def _chunks(
    path: Path, fields: dict[str, str], report: Report
) -> Iterator[pd.DataFrame]:
    """The readable part of a table, half a million rows at a time, with those `fields`
    that it has.
    """
    try:
        header = columns_of(path)
        report.add(
            "column missing", [f"{path.name}: {f}" for f in fields if f not in header]
        )
        wanted = [f for f in fields if f in header]
        rows = 0
        for chunk in (
            pd.read_csv(path, usecols=wanted, chunksize=500_000, **AS_TEXT)
            if wanted
            else ()
        ):
            rows += len(chunk)
            yield chunk.rename(columns=fields)
        severity = (
            "note" if path.name == TRANSACTIONS else "fault"
        )  # a catalogue may have no purchases yet
        report.add("0 rows", [path.name] * (bool(wanted) and rows == 0), severity)
    except FileNotFoundError:
        report.add("file missing", [path.name])
    except (UnicodeDecodeError, pd.errors.ParserError, csv.Error, OSError) as error:
        report.add("table can't be read", [f"{path.name}: {error}"])
