"""Put low-rank adapters into a captioner."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import torch

from fashionlib.captioning.captioners import Captioner
from fashionlib.captioning.captioners.architectures import CachedTower
from fashionlib.captioning.training.recipes import Lora


def adapt(
    captioner: Captioner, lora: Lora, seed: int = 0, whole: Sequence[str] = ()
) -> Captioner:
    """Return the captioner with fresh adapters; its own weights are frozen and shared.

    The modules named in `whole` are trained whole, as copies that the adapter keeps.
    ValueError where a target lies in a vision tower that was replaced by its cached
    output, or where the captioner has an adapter already.
    """
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training

    if captioner.model is not captioner.base:
        raise ValueError(
            "this captioner has an adapter already; load its base alone,"
            " captioners.load(base)"
        )
    if isinstance(captioner.tower, CachedTower):
        refuse_tower(captioner, lora)
    torch.manual_seed(seed)
    config = LoraConfig(
        r=lora.r,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        use_rslora=lora.rslora,
        target_modules=lora.pattern,
        modules_to_save=list(whole) or None,
    )
    base = captioner.model
    if getattr(base, "quantization_method", None):
        base = prepare_model_for_kbit_training(base, use_gradient_checkpointing=False)
    return replace(captioner, model=get_peft_model(base, config))


PARTS = {  # of a weight's name: of the model; the first that fits
    "retrieval": "retrieval part",
    "qformer": "Q-Former",
    "projec": "projection",
    "language": "language model",
    "lm_head": "language model",
    "": "vision tower and queries",
}


def count_weights(captioner: Captioner) -> pd.DataFrame:
    """Count a captioner's weights, and those that learn: one row a part of the model.

    Columns weights and learned.
    """
    rows: dict[str, list[int]] = {}
    for name, weight in captioner.model.named_parameters():
        part = next(part for key, part in PARTS.items() if key in name)
        row = rows.setdefault(part, [0, 0])
        row[0] += weight.numel()
        row[1] += weight.numel() * weight.requires_grad
    return pd.DataFrame.from_dict(rows, "index", columns=["weights", "learned"])


def refuse_tower(captioner: Captioner, lora: Lora) -> None:
    """Raise ValueError where LoRA targets the vision tower, whose output is cached."""
    modules = captioner.tower_modules
    touched = [name for name in modules if re.fullmatch(lora.pattern, name)]
    if touched:
        raise ValueError(
            f"LoRA targets {lora.targets!r} touch {len(touched)} layers of the vision"
            f" tower ({touched[0]} first), whose output is cached: take"
            ' targets="linear", or train on pictures'
        )
