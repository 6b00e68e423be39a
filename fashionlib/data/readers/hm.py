"""H&M's data as Kaggle's *H&M Personalized Fashion Recommendations* has it.

    ROOT/articles.csv, customers.csv, transactions_train.csv, images/<first 3
    digits>/<article id>.jpg

An article id is text of ten digits: read as a number it loses its leading zero, and
joins with the pictures fail silently. Its first seven digits are the product, whose
colours share one caption. Terms: research only, no redistribution.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from fashionlib.data import tables
from fashionlib.data.captions import bare, read
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
from fashionlib.data.readers.faults import MISSING, Report
from fashionlib.data.readers.folders import check_each, files, open_report

ARTICLES, CUSTOMERS = "articles.csv", "customers.csv"
TRANSACTIONS, IMAGES = "transactions_train.csv", "images"
ARTICLE_ID = re.compile(r"[0-9]{10}")

ARTICLE_FIELDS = {
    "article_id": ITEM,
    "detail_desc": CAPTION,
    "product_type_name": CATEGORY,
    "product_group_name": GROUP,
    "colour_group_name": COLOUR,
    "graphical_appearance_name": PATTERN,
}
TRANSACTION_FIELDS = {"t_dat": DATE, "customer_id": USER, "article_id": ITEM}
PICTURES = (".jpg", ".jpeg", ".png")
MISFIT = "line with another number of fields than the header"
MENDED = "article id given the zeros back that it lost as a number"
WRONG_FIELD = {
    USER: "customer_id is empty or has a tab or line break",
    ITEM: "article_id is empty or has a tab or line break",
    DATE: "date not YYYY-MM-DD",
}
LOG = logging.getLogger(__name__)

# Paper A, section 3.2, removes "non-fashion-related categories, e.g. Dog Wear and
# Sleeping Sack" by hand without listing them. Removing these eleven (types of at least
# 7 articles) gives its code's 104,660 rows and 89 types.
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


def items(root: Path, images: bool = True) -> pd.DataFrame:
    """Return the items table of `ROOT/articles.csv`.

    With `images=False` no picture is looked for, `image` is all missing. A caption of
    blanks alone counts as missing. FileNotFoundError without the table; ValueError when
    a column is missing, a line has another number of fields than the header, or an id
    is not of 10 digits or occurs twice. Ids that all lost their zero as numbers get it
    back, and a warning says so.
    """
    report = open_report(root)
    table = _articles(ARTICLES, ARTICLE_FIELDS, report)
    report.refuse()
    for note in report.faults:
        LOG.warning("%s: %s", ARTICLES, note)
    paths = dict(image_files(root)) if images else {}
    table[PRODUCT] = table[ITEM].str[:7]
    table[CAPTION] = table[CAPTION].where(table[CAPTION].str.strip().ne(""))
    table[IMAGE] = tables.text(table[ITEM].map(paths))
    return table.assign(**{SOURCE: SHOP, BOX: None})[ITEM_COLUMNS]


def transactions(root: Path) -> pd.DataFrame:
    """Return `ROOT/transactions_train.csv` in file order; `date` is a day.

    FileNotFoundError without the table; ValueError when a column is missing, a line has
    another number of fields, an id is empty or holds a tab, a date is not YYYY-MM-DD,
    or there is no row.
    """
    report = open_report(root)
    table = _purchases(report)
    if table.empty:
        report.add("0 rows", [TRANSACTIONS])
    report.refuse()
    day = tables.days(tables.distinct(table[DATE])).to_numpy()
    columns = {name: tables.distinct(table[name]).array for name in (USER, ITEM)}
    columns[DATE] = day
    return pd.DataFrame(
        {name: values.take(table[name].cat.codes) for name, values in columns.items()}
    )


def read_transactions(path: Path) -> pd.DataFrame:
    """Read user_id, item_id, date of a table in Kaggle's columns, in file order.

    Of its columns t_dat, customer_id and article_id alone are read, as categorical
    text, 12 bytes a row. FileNotFoundError; ValueError as `transactions`, naming file
    and line.
    """
    table = tables.open_table(path)
    rows, faults = _kaggle(table)
    table.refuse_misfits()
    for kind, places in faults.items():
        line, _, text = places[0].partition(": ")
        raise ValueError(f"{path}, {line}: {kind}: {text!r}; {len(places):,} such rows")
    if rows.empty:
        raise ValueError(f"{path}: no rows; it needs a row a purchase")
    return rows


def generated_captions(path: Path) -> dict[str, str]:
    """Return {article id: caption} of generated captions, in any form of `captions`.

    Paper A's repository publishes what its captioner wrote in the article table's
    columns (recommender/generated_text_items.csv). Its ids are numbers and lost their
    leading zero: they get it back. Articles without a text are left out.
    FileNotFoundError; ValueError as `captions.read`, or when an id is not of 10 digits
    or an article has two captions.
    """
    rows = [
        (bare(item).zfill(10), text.strip())
        for item, texts in read(path).texts.items()
        for text in texts
    ]
    report = Report(Path(path).parent)
    _check_ids(pd.Series([item for item, _ in rows], dtype="str"), report)
    report.refuse()
    return {item: text for item, text in rows if text}


def filter_captioned(
    items: pd.DataFrame, minimum: int = 7, images: bool = True
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the items that Paper A captions, and the steps: step, rows, removed.

    Order as in section 3.2: a caption, an image (skipped with `images=False`), product
    types of at least `minimum` rows counted after those two, then `NON_FASHION_TYPES`
    out. H&M's whole table without the image check: 105,542 -> 105,126 -> 105,046 ->
    104,660 rows of 89 types. The paper's text, with the image check, says 104,232 and
    89. The items are reindexed.
    """
    rows, steps = items, [("all articles", len(items), 0)]

    def keep(wanted: pd.Series, step: str) -> pd.DataFrame:
        left = rows[wanted]
        steps.append((step, len(left), len(rows) - len(left)))
        return left

    rows = keep(rows[CAPTION].notna(), "has a caption")
    if images:
        rows = keep(rows[IMAGE].notna(), "has an image")
    counts = rows[CATEGORY].map(rows[CATEGORY].value_counts())
    rows = keep(counts >= minimum, f"product type with at least {minimum} articles")
    rows = keep(~rows[CATEGORY].isin(NON_FASHION_TYPES), "product type is fashion")
    columns = ["step", "rows", "removed"]
    return rows.reset_index(drop=True), pd.DataFrame(steps, columns=columns)


def image_files(root: Path) -> Iterator[tuple[str, str]]:
    """Yield (article id, absolute path) of each article's picture under `images`.

    It is called <10 digits>.jpg, .jpeg or .png in any case, wherever it lies; that in
    Kaggle's place is taken before others of the article. Links are passed over, which
    may lead out of the folder (`images` itself may be one: its owner made it).
    """
    # not resolved: a linked image folder keeps its own name
    folder, found = Path(root).absolute() / IMAGES, {}
    for name in sorted(files(folder)):
        path = PurePosixPath(name)
        known = ARTICLE_ID.fullmatch(path.stem) and path.suffix.lower() in PICTURES
        kaggles = name == f"{path.stem[:3]}/{path.stem}.jpg"
        if known and (kaggles or path.stem not in found):
            found[path.stem] = f"{folder}/{name}"
    yield from sorted(found.items())


def check(root: Path) -> Report:
    """Report what lies in the folder, what is missing and broken; never stop early.

    Notes are normal in H&M's data: articles without caption or image, an absent
    customers.csv (nothing reads it). FileNotFoundError only when the folder itself
    isn't there.
    """
    report = open_report(root)
    articles = _articles(ARTICLES, ARTICLE_FIELDS, report)
    if len(articles):
        _check_captions(articles, report)
    ids = articles[ITEM]
    known = set(ids[ids.str.fullmatch(ARTICLE_ID)])
    _check_images(known, report)
    _check_transactions(known, report)
    if not (report.root / CUSTOMERS).is_file():
        report.add(MISSING, [CUSTOMERS], "note")
    return report


def _articles(name: str, fields: dict[str, str], report: Report) -> pd.DataFrame:
    """Read the article table as far as it can be read; wrong ids are faults.

    Zeros that all ids lost as numbers are given back, with a note.
    """
    rows = pd.DataFrame(columns=list(fields.values()), dtype="str")
    with _reading(name, report):
        table = tables.open_table(report.root / name)
        there = {field: ours for field, ours in fields.items() if field in table.names}
        missing = [f"{name}: {field}" for field in fields if field not in there]
        report.add("column missing", missing)
        read = table.read(list(there)).rename(columns=there)
        report.add(MISFIT, _named(name, table.misfit_places()))
        report.add("0 rows", [name] if read.empty and not table.misfits else [])
        rows = rows.reindex(read.index).assign(**read)
    mended = tables.ten_digits(rows[ITEM])
    if mended is not None:
        report.add(MENDED, rows[ITEM][mended != rows[ITEM]].dropna(), "note")
        rows[ITEM] = mended
    _check_ids(rows[ITEM].fillna(""), report)
    return rows


def _check_ids(ids: pd.Series, report: Report) -> None:
    wrong = ids[~ids.str.fullmatch(ARTICLE_ID)]
    report.add("article id not of 10 digits (a leading zero lost?)", wrong)
    report.add("article id twice", ids[ids.duplicated()])


@contextmanager
def _reading(name: str, report: Report) -> Iterator[None]:
    """Turn what a table of the folder can't be read for into a fault."""
    try:
        yield
    except FileNotFoundError:
        report.add(MISSING, [name])
    except ValueError as error:
        why = str(error).removeprefix(str(report.root / name)).lstrip(", :")
        report.add("table can't be read", [f"{name}: {why}"])


def _named(name: str, places: list[str]) -> list[str]:
    return [f"{name} {place}" for place in places]


def _purchases(report: Report) -> pd.DataFrame:
    """Read the purchases as `_kaggle`; what is wrong is a fault."""
    with _reading(TRANSACTIONS, report):
        table = tables.open_table(report.root / TRANSACTIONS)
        missing = [name for name in TRANSACTION_FIELDS if name not in table.names]
        report.add("column missing", _named(f"{TRANSACTIONS}:", missing))
        if not missing:
            rows, faults = _kaggle(table)
            for kind, places in faults.items():
                report.add(kind, _named(TRANSACTIONS, places))
            return rows
    return pd.DataFrame(columns=TRANSACTION_COLUMNS, dtype="category")


def _kaggle(table: tables.Table) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """Return the purchases, categories of text, and the places of each kind of fault.

    Article ids that lost their zeros get them back, and a warning says so.
    """
    rows = table.read(list(TRANSACTION_FIELDS), codes=True)
    rows = rows.rename(columns=TRANSACTION_FIELDS)
    faults = {MISFIT: table.misfit_places()}
    good = {name: tables.is_id(tables.distinct(rows[name])) for name in (USER, ITEM)}
    good[DATE] = tables.days(tables.distinct(rows[DATE])).notna()
    for name, kind in WRONG_FIELD.items():
        if not good[name].all():
            faults[kind] = table.places(tables.rows_with(rows[name], ~good[name]))
    mended = tables.ten_digits(tables.distinct(rows[ITEM]))
    if mended is not None and mended.is_unique:
        if (changed := int((mended != tables.distinct(rows[ITEM])).sum())) > 0:
            LOG.warning("%s: %s %s", table.path, f"{changed:,} x", MENDED)
        rows[ITEM] = rows[ITEM].cat.rename_categories(mended.to_numpy())
    return rows, {kind: places for kind, places in faults.items() if places}


def _check_captions(articles: pd.DataFrame, report: Report) -> None:
    captions = articles[CAPTION]
    blank = captions.str.strip().eq("")
    report.counts |= {
        "articles": len(articles),
        "captions": int(captions.notna().sum() - blank.sum()),
        "distinct captions": captions.nunique(),
    }
    report.add("article without caption", articles[ITEM][captions.isna()], "note")
    report.add("caption of blanks", articles[ITEM][blank])


def _check_images(known: set[str], report: Report) -> None:
    folder = report.root / IMAGES
    if not folder.is_dir():
        report.add("folder missing", [f"{IMAGES}/"])
        return
    paths = dict(image_files(report.root))
    report.counts["images"] = len(paths)
    report.add("article without image", sorted(known - paths.keys()), "note")
    report.add("image without article", sorted(paths.keys() - known), "note")
    every = {str(path) for path in folder.glob("**/*") if not path.is_dir()}
    stray = [os.path.relpath(path, folder) for path in every - set(paths.values())]
    report.add(
        "file under images/ that is no article's picture <10 digits>.jpg, or a link",
        sorted(stray),
        "note",
    )
    check_each(list(paths.items()), report)


def _check_transactions(known: Collection[str], report: Report) -> None:
    rows = _purchases(report)
    if rows.empty:  # a catalogue may have no purchases yet
        absent = any(TRANSACTIONS in str(fault) for fault in report.faults)
        report.add("0 rows", [] if absent else [TRANSACTIONS], "note")
        return
    unknown = ~rows[ITEM].cat.categories.isin(list(known))
    bought = rows[ITEM].value_counts(sort=False)[unknown]
    kind = "purchase of an unknown article"
    report.add(kind, np.repeat(bought.index, bought))
    day = tables.days(tables.distinct(rows[DATE])).dropna()
    report.counts["purchases"] = len(rows)
    report.counts["customers who bought"] = rows[USER].nunique()
    if len(day):
        first, last = day.min().date(), day.max().date()
        report.counts |= {"first day": str(first), "last day": str(last)}
