"""Captions from attributes, by templates of ours: Thesis B (section 3.3) prints none.

A record is a mapping with the keys category, subcategory, each attribute but colour (a
value of the attribute schema), colour (a list of names, the main one first) and each
detail (True or False): the labels of `records`, or a garment of the synthetic wardrobe.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from fashionlib.labelling.attribute_schema import DETAILS, NONE
from fashionlib.labelling.grammar import a, listed, pick

RIBBED = ("sleeveless", "sweater")  # of "corduroy/ribbed", theirs is the ribbed one
PATTERNS: Mapping[str, str] = {
    "solid": "plain",
    "dot": "dotted",
    "washed": "washed",
    "check": "checked",
    "cable": "cable",
    "stripe": "striped",
    "lettering": "lettering-print",
    "graphic": "graphic-print",
    "pattern/jacquard": "jacquard",
    "argyle": "argyle",
    "camouflage": "camouflage",
    "flower": "floral",
    "checkerboard": "checkerboard",
    "animal": "animal-print",
    "other": "colour-block",
}
TONES: Mapping[str, str] = {
    "normal": "",
    "vivid": "vivid",
    "pastel/light": "pastel",
    "metallic/shiny": "shiny",
}
FABRICS: Mapping[str, str] = {
    "cotton woven/tweed": "cotton tweed",
    "wool woven/tweed": "wool tweed",
    "polyester/nylon": "nylon",
    "silk/chiffon": "chiffon",
    "velvet/velveteen": "velvet",
    "down": "padded down",
}
TRIMS: Mapping[str, str] = {
    "pocket": "pockets",
    "hood": "a hood",
    "collar": "a collar",
    "see-through": "a sheer layer",
    "waist banding": "an elasticated waist",
    "string": "a drawstring",
    "ribbon": "a ribbon",
    "ruffle": "ruffles",
    "lace": "a lace trim",
    "pintuck": "pintucks",
}
KIND_TRIMS: Mapping[tuple[str, str], str] = {
    ("bag", "pocket"): "a pocket",
    ("t-shirt", "pocket"): "a pocket",
    ("shirt", "pocket"): "a pocket",
    ("boots", "string"): "laces",
    ("sneakers", "string"): "laces",
    ("pleated skirt", "pintuck"): "pleats",
    ("slacks", "pintuck"): "creases",
}

# {look}: tone, colour, pattern, length; {A_look}: the same after an article;
# {parts}: whatever else there is.
TEMPLATES: Mapping[str, tuple[str, ...]] = {
    "top": (
        "{A_look} {name} made of {cloth} with {parts}.",
        "{Look} {name} in {cloth}, featuring {parts}.",
        "This {look} {name} is made of {cloth} and has {parts}.",
    ),
    "dress": (
        "{A_look} {name} made of {cloth} with {parts}.",
        "This {look} {name} in {cloth} has {parts}.",
        "{Look} {name}, cut from {cloth}, with {parts}.",
    ),
    "pants": (
        "{Look} {name} made of {cloth} with {parts}.",
        "A pair of {look} {name} in {cloth}, with {parts}.",
        "These {look} {name} are made of {cloth} and have {parts}.",
    ),
    "skirt": (
        "{A_look} {name} made of {cloth} with {parts}.",
        "This {look} {name} in {cloth} has {parts}.",
        "{Look} {name} in {cloth}, featuring {parts}.",
    ),
    "accessory": (  # the synthetic wardrobe has bags, hats and shoes too
        "{Look} {name} made of {cloth} with {parts}.",
        "{Look} {name} in {cloth}, featuring {parts}.",
    ),
    NONE: ("{Look} {name} made of {cloth}.", "{Look} {name} in {cloth}."),
}

# H&M's columns, and what stands behind each in a caption
SHOP_COLUMNS: Mapping[str, str] = {
    "perceived_colour_value_name": "",
    "perceived_colour_master_name": "",
    "product_type_name": ",",
    "graphical_appearance_name": ",",
    "section_name": "",
}


def shop_captions(articles: pd.DataFrame) -> list[str]:
    """Caption rows of H&M's articles.csv by the shop's own columns."""
    words = {
        name: articles[name].str.lower().add(mark).fillna("")
        for name, mark in SHOP_COLUMNS.items()
    }
    return pd.DataFrame(words).agg(" ".join, axis=1).tolist()


def caption(record: Mapping[str, Any], item_id: str, seed: int = 0) -> str:
    """Write a record as one sentence; item id and seed choose the template."""
    key = f"{seed}\0{item_id}\0{record['category']}"
    digest = hashlib.sha256(key.encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    return fill(record, rng)


def fill(record: Mapping[str, Any], rng: np.random.Generator) -> str:
    """Fill one of the category's templates, drawn at random, with all attributes."""
    shade = f"{TONES[record['tone']]} {listed(record['colour'])}".strip()
    pattern = record["pattern"]
    look = f"solid {shade}" if pattern == "solid" else f"{shade} {PATTERNS[pattern]}"
    if record["total_length"] != NONE:
        look += f" {record['total_length']}-length"
    name = record["subcategory"]
    parts = sleeves(record)
    if record["neckline"] != NONE:
        parts.append(f"{a(record['neckline'])} neckline")
    if record["shoulder"] not in ("normal", NONE):
        parts.append(f"{a(record['shoulder'])} cut")
    parts += trims(record)
    template = pick(rng, TEMPLATES[record["category"] if parts else NONE])
    return template.format(
        look=look,
        Look=look.capitalize(),
        A_look=a(look).capitalize(),
        name="sleeveless top" if name == "sleeveless" else name,
        cloth=fabric(record),
        parts=listed(parts or [""]),
    )


def fabric(record: Mapping[str, Any]) -> str:
    """Return the plain name of the cloth."""
    if record["fabric"] == "corduroy/ribbed":
        return "ribbed knit" if record["subcategory"] in RIBBED else "corduroy"
    return FABRICS.get(record["fabric"], record["fabric"])


def sleeves(record: Mapping[str, Any]) -> list[str]:
    """Return the sleeves in words, as a list of one; empty where there is no word."""
    length = record["sleeve_length"]
    if length == NONE or record["subcategory"] == "sleeveless":
        return []
    return ["no sleeves" if length == "sleeveless" else f"{length} sleeves"]


def trims(record: Mapping[str, Any]) -> list[str]:
    """Return fastenings and details in plain words, each after its article."""
    above = record["category"] in ("top", "dress")
    half_zip = "a half zip" if above else "a zip fly"
    half_button = "a half button placket" if above else "a button at the waist"
    zips = {"half": half_zip, "full": "a full zip"}
    buttons = {"half": half_button, "full": "buttons down the front"}
    fastenings = [zips.get(record["zip_up"]), buttons.get(record["button"])]
    details = [
        KIND_TRIMS.get((record["subcategory"], detail), TRIMS[detail])
        for detail in DETAILS
        if record[detail]
    ]
    return [words for words in fastenings if words] + details
