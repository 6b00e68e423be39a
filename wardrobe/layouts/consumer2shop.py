"""Write the wardrobe as DeepFashion's consumer-to-shop benchmark.

Each article has a shop photo and consumers' photos. An item is an article, a product in
one colour: its photos all show the same. Accessories are left out; so are attributes
and landmarks, which no reader here reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from fashionlib.data.readers import consumer2shop
from wardrobe import views
from wardrobe.catalogue import ACCESSORY
from wardrobe.planting import garment_of

# Folders of the real benchmark; by subcategory, else by category.
FOLDERS: Mapping[str, str] = {
    "t-shirt": "TOPS/T_Shirt",
    "sleeveless": "TOPS/Tank_Top",
    "blouse": "TOPS/Blouse",
    "shirt": "CLOTHING/Blouse",
    "cardigan": "TOPS/Coat",
    "sweater": "TOPS/Summer_Wear",
    "sweatshirt": "TOPS/Summer_Wear",
    "shorts": "TROUSERS/Summer_Wear",
    "bermuda pants": "TROUSERS/Summer_Wear",
    "cigarette pants": "TROUSERS/Leggings",
    "top": "TOPS/Coat",
    "dress": "DRESSES/Dress",
    "pants": "TROUSERS/Pants",
    "skirt": "DRESSES/Skirt",
}
CLOTHES = {"top": 1, "pants": 2, "skirt": 2, "dress": 3}
SHARES = {"train": 0.5, "val": 0.2, "test": 0.3}


def write(
    root: Path, truth: pd.DataFrame, seed: int, size: tuple[int, int] = (160, 240)
) -> None:
    """Write Anno/, Eval/ and img/ into the folder `root`.

    Each article has a flat shop photo and one to three worn ones. Item numbers are
    those of the truth's rows, counted from 1. All colours of a product are in one
    split. The box of a shop photo is the whole picture.
    """
    pairs, boxes, products = [], [], []
    numbered = truth.assign(number=np.arange(1, len(truth) + 1))
    rows = numbered[truth["category"] != ACCESSORY].to_dict("records")
    for row in tqdm(rows, desc="garments", disable=None):
        product = f"id_{row['number']:08d}"
        kind = FOLDERS.get(row["subcategory"]) or FOLDERS[row["category"]]
        folder = f"img/{kind}/{product}"
        (root / folder).mkdir(parents=True)
        photos = _shoot(row, root / folder, seed, size)
        shop, *consumers = photos
        status = _status(row, seed)
        for name in consumers:
            pairs.append(f"{folder}/{name} {folder}/{shop} {product} {status}")
        for name, box in photos.items():
            source = 1 if name == shop else 2
            edges = " ".join(map(str, box))
            clothes = CLOTHES[row["category"]]
            boxes.append(f"{folder}/{name} {clothes} {source} {edges}")
        products.append(product)
    _write(root / consumer2shop.PARTITION, pairs, consumer2shop.PAIR_HEADER)
    _write(root / consumer2shop.BOXES, boxes, consumer2shop.BOX_HEADER)
    _write(root / consumer2shop.PRODUCTS, products)


def _shoot(
    row: dict[str, Any], folder: Path, seed: int, size: tuple[int, int]
) -> dict[str, tuple[int, ...]]:
    """Save an article's photos, the shop's first; return {file name: box}.

    The benchmark itself spells "comsumer".
    """
    garment, colour = garment_of(row), row["colour"]
    rng = np.random.default_rng([seed, 7, int(row["item_id"])])
    views.flat(garment, colour, rng, size).save(
        folder / "shop_01.jpg", "JPEG", quality=88
    )
    boxes: dict[str, tuple[int, ...]] = {"shop_01.jpg": (0, 0, *size)}
    for number in range(1, 2 + int(rng.integers(3))):
        name = f"comsumer_{number:02d}.jpg"
        image, boxes[name] = views.consumer(garment, colour, rng, size)
        image.save(folder / name, "JPEG", quality=88)
    return boxes


def _status(row: dict[str, Any], seed: int) -> str:
    rng = np.random.default_rng([seed, 8, int(row["product_id"])])
    return str(rng.choice(list(SHARES), p=list(SHARES.values())))


def _write(path: Path, rows: list[str], header: str = "") -> None:
    path.parent.mkdir(exist_ok=True)
    lines = [str(len(rows)), header, *rows] if header else [str(len(rows)), *rows]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
