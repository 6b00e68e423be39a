"""Judge what captions say of articles whose truth is known.

A caption speaks of an attribute where a phrase of `PHRASES` stands in it, and of a
garment where one of `NAMES` does; what it says is wrong where a phrase is none of those
that may truly be said. Only words of these tables are understood, and order is not: a
fault in other words is not noticed, and neither is a denial ("no pockets").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import chain

import pandas as pd

from wardrobe.catalogue import KINDS, Garment
from wardrobe.words import enchanting, plain, tailor
from wardrobe.words.phrases import PHRASES, true_phrases

Article = tuple[Garment, str]  # and its colour
Claims = Mapping[str, frozenset[str]]  # attribute, "garment" among them: phrases
COUNTS = ["said", "right", "asked", "recalled"]
# Said truly without being seen on the garment: a seam's zip, and the wall behind it.
ASIDE = re.compile(
    r" concealed zip | (?:on|against) (?:a )?white (?:background )?| sweatshirt fabric "
)


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


def normalise(caption: str) -> str:
    """Return the caption in lower case, a space around each word and hyphens as spaces.

    What `ASIDE` names is left out.
    """
    return ASIDE.sub(" ", f" {' '.join(re.findall('[a-z]+', caption.lower()))} ")


def spoken(caption: str, attribute: str) -> frozenset[str]:
    """Return the phrases of this attribute that stand in the caption as whole words."""
    words = normalise(caption)
    known = chain(*PHRASES[attribute].values())
    return frozenset(phrase for phrase in known if f" {phrase} " in words)


@lru_cache(maxsize=50_000)
def claims(caption: str) -> Claims:
    """Return the phrases of each attribute that stand in the caption.

    "garment" has the first name of a garment.
    """
    words = normalise(caption)
    named = NAME.search(words)
    return {name: spoken(words, name) for name in PHRASES} | {
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


def agreement(caption: str, reference: str) -> float:
    """Score how far caption and reference claim the same, from 0 to 1.

    Twice the attributes about which both say a phrase in common, over all that either
    speaks of.
    """
    said, asked = claims(caption), claims(reference)
    both = sum(not said[name].isdisjoint(asked[name]) for name in asked)
    spoken_of = sum(map(bool, said.values())) + sum(map(bool, asked.values()))
    return 2 * both / spoken_of


def accuracy(
    captions: Mapping[str, str],
    truth: Mapping[str, Claims],
    references: Mapping[str, str],
) -> pd.DataFrame:
    """Return how far each caption is right (index item_id), by `truth` of its item.

    `said`: attributes that it speaks of, the garment's name among them; `right`: those
    of which all it says is true; `asked`: attributes that the reference speaks of;
    `recalled`: those of them that are right. `precision` is right / said (0 where
    nothing is said), `recall` recalled / asked (1 where nothing is asked), `f` their
    harmonic mean. Attributes without truth (of `true`, or of `true_phrases` where the
    garment doesn't count) are not judged. KeyError for a caption without truth or
    reference.
    """
    table = (
        _judged(captions, truth, references)
        .groupby("item_id", sort=False)[COUNTS]
        .sum()
    )
    precision = (table.right / table.said).fillna(0.0)
    recall = (table.recalled / table.asked).fillna(1.0)
    f = (2 * precision * recall / (precision + recall)).fillna(0.0)
    return table.assign(precision=precision, recall=recall, f=f)


def accuracy_by_attribute(
    captions: Mapping[str, str],
    truth: Mapping[str, Claims],
    references: Mapping[str, str],
) -> pd.DataFrame:
    """Return how far captions are right about each attribute; `truth` as in `accuracy`.

    `said`: captions that speak of it; `right`: the share of those that say something
    true, and nothing false; `recalled`: of the items whose reference speaks of it, the
    share whose caption says it right. A share of nothing is missing.
    """
    table = (
        _judged(captions, truth, references)
        .groupby("attribute", sort=False)[COUNTS]
        .sum()
    )
    return pd.DataFrame(
        {
            "said": table.said,
            "right": table.right / table.said,
            "recalled": table.recalled / table.asked,
        }
    )


def _judged(
    captions: Mapping[str, str],
    truth: Mapping[str, Claims],
    references: Mapping[str, str],
) -> pd.DataFrame:
    """Judge each caption on each attribute: 0 or 1 in each column of COUNTS."""
    rows = []
    for item, caption in captions.items():
        asked_for = claims(references[item])
        for attribute, phrases in claims(caption).items():
            if attribute not in truth[item]:
                continue
            said, asked = bool(phrases), bool(asked_for[attribute])
            right = said and phrases <= truth[item][attribute]
            rows.append((item, attribute, said, right, asked, right and asked))
    table = pd.DataFrame(rows, columns=["item_id", "attribute", *COUNTS])
    return table.astype(dict.fromkeys(COUNTS, int))
