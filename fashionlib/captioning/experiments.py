"""Compare training runs that differ in one thing: by CIDEr, and by a control."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from fashionlib.captioning import captioners, controls, copying, metrics

LONGEST = 60  # new tokens of a caption
OWN, ANOTHER = "CIDEr", "CIDEr, another picture"


class Captions(NamedTuple):
    """What one captioner wrote of the same items."""

    own: list[str]
    another: list[str]  # shown another item's picture
    cut: np.ndarray  # (items,) whether the first is as long as it may be


def write(captioner: captioners.Captioner, items: pd.DataFrame, seed: int) -> Captions:
    """Caption the items from their own picture, and from another item's."""
    images = items["image"].to_numpy()
    others = images[controls.shuffled(len(items), seed)]
    own = captioners.generate(captioner, images, max_new_tokens=LONGEST)
    another = captioners.generate(captioner, others, max_new_tokens=LONGEST)
    lengths = map(len, captioners.tokens(captioner.tokenizer, own))
    # the last of its tokens may be spent on the end, or on half a word
    return Captions(own, another, np.array([n >= LONGEST - 2 for n in lengths]))


def compare(runs: Mapping[str, Captions], items: pd.DataFrame) -> pd.DataFrame:
    """Score each run's captions of `items`, one row a run.

    Columns: BLEU-4, CIDEr, CIDEr with another picture (the control), category (the
    share of captions that name the item's), words (on average), cut (share).
    """
    table = pd.DataFrame(index=items.index)
    for name, captions in runs.items():
        table[name, OWN], table[name, ANOTHER] = captions.own, captions.another
    scores = copying.score(items, table, metrics.OVERLAP)
    rows = {}
    for name, captions in runs.items():
        named = controls.names_value(captions.own, items["category"], whole=False)
        rows[name] = {
            "BLEU-4": scores[name, OWN].corpus["BLEU-4"],
            OWN: scores[name, OWN].corpus["CIDEr"],
            ANOTHER: scores[name, ANOTHER].corpus["CIDEr"],
            "category": named.mean(),
            "words": np.mean([len(text.split()) for text in captions.own]),
            "cut": captions.cut.mean(),
        }
    return pd.DataFrame(rows).T
