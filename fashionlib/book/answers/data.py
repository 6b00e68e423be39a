"""The answers of part *Data*."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def leakage(found: Mapping[str, Any]) -> str:
    """Answer how far copying gets you (chapter 03)."""
    shared = found["shared"]
    stands = [
        shared[f"with photo, {by} split"]["caption stands in train"]
        for by in ("article", "product")
    ]
    article, product = (
        100 * found["article"]["BLEU-4"],
        100 * found["product"]["BLEU-4"],
    )
    return (
        f"Copying the caption of the most similar training photo scores BLEU-4"
        f" {article:.1f} on the published split by article, where {stands[0]:.0%} of"
        f" test captions are also training captions, and {product:.1f} when no product"
        f" is on both sides ({stands[1]:.0%})."
    )
