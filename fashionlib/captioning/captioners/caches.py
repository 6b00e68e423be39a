"""What need not be computed twice: pictures resized once, and the vision tower's
outputs.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from fashionlib.captioning.captioners.architectures import CachedTower
from fashionlib.data import images as pictures
from fashionlib.data.files import atomic

if TYPE_CHECKING:
    from fashionlib.captioning.captioners.generation import Captioner


def resized(pixels: Any, reference: str, cache: Path | None) -> np.ndarray:
    """The picture as the processor resizes and cuts it, (3, height, width) uint8; read
    from `cache` if it lies there.

    The name in the cache is a hash of the picture's bytes and of the processor's
    settings, so a changed picture or another size is another file. A file that can't be
    read as an array (a full disk, say) is made anew.
    """

    def make() -> np.ndarray:
        return pixels(
            pictures.load(reference),
            do_rescale=False,
            do_normalize=False,
            return_tensors="np",
        )["pixel_values"][0].astype(np.uint8)

    if cache is None:
        return make()
    settings = json.dumps(
        [
            pixels.to_dict().get(key)
            for key in ("size", "crop_size", "do_center_crop", "resample")
        ],
        default=str,
    )
    key = hashlib.sha256(settings.encode() + pictures.read(reference)).hexdigest()[:32]
    path = Path(cache) / key[:2] / f"{key}.npy"
    try:
        return np.load(path, allow_pickle=False)
    except (FileNotFoundError, EOFError, ValueError):  # not there, empty, cut short
        made = make()
        with atomic(path) as part, open(part, "wb") as file:
            np.save(file, made, allow_pickle=False)
        return made


@torch.no_grad()
def encode(
    captioner: Captioner, images: Sequence[str], folder: Path, batch_size: int = 32
) -> Tensor:
    """The vision tower's outputs (items, tokens, dim), in the model's type: a
    memory-mapped file in `folder`.

    The file's name is a hash of the tower's weights, the image processor's settings,
    the type and the pictures' bytes; it is made once, batch by batch. Train on it with
    `without_tower`. Raises OSError where the disk lacks the room: a BLIP-2's 257 x 1408
    outputs in 16 bits are 0.7 MB a picture.
    """
    model, tower = captioner.base.eval(), captioner.tower
    if captioner.architecture.grid or isinstance(tower, CachedTower):
        raise ValueError(
            "this captioner reads features already; only a vision tower on pixels can"
            " be cached"
        )
    layer = getattr(model.config, "vision_feature_layer", -1)
    digest = hashlib.sha256(
        json.dumps(
            [captioner.pixels.to_dict(), layer, str(model.dtype)], default=str
        ).encode()
    )
    for weights in tower.parameters():
        digest.update(weights.detach().flatten()[:1000].float().cpu().numpy().tobytes())
    for path in images:
        digest.update(hashlib.sha256(pictures.read(path)).digest())
    file = Path(folder) / f"{digest.hexdigest()[:32]}.features"
    vision = model.config.vision_config  # its outputs: a class token and the patches
    shape = (
        len(images),
        (vision.image_size // vision.patch_size) ** 2 + 1,
        vision.hidden_size,
    )
    size = math.prod(shape) * model.dtype.itemsize

    def outputs(k: int) -> Tensor:
        pixels = captioner.inputs(images[k : k + batch_size]).to(
            model.device, model.dtype
        )
        made = tower(pixels, output_hidden_states=True)
        return (
            made.last_hidden_state
            if captioner.architecture.name == "BLIP-2"
            else made.hidden_states[layer]
        ).cpu()

    def mapped(path: Path) -> Tensor:
        return torch.from_file(
            str(path), shared=True, size=math.prod(shape), dtype=model.dtype
        ).view(shape)

    if not file.is_file() or file.stat().st_size != size:
        with atomic(file) as part:
            if size > (there := shutil.disk_usage(part.parent).free):
                raise OSError(
                    f"{size / 2**30:.1f} GiB of features for {len(images)} pictures and"
                    f" {there / 2**30:.1f} GiB are free at {folder}; name a folder on a"
                    " larger disk"
                )
            into = mapped(part)
            for k in tqdm(
                range(0, len(images), batch_size),
                desc="vision tower",
                unit="batch",
                leave=False,
            ):
                into[k : k + batch_size] = outputs(k)
    return mapped(file)


def without_tower(captioner: Captioner) -> Captioner:
    """The captioner with its vision tower taken out: it reads rows of what `encode`
    returned in place of pictures.

    From here on only what stands behind the tower can be trained: `finetune.adapt`
    refuses LoRA targets in it.
    """
    parent, _, child = captioner.architecture.tower.rpartition(".")
    cached = CachedTower(
        captioner.tower.config.num_hidden_layers, captioner.tower_modules
    )
    setattr(captioner.base.get_submodule(parent), child, cached)
    return captioner
