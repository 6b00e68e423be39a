"""The five caption styles by name, and the words of each that no picture shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain

import numpy as np
import pandas as pd

from wardrobe.catalogue import Garment
from wardrobe.planting import garment_of
from wardrobe.words import enchanting, plain, tailor
from wardrobe.words.phrases import PHRASES

# A pretraining corpus's, H&M's, FACAD's, DeepFashion-MultiModal's, and Thesis B's
# LLM-labelled set's.
STYLES: Mapping[str, Callable[[Garment, str, np.random.Generator], str]] = {
    "generic": plain.generic,
    "tailor": tailor.caption,
    "enchanting": enchanting.caption,
    "manual": plain.manual,
    "template": plain.template,
}
UNSEEN: Mapping[str, frozenset[str]] = {
    "generic": frozenset(),
    "tailor": tailor.UNSEEN,
    "enchanting": enchanting.UNSEEN,
    "manual": frozenset(),
    "template": frozenset(),
}


def captions(style: str, articles: pd.DataFrame, *seed: int) -> list[str]:
    """Caption each row of `planting.articles`; the n-th draws from `seed` and n."""
    write, rows = STYLES[style], articles.to_dict("records")
    return [
        write(garment_of(row), row["colour"], np.random.default_rng([*seed, n]))
        for n, row in enumerate(rows)
    ]


def invisible_lemmas(
    style: str, tagged: Callable[[list[str]], list[list[str]]]
) -> set[str]:
    """Return the lemmas of what the style says and no picture shows.

    `tagged` gives each text's lemmas. A lemma that also says something drawn is left
    out: "longer" is said with "long".
    """
    drawn: list[str] = []
    for values in PHRASES.values():
        drawn += chain(*values.values())
    added, true = tagged(sorted(UNSEEN[style])), tagged(drawn)
    return set().union(*added) - set().union(*true)


def in_all_styles(garment: Garment, colour: str, seed: int) -> dict[str, str]:
    """Write a caption in each of `STYLES`, each with a generator of that seed."""
    captions = {}
    for style, write in STYLES.items():
        captions[style] = write(garment, colour, np.random.default_rng(seed))
    return captions
