"""The embedded wardrobe: drawn garments, tailor's captions and shoppers with tastes, written in H&M's own layout.

Everything in it is made up. It lets the book run without H&M's data and plants a truth that tests can look for; no
number measured on it may stand for the papers'.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from fashionlib import runs
from fashionlib.datasets import hm
from fashionlib.wardrobe import catalogue, garments, shoppers, words
from fashionlib.wardrobe.draw import SHEET

TRUTH = "truth.csv"
NAMES = ("Alva", "Bea", "Cleo", "Dina", "Elin", "Fia", "Greta", "Hedda", "Ines", "Juno", "Kaja", "Lova", "Mira", "Nora",
         "Olga", "Pia", "Runa", "Saga", "Tove", "Una", "Vera", "Wilma", "Ylva", "Zoe")  # fmt: skip
COLOURS_PER_PRODUCT = (0.42, 0.22, 0.14, 0.09, 0.06, 0.04, 0.03)  # one, two, ... seven


def write(
    root: Path, items: int = 2400, shoppers: int = 1500, seed: int = 0, size: tuple[int, int] = SHEET
) -> pd.DataFrame:
    """Draw a wardrobe into the folder `root` and return its planted truth (also in truth.csv), one row per article.

    Writes articles.csv (Kaggle's 25 columns), customers.csv, transactions_train.csv, images/ (JPEG, `size` = width and
    height in pixels), truth.csv and the marker WARDROBE. The same arguments give the same bytes. The folder appears
    when it is complete and replaces an older wardrobe there. ValueError when `root` holds anything else.
    """
    root = Path(root)
    if items < 1 or shoppers < 0:
        raise ValueError(f"a wardrobe needs at least 1 item and 0 shoppers, not {items} and {shoppers}")
    if root.exists() and not hm.is_synthetic(root) and (not root.is_dir() or any(root.iterdir())):
        raise ValueError(f"{root} exists and is not a wardrobe; name a new or empty folder")
    truth, articles = _articles(items, np.random.default_rng([seed, 0]))
    with runs.atomic(root) as part:
        part.mkdir()
        articles.to_csv(part / hm.ARTICLES, index=False)
        truth.to_csv(part / TRUTH, index=False)
        _draw(truth, part / hm.IMAGES, seed, size)
        _shop(truth, shoppers, seed, part)
        made = f"{items} items, {shoppers} shoppers, seed {seed}"
        (part / hm.MARKER).write_text(f"Synthetic: drawn by `fashionlib wardrobe` with {made}. Not H&M's data.\n")
    return truth


def _articles(count: int, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The planted truth and the article table, row by row the same articles, in order of id."""
    sizes: list[int] = []
    while sum(sizes) < count:
        sizes.append(int(rng.choice(len(COLOURS_PER_PRODUCT), p=COLOURS_PER_PRODUCT)) + 1)
    sizes[-1] -= sum(sizes) - count
    codes = np.sort(rng.choice(np.arange(108_775, 960_000), len(sizes), replace=False))
    shares = np.array([shade[0] for shade in catalogue.SHADES.values()], float)
    truth, articles = [], []
    for code, kind, colours in zip(codes.tolist(), catalogue.types(len(sizes), rng), sizes, strict=True):
        product, index = catalogue.product(kind, rng), catalogue.index_of(kind, rng)
        text, name = words.caption(product, rng), f"{NAMES[int(rng.integers(len(NAMES)))]} {words.NOUNS[kind][0]}"
        price = round(catalogue.KINDS[kind].price * rng.uniform(0.6, 1.6), 5)
        launch = int(np.clip(733 * (code - 420_000) / 520_000 + rng.normal(0, 60), -300, 700))
        drawn = rng.choice(list(catalogue.SHADES), colours, replace=False, p=shares / shares.sum())
        for number, colour in enumerate(drawn.tolist(), start=1):
            item = f"{code:07d}{number:03d}"
            truth.append({"item_id": item, "colour": colour, **vars(product), "launch": launch, "price": price})
            articles.append(_row(item, name, product, colour, index, text))
    planted, table = pd.DataFrame(truth), pd.DataFrame(articles)
    silent = rng.choice(count, min(count, max(3, round(count * 0.004))), replace=False)
    table.loc[silent, "detail_desc"] = None
    planted["has_caption"] = table["detail_desc"].notna()
    planted["has_image"] = True
    planted.loc[rng.choice(count, min(count, max(2, round(count * 0.003))), replace=False), "has_image"] = False
    return planted, table


def _row(item: str, name: str, product: catalogue.Product, colour: str, index: str, text: str) -> dict[str, object]:
    """One row of articles.csv: Kaggle's 25 columns in Kaggle's order."""
    kind = catalogue.KINDS[product.type]
    appearance = catalogue.APPEARANCE[product.pattern]
    _, group, value, master = catalogue.SHADES[colour]
    index_name, index_group, section = catalogue.INDICES[index]
    return {
        "article_id": item, "product_code": int(item[:7]), "prod_name": name,
        "product_type_no": kind.number, "product_type_name": product.type, "product_group_name": kind.group,
        "graphical_appearance_no": appearance[0], "graphical_appearance_name": appearance[1],
        "colour_group_code": group[0], "colour_group_name": group[1],
        "perceived_colour_value_id": value[0], "perceived_colour_value_name": value[1],
        "perceived_colour_master_id": master[0], "perceived_colour_master_name": master[1],
        "department_no": kind.department[0], "department_name": kind.department[1],
        "index_code": index, "index_name": index_name,
        "index_group_no": index_group[0], "index_group_name": index_group[1],
        "section_no": section[0], "section_name": section[1],
        "garment_group_no": kind.garment_group[0], "garment_group_name": kind.garment_group[1], "detail_desc": text,
    }  # fmt: skip


def _draw(truth: pd.DataFrame, folder: Path, seed: int, size: tuple[int, int]) -> None:
    parts = list(catalogue.Product.__dataclass_fields__)
    folder.mkdir()
    for row in tqdm(truth.to_dict("records"), desc="garments", disable=None):
        if row["has_image"]:
            product = catalogue.Product(**{part: row[part] for part in parts})
            rng = np.random.default_rng([seed, 1, int(row["item_id"])])
            path = folder / row["item_id"][:3] / f"{row['item_id']}.jpg"
            path.parent.mkdir(exist_ok=True)
            garments.picture(product, row["colour"], rng, size).save(path, "JPEG", quality=88)


def _shop(truth: pd.DataFrame, count: int, seed: int, folder: Path) -> None:
    rng = np.random.default_rng([seed, 2])
    bought = shoppers.purchases(truth, count, rng)
    shoppers.customers(count, seed, rng).to_csv(folder / hm.CUSTOMERS, index=False)
    shoppers.table(bought, truth, seed, rng).to_csv(folder / hm.TRANSACTIONS, index=False)
