"""Fine-tuning: one training loop, recipes, adapters and their cards."""

from fashionlib.captioning.training.adapters import adapt, refuse_tower
from fashionlib.captioning.training.batches import mirrored, plan
from fashionlib.captioning.training.fine_tuning import train
from fashionlib.captioning.training.history import cost, curve
from fashionlib.captioning.training.recipes import (
    TARGETS,
    Lora,
    Recipe,
    recipe,
    sources,
)

__all__ = [
    "TARGETS",
    "Lora",
    "Recipe",
    "adapt",
    "cost",
    "curve",
    "mirrored",
    "plan",
    "recipe",
    "refuse_tower",
    "sources",
    "train",
]
