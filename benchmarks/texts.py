"""Captions to measure with: the wardrobe's, or those of a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import wardrobe
from wardrobe.words import STYLES


def captions(file: str, count: int) -> list[str]:
    """Return `count` captions: of a text file with one a line, or the wardrobe's.

    These are in H&M's style and FACAD's, both for every garment.
    """
    if file:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
        return [line for line in lines if line.strip()][:count]
    rows = wardrobe.articles(count // 2, seed=7).to_dict("records")
    return [
        STYLES[style](
            wardrobe.garment_of(row), row["colour"], np.random.default_rng([n, 7])
        )
        for n, row in enumerate(rows)
        for style in ("tailor", "enchanting")
    ]
