"""Find what a caption says wrongly of an article whose truth is known.

There are error types, one row a caption. What a caption says, and what is true, is as
in `judge`.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from fashionlib.captioning.faults import repeats
from fashionlib.labelling.attribute_schema import DETAILS
from wardrobe.catalogue import ACCESSORY, CATEGORY_OF
from wardrobe.words.judge import NAMES, Article, faults

# error type -> the attributes whose faults it counts; each in one type
TYPES: Mapping[str, tuple[str, ...]] = {
    "material": ("fabric",),
    "size": ("total_length", "sleeve_length"),
    "colour": ("colour", "tone"),
    "cut": ("neckline", "shoulder", "fit"),
    "hallucination": ("pattern", "zip_up", "button", *DETAILS),
}
ERRORS = (*TYPES, "look_alike", "other_garment", "over_generation")
# other accessories are like no other
FAMILIES = {"beanie": "hat", "cap": "hat", "boots": "shoe", "sneakers": "shoe"}


def family(kind: str) -> str:
    """Return what a subcategory is like.

    Its category; for an accessory hats, shoes or itself alone.
    """
    category = CATEGORY_OF.get(kind, ACCESSORY)
    return FAMILIES.get(kind, kind) if category == ACCESSORY else category


def count(
    captions: Mapping[str, str],
    articles: Mapping[str, Article],
    longest: int | None = None,
) -> pd.DataFrame:
    """Return the error types of each caption: one row a caption (index item_id).

    A boolean column for each of `ERRORS`, True where the caption has one. material: a
    fabric that is not the article's. size: a length or sleeve length that is not.
    colour: a colour or tone that is not. cut: a neckline, shoulder or fit that is not.
    hallucination: a pattern ("plain" is one), a fastening or a detail that it doesn't
    have. look_alike: the first garment named is another of the same `family` (a blouse
    for a shirt). other_garment: it is of another family. over_generation: it
    `repeats` itself, or has more than `longest` words (say, of any training caption). A
    caption may have several. KeyError for a caption whose article is not given.
    """
    rows = {}
    for item, caption in captions.items():
        wrong = faults(caption, articles[item])
        row = {kind: not wrong.keys().isdisjoint(TYPES[kind]) for kind in TYPES}
        named = wrong.get("garment", frozenset())
        meant = {family(kind) for kind, names in NAMES.items() if named & names}
        near = family(articles[item][0].subcategory) in meant
        too_long = longest is not None and len(caption.split()) > longest
        rows[item] = row | {
            "look_alike": near,
            "other_garment": bool(meant) and not near,
            "over_generation": repeats(caption) or too_long,
        }
    table = pd.DataFrame.from_dict(
        rows, orient="index", columns=list(ERRORS), dtype=bool
    )
    return table.rename_axis("item_id")
