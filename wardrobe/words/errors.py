"""Find what a caption says wrongly of an article whose truth is known.

There are error types, one row a caption. What a caption says, and what is true, is as
in `judge`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

import pandas as pd

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
RUN = 4  # words that stand twice in no true caption


def family(kind: str) -> str:
    """Return what a subcategory is like.

    Its category; for an accessory hats, shoes or itself alone.
    """
    category = CATEGORY_OF.get(kind, ACCESSORY)
    return FAMILIES.get(kind, kind) if category == ACCESSORY else category


def over_generated(caption: str, longest: int | None = None) -> bool:
    """Return whether the caption doesn't stop when all is said.

    A sentence of it or a run of four words comes twice, a run of one to three words
    comes three times on end, or it has more than `longest` words (say, of any training
    caption).
    """
    parts = re.split(r"[.!?\n]+", caption.lower())
    sentences = [" ".join(re.findall(r"\w+", part)) for part in parts]
    words = re.findall(r"\w+", caption.lower())
    runs = Counter(zip(*(words[k:] for k in range(RUN)), strict=False))
    repeats = Counter(filter(None, sentences)) + runs
    twice = max(repeats.values(), default=0) > 1
    stuck = re.search(r"\b(\w+(?: \w+){0,2}) \1 \1\b", " ".join(words))
    return twice or bool(stuck) or (longest is not None and len(words) > longest)


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
    for a shirt). other_garment: it is of another family. over_generation: see
    `over_generated`. A caption may have several. KeyError for a caption whose article
    is not given.
    """
    rows = {}
    for item, caption in captions.items():
        wrong = faults(caption, articles[item])
        row = {kind: not wrong.keys().isdisjoint(TYPES[kind]) for kind in TYPES}
        named = wrong.get("garment", frozenset())
        meant = {family(kind) for kind, names in NAMES.items() if named & names}
        near = family(articles[item][0].subcategory) in meant
        rows[item] = row | {
            "look_alike": near,
            "other_garment": bool(meant) and not near,
            "over_generation": over_generated(caption, longest),
        }
    table = pd.DataFrame.from_dict(
        rows, orient="index", columns=list(ERRORS), dtype=bool
    )
    return table.rename_axis("item_id")
