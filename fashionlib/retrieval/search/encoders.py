"""Load encoders of pictures and words into one space; torch is imported when one is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

Encode = Callable[[Sequence[str]], np.ndarray]


@dataclass(frozen=True)
class Encoder:
    """What an index needs of a model.

    `fingerprint` is a digest of all that decides the vectors. `encode_images` takes
    references of pictures, `encode_texts` texts; both return float32 rows of one width.
    Their lengths don't matter, as every row is brought to length one. ValueError naming
    a picture that can't be read.
    """

    name: str
    fingerprint: str
    encode_images: Encode
    encode_texts: Encode


def load_encoder(name: str | Path) -> Encoder:
    """Load a model with a space for pictures and texts, by hub id or folder.

    It is a BLIP-2 that `captioners.load` reads and that was trained with the
    contrastive term, or one of those of `encoders.dual`: a CLIP (as FashionCLIP) or a
    SigLIP. Raises as these two; ValueError for a model of another kind, and for a
    BLIP-2 that has no space for texts.
    """
    from transformers import PretrainedConfig

    kind = PretrainedConfig.get_config_dict(name)[0].get("model_type")
    return _blip2(str(name)) if kind == "blip-2" else _dual(str(name))


def _blip2(name: str) -> Encoder:
    """Load a BLIP-2 with a retrieval part; a picture is the mean of its queries."""
    from fashionlib.captioning import captioners
    from fashionlib.captioning.captioners.contrast import part_of
    from fashionlib.features import chunks
    from fashionlib.features.fingerprints import weights

    captioner = captioners.load(name)
    part_of(captioner)  # raises where it has no space for texts
    cells = captioner.rows and captioner.rows.cells
    grid = chunks.digest_row(cells.axes).hex() if cells else ""
    fingerprint = _fingerprint(
        f"shared, mean {grid}", weights(captioner.base), captioner.pixels
    )
    images = partial(captioners.embed_images, captioner)
    return Encoder(
        name, fingerprint, images, partial(captioners.embed_texts, captioner)
    )


def _dual(name: str) -> Encoder:
    """Load two towers trained on pairs of picture and text, as CLIP's."""
    from fashionlib.features.encoders import dual
    from fashionlib.features.fingerprints import weights

    model = dual(name)
    fingerprint = _fingerprint("dual", weights(model.model), model.processor)

    def encode(side: Callable, given: Sequence[str]) -> np.ndarray:
        return side(given, [str(row) for row in range(len(given))]).matrix

    images, texts = (
        partial(encode, model.encode_images),
        partial(encode, model.encode_texts),
    )
    return Encoder(name, fingerprint, images, texts)


def _fingerprint(recipe: str, weights: str, pixels: Any) -> str:
    parts = f"{recipe}\n{weights}\n{pixels.to_json_string()}"
    return hashlib.sha256(parts.encode()).hexdigest()[:16]
