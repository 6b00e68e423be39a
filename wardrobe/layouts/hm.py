"""Write the wardrobe as H&M's Kaggle competition: three tables and shop photos."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from fashionlib.data.readers import hm
from wardrobe import catalogue, shoppers, views
from wardrobe.planting import garment_of
from wardrobe.words import STYLES

NAMES = (
    "Alva",
    "Bea",
    "Cleo",
    "Dina",
    "Elin",
    "Fia",
    "Greta",
    "Hedda",
    "Ines",
    "Juno",
    "Kaja",
    "Lova",
    "Mira",
    "Nora",
    "Olga",
    "Pia",
    "Runa",
    "Saga",
    "Tove",
    "Una",
    "Vera",
    "Wilma",
    "Ylva",
    "Zoe",
)
# Thesis B's patterns in the words of H&M's column graphical_appearance_name.
APPEARANCE = {
    "solid": (1010016, "Solid"),
    "stripe": (1010017, "Stripe"),
    "dot": (1010006, "Dot"),
    "check": (1010004, "Check"),
    "checkerboard": (1010004, "Check"),
    "argyle": (1010003, "Argyle"),
    "cable": (1010026, "Other structure"),
    "washed": (1010018, "Treatment"),
    "lettering": (1010014, "Placement print"),
    "graphic": (1010008, "Front print"),
    "pattern/jacquard": (1010022, "Jacquard"),
    "flower": (1010001, "All over pattern"),
    "animal": (1010001, "All over pattern"),
    "camouflage": (1010001, "All over pattern"),
    "other": (1010005, "Colour blocking"),
}


def write(
    root: Path,
    truth: pd.DataFrame,
    seed: int,
    interactions: pd.DataFrame,
    size: tuple[int, int] = (160, 240),
) -> None:
    """Write the three tables and one shop photo an article into the folder `root`.

    articles.csv has Kaggle's 25 columns; beside it are customers.csv,
    transactions_train.csv and images/. A few articles have no text and a few no
    picture, as at H&M. `interactions`: what `shoppers.interactions` returns.
    """
    rng = np.random.default_rng([seed, 3])
    table = pd.DataFrame([article(row, seed) for row in truth.to_dict("records")])
    count = len(truth)
    silent = rng.choice(count, min(count, max(3, round(count * 0.004))), replace=False)
    unseen = rng.choice(count, min(count, max(2, round(count * 0.003))), replace=False)
    table.loc[silent, "detail_desc"] = None
    table.to_csv(root / hm.ARTICLES, index=False)
    pictured = truth.drop(index=unseen).to_dict("records")
    for row in tqdm(pictured, desc="garments", disable=None):
        path = root / hm.IMAGES / row["item_id"][:3] / f"{row['item_id']}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        own = np.random.default_rng([seed, 1, int(row["item_id"])])
        drawn = views.flat(garment_of(row), row["colour"], own, size)
        drawn.save(path, "JPEG", quality=88)
    customers = shoppers.customers(interactions.attrs["shoppers"], seed)
    customers.to_csv(root / hm.CUSTOMERS, index=False)
    transactions = shoppers.transactions(interactions, truth, seed)
    transactions.to_csv(root / hm.TRANSACTIONS, index=False)


def article(row: dict, seed: int) -> dict[str, object]:
    """Return an article's row of articles.csv: Kaggle's 25 columns in its order."""
    product = int(row["product_id"])
    rng = np.random.default_rng([seed, 2, product])  # colours of a product share a text
    text = STYLES["tailor"](garment_of(row), row["colour"], rng)
    number, group, garment_group, department = catalogue.TYPES[row["type"]]
    appearance = APPEARANCE[row["pattern"]]
    _, colour, value, master = catalogue.SHADES[row["colour"]]
    index_name, index_group, section = catalogue.INDICES[row["index"]]
    name = f"{NAMES[product % len(NAMES)]} {row['subcategory']}"
    return {
        "article_id": row["item_id"],
        "product_code": product,
        "prod_name": name,
        "product_type_no": number,
        "product_type_name": row["type"],
        "product_group_name": group,
        "graphical_appearance_no": appearance[0],
        "graphical_appearance_name": appearance[1],
        "colour_group_code": colour[0],
        "colour_group_name": colour[1],
        "perceived_colour_value_id": value[0],
        "perceived_colour_value_name": value[1],
        "perceived_colour_master_id": master[0],
        "perceived_colour_master_name": master[1],
        "department_no": department[0],
        "department_name": department[1],
        "index_code": row["index"],
        "index_name": index_name,
        "index_group_no": index_group[0],
        "index_group_name": index_group[1],
        "section_no": section[0],
        "section_name": section[1],
        "garment_group_no": garment_group[0],
        "garment_group_name": garment_group[1],
        "detail_desc": text,
    }
