"""The embedded wardrobe: drawn garments, captions in five styles and shoppers with
tastes, in the real data's layouts.

Everything in it is made up. It lets the book run without anybody's data and plants a
truth that tests can look for; no number measured on it may stand for the papers'.
"""

from __future__ import annotations

import importlib
from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd

from fashionlib.data.files import atomic
from fashionlib.data.readers import hm
from fashionlib.labelling.attribute_schema import DETAILS
from wardrobe import catalogue
from wardrobe import shoppers as people
from wardrobe.catalogue import Garment

TRUTH = "truth.csv"
LAYOUTS = ("hm", "hm_hub", "facad", "dfmm", "consumer2shop", "deepfashion2")

COLOURS_PER_PRODUCT = (0.42, 0.22, 0.14, 0.09, 0.06, 0.04, 0.03)  # one, two, ... seven
PARTS = tuple(f.name for f in fields(Garment) if f.name != "details")


def articles(count: int, seed: int) -> pd.DataFrame:
    """The planted truth of `count` articles in order of id, one row each: what is
    drawn, and what shoppers see.

    Columns: item_id, product_id, type (H&M's product type), colour, the fields of
    `catalogue.Garment` but details, a boolean column for each of `schema.DETAILS`,
    index (H&M's index code), launch (day, may be negative), price (H&M's unit). Ids
    have ten digits: seven of the product, three of the colour. The same arguments give
    the same rows.
    """
    rng = np.random.default_rng([seed, 0])
    sizes: list[int] = []
    while sum(sizes) < count:
        sizes.append(
            int(rng.choice(len(COLOURS_PER_PRODUCT), p=COLOURS_PER_PRODUCT)) + 1
        )
    sizes[-1] -= sum(sizes) - count
    codes = np.sort(rng.choice(np.arange(108_775, 960_000), len(sizes), replace=False))
    shares = np.array([shade[0] for shade in catalogue.SHADES.values()], float)
    rows = []
    for code, kind, colours in zip(
        codes.tolist(), catalogue.kinds(len(sizes), rng), sizes, strict=True
    ):
        garment, index = catalogue.garment(kind, rng), catalogue.index_of(kind, rng)
        price = round(catalogue.KINDS[kind].price * rng.uniform(0.6, 1.6), 5)
        launch = int(
            np.clip(733 * (code - 420_000) / 520_000 + rng.normal(0, 60), -300, 700)
        )
        drawn = rng.choice(
            list(catalogue.SHADES), colours, replace=False, p=shares / shares.sum()
        )
        for number, colour in enumerate(drawn.tolist(), start=1):
            about = {
                "item_id": f"{code:07d}{number:03d}",
                "product_id": f"{code:07d}",
                "colour": colour,
            }
            about |= {"type": catalogue.KINDS[kind].type} | {
                part: garment[part] for part in PARTS
            }
            about |= {detail: detail in garment.details for detail in DETAILS}
            rows.append(about | {"index": index, "launch": launch, "price": price})
    return pd.DataFrame(rows)


def garment_of(row: dict) -> Garment:
    """The garment of one row of `articles`."""
    return Garment(
        **{part: row[part] for part in PARTS},
        details=tuple(d for d in DETAILS if row[d]),
    )


def truth(root: Path) -> pd.DataFrame:
    """The planted truth that `write` left in the folder: the rows of `articles`,
    details as booleans.

    FileNotFoundError where the folder holds none.
    """
    path = Path(root) / TRUTH
    if not path.is_file():
        raise FileNotFoundError(
            f"no {TRUTH} in {Path(root).name}: only a drawn wardrobe has a known truth"
        )
    rows = pd.read_csv(
        path, dtype={"item_id": str, "product_id": str}, keep_default_na=False
    )
    return rows.assign(
        **{detail: rows[detail].astype(str) == "True" for detail in DETAILS}
    )


def write(
    root: Path,
    items: int = 2400,
    shoppers: int = 1500,
    seed: int = 0,
    layout: str = "hm",
    size: tuple[int, int] | None = None,
    **habits: float,
) -> pd.DataFrame:
    """Draw a wardrobe into the folder `root`, in one of `LAYOUTS`; returns its planted
    truth (also in truth.csv).

    `size`: width and height of the pictures in pixels (else the layout's own);
    `shoppers` and `habits` (see `shoppers.purchases`) matter to layout "hm" alone, the
    others have no purchases. The same arguments give the same bytes. The folder appears
    when it is complete, marked by a file WARDROBE, and replaces an older wardrobe
    there. ValueError for an unknown layout, or when `root` holds anything else.
    """
    root = Path(root)
    if items < 1 or shoppers < 0:
        raise ValueError(
            f"a wardrobe needs at least 1 item and 0 shoppers, not {items} and"
            f" {shoppers}"
        )
    if layout not in LAYOUTS:
        raise ValueError(f"unknown layout {layout!r}; known: {', '.join(LAYOUTS)}")
    if (
        root.exists()
        and not hm.is_synthetic(root)
        and (not root.is_dir() or any(root.iterdir()))
    ):
        raise ValueError(
            f"{root} exists and is not a wardrobe; name a new or empty folder"
        )
    writer = importlib.import_module(f"wardrobe.layouts.{layout}")
    truth = articles(items, seed)
    given = {"size": size} if size else {}
    if layout == "hm":
        given["bought"] = people.purchases(
            truth, shoppers, np.random.default_rng([seed, 2]), **habits
        )
    with atomic(root) as part:
        part.mkdir()
        writer.write(part, truth, seed, **given)
        truth.to_csv(part / TRUTH, index=False)
        made = f"{items} items, {shoppers} shoppers, seed {seed}, layout {layout}"
        (part / hm.MARKER).write_text(
            f"Synthetic: drawn by `fashionlib wardrobe` with {made}. Nobody's real"
            " data.\n"
        )
    return truth
