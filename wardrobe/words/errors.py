"""Find what a caption says wrongly of an article whose truth is known.

There are error types and accuracy, one row a caption. A caption speaks of an attribute
where a phrase of `PHRASES` stands in it, and of a garment where one of `NAMES` does;
what it says is wrong where a phrase is none of those that may truly be said
(`true_phrases`). Only words of these tables are understood, and order is not: a fault
in other words is not found, and neither is a denial ("no pockets").
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache

import pandas as pd

from fashionlib.labelling.attribute_schema import DETAILS
from wardrobe.catalogue import ACCESSORY, CATEGORY_OF, KINDS, Garment
from wardrobe.words import enchanting, judge, plain, tailor
from wardrobe.words.phrases import PHRASES, true_phrases

Article = tuple[Garment, str]  # and its colour
Claims = Mapping[str, frozenset[str]]  # attribute, "garment" among them: phrases

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


def _names(kind: str) -> frozenset[str]:
    """Return what the five styles call a subcategory, and the last word of each.

    Cargo trousers are trousers, and pants are trousers too; "sleeveless" alone is an
    adjective.
    """
    shown = {
        kind,
        plain.COARSE.get(kind, kind),
        plain.WORN.get(kind, kind),
        enchanting.NOUNS.get(kind, kind),
    }
    shown |= {*tailor.NOUNS.get(kind, ())}
    names = {" ".join(re.findall("[a-z]+", name.lower())) for name in shown}
    names |= {name.split()[-1] for name in names}
    if "pants" in names:
        names.add("trousers")
    return frozenset(names - {"sleeveless"})


NAMES: Mapping[str, frozenset[str]] = {kind: _names(kind) for kind in KINDS}
LONGEST_FIRST = sorted(frozenset().union(*NAMES.values()), key=lambda n: (-len(n), n))
NAME = re.compile(rf" ({'|'.join(LONGEST_FIRST)})(?= )")


def family(kind: str) -> str:
    """Return what a subcategory is like.

    Its category; for an accessory hats, shoes or itself alone.
    """
    category = CATEGORY_OF.get(kind, ACCESSORY)
    return FAMILIES.get(kind, kind) if category == ACCESSORY else category


@lru_cache(maxsize=50_000)
def claims(caption: str) -> Claims:
    """Return the phrases of each attribute that stand in the caption.

    "garment" has the first name of a garment.
    """
    words = judge.normalise(caption)
    named = NAME.search(words)
    return {name: judge.spoken(words, name) for name in PHRASES} | {
        "garment": frozenset({named[1]} if named else ())
    }


def true(article: Article) -> dict[str, frozenset[str]]:
    """Return what may truly be said of the article.

    That is `true_phrases`, and the names of its subcategory as "garment".
    """
    return true_phrases(*article) | {"garment": NAMES[article[0].subcategory]}


def faults(caption: str, article: Article) -> dict[str, frozenset[str]]:
    """Return the phrases of the caption that are not true of the article, by attribute.

    Attributes without are left out.
    """
    allowed = true(article)
    spoken = claims(caption)
    wrong = {name: phrases - allowed[name] for name, phrases in spoken.items()}
    return {name: phrases for name, phrases in wrong.items() if phrases}


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


def accuracy(
    captions: Mapping[str, str],
    articles: Mapping[str, Article],
    references: Mapping[str, str],
) -> pd.DataFrame:
    """The true attribute accuracy of each caption (index item_id): by the planted
    truth, not the reference's words.

    `said`: attributes that it speaks of, the garment's name among them; `right`: those
    of which all it says is true; `asked`: attributes that the reference speaks of;
    `recalled`: those of them that are right. `precision` is right / said (0 where
    nothing is said), `recall` recalled / asked (1 where nothing is asked), `f` their
    harmonic mean. KeyError for a caption without article or reference.
    """
    rows = {}
    for item, caption in captions.items():
        allowed, spoken = (
            true(articles[item]),
            {name: found for name, found in claims(caption).items() if found},
        )
        right = {name for name, phrases in spoken.items() if phrases <= allowed[name]}
        asked = {name for name, phrases in claims(references[item]).items() if phrases}
        rows[item] = (len(spoken), len(right), len(asked), len(right & asked))
    table = pd.DataFrame.from_dict(
        rows, orient="index", columns=["said", "right", "asked", "recalled"], dtype=int
    )
    precision = (table.right / table.said).where(table.said > 0, 0.0)
    recall = (table.recalled / table.asked).where(table.asked > 0, 1.0)
    f = (2 * precision * recall / (precision + recall)).where(
        precision + recall > 0, 0.0
    )
    return table.assign(precision=precision, recall=recall, f=f).rename_axis("item_id")
