"""Captions of the wardrobe's articles in five styles, and the words that they use.

A style is a function of the garment, its colour and a generator. What a caption says of
the garment is true of it, and `PHRASES` holds the words; what it adds that no picture
shows (linings, sources of fibres, designers, occasions) is made up, and `UNSEEN` holds
those words.
"""

from wardrobe.words.phrases import PHRASES, true_phrases
from wardrobe.words.styles import (
    STYLES,
    UNSEEN,
    captions,
    in_all_styles,
    invisible_lemmas,
)

__all__ = [
    "PHRASES",
    "STYLES",
    "UNSEEN",
    "captions",
    "in_all_styles",
    "invisible_lemmas",
    "true_phrases",
]
