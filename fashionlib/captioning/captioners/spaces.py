"""Feature spaces of a fine-tuned BLIP-2 (Paper A, section 2.3.1, its setups 5 and 6):
vision tower and Q-Former.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from fashionlib.captioning.captioners.generation import Captioner, seen
from fashionlib.features import Features, chunks
from fashionlib.features.fingerprints import weights


def spaces(
    captioner: Captioner, images: Any, ids: Sequence[str], cache: Path | None = None
) -> dict[str, Features]:
    """Three spaces of one pass, float32:

    "vision" (items, dim): the vision tower's outputs averaged over its tokens (the
    paper's 257 x 1408 -> 1408); "queries" (items, queries * dim): the Q-Former's
    outputs side by side (the paper's 32 x 768 values); "queries, mean" (items, dim):
    the same, averaged over the queries (not in the paper, and queries times smaller).

    `images` are what the captioner reads: pictures, or rows of grid features. With a
    `cache` folder a killed pass resumes. ValueError where the captioner has no
    Q-Former, or naming a broken picture.
    """
    if len(images) != len(ids):
        raise ValueError(f"{len(images)} images for {len(ids)} ids")

    def compute(chunk: Any) -> dict[str, np.ndarray]:
        found = seen(captioner, chunk, batch_size=64)
        told = found["queries"]
        return {
            "vision": found["vision"],
            "queries": told.reshape(len(told), -1),
            "queries, mean": told.mean(1),
        }

    made = chunks.encode_chunks(
        compute, images, _content, _recipe(captioner), cache, unit="images"
    )
    pooling = {
        "vision": "mean over tokens",
        "queries": "none: side by side",
        "queries, mean": "mean over queries",
    }
    about = {
        "encoder": captioner.base.config.name_or_path or type(captioner.base).__name__,
        "adapter": captioner.model is not captioner.base,
    }
    return {
        name: Features(list(ids), array, about | {"pooling": pooling[name]})
        for name, array in made.items()
    }


def _recipe(captioner: Captioner) -> list[Any]:
    """What decides the outcome beside the images, as JSON."""
    if captioner.architecture.name != "BLIP-2":
        raise ValueError(
            f"a {captioner.architecture.name} has no Q-Former; give a BLIP-2"
        )
    model = captioner.base
    pixels = "" if captioner.architecture.grid else captioner.pixels.to_json_string()
    start = chunks.digest_row(model.query_tokens.detach().float().cpu().numpy()).hex()
    return [
        "spaces",
        weights(captioner.tower),
        weights(model.qformer),
        start,
        str(model.dtype),
        pixels,
    ]


def _content(image: Any) -> bytes:
    if isinstance(image, Tensor):
        image = image.float().numpy()
    return (
        chunks.digest_row(image)
        if isinstance(image, np.ndarray)
        else chunks.digest_picture(image)
    )
