"""Write the wardrobe in FACAD's preprocessed layout.

A product has several pictures and one enchanting caption.
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
from wardrobe import views
from wardrobe.planting import PARTS, garment_of
from wardrobe.words import STYLES

# Of products, as the authors split at first.
SHARES = {"TRAIN": 0.8, "VAL": 0.1, "TEST": 0.1}
PAD, UNKNOWN, START, END = FILLERS = {
    "<pad>": 0,
    "<unk>": 15804,
    "<start>": 15805,
    "<end>": 15806,
}


@dataclass(frozen=True)
class Entry:
    """A product: its rows of the truth, its text, and an attribute for each word."""

    rows: list[dict]
    text: str
    attributes: list[str]

    @property
    def words(self) -> list[str]:
        """The text's words in lower case."""
        return re.findall(r"[a-z0-9]+", self.text.lower())


def write(
    root: Path, truth: pd.DataFrame, seed: int, size: tuple[int, int] = (256, 256)
) -> None:
    """Write pictures and captions of each split, WORDMAP.json and the metadata.

    Beside the captions are their lengths, categories and attributes. A product has, per
    colour, a shop photo and one on a person, and a detail of its first colour. Like the
    authors' file, TEST_ATTRS.json is wrong: each product has the attributes of the
    product before it.
    """
    groups = truth.groupby("product_id", sort=False)
    products = [_entry(rows.to_dict("records"), seed) for _, rows in groups]
    categories = sorted({product.rows[0]["subcategory"] for product in products})
    words = {NO_WORD}.union(*(product.words for product in products))
    numbers = {word: n for n, word in enumerate(sorted(words), start=1)}
    (root / "WORDMAP.json").write_text(json.dumps(numbers | FILLERS))
    (root / METADATA).write_text(json.dumps(_metadata(products, categories)))
    order = np.random.default_rng([seed, 4]).permutation(len(products))
    ends = np.round(np.cumsum(list(SHARES.values())) * len(products)).astype(int)
    for prefix, chosen in zip(SHARES, np.split(order, ends[:-1]), strict=True):
        rows = np.sort(chosen)
        attributes = [products[row - (prefix == "TEST")].attributes for row in rows]
        if not len(rows):
            continue
        part = [products[row] for row in rows]
        _write_lists(root, prefix, part, attributes, categories, numbers)
        path = root / f"{prefix}_IMAGES.hdf5"
        _write_pictures(path, part, prefix, seed, size)


def _entry(rows: list[dict], seed: int) -> Entry:
    garment = garment_of(rows[0])
    rng = np.random.default_rng([seed, 5, int(rows[0]["product_id"])])
    product = Entry(rows, STYLES["enchanting"](garment, rows[0]["colour"], rng), [])
    values = [garment[part] for part in PARTS if part != "motif"]
    values += garment.details
    true = set(re.findall(r"[a-z0-9]+", " ".join(values))) - {NONE, "normal", "other"}
    for word in product.words:
        product.attributes.append(word if word in true else NO_WORD)
    return product


def _write_lists(
    root: Path,
    prefix: str,
    products: list[Entry],
    attributes: list[list[str]],
    categories: list[str],
    numbers: dict[str, int],
) -> None:
    """Write a split's captions, lengths, attributes and categories, one a picture."""
    captions = []
    for product in products:
        words = [numbers[word] for word in product.words]
        captions.append([FILLERS["<start>"], *words, FILLERS["<end>"]])
    longest = max(map(len, captions))
    pad = [FILLERS["<pad>"]]
    kinds = [product.rows[0]["subcategory"] for product in products]
    lists = {
        "CAPTIONS": [ids + pad * (longest - len(ids)) for ids in captions],
        "CAPLENS": list(map(len, captions)),
        "ATTRS": [[numbers[word] for word in words] for words in attributes],
        "CATES": [categories.index(kind) for kind in kinds],
    }
    pictures = list(map(_pictures_of, products))
    for kind, rows in lists.items():
        repeated = []
        for row, times in zip(rows, pictures, strict=True):
            repeated += [row] * times
        (root / f"{prefix}_{kind}.json").write_text(json.dumps(repeated))


def _pictures_of(product: Entry) -> int:
    return 2 * len(product.rows) + 1


def _pictures(
    products: list[Entry], seed: int, size: tuple[int, int]
) -> Iterator[Image.Image]:
    for product in products:
        for row in product.rows:
            rng = np.random.default_rng([seed, 6, int(row["item_id"])])
            yield views.flat(garment_of(row), row["colour"], rng, size)
            yield views.consumer(garment_of(row), row["colour"], rng, size)[0]
        first = product.rows[0]
        yield views.detail(garment_of(first), first["colour"], rng, size)


def _write_pictures(
    path: Path, products: list[Entry], prefix: str, seed: int, size: tuple[int, int]
) -> None:
    import h5py

    count, shape = sum(map(_pictures_of, products)), (3, size[1], size[0])
    pictures = _pictures(products, seed, size)
    with h5py.File(path, "w") as file:
        rows = file.create_dataset(
            "images",
            (count, *shape),
            np.uint8,
            chunks=(1, *shape),
            compression="gzip",
        )
        bar = tqdm(pictures, desc=prefix, total=count, disable=None)
        for n, picture in enumerate(bar):
            rows[n] = np.moveaxis(np.asarray(picture.convert("RGB")), -1, 0)


def _metadata(products: list[Entry], categories: list[str]) -> list[dict]:
    """Return one entry a product with the authors' nine keys.

    The pictures' addresses lead nowhere.
    """
    known: set[str] = set().union(*(product.attributes for product in products))
    words = [NO_WORD, *sorted(known - {NO_WORD})]
    numbers = {word: n for n, word in enumerate(words)}
    entries = []
    for product in products:
        first = product.rows[0]
        kind = first["subcategory"]
        entries.append(
            {
                "id": int(first["product_id"]),
                "images": [_addresses(row) for row in product.rows],
                "title": f"{first['pattern']} {kind}",
                "description": " ".join(product.words),
                "detail_info": product.text,
                "categoryid": categories.index(kind),
                "category": kind,
                "attr": product.attributes,
                "attrid": [numbers[word] for word in product.attributes],
            }
        )
    return entries


def _addresses(row: dict) -> dict[str, str]:
    """Return a colour's name and the addresses of its two pictures."""
    base = f"https://wardrobe.invalid/{row['item_id']}"
    return {"color": row["colour"], "0": f"{base}/0.jpeg", "1": f"{base}/1.jpeg"}
