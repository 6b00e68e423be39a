"""Recommenders, ranking metrics and the comparison of models."""

from fashionlib.recommending.baselines import MostPop, Random, Repeat
from fashionlib.recommending.comparison import (
    Comparison,
    Model,
    against,
    compare,
    evaluate,
    paired,
    summary,
)
from fashionlib.recommending.neighbours import ItemKNN, UserKNN

__all__ = [
    "Comparison",
    "ItemKNN",
    "Model",
    "MostPop",
    "Random",
    "Repeat",
    "UserKNN",
    "against",
    "compare",
    "evaluate",
    "paired",
    "summary",
]
