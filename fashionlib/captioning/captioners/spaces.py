"""Feature spaces of a fine-tuned BLIP-2 (Paper A, section 2.3.1, setups 5 and 6)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fashionlib.captioning.captioners.captioner import Captioner
from fashionlib.captioning.captioners.generation import encode_images, need_qformer
from fashionlib.features import Features, chunks, fingerprints

POOLING = {
    "vision": "mean over tokens",
    "queries": "none: side by side",
    "queries, mean": "mean over queries",
}


def feature_spaces(
    captioner: Captioner,
    images: Sequence[str],
    ids: Sequence[str],
    cache: Path | None = None,
) -> dict[str, Features]:
    """Return three spaces of one pass, float32.

    "vision" (items, dim): the vision tower's outputs averaged over its tokens (the
    paper's 257 x 1408 -> 1408); "queries" (items, queries * dim): the Q-Former's
    outputs (the paper's 32 x 768 values), side by side as in its code, for the text
    doesn't say how they become a row; "queries, mean" (items, dim):
    the same, averaged over the queries (not in the paper, and queries times smaller).

    With a `cache` folder a killed pass resumes. ValueError where the captioner has no
    Q-Former, or naming a broken picture.
    """
    if len(images) != len(ids):
        raise ValueError(f"{len(images)} images for {len(ids)} ids")
    need_qformer(captioner)

    def compute(chunk: Sequence[str]) -> dict[str, np.ndarray]:
        vision, queries = encode_images(captioner, chunk, batch_size=64)
        return {
            "vision": vision,
            "queries": queries.reshape(len(queries), -1),
            "queries, mean": queries.mean(1),
        }

    arrays = chunks.encode_chunks(
        compute,
        list(images),
        captioner.digest,
        _recipe(captioner),
        cache,
        unit="images",
    )
    about = {
        "encoder": captioner.base.config.name_or_path or type(captioner.base).__name__,
        "adapter": captioner.model is not captioner.base,
    }
    return {
        name: Features(list(ids), array, about | {"pooling": POOLING[name]})
        for name, array in arrays.items()
    }


def _recipe(captioner: Captioner) -> list[Any]:
    """Return what decides the outcome beside the images, as JSON."""
    model = captioner.base
    return [
        "spaces",
        fingerprints.weights(captioner.tower),
        fingerprints.weights(model.qformer),
        chunks.digest_row(model.query_tokens.detach().float().cpu().numpy()).hex(),
        str(model.dtype),
        "" if captioner.rows else captioner.pixels.to_json_string(),
    ]
