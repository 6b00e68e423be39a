"""The synthetic wardrobe: garments, captions and shoppers, in the real data's layouts.

Everything in it is made up. It lets the book run without anybody's data and plants a
truth that tests can look for; no number measured on it may stand for the papers'.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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


def __getattr__(name: str) -> Any:  # the command starts without pandas
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    writing = import_module("wardrobe.writing")
    return getattr(writing, name, None) or getattr(writing.planting, name)
