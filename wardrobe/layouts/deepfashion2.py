"""Write the wardrobe as DeepFashion2: a pair is a product, its styles are its colours.

Each photo shows one garment. Accessories are left out. `landmarks` are empty and
`segmentation` is the box, as no reader here reads them; `scale` is the box's share of
the picture (under 10 %, under 40 %, more), as the real one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from tqdm import tqdm

from fashionlib.data.items import TRAIN, VALIDATION
from fashionlib.data.readers import deepfashion2
from wardrobe import views
from wardrobe.catalogue import ACCESSORY
from wardrobe.layouts.dfmm import OUTERWEAR
from wardrobe.planting import garment_of

TRAIN_SHARE = 0.7
STYLELESS = 0.15  # share of user photos whose garment the annotators matched with none
TOPS = {"short": "short sleeve top", "long": "long sleeve top"}
OUTER = {"short": "short sleeve outwear", "long": "long sleeve outwear"}
DRESSES = {"short": "short sleeve dress", "long": "long sleeve dress"}
Shot = tuple[str, int, Image.Image, tuple[int, ...]]  # source, style, picture, box


def write(
    root: Path, truth: pd.DataFrame, seed: int, size: tuple[int, int] = (160, 240)
) -> None:
    """Write train/ and validation/ into the folder `root`.

    Each article has a flat shop photo and one or two users' photos. Pairs and images
    count from 1 in each split, as in the real data; a product is in one split. A few
    users' garments have style 0. The box of a shop photo is the whole picture.
    """
    for split in deepfashion2.SPLITS:
        for folder in (deepfashion2.ANNOTATIONS, deepfashion2.IMAGES):
            (root / split / folder).mkdir(parents=True)
    images = dict.fromkeys(deepfashion2.SPLITS, 0)
    pairs = dict.fromkeys(deepfashion2.SPLITS, 0)
    products = truth[truth["category"] != ACCESSORY].groupby("product_id", sort=False)
    bar = tqdm(products, desc="products", total=products.ngroups, disable=None)
    for product, colours in bar:
        rng = np.random.default_rng([seed, 9, int(product)])
        split = TRAIN if rng.random() < TRAIN_SHARE else VALIDATION
        pairs[split] += 1
        for row in colours.to_dict("records"):
            for shot in _shoot(row, rng, size):
                images[split] += 1
                stem = f"{images[split]:06d}"
                _save(root / split, stem, pairs[split], category(row), shot)


def category(row: dict[str, Any]) -> str:
    """Return which of the dataset's 13 categories a row of the truth is.

    Straps without sleeves are its "sling".
    """
    kind, sleeve = row["subcategory"], row["sleeve_length"]
    bare = "sling" if row["neckline"] == "halter" else "vest"
    if row["category"] == "dress":
        return DRESSES.get(sleeve, f"{bare} dress")
    if row["category"] == "top":
        outer = kind == "cardigan" or kind in OUTERWEAR
        return (OUTER if outer else TOPS).get(sleeve, bare)
    if row["category"] == "skirt":
        return "skirt"
    return "shorts" if kind in ("shorts", "bermuda pants") else "trousers"


def _shoot(
    row: dict[str, Any], rng: np.random.Generator, size: tuple[int, int]
) -> list[Shot]:
    garment, colour, style = garment_of(row), row["colour"], int(row["item_id"][7:])
    shots = [("shop", style, views.flat(garment, colour, rng, size), (0, 0, *size))]
    for _ in range(1 + int(rng.integers(2))):
        matched = rng.random() >= STYLELESS
        image, box = views.consumer(garment, colour, rng, size)
        shots.append(("user", style if matched else 0, image, box))
    return shots


def _save(folder: Path, stem: str, pair: int, name: str, shot: Shot) -> None:
    source, style, image, box = shot
    left, upper, right, lower = map(int, box)
    share = (right - left) * (lower - upper) / (image.width * image.height)
    touching = left == 0 or upper == 0 or right == image.width or lower == image.height
    cut = source == "user" and touching
    garment = {
        "segmentation": [[left, upper, right, upper, right, lower, left, lower]],
        "scale": 1 + (share >= 0.1) + (share >= 0.4),
        "viewpoint": 1 if source == "shop" else 2,
        "zoom_in": 2 if cut else 1,
        "landmarks": [],
        "style": style,
        "bounding_box": [left, upper, right, lower],
        "category_id": deepfashion2.CATEGORIES.index(name) + 1,
        "occlusion": 1,
        "category_name": name,
    }
    image.save(folder / deepfashion2.IMAGES / f"{stem}.jpg", "JPEG", quality=88)
    content = json.dumps({"source": source, "pair_id": pair, "item1": garment})
    (folder / deepfashion2.ANNOTATIONS / f"{stem}.json").write_text(
        content, encoding="utf-8"
    )
