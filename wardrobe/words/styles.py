"""The five caption styles by name, and the words of each that no picture shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from wardrobe.catalogue import Garment
from wardrobe.words import enchanting, plain, tailor

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
