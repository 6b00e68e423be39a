"""Names for a model's weights, so that what was made with others isn't taken for it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # a saved model is read without torch
    from torch import nn

FIRST = 1000  # numbers of each tensor that are read: full-size models have billions
KINDS = {"F64": "f8", "F32": "f4", "F16": "f2", "BF16": "u2", "I64": "i8", "I32": "i4"}


def weights(model: nn.Module) -> str:
    """Return 16 hex digits of a model's weights and buffers, the first of each."""
    digest = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        sample = tensor.flatten()[:FIRST].float().cpu().numpy()
        digest.update(name.encode() + sample.tobytes())
    return digest.hexdigest()[:16]


def saved_weights(folder: Path) -> str:
    """Return 16 hex digits of a folder's safetensors, the first numbers of each."""
    digest = hashlib.sha256()
    for name, values in saved_tensors(folder):
        sample = np.asarray(values).reshape(-1)[:FIRST].tobytes()
        digest.update(f"{name} {values.dtype} {values.shape}".encode() + sample)
    return digest.hexdigest()[:16]


def saved_tensors(folder: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the names and values in a folder's safetensors, read when they are used.

    numpy has no bfloat16: its bits come as uint16, the upper half of a float32.
    """
    for path in sorted(folder.glob("*.safetensors")):
        content = np.memmap(path, np.uint8, "r")
        start = 8 + int.from_bytes(bytes(content[:8]), "little")
        header = json.loads(bytes(content[8:start]))
        header.pop("__metadata__", None)
        for name, about in header.items():
            first, last = (start + offset for offset in about["data_offsets"])
            values = content[first:last].view(KINDS.get(about["dtype"], "u1"))
            yield name, values.reshape(about["shape"])
