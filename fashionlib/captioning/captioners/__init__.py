"""Captioners, BLIP-2 and LLaVA: load them, write captions, encode images and texts."""

from fashionlib.captioning.captioners.caches import cache_vision, without_tower
from fashionlib.captioning.captioners.captioner import Captioner, tokens
from fashionlib.captioning.captioners.checkpoints import load, merged, save
from fashionlib.captioning.captioners.contrast import (
    POOLED,
    Pooling,
    embed_images,
    embed_texts,
    with_text,
)
from fashionlib.captioning.captioners.generation import (
    encode_images,
    generate,
    generate_samples,
)
from fashionlib.captioning.captioners.minis import MINIS, Size, Vit, mini
from fashionlib.captioning.captioners.rows import Rows
from fashionlib.captioning.captioners.spaces import feature_spaces

__all__ = [
    "MINIS",
    "POOLED",
    "Captioner",
    "Pooling",
    "Rows",
    "Size",
    "Vit",
    "cache_vision",
    "embed_images",
    "embed_texts",
    "encode_images",
    "feature_spaces",
    "generate",
    "generate_samples",
    "load",
    "merged",
    "mini",
    "save",
    "tokens",
    "with_text",
    "without_tower",
]
