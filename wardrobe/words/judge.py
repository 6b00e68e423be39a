"""How often a caption is right about each attribute, against the planted truth."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import chain

import pandas as pd

from wardrobe.words.phrases import PHRASES

# Said truly without being seen on the garment: a seam's zip, and the wall behind it.
ASIDE = re.compile(
    r" concealed zip | (?:on|against) (?:a )?white (?:background )?| sweatshirt fabric "
)


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


def accuracy(
    captions: Mapping[str, str],
    truth: Mapping[str, Mapping[str, frozenset[str]]],
    references: Mapping[str, str],
) -> pd.DataFrame:
    """One row an attribute: `said` (captions that speak of it), `right` (share of those
    that say something true, and nothing false) and `recalled` (of the items whose
    reference speaks of it, the share whose caption says it right).

    `truth` maps an item to what may truly be said of it (`words.true_phrases`). A share of
    nothing is missing.
    """
    found = {
        name: {"said": 0, "right": 0, "asked": 0, "recalled": 0} for name in PHRASES
    }
    for item, caption in captions.items():
        for name, counts in found.items():
            said, asked = spoken(caption, name), bool(spoken(references[item], name))
            right = bool(said) and said <= truth[item][name]
            counts["said"] += bool(said)
            counts["right"] += right
            counts["asked"] += asked
            counts["recalled"] += asked and right
    table = pd.DataFrame(found).T
    shares = {
        "right": table.right / table.said.where(table.said > 0),
        "recalled": table.recalled / table.asked.where(table.asked > 0),
    }
    return table[["said"]].assign(**shares).astype({"said": int})
