"""Captions of the wardrobe's articles in five styles, each a function of the garment,
its colour and a generator.

What a caption says of the garment is true of it, and `SAID` holds the words; what it
adds that no picture shows (linings, sources of fibres, designers, occasions) is made
up, and `UNSEEN` holds those words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from wardrobe.catalogue import Garment
from wardrobe.words import enchanting as _enchanting
from wardrobe.words import tailor as _tailor
from wardrobe.words.plain import generic, manual, template
from wardrobe.words.said import SAID, said

__all__ = ["SAID", "STYLES", "UNSEEN", "said"]

# A pretraining corpus's, H&M's, FACAD's, DeepFashion-MultiModal's, and Thesis B's
# LLM-labelled set's.
STYLES: Mapping[str, Callable[[Garment, str, np.random.Generator], str]] = {
    "generic": generic,
    "tailor": _tailor.tailor,
    "enchanting": _enchanting.enchanting,
    "manual": manual,
    "template": template,
}
UNSEEN: Mapping[str, frozenset[str]] = {
    "generic": frozenset(),
    "tailor": _tailor.UNSEEN,
    "enchanting": _enchanting.UNSEEN,
    "manual": frozenset(),
    "template": frozenset(),
}
