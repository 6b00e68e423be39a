"""Encoders that place pictures and words in one space, by name; torch is imported when one is loaded."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from fashionlib import images

BATCH = 32  # pictures, or texts, that are encoded at once


class Encoder(Protocol):
    """What an index needs: a `name`, a `fingerprint` of all that decides the vectors, and two ways into one space.

    Vectors are float32 rows of one width; their lengths don't matter, as every row is brought to length one.
    """

    name: str
    fingerprint: str

    def images(self, references: Sequence[str]) -> np.ndarray:
        """(pictures, dim). ValueError naming a picture that can't be read."""

    def texts(self, texts: Sequence[str]) -> np.ndarray:
        """(texts, dim)."""


def encoder(name: str | Path) -> Encoder:
    """The encoder of a hub id or of a folder in the hub's layout: a BLIP-2 with the shared space, or a CLIP-like model.

    A BLIP-2 is `captioners.load`'s, one that was trained with the contrastive term; a CLIP-like model is any of
    transformers' with image and text embeddings (CLIP, FashionCLIP, SigLIP). Safetensors only, no remote code. Raises
    as `captioners.load`; ValueError for a model of neither kind, or a BLIP-2 that has no space for texts.
    """
    from transformers import AutoConfig

    kind = AutoConfig.from_pretrained(name).model_type
    return _Joint(str(name)) if kind == "blip-2" else _Dual(str(name), kind)


class _Joint:
    """A BLIP-2 with projections of its queries and of texts into one space."""

    def __init__(self, name: str) -> None:
        from fashionlib import captioners
        from fashionlib.captioners.contrast import part_of
        from fashionlib.features.encoders import weights

        self.name, self.captioner = name, captioners.load(name)
        part_of(self.captioner)
        self.fingerprint = _fingerprint("shared, mean", weights(self.captioner.base), self.captioner.pixels)

    def images(self, references: Sequence[str]) -> np.ndarray:
        from fashionlib.captioners import embed_images

        return embed_images(self.captioner, list(references), "shared", "mean", BATCH)

    def texts(self, texts: Sequence[str]) -> np.ndarray:
        from fashionlib.captioners import embed_texts

        return embed_texts(self.captioner, list(texts))


class _Dual:
    """Two towers trained on pairs of image and text, as CLIP's."""

    def __init__(self, name: str, kind: str) -> None:
        import torch
        from transformers import AutoImageProcessor, AutoModel, AutoTokenizer

        from fashionlib.features.encoders import weights

        model = AutoModel.from_pretrained(name, use_safetensors=True)
        if not (hasattr(model, "get_image_features") and hasattr(model, "get_text_features")):
            raise ValueError(f"{name} is a {kind}, which has no image and text embeddings of one space; name a CLIP-"
                             "like model, or the folder of a BLIP-2 that was trained with the contrastive term")
        self.name, self.model = name, model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
        self.pixels = AutoImageProcessor.from_pretrained(name, backend="pil")
        self.tokenizer = AutoTokenizer.from_pretrained(name)
        self.longest = model.config.text_config.max_position_embeddings
        self.padding = "max_length" if kind.startswith("siglip") else True  # SigLIP was trained on full rows
        self.fingerprint = _fingerprint("dual", weights(model), self.pixels)

    def images(self, references: Sequence[str]) -> np.ndarray:
        def batch(some: Sequence[str]) -> Any:
            return self.pixels([images.load(reference) for reference in some], return_tensors="pt")

        return self._made(references, batch, self.model.get_image_features)

    def texts(self, texts: Sequence[str]) -> np.ndarray:
        def batch(some: Sequence[str]) -> Any:
            return self.tokenizer(list(some), padding=self.padding, truncation=True, max_length=self.longest,
                                  return_tensors="pt")

        return self._made(texts, batch, self.model.get_text_features)

    def _made(self, given: Sequence[str], batch: Any, features: Any) -> np.ndarray:
        import torch

        with torch.inference_mode():
            found = [features(**batch(given[k:k + BATCH]).to(self.model.device)).pooler_output.float().cpu()
                     for k in range(0, len(given), BATCH)]
        return torch.cat(found).numpy()


def _fingerprint(recipe: str, weights: str, pixels: Any) -> str:
    return hashlib.sha256(f"{recipe}\n{weights}\n{pixels.to_json_string()}".encode()).hexdigest()[:16]
