"""What need not be computed twice: resized pictures, the vision tower's outputs."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor

from fashionlib.captioning.captioners.architectures import CachedTower
from fashionlib.captioning.captioners.rows import Rows
from fashionlib.data import images as pictures
from fashionlib.data.files import atomic
from fashionlib.features import chunks, fingerprints

if TYPE_CHECKING:
    from fashionlib.captioning.captioners.captioner import Captioner


def resized(processor: Any, reference: str, cache: Path | None) -> np.ndarray:
    """Return a picture as its image processor resizes and cuts it.

    (3, height, width), uint8, not yet scaled or normalised. `reference` is what
    `images.load` opens. The array is read from the folder `cache` if it lies there: its
    name is a hash of the picture's bytes and of all settings of the processor, so a
    changed picture or setting is another file. A file that can't be read as an array
    (written on a full disk, say) is made anew.
    """
    if cache is None:
        return _resize(processor, reference)
    settings = json.dumps(processor.to_dict(), default=str, sort_keys=True)
    digest = hashlib.sha256(settings.encode() + pictures.read(reference))
    name = digest.hexdigest()[:32]
    path = Path(cache) / name[:2] / f"{name}.npy"
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, EOFError, ValueError, BadZipFile):  # not there, cut short, garbage
        array = _resize(processor, reference)
        with atomic(path) as part, part.open("wb") as file:
            np.save(file, array, allow_pickle=False)
        return array


def _resize(processor: Any, reference: str) -> np.ndarray:
    as_it_is = {"do_rescale": False, "do_normalize": False, "return_tensors": "np"}
    batch = processor(pictures.load(reference), **as_it_is)
    return batch["pixel_values"][0].astype(np.uint8)


@torch.no_grad()
def cache_vision(
    captioner: Captioner, images: Sequence[str], folder: Path, batch_size: int = 32
) -> Rows:
    """Return the vision tower's outputs (items, tokens, dim), from a file in `folder`.

    They are in the model's type, mapped into memory. The file's name is a hash of the
    tower's weights, the image processor's settings, the type and the pictures' bytes;
    it is made once, batch by batch. Train on it with `without_tower`. OSError where the
    disk lacks the room: a BLIP-2's 257 x 1408 outputs in 16 bits are 0.7 MB a picture.
    """
    if captioner.rows is not None:
        raise ValueError(
            "this captioner reads features already; only a vision tower on pixels can"
            " be cached"
        )
    images, dtype = list(images), captioner.base.dtype
    vision = captioner.base.config.vision_config
    tokens = (vision.image_size // vision.patch_size) ** 2 + 1  # a class token too
    shape = (len(images), tokens, vision.hidden_size)
    numbers = math.prod(shape)
    size = numbers * dtype.itemsize
    file = Path(folder) / f"{_name(captioner, images)}.features"

    def mapped(path: Path) -> Tensor:
        flat = torch.from_file(str(path), shared=True, size=numbers, dtype=dtype)
        return flat.view(shape)

    if not file.is_file() or file.stat().st_size != size:
        with atomic(file) as part:
            free = shutil.disk_usage(part.parent).free
            if size > free:
                raise OSError(
                    f"{size / 2**30:.1f} GiB of features for {len(images)} pictures and"
                    f" {free / 2**30:.1f} GiB are free at {folder}; name a folder on a"
                    " larger disk"
                )
            outputs = mapped(part).split(batch_size)
            batches = captioner.input_batches(images, batch_size, "vision tower")
            for place, pixels in zip(outputs, batches, strict=True):
                place.copy_(_layer(captioner, pixels))
    return Rows(images, mapped(file))


def _name(captioner: Captioner, images: Sequence[str]) -> str:
    model = captioner.base
    settings = [
        captioner.pixels.to_dict(),
        getattr(model.config, "vision_feature_layer", -1),
        str(model.dtype),
        fingerprints.weights(captioner.tower),
    ]
    digest = hashlib.sha256(json.dumps(settings, default=str).encode())
    for image in images:
        digest.update(chunks.digest_picture(image))
    return digest.hexdigest()[:32]


def _layer(captioner: Captioner, pixels: Tensor) -> Tensor:
    """Return the layer of the tower's outputs that the captioner reads."""
    output = captioner.tower(pixels, output_hidden_states=True)
    if captioner.architecture.name == "BLIP-2":
        return output.last_hidden_state
    return output.hidden_states[captioner.base.config.vision_feature_layer]


def without_tower(captioner: Captioner, rows: Rows) -> Captioner:
    """Return the captioner with `rows`, of `cache_vision`, in place of its tower.

    From here on only what stands behind the tower can be trained: `training.adapt`
    refuses LoRA targets in it.
    """
    parent, _, child = captioner.architecture.tower.rpartition(".")
    layers = captioner.tower.config.num_hidden_layers
    cached = CachedTower(layers, captioner.tower_modules)
    setattr(captioner.base.get_submodule(parent), child, cached)
    return replace(captioner, rows=rows)
