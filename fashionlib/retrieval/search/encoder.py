"""Encoders that place pictures and words in one space, by name; torch is imported when
one is loaded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np


class Encoder(Protocol):
    """What an index needs: a `name`, a `fingerprint` of all that decides the vectors,
    and two ways into one space.

    Vectors are float32 rows of one width; their lengths don't matter, as every row is
    brought to length one.
    """

    name: str
    fingerprint: str

    def images(self, references: Sequence[str]) -> np.ndarray:
        """(pictures, dim). ValueError naming a picture that can't be read."""

    def texts(self, texts: Sequence[str]) -> np.ndarray:
        """(texts, dim)."""


def encoder(name: str | Path) -> Encoder:
    """The encoder of a hub id or of a folder in the hub's layout: a BLIP-2 with the
    shared space, a CLIP or a SigLIP.

    A BLIP-2 is one that `captioners.load` reads and that was trained with the
    contrastive term; the others are those of `encoders.dual` (FashionCLIP is a CLIP).
    Raises as these two; ValueError for a model of another kind, and for a BLIP-2 that
    has no space for texts.
    """
    from transformers import PretrainedConfig

    kind = PretrainedConfig.get_config_dict(name)[0].get("model_type")
    return _Joint(str(name)) if kind == "blip-2" else _Dual(str(name))


class _Joint:
    """A BLIP-2 with projections of its queries and of texts into one space; a picture
    is the mean of its queries.
    """

    def __init__(self, name: str) -> None:
        from fashionlib.captioning import captioners
        from fashionlib.captioning.captioners.contrast import part_of
        from fashionlib.features import chunks
        from fashionlib.features.fingerprints import weights

        self.name, self.captioner = name, captioners.load(name)
        part_of(self.captioner)
        cells = self.captioner.cells
        grid = "" if cells is None else chunks.digest_row(cells.axes).hex()
        self.fingerprint = _fingerprint(
            f"shared, mean {grid}", weights(self.captioner.base), self.captioner.pixels
        )

    def images(self, references: Sequence[str]) -> np.ndarray:
        from fashionlib.captioning.captioners import embed_images

        return embed_images(self.captioner, list(references))

    def texts(self, texts: Sequence[str]) -> np.ndarray:
        from fashionlib.captioning.captioners import embed_texts

        return embed_texts(self.captioner, list(texts))


class _Dual:
    """Two towers trained on pairs of picture and text, as CLIP's."""

    def __init__(self, name: str) -> None:
        from fashionlib.features.encoders import dual
        from fashionlib.features.fingerprints import weights

        self.name, self.dual = name, dual(name)
        self.fingerprint = _fingerprint(
            "dual", weights(self.dual.model), self.dual.processor
        )

    def images(self, references: Sequence[str]) -> np.ndarray:
        return self.dual.encode_images(
            references, list(map(str, range(len(references))))
        ).matrix

    def texts(self, texts: Sequence[str]) -> np.ndarray:
        return self.dual.encode_texts(texts, list(map(str, range(len(texts))))).matrix


def _fingerprint(recipe: str, weights: str, pixels: Any) -> str:
    return hashlib.sha256(
        f"{recipe}\n{weights}\n{pixels.to_json_string()}".encode()
    ).hexdigest()[:16]
