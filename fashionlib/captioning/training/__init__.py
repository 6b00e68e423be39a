"""Fine-tuning: one training loop, recipes, adapters and their cards."""

from fashionlib.captioning.training.adapters import adapt, count_weights, refuse_tower
from fashionlib.captioning.training.fine_tuning import train
from fashionlib.captioning.training.history import cost
from fashionlib.captioning.training.pretraining import pretrain, recipe_of
from fashionlib.captioning.training.recipes import (
    TARGETS,
    Lora,
    Recipe,
    recipe,
    recipes_table,
    sources,
)

__all__ = [
    "TARGETS",
    "Lora",
    "Recipe",
    "adapt",
    "cost",
    "count_weights",
    "pretrain",
    "recipe",
    "recipe_of",
    "recipes_table",
    "refuse_tower",
    "sources",
    "train",
]
