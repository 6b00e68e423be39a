"""Load encoders of pictures and words into one space; torch is imported when one is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
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


def load_encoder(name: str | Path, rows: Any = None) -> Encoder:
    """Load a model with a space for pictures and texts, by hub id or folder.

    It is a BLIP-2 that `captioners.load` reads, or an adapter of one, that was trained
    with the contrastive term, or one of those of `encoders.dual`: a CLIP (as
    FashionCLIP) or a SigLIP. A BLIP-2 in a folder that `captioners.save` wrote is
    loaded when it is asked for several pictures; texts, and a picture of a small one,
    need no torch. Raises as these two; ValueError for a model of another kind, and for
    a BLIP-2 that has no space for texts. A mini looks pictures up
    in `rows` (`captioners.Rows`) before it encodes them.
    """
    if (Path(name) / "retrieval.safetensors").is_file():
        return _saved_blip2(Path(name), rows)
    from transformers import PretrainedConfig
    from transformers.utils import find_adapter_config_file

    if find_adapter_config_file(str(name)):  # as fashionlib finetune leaves one
        return _blip2(str(name))
    kind = PretrainedConfig.get_config_dict(name)[0].get("model_type")
    return _blip2(str(name)) if kind == "blip-2" else _dual(str(name))


def _saved_blip2(folder: Path, rows: Any) -> Encoder:
    """Read a folder of `captioners.save`; a picture is the mean of its queries."""
    from fashionlib.features.fingerprints import saved_weights
    from fashionlib.retrieval.search import plain

    @cache
    def images() -> Encode:
        from fashionlib.captioning import captioners

        return partial(captioners.embed_images, captioners.load(folder, rows=rows))

    layers = plain.Layers(folder)
    one = plain.image_encoder(layers) if rows is None else None

    def encode_images(given: Sequence[str]) -> np.ndarray:
        return one(given) if one and len(given) == 1 else images()(given)

    files = [folder / name for name in ("processor_config.json", "tokenizer.json")]
    texts = [file.read_text(encoding="utf-8") for file in files]
    fingerprint = _fingerprint("shared, mean", saved_weights(folder), *texts)
    encode_texts = plain.text_encoder(layers)
    return Encoder(str(folder), fingerprint, encode_images, encode_texts)


def _blip2(name: str) -> Encoder:
    """Load a BLIP-2 with a retrieval part, from the hub or an adapter's folder."""
    from fashionlib.captioning import captioners
    from fashionlib.captioning.captioners.contrast import part_of
    from fashionlib.features import chunks
    from fashionlib.features.fingerprints import weights

    captioner = captioners.load(name)
    part_of(captioner)  # raises where it has no space for texts
    cells = captioner.rows and captioner.rows.cells
    grid = chunks.digest_row(cells.axes).hex() if cells else ""
    fingerprint = _fingerprint(
        f"shared, mean {grid}",
        weights(captioner.base),
        captioner.pixels.to_json_string(),
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
    fingerprint = _fingerprint(
        "dual", weights(model.model), model.processor.to_json_string()
    )

    def encode(side: Callable, given: Sequence[str]) -> np.ndarray:
        return side(given, [str(row) for row in range(len(given))]).matrix

    images, texts = (
        partial(encode, model.encode_images),
        partial(encode, model.encode_texts),
    )
    return Encoder(name, fingerprint, images, texts)


def _fingerprint(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
