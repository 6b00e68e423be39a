"""The synthetic wardrobe: garments, captions and shoppers, in the real data's layouts.

Everything in it is made up. It lets the book run without anybody's data and plants a
truth that tests can look for; no number measured on it may stand for the papers'.
"""

from wardrobe.planting import (
    PARTS,
    TRUTH,
    articles,
    garment_of,
    photographed,
    planted,
    truth,
)
from wardrobe.writing import LAYOUTS, write

__all__ = [
    "LAYOUTS",
    "PARTS",
    "TRUTH",
    "articles",
    "garment_of",
    "photographed",
    "planted",
    "truth",
    "write",
]
