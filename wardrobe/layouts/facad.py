"""The wardrobe in FACAD's preprocessed layout: several pictures and one enchanting
caption a product.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from tqdm import tqdm

from fashionlib.data.readers.facad_files import METADATA, NO_WORD
from fashionlib.labelling.attribute_schema import NONE
from wardrobe import PARTS, garment_of, views
from wardrobe.words import STYLES

SHARES = {
    "TRAIN": 0.8,
    "VAL": 0.1,
    "TEST": 0.1,
}  # of products, as the authors split at first
PAD, UNKNOWN, START, END = FILLERS = {
    "<pad>": 0,
    "<unk>": 15804,
    "<start>": 15805,
    "<end>": 15806,
}


@dataclass(frozen=True)
class Entry:
    """A product: its rows of the truth, its metadata without numbers, and its
    attributes word for word.
    """

    rows: list[dict]
    text: str
    attributes: list[str]

    @property
    def words(self) -> list[str]:
        return re.findall(r"[a-z0-9]+", self.text.lower())


def write(
    root: Path, truth: pd.DataFrame, seed: int, size: tuple[int, int] = (256, 256)
) -> None:
    """Pictures, captions, caption lengths, categories and attributes of each split,
    WORDMAP.json and the metadata.

    A product has, per colour, a shop photo and one on a person, and a detail of its
    first colour. Like the authors' file, TEST_ATTRS.json is wrong: each product has the
    attributes of the product before it.
    """
    products = [
        _entry(rows.to_dict("records"), seed)
        for _, rows in truth.groupby("product_id", sort=False)
    ]
    categories = sorted({product.rows[0]["subcategory"] for product in products})
    numbers = {
        word: n
        for n, word in enumerate(
            sorted({NO_WORD}.union(*(p.words for p in products))), start=1
        )
    }
    (root / "WORDMAP.json").write_text(json.dumps(numbers | FILLERS))
    (root / METADATA).write_text(json.dumps(_metadata(products, categories)))
    order = np.random.default_rng([seed, 4]).permutation(len(products))
    ends = np.round(np.cumsum(list(SHARES.values())) * len(products)).astype(int)
    for prefix, chosen in zip(SHARES, np.split(order, ends[:-1]), strict=True):
        rows = np.sort(chosen)
        attributes = [products[row - (prefix == "TEST")].attributes for row in rows]
        if len(rows):
            _write_part(
                root,
                prefix,
                [products[row] for row in rows],
                attributes,
                categories,
                numbers,
                seed,
                size,
            )


def _entry(rows: list[dict], seed: int) -> Entry:
    garment = garment_of(rows[0])
    rng = np.random.default_rng([seed, 5, int(rows[0]["product_id"])])
    product = Entry(rows, STYLES["enchanting"](garment, rows[0]["colour"], rng), [])
    values = [garment[part] for part in PARTS if part != "motif"] + list(
        garment.details
    )
    true = set(re.findall(r"[a-z0-9]+", " ".join(values))) - {NONE, "normal", "other"}
    product.attributes.extend(
        word if word in true else NO_WORD for word in product.words
    )
    return product


def _write_part(
    root: Path,
    prefix: str,
    products: list[Entry],
    attributes: list[list[str]],
    categories: list[str],
    numbers: dict[str, int],
    seed: int,
    size: tuple[int, int],
) -> None:
    pictures = [2 * len(product.rows) + 1 for product in products]
    captions = [
        [FILLERS["<start>"], *(numbers[w] for w in p.words), FILLERS["<end>"]]
        for p in products
    ]
    longest = max(map(len, captions))
    lists = {
        "CAPTIONS": [
            ids + [FILLERS["<pad>"]] * (longest - len(ids)) for ids in captions
        ],
        "CAPLENS": list(map(len, captions)),
        "ATTRS": [[numbers[word] for word in words] for words in attributes],
        "CATES": [
            categories.index(product.rows[0]["subcategory"]) for product in products
        ],
    }
    for kind, rows in lists.items():
        repeated = [
            row for row, times in zip(rows, pictures, strict=True) for _ in range(times)
        ]
        (root / f"{prefix}_{kind}.json").write_text(json.dumps(repeated))
    drawn = (
        picture for product in products for picture in _pictures(product, seed, size)
    )
    _write_pictures(
        root / f"{prefix}_IMAGES.hdf5",
        tqdm(drawn, desc=prefix, total=sum(pictures), disable=None),
        size,
    )


def _pictures(
    product: Entry, seed: int, size: tuple[int, int]
) -> Iterator[Image.Image]:
    for row in product.rows:
        rng = np.random.default_rng([seed, 6, int(row["item_id"])])
        yield views.flat(garment_of(row), row["colour"], rng, size)
        yield views.consumer(garment_of(row), row["colour"], rng, size)[0]
    first = product.rows[0]
    yield views.detail(garment_of(first), first["colour"], rng, size)


def _write_pictures(path: Path, pictures: tqdm, size: tuple[int, int]) -> None:
    import h5py

    shape = (3, size[1], size[0])
    with h5py.File(path, "w") as file:
        rows = file.create_dataset(
            "images",
            (pictures.total, *shape),
            np.uint8,
            chunks=(1, *shape),
            compression="gzip",
        )
        for n, picture in enumerate(pictures):
            rows[n] = np.moveaxis(np.asarray(picture.convert("RGB")), -1, 0)


def _metadata(products: list[Entry], categories: list[str]) -> list[dict]:
    """One entry a product with the authors' nine keys; its addresses lead nowhere."""
    known = sorted(
        {word for product in products for word in product.attributes} - {NO_WORD}
    )
    numbers = {word: n for n, word in enumerate([NO_WORD, *known])}
    return [
        {
            "id": int(first["product_id"]),
            "images": [
                {
                    "color": row["colour"],
                    **{
                        str(n): f"https://wardrobe.invalid/{row['item_id']}/{n}.jpeg"
                        for n in range(2)
                    },
                }
                for row in product.rows
            ],
            "title": f"{first['pattern']} {first['subcategory']}",
            "description": " ".join(product.words),
            "detail_info": product.text,
            "categoryid": categories.index(first["subcategory"]),
            "category": first["subcategory"],
            "attr": product.attributes,
            "attrid": [numbers[word] for word in product.attributes],
        }
        for product in products
        for first in product.rows[:1]
    ]
