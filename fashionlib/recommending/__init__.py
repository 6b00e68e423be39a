"""Recommenders, ranking metrics and the comparison of models."""

from fashionlib.recommending.baselines import MostPop, Random, Repeat
from fashionlib.recommending.comparison import against, compare, paired
from fashionlib.recommending.neighbours import (
    ContentKNN,
    ItemKNN,
    UserKNN,
    in_another_order,
)

__all__ = [
    "ContentKNN",
    "ItemKNN",
    "MostPop",
    "Random",
    "Repeat",
    "UserKNN",
    "against",
    "compare",
    "in_another_order",
    "paired",
]
