"""Write the wardrobe as DeepFashion-MultiModal: photos, captions and annotations.

Accessories are left out: the dataset annotates upper, lower and outer clothing alone.
What Thesis B's schema has no counterpart for is "other" (fabrics, patterns) or "NA"
(the wearer's hat, glasses, socks, ring: they aren't drawn).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from fashionlib.data.readers import dfmm
from wardrobe import views
from wardrobe.catalogue import ACCESSORY
from wardrobe.planting import garment_of
from wardrobe.words import STYLES

OUTERWEAR = (
    "vest",
    "bomber jacket",
    "varsity jacket",
    "anorak jacket",
    "blazer",
    "down jacket",
    "jacket",
    "coat",
)
WOMEN: Mapping[str, str] = {
    "t-shirt": "Tees_Tanks",
    "sleeveless": "Tees_Tanks",
    "cardigan": "Cardigans",
    "shirt": "Blouses_Shirts",
    "blouse": "Blouses_Shirts",
    "sweater": "Sweaters",
    "sweatshirt": "Sweatshirts_Hoodies",
    **dict.fromkeys(OUTERWEAR, "Jackets_Coats"),
    "jumpsuit": "Rompers_Jumpsuits",
    "overall pants": "Rompers_Jumpsuits",
    "shorts": "Shorts",
    "bermuda pants": "Shorts",
}
# The rest of WOMEN, by category of the attribute schema.
REST: Mapping[str, str] = {"dress": "Dresses", "pants": "Pants", "skirt": "Skirts"}
MEN: Mapping[str, str] = {
    "t-shirt": "Tees_Tanks",
    "sleeveless": "Tees_Tanks",
    "cardigan": "Sweaters",
    "shirt": "Shirts_Polos",
    "blouse": "Shirts_Polos",
    "sweater": "Sweaters",
    "sweatshirt": "Sweatshirts_Hoodies",
    **dict.fromkeys(OUTERWEAR, "Jackets_Vests"),
    "blazer": "Suiting",
    "shorts": "Shorts",
    "bermuda pants": "Shorts",
}

# Thesis B's values in the dataset's words.
SLEEVES = {"sleeveless": "sleeveless", "short": "short-sleeve", "long": "long-sleeve"}
LENGTHS = {
    "thigh": "three-point",
    "knee": "medium short",
    "shin": "three-quarter",
    "ankle": "long",
    "floor": "long",
}
NECKLINES = {
    "v-line": "V-shape",
    "square": "square",
    "round": "round",
    "turtle": "standing",
}
FABRICS = {
    "denim": "denim",
    "cotton": "cotton",
    "cotton woven/tweed": "cotton",
    "seersucker": "cotton",
    "leather": "leather",
    "fur": "furry",
    "fleece": "furry",
    "cotton knit": "knitted",
    "wool knit": "knitted",
    "silk/chiffon": "chiffon",
}
PATTERNS = {
    "solid": "pure color",
    "flower": "floral",
    "lettering": "graphic",
    "graphic": "graphic",
    "stripe": "striped",
    "check": "lattice",
    "checkerboard": "lattice",
    "argyle": "lattice",
}
FRONT, FULL, DETAIL = VIEWS = ("1_front", "4_full", "7_additional")


def write(
    root: Path, truth: pd.DataFrame, seed: int, size: tuple[int, int] = (160, 240)
) -> None:
    """Write captions.json, images/ and labels/ into the folder `root`.

    Each article has a flat photo, a worn one and a detail. Colours of a product share
    its id_XXXXXXXX and count NN on. Captions are short, in the style "manual". The
    detail has no line in the shape annotations (no shape is seen), as the real file
    names fewer images than the others.
    """
    captions: dict[str, str] = {}
    annotated: dict[str, list[str]] = {name: [] for name in dfmm.FILES}
    (root / dfmm.IMAGES).mkdir()
    worn = truth[truth["category"] != ACCESSORY].to_dict("records")
    for row in tqdm(worn, desc="garments", disable=None):
        words = annotation(row)
        for view in VIEWS:
            file = f"{file_stem(row)}_{view}.jpg"
            captions[file] = _shoot(row, view, seed, size, root / dfmm.IMAGES / file)
            for name in dfmm.FILES:
                if name == dfmm.SHAPES and view == DETAIL:
                    continue
                numbers = " ".join(map(str, _numbers(words, name)))
                annotated[name].append(f"{file} {numbers}\n")
    for name, lines in annotated.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("".join(lines), encoding="utf-8")
    text = json.dumps(captions, ensure_ascii=False, indent=0)
    (root / dfmm.CAPTIONS).write_text(text, encoding="utf-8")


def file_stem(row: dict[str, Any]) -> str:
    """Return GENDER-Category-id_XXXXXXXX-NN of a row of the truth."""
    group, category = group_and_category(row)
    product, colour = int(row["product_id"]), int(row["item_id"][7:])
    return f"{group}-{category}-id_{product:08d}-{colour:02d}"


def group_and_category(row: dict[str, Any]) -> tuple[str, str]:
    """Return MEN (H&M's index F) or WOMEN, and the category.

    KeyError for an accessory.
    """
    kind, category = row["subcategory"], row["category"]
    denim = category == "pants" and row["fabric"] == "denim" and WOMEN.get(kind) is None
    for_men = kind in MEN or (category == "pants" and kind not in WOMEN)
    if row["index"] == "F" and for_men:
        return "MEN", "Denim" if denim else MEN.get(kind, "Pants")
    if kind == "t-shirt" and row["pattern"] in ("lettering", "graphic"):
        return "WOMEN", "Graphic_Tees"
    return "WOMEN", "Denim" if denim else WOMEN.get(kind) or REST[category]


def annotation(row: dict[str, Any]) -> dict[str, str]:
    """Return {attribute: value in the dataset's words} of a row of the truth.

    What isn't there is "NA".
    """
    kind, category = row["subcategory"], row["category"]
    part = dfmm.PART_OF.get(group_and_category(row)[1], dfmm.UPPER)
    above = category in ("top", "dress")
    outer = kind == "cardigan" or kind in OUTERWEAR
    cardigan = "yes" if kind == "cardigan" else "no"
    covering = "no" if row["total_length"] == "belly" else "yes"
    values = {
        "sleeve length": SLEEVES.get(row["sleeve_length"]) if above else None,
        "lower clothing length": None if above else LENGTHS.get(row["total_length"]),
        "neckline": "lapel" if row["collar"] else NECKLINES.get(row["neckline"]),
        "outer clothing a cardigan?": cardigan if outer else None,
        "upper clothing covering navel": covering if above else None,
        f"{part} fabric": FABRICS.get(row["fabric"], "other"),
        f"{part} pattern": PATTERNS.get(row["pattern"], "other"),
    }
    names = chain.from_iterable(dfmm.FILES.values())
    return {name: values.get(name) or "NA" for name in names}


def _numbers(words: dict[str, str], name: str) -> list[int]:
    attributes = dfmm.FILES[name]
    return [values.index(words[attr]) for attr, values in attributes.items()]


def _shoot(
    row: dict[str, Any], view: str, seed: int, size: tuple[int, int], path: Path
) -> str:
    """Save the photo; return its caption."""
    garment, colour = garment_of(row), row["colour"]
    rng = np.random.default_rng([seed, 6, int(row["item_id"]), int(view[0])])
    if view == FRONT:
        image = views.flat(garment, colour, rng, size)
    elif view == FULL:
        image, _ = views.consumer(garment, colour, rng, size)
    else:
        image = views.detail(garment, colour, rng, size)
    image.save(path, "JPEG", quality=88)
    return STYLES["manual"](garment, colour, rng)
