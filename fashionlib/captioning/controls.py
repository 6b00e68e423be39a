"""What a captioner is compared with: a generic caption, another article's picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

PATTERNS = {  # H&M's name: an adjective
    "stripe": "striped",
    "dot": "dotted",
    "check": "checked",
    "all over pattern": "patterned",
    "placement print": "printed",
    "embroidery": "embroidered",
}
UNSAID = ("solid", "unknown", "undefined")


def generic_caption(row: Mapping[str, Any]) -> str:
    """Return "a photo of a red striped dress", as a general captioner might write.

    It is made from an items row's colour, pattern and category. Solid and "other"
    patterns, and unknown values, are left out; a plural category has no article.
    """
    pattern = _word(row, "pattern")
    category = _word(row, "category") or "garment"
    words = [_word(row, "colour"), PATTERNS.get(pattern, pattern), category]
    thing = " ".join(word for word in words if word)
    if thing.endswith("s") and not thing.endswith("ss"):
        return f"a photo of {thing}"
    return f"a photo of {'an' if thing[0] in 'aeiou' else 'a'} {thing}"


def _word(row: Mapping[str, Any], column: str) -> str:
    value = row.get(column)
    word = str(value).strip().lower() if pd.notna(value) else ""
    return "" if word in UNSAID or word.startswith("other") else word


def names_value(
    captions: Sequence[str], values: Sequence[Any], whole: bool = True
) -> np.ndarray:
    """Return whether each caption names its item's value (items,), e.g. its colour.

    Case is ignored. A `whole` value stands between spaces; else a part of a word will
    do.
    """
    edge = " " if whole else ""
    return np.array(
        [
            f"{edge}{str(value).lower()}{edge}" in f" {caption.lower()} "
            for caption, value in zip(captions, values, strict=True)
        ]
    )


def shuffled(n: int, seed: int) -> np.ndarray:
    """Return a random permutation of n rows without fixed points: one cycle.

    It deals each item another's image, or another's caption.
    """
    if n < 2:
        raise ValueError(
            f"{n} items can't be shuffled so that each meets another; give at least 2"
        )
    order = np.random.default_rng(seed).permutation(n)
    other = np.empty(n, dtype=np.int64)
    other[order] = np.roll(order, 1)
    return other
