"""Names for a model's weights, so that what was made with others isn't taken for it."""

from __future__ import annotations

import hashlib

from torch import nn


def weights(model: nn.Module) -> str:
    """Return 16 hex digits of a model's weights and buffers.

    The first thousand numbers of each are read: full-size models have billions.
    """
    digest = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        sample = tensor.flatten()[:1000].float().cpu().numpy()
        digest.update(name.encode() + sample.tobytes())
    return digest.hexdigest()[:16]
