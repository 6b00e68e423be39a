"""What `fashionlib try` brings in: photos, or photos and a table, as H&M's layout."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from fashionlib.data import images
from fashionlib.data.captions import bare, match
from fashionlib.data.files import atomic
from fashionlib.data.items import (
    CAPTION,
    CATEGORY,
    COLOUR,
    IMAGE,
    ITEM,
    ITEM_COLUMNS,
    PRODUCT,
    SPLIT,
    TEST,
    TRAIN,
    VALIDATION,
)
from fashionlib.data.readers import hm, layouts
from fashionlib.data.readers.faults import Report, in_words
from fashionlib.data.readers.folders import frame, pictures
from fashionlib.data.tables import open_table

TABLES = (".csv", ".tsv", ".parquet", ".json", ".jsonl", ".xlsx", ".xls")
SIDES = {"train": TRAIN, "training": TRAIN, "test": TEST, "testing": TEST}
SIDES |= dict.fromkeys(("validation", "valid", "val", "dev"), VALIDATION)
NAMES = {  # our column: words in the names that others give it
    ITEM: r"\b(id|nr|no|number|nummer|code)\b|sku|ean|gtin|\bref",
    CAPTION: "caption|descr|beschr|text",
    CATEGORY: r"categ|kateg|type|typ$|class|garment|produktart|(waren|\b)gruppe",
    COLOUR: "colou?r|farbe|couleur",
    PRODUCT: "style|parent|model|family",
}
PHOTO = "image|photo|picture|bild|foto|file"
NONE = "none of them"
OWN, FOLDER = "own_id", "split"  # our columns beside H&M's
PER_PRODUCT = 1000  # the last three digits of an article's number
WIDTH = 512  # pixels to which a photo is scaled down
Choose = Callable[[str, Sequence[str]], str]


class Found(NamedTuple):
    """What lies in a folder: items whose picture opens, and what was left out."""

    items: pd.DataFrame  # `ITEM_COLUMNS` and split
    report: Report


def look(
    root: Path,
    table: Path | None,
    named: Mapping[str, str],
    choose: Choose,
    most: int,
    seed: int,
) -> Found:
    """Look at a folder of photos, perhaps with a table, or in one of the layouts.

    `table` may lie elsewhere; `named` maps our columns to its own, and `choose` says
    which of several it is that are meant. Of more than `most` items so many are drawn.
    ValueError where fewer than two photos can be read, or where no column names photos.
    """
    report = Report(root)
    if table is None and layouts.candidates(root):
        report.counts["layout"] = layouts.detect_layout(root)
        rows = layouts.items(root).dropna(subset=[IMAGE])
    else:
        photos = pictures(root, report)
        report.counts["photos"] = len(photos)
        tables = sorted(p for p in root.iterdir() if p.suffix.lower() in TABLES)
        if table is None and tables:
            table = root / choose("table", [path.name for path in tables])
        paths = dict(zip(photos[ITEM], photos[IMAGE], strict=True))
        if table is None or table.name == NONE:
            rows = _from_folders(paths)
        else:
            rows = _from_table(table, paths, named, choose, report)
    items = frame(rows, [*ITEM_COLUMNS, SPLIT], report)
    items[PRODUCT] = items[PRODUCT].fillna(items[ITEM])
    why = [images.fault_below(image, root) for image in items[IMAGE]]
    pairs = zip(items[ITEM], why, strict=True)
    bad = [f"{item}: {reason}" for item, reason in pairs if reason]
    report.add("photo that can't be read, left out", bad)
    items = items[[reason is None for reason in why]].reset_index(drop=True)
    if len(items) < 2:
        raise ValueError(
            f"{root}: {len(items)} photos that can be read ({images.NAMED}), and 2 are"
            f" needed; name the folder that holds them. {in_words(report.faults)}"
        )
    counts = items[[CAPTION, PRODUCT, CATEGORY, SPLIT]].nunique()
    report.counts |= {
        "articles with a photo": len(items),
        "with a caption": int(items[CAPTION].notna().sum()),
        "different captions": int(counts[CAPTION]),
        "products": int(counts[PRODUCT]),
        "categories": int(counts[CATEGORY]),
    }
    if counts[SPLIT]:
        report.counts["folders that name a split"] = int(counts[SPLIT])
    if len(items) > most:
        report.counts["drawn of these"] = f"{most:,}, by seed {seed}"
        items = items.sample(most, random_state=seed).sort_index()
    return Found(items, report)


def _from_folders(photos: Mapping[str, str]) -> list[dict[str, str | None]]:
    """Make each photo an item; its folder is its category, or names its split."""
    rows = []
    for name, path in photos.items():
        parts = Path(name).parts[:-1]
        sides = [SIDES[part.lower()] for part in parts if part.lower() in SIDES]
        classes = [part for part in parts if part.lower() not in SIDES]
        row = {ITEM: name, IMAGE: path, SPLIT: sides[0] if sides else None}
        rows.append(row | {CATEGORY: classes[-1] if classes else None})
    return rows


def _from_table(
    path: Path,
    photos: Mapping[str, str],
    named: Mapping[str, str],
    choose: Choose,
    report: Report,
) -> pd.DataFrame:
    """Read a table's rows and find their photos; bad rows are faults, and left out."""
    rows, places = _read(path, report)
    report.counts[f"rows of {path.name}"] = len(rows)
    columns = _columns(path, rows, photos, named, choose)
    for ours, theirs in columns.items():
        report.counts[f"column of {ours}"] = theirs
    unused = ", ".join(rows.drop(columns=columns.values())) or "none"
    report.counts["columns not used (--category names one)"] = unused
    table = pd.DataFrame({ours: rows[name] for ours, name in columns.items()})
    table[ITEM] = table.get(ITEM, table[IMAGE])
    names = table[IMAGE].dropna().unique()
    known = match(str(path), names, photos.keys())
    table[IMAGE] = table[IMAGE].map(known).map(photos)
    wrong = {
        "row without an id, left out": table[ITEM].isna(),
        "row whose id another row has, left out": table[ITEM].duplicated(),
        "row whose photo isn't there, left out": table[IMAGE].isna(),
    }
    for kind, bad in wrong.items():
        bad &= table[ITEM].notna() | (kind == next(iter(wrong)))
        report.add(kind, places(bad.to_numpy().nonzero()[0]))
    good = ~pd.concat(wrong, axis=1).any(axis=1)
    report.counts["rows with their photo"] = int(good.sum())
    report.add("photo without a row", sorted({*photos} - {*known.values()}), "note")
    return table[good]


def _read(
    path: Path, report: Report
) -> tuple[pd.DataFrame, Callable[[Sequence[int]], list[str]]]:
    """Read a table as text, with a function that says where rows of it stand."""
    ending = path.suffix.lower()
    if ending in (".json", ".jsonl"):
        try:
            rows = pd.read_json(path, lines=ending == ".jsonl", dtype=False)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path}: no list of rows as JSON: {error}") from error
        rows = rows.map(str, na_action="ignore").astype("str")
        return rows, lambda wanted: [f"row {row + 1}" for row in wanted]
    table = open_table(path)
    rows = table.read(list(dict.fromkeys(filter(None, table.names))))
    kind = "line with another number of fields than the header, left out"
    report.add(kind, table.misfit_places())
    return rows, table.places


def _columns(
    path: Path,
    rows: pd.DataFrame,
    photos: Mapping[str, str],
    named: Mapping[str, str],
    choose: Choose,
) -> dict[str, str]:
    """Say which column holds what: by what photos are called, then by its name.

    Where several could hold it, `choose` is asked. ValueError for a named column that
    isn't there, and where none names photos.
    """
    found = ", ".join(rows)
    if absent := sorted(set(named.values()) - {*rows}):
        raise ValueError(f"{path}: no column {', '.join(absent)}; found {found}")
    taken, known = dict(named), set(map(bare, photos))
    if IMAGE not in taken:
        shares = {
            (rows[name].dropna().map(bare).isin(known).sum(), called(name, PHOTO)): name
            for name in reversed(rows.columns)
        }
        (most, _), taken[IMAGE] = max(shares.items(), default=((0, 0), ""))
        if not most:
            raise ValueError(
                f"{path}: no column names one of {len(photos):,} photos; found {found}."
                " Say which: --photo, and where the photos lie: the argument ROOT"
            )
    for ours, pattern in NAMES.items():
        free = [name for name in rows if name not in taken.values() or name == ours]
        fitting = [name for name in free if _fits(ours, rows[name])]
        some = [name for name in fitting if name == ours] or [
            name for name in fitting if called(name, pattern)
        ]
        if ours not in taken and some:
            taken[ours] = choose(ours, some)
    return {ours: name for ours, name in taken.items() if name != NONE}


def called(name: str, pattern: str) -> bool:
    """Return whether a column's name has one of the words, "_" being a space."""
    return bool(re.search(pattern, re.sub(r"[_.-]", " ", name.lower())))


def _fits(ours: str, values: pd.Series) -> bool:
    """Return whether a column's values can be ids, products, captions, or names."""
    known = values.dropna()
    if ours == ITEM:
        return known.nunique() > 0.9 * len(values)
    if ours == PRODUCT:
        return known.nunique() < len(known)
    return known.empty or (ours != CAPTION) == (known.str.split().str.len().mean() < 3)


def lay_out(items: pd.DataFrame, folder: Path, source: Path) -> None:
    """Write items as `hm.items` reads them, whole or not at all; replaces the folder.

    A photo is saved anew, at most `WIDTH` pixels wide, without what a camera wrote into
    it. H&M's own numbers stay; others get ten digits: seven of their product, three of
    their place in it. `own_id` and `split` stand beside H&M's columns. Purchases of
    these articles go along where `source` has H&M's, else none. ValueError where a
    product has more than `PER_PRODUCT` items.
    """
    own = items[ITEM]
    hms = own.str.fullmatch(hm.ARTICLE_ID) & (own.str[:7] == items[PRODUCT])
    if not hms.all():
        products = pd.Series(pd.factorize(items[PRODUCT])[0] + 1, items.index)
        places = products.groupby(products).cumcount()
        if places.max() >= PER_PRODUCT:
            product = items[PRODUCT][places.idxmax()]
            raise ValueError(
                f"product {product!r} has {places.max() + 1:,} articles, and a number"
                f" has room for {PER_PRODUCT:,}; name another column: --product"
            )
        numbers = products.map("{:07d}".format) + places.map("{:03d}".format)
        items = items.assign(**{ITEM: numbers})
    names = {ours: theirs for theirs, ours in hm.ARTICLE_FIELDS.items()}
    with atomic(folder) as part:
        for row in items.itertuples():
            place = part / hm.IMAGES / row.item_id[:3] / f"{row.item_id}.jpg"
            place.parent.mkdir(parents=True, exist_ok=True)
            whole = images.cropped(row.image, row.box) if row.box else row.image
            place.write_bytes(images.jpeg(images.small(whole, WIDTH), quality=90))
        articles = items.assign(**{OWN: own}).rename(columns=names)
        articles = articles[[*names.values(), OWN, SPLIT]]
        articles.to_csv(part / hm.ARTICLES, index=False)
        kaggles = {ours: theirs for theirs, ours in hm.TRANSACTION_FIELDS.items()}
        bought = pd.DataFrame(columns=list(kaggles))
        if (source / hm.TRANSACTIONS).is_file():
            bought = hm.transactions(source)
            bought = bought[bought[ITEM].isin(items[ITEM])]
        bought = bought.rename(columns=kaggles)[[*hm.TRANSACTION_FIELDS]]
        bought.to_csv(part / hm.TRANSACTIONS, index=False)


def laid_out(folder: Path) -> pd.DataFrame:
    """Read a folder of `lay_out`: items by number, with own_id and split."""
    items = hm.items(folder).set_index(ITEM)
    columns = ["article_id", OWN, SPLIT]
    beside = open_table(folder / hm.ARTICLES).read(columns).set_index("article_id")
    return items.join(beside)
