"""H&M's data as Kaggle's *H&M Personalized Fashion Recommendations* has it.

    ROOT/articles.csv, customers.csv, transactions_train.csv, images/<first 3
    digits>/<article id>.jpg

An article id is text of ten digits: read as a number it loses its leading zero, and
joins with the pictures fail silently. Its first seven digits are the product, whose
colours share one caption. Terms: research only, no redistribution.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path

import pandas as pd

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
from fashionlib.data.readers.folders import check_each, open_report

ARTICLES, CUSTOMERS = "articles.csv", "customers.csv"
TRANSACTIONS, IMAGES = "transactions_train.csv", "images"
# a spreadsheet's byte order mark is no part of the first column's name
ENCODING = "utf-8-sig"
ROWS = 500_000  # read at once
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
    a column is missing or an id is not of 10 digits or occurs twice.
    """
    report = open_report(root)
    table = _articles(ARTICLES, ARTICLE_FIELDS, report)
    report.refuse()
    paths = dict(image_files(root)) if images else {}
    table[PRODUCT] = table[ITEM].str[:7]
    table[CAPTION] = table[CAPTION].where(table[CAPTION].str.strip().ne(""))
    table[IMAGE] = table[ITEM].map(paths).astype("str")
    return table.assign(**{SOURCE: SHOP, BOX: None})[ITEM_COLUMNS]


def transactions(root: Path) -> pd.DataFrame:
    """Return `ROOT/transactions_train.csv` in file order; `date` is a day.

    FileNotFoundError without the table; ValueError when a column is missing, a date is
    not YYYY-MM-DD, or there is no row.
    """
    report = open_report(root)
    parts = list(_transactions(report))
    if not parts:
        report.add("0 rows", [TRANSACTIONS])
    report.refuse()
    return pd.concat(parts)


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
    _check_ids(pd.Series([item for item, _ in rows]), report)
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
    """Yield (article id, absolute path) of each `images/<3 digits>/<10 digits>.jpg`.

    They are sorted; others are passed over, and so are links, which may lead out of the
    folder (`images` itself may be one: its owner made it).
    """
    # not resolved: a linked image folder keeps its own name
    folder = Path(root).absolute() / IMAGES
    for path in sorted(folder.glob("*/*.jpg")):
        named = ARTICLE_ID.fullmatch(path.stem) and path.stem[:3] == path.parent.name
        if named and not path.is_symlink():
            yield path.stem, str(path)


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
    """Read the article table as far as it can be read; wrong ids are faults."""
    empty = pd.DataFrame(columns=list(fields.values()), dtype="str")
    table = pd.concat([empty, *_chunks(name, fields, report)]).astype("str")
    _check_ids(table[ITEM], report)
    return table


def _check_ids(ids: pd.Series, report: Report) -> None:
    wrong = ids[~ids.str.fullmatch(ARTICLE_ID)]
    report.add("article id not of 10 digits (a leading zero lost?)", wrong)
    report.add("article id twice", ids[ids.duplicated()].dropna())


def _transactions(report: Report) -> Iterator[pd.DataFrame]:
    """Yield the transactions, some rows at a time; what is wrong is a fault."""
    for chunk in _chunks(TRANSACTIONS, TRANSACTION_FIELDS, report):
        if not set(TRANSACTION_COLUMNS) <= set(chunk):
            return
        days = pd.to_datetime(chunk[DATE], format="%Y-%m-%d", errors="coerce")
        wrong = chunk[DATE][days.isna()]
        places = [f"{TRANSACTIONS} line {row + 2}: {day}" for row, day in wrong.items()]
        report.add("date not YYYY-MM-DD", places)
        yield chunk[TRANSACTION_COLUMNS].assign(**{DATE: days})


def _chunks(
    name: str, fields: dict[str, str], report: Report
) -> Iterator[pd.DataFrame]:
    """Yield those of a table's `fields` that it has, as text, some rows at a time."""
    path, rows = report.root / name, 0
    options = {"dtype": "str", "keep_default_na": False, "na_values": [""]}
    try:
        with path.open(encoding=ENCODING, newline="") as file:
            header = next(csv.reader(file), [])
        missing = fields.keys() - set(header)
        report.add("column missing", [f"{name}: {field}" for field in sorted(missing)])
        wanted = fields.keys() - missing
        if not wanted:
            return
        for chunk in pd.read_csv(
            path, usecols=list(wanted), chunksize=ROWS, encoding=ENCODING, **options
        ):
            rows += len(chunk)
            if len(chunk):
                yield chunk.rename(columns=fields)
        if rows == 0:  # a catalogue may have no purchases yet
            report.add("0 rows", [name], "note" if name == TRANSACTIONS else "fault")
    except FileNotFoundError:
        report.add(MISSING, [name])
    except (UnicodeDecodeError, pd.errors.ParserError, csv.Error, OSError) as error:
        report.add("table can't be read", [f"{name}: {error}"])


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
        "file under images/ that is no <3 digits>/<10 digits>.jpg, or a link",
        sorted(stray),
        "note",
    )
    check_each(list(paths.items()), report)


def _check_transactions(known: Collection[str], report: Report) -> None:
    users, days, rows = set(), set(), 0
    for chunk in _transactions(report):
        unknown = ~chunk[ITEM].isin(known)
        report.add("purchase of an unknown article", chunk[ITEM][unknown].astype(str))
        report.add("purchase without customer", chunk.index[chunk[USER].isna()])
        users.update(chunk[USER].dropna())
        days.update(chunk[DATE].dropna().unique())
        rows += len(chunk)
    if rows:
        report.counts |= {"purchases": rows, "customers who bought": len(users)}
    if days:
        first, last = min(days).date(), max(days).date()
        report.counts |= {"first day": str(first), "last day": str(last)}
