"""The embedded wardrobe: drawn garments, captions in five styles and shoppers with tastes, in the real data's layouts.

Everything in it is made up. It lets the book run without anybody's data and plants a truth that tests can look for; no
number measured on it may stand for the papers'.
"""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pandas as pd

from fashionlib.schema import DETAILS
from fashionlib.wardrobe import catalogue
from fashionlib.wardrobe.catalogue import Garment

COLOURS_PER_PRODUCT = (0.42, 0.22, 0.14, 0.09, 0.06, 0.04, 0.03)  # one, two, ... seven
PARTS = tuple(f.name for f in fields(Garment) if f.name != "details")


def articles(count: int, seed: int) -> pd.DataFrame:
    """The planted truth of `count` articles in order of id, one row each: what is drawn, and what shoppers see.

    Columns: item_id, product_id, type (H&M's product type), colour, the fields of `catalogue.Garment` but details, a
    boolean column for each of `schema.DETAILS`, index (H&M's index code), launch (day, may be negative), price (H&M's
    unit). Ids have ten digits: seven of the product, three of the colour. The same arguments give the same rows.
    """
    rng = np.random.default_rng([seed, 0])
    sizes: list[int] = []
    while sum(sizes) < count:
        sizes.append(int(rng.choice(len(COLOURS_PER_PRODUCT), p=COLOURS_PER_PRODUCT)) + 1)
    sizes[-1] -= sum(sizes) - count
    codes = np.sort(rng.choice(np.arange(108_775, 960_000), len(sizes), replace=False))
    shares = np.array([shade[0] for shade in catalogue.SHADES.values()], float)
    rows = []
    for code, kind, colours in zip(codes.tolist(), catalogue.kinds(len(sizes), rng), sizes, strict=True):
        garment, index = catalogue.garment(kind, rng), catalogue.index_of(kind, rng)
        price = round(catalogue.KINDS[kind].price * rng.uniform(0.6, 1.6), 5)
        launch = int(np.clip(733 * (code - 420_000) / 520_000 + rng.normal(0, 60), -300, 700))
        drawn = rng.choice(list(catalogue.SHADES), colours, replace=False, p=shares / shares.sum())
        for number, colour in enumerate(drawn.tolist(), start=1):
            about = {"item_id": f"{code:07d}{number:03d}", "product_id": f"{code:07d}", "colour": colour}
            about |= {"type": catalogue.KINDS[kind].type} | {part: garment[part] for part in PARTS}
            about |= {detail: detail in garment.details for detail in DETAILS}
            rows.append(about | {"index": index, "launch": launch, "price": price})
    return pd.DataFrame(rows)


def garment_of(row: dict) -> Garment:
    """The garment of one row of `articles`."""
    return Garment(**{part: row[part] for part in PARTS}, details=tuple(d for d in DETAILS if row[d]))
