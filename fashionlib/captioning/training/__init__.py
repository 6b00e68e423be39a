"""Fine-tuning: one training loop, recipes, adapters and their cards."""

from fashionlib.captioning.training.batches import mirrored, plan
from fashionlib.captioning.training.fine_tuning import (
    adapt,
    cost,
    curve,
    generic_caption,
    refuse_tower,
    shuffled,
    train,
)
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
    "generic_caption",
    "mirrored",
    "plan",
    "recipe",
    "refuse_tower",
    "shuffled",
    "sources",
    "train",
]
