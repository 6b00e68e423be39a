"""Captioners, BLIP-2 and LLaVA: load, prepare batches, write captions, encode images
and texts.
"""

from fashionlib.captioning.captioners import memory
from fashionlib.captioning.captioners.caches import encode, resized, without_tower
from fashionlib.captioning.captioners.captioner import (
    Captioner,
    padded,
    tokens,
)
from fashionlib.captioning.captioners.checkpoints import (
    base_of,
    load,
    merged,
    precision,
    save,
)
from fashionlib.captioning.captioners.contrast import (
    embed_images,
    embed_texts,
    with_text,
)
from fashionlib.captioning.captioners.generation import generate, mini, queries, seen
from fashionlib.captioning.captioners.minis import MINIS, Grid, Size, Vit

__all__ = [
    "MINIS",
    "Captioner",
    "Grid",
    "Size",
    "Vit",
    "base_of",
    "embed_images",
    "embed_texts",
    "encode",
    "generate",
    "load",
    "memory",
    "merged",
    "padded",
    "precision",
    "queries",
    "resized",
    "save",
    "seen",
    "tokens",
    "mini",
    "with_text",
    "without_tower",
]
