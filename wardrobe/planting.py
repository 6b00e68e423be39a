"""Plant the truth of a drawn wardrobe: which articles there are and how they look."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd

from fashionlib.data.readers import layouts
from fashionlib.labelling.attribute_schema import DETAILS
from wardrobe import catalogue
from wardrobe.catalogue import Garment

TRUTH = "truth.csv"
COLOURS_PER_PRODUCT = (0.42, 0.22, 0.14, 0.09, 0.06, 0.04, 0.03)  # one, two, ... seven
PARTS = tuple(f.name for f in fields(Garment) if f.name != "details")


def articles(count: int, seed: int) -> pd.DataFrame:
    """Return the planted truth of `count` articles, one row each, in order of id.

    Columns: item_id, product_id, type (H&M's product type), colour, the fields of
    `catalogue.Garment` but details, a boolean column for each of
    `attribute_schema.DETAILS`, index (H&M's index code), launch (day, may be negative),
    price (H&M's unit). Ids have ten digits: seven of the product, three of the colour.
    The same arguments give the same rows.
    """
    rng = np.random.default_rng([seed, 0])
    sizes = _products(count, rng)
    codes = np.sort(rng.choice(np.arange(108_775, 960_000), len(sizes), replace=False))
    kinds = catalogue.kinds(len(sizes), rng)
    rows = []
    for code, kind, colours in zip(codes.tolist(), kinds, sizes, strict=True):
        rows += _product(code, kind, colours, rng)
    return pd.DataFrame(rows)


def _products(count: int, rng: np.random.Generator) -> list[int]:
    """Return how many colours each product has; `count` articles in all."""
    sizes: list[int] = []
    while sum(sizes) < count:
        drawn = rng.choice(len(COLOURS_PER_PRODUCT), p=COLOURS_PER_PRODUCT)
        sizes.append(int(drawn) + 1)
    sizes[-1] -= sum(sizes) - count
    return sizes


def _product(
    code: int, kind: str, colours: int, rng: np.random.Generator
) -> list[dict[str, object]]:
    """Return a product's rows, one a colour; they share all but colour and id."""
    garment, index = catalogue.garment(kind, rng), catalogue.index_of(kind, rng)
    price = round(catalogue.KINDS[kind].price * rng.uniform(0.6, 1.6), 5)
    # H&M's codes grow with time: a later code is a later launch, give or take
    day = 733 * (code - 420_000) / 520_000 + rng.normal(0, 60)
    shared = {"type": catalogue.KINDS[kind].type}
    shared |= {part: garment[part] for part in PARTS}
    shared |= {detail: detail in garment.details for detail in DETAILS}
    shared |= {"index": index, "launch": int(np.clip(day, -300, 700)), "price": price}

    shares = np.array([shade[0] for shade in catalogue.SHADES.values()], float)
    drawn = rng.choice(
        list(catalogue.SHADES), colours, replace=False, p=shares / shares.sum()
    )
    rows = []
    for number, colour in enumerate(drawn.tolist(), start=1):
        ids = {"item_id": f"{code:07d}{number:03d}", "product_id": f"{code:07d}"}
        rows.append(ids | {"colour": colour} | shared)
    return rows


def garment_of(row: dict) -> Garment:
    """Return the garment of one row of `articles`."""
    details = tuple(detail for detail in DETAILS if row[detail])
    return Garment(**{part: row[part] for part in PARTS}, details=details)


def planted(rows: pd.DataFrame) -> dict[str, tuple[Garment, str]]:
    """Return garment and colour of each row of `articles`, by item_id."""
    return {
        row["item_id"]: (garment_of(row), row["colour"])
        for row in rows.to_dict("records")
    }


def truth(root: Path) -> pd.DataFrame:
    """Read the planted truth that `write` left in the folder `root`.

    The rows of `articles`, details as booleans. FileNotFoundError where the folder
    holds none.
    """
    path = Path(root) / TRUTH
    if not path.is_file():
        raise FileNotFoundError(
            f"no {TRUTH} in {Path(root).name}: only a drawn wardrobe has a known truth"
        )
    rows = pd.read_csv(
        path, dtype={"item_id": str, "product_id": str}, keep_default_na=False
    )
    flags = {detail: rows[detail].astype(str) == "True" for detail in DETAILS}
    return rows.assign(**flags)


def photographed(root: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a shop's and a consumer's photo of each article, and the truth of each.

    `root` holds a wardrobe in layout "consumer2shop". Photos have the columns item_id,
    image, product_id, source; the truth, as `truth`, has a row a photo and its item_id.
    """
    photos = layouts.items(root).drop_duplicates(["product_id", "source"])
    article = photos.product_id.str[3:].astype(int) - 1  # its row in the truth
    shown = truth(root).iloc[article].reset_index(drop=True)
    item_id = (photos.product_id + "-" + photos.source).to_numpy()
    photos = photos[["image", "source"]].reset_index(drop=True)
    photos = photos.assign(item_id=item_id, product_id=shown.product_id)
    return photos, shown.assign(item_id=item_id)
