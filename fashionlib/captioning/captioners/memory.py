"""How much memory a captioner needs, asked before anything large is downloaded or
loaded.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from torch import nn
from transformers import PreTrainedConfig

WORKING = (
    1.2  # of the weights: activations and buffers of captioning; training needs more
)
GIB = 2**30


def need(
    kind: type, config: PreTrainedConfig, dtype: torch.dtype, bits: int | None = None
) -> int:
    """Bytes to load and run a model of this class and configuration: weights (no
    download needed) and a fifth more.

    With `bits` 8 or 4 the linear layers are kept in that many, as bitsandbytes does
    (not the head, not embeddings).
    """
    with torch.device("meta"):
        model = kind(config)
    linear = {
        id(m.weight)
        for name, m in model.named_modules()
        if isinstance(m, nn.Linear) and "lm_head" not in name
    }
    whole = sum(
        p.numel() * dtype.itemsize
        for p in model.parameters()
        if not bits or id(p) not in linear
    )
    packed = (
        sum(p.numel() * bits / 8 for p in model.parameters() if id(p) in linear)
        if bits
        else 0
    )
    return int((whole + packed) * WORKING)


def free(device: str) -> int:
    """Bytes that are free on the device now."""
    if device.startswith("cuda"):
        return torch.cuda.mem_get_info(device)[0]
    import psutil

    return psutil.virtual_memory().available


def preflight(
    name: str | Path,
    kind: type,
    config: PreTrainedConfig,
    device: str,
    dtype: torch.dtype,
    bits: int | None = None,
) -> int | None:
    """The bits to load with: as asked, else None (whole weights), 8 or 4, the first
    that fits on the device.

    Raises MemoryError with both numbers and advice where none fits, or where the
    download would not fit on the disk. On a CPU bits are taken only where they are
    asked for: they save memory there, and are slow.
    """
    choices = [bits] if bits else [None, 8, 4] if device.startswith("cuda") else [None]
    needs = {choice: need(kind, config, dtype, choice) for choice in choices}
    there = free(device)
    fitting = [choice for choice in choices if needs[choice] <= there]
    if not fitting:
        raise MemoryError(
            f"{name} needs {needs[choices[-1]] / GIB:.1f} GiB on {device}"
            f" ({_words(choices[-1], dtype)}) and {there / GIB:.1f} GiB are free. "
            + _advice(kind, config, device, there, choices[-1])
        )
    if not Path(name).is_dir():
        stored = (
            need(kind, config, config.dtype or torch.float32) / WORKING
        )  # whole, whatever it is loaded with
        _disk(name, stored)
    return fitting[0]


def _words(bits: int | None, dtype: torch.dtype) -> str:
    return f"{bits} bits" if bits else str(dtype).removeprefix("torch.")


def _advice(
    kind: type, config: PreTrainedConfig, device: str, there: int, tried: int | None
) -> str:
    smaller = [
        b
        for b in (8, 4)
        if b < (tried or 16) and need(kind, config, torch.float16, b) <= there
    ]
    if device.startswith("cuda") and smaller:
        return f"Load it with bits={smaller[0]}."
    return (
        "Take a GPU with more memory, a smaller model, or a mini (profile tiny)."
        if device.startswith("cuda")
        else (
            "Take a GPU (there also with bits=8 or 4), a smaller model, or a mini"
            " (profile tiny)."
        )
    )


def _disk(name: str | Path, size: float) -> None:
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.constants import HF_HUB_CACHE

    if any(
        try_to_load_from_cache(str(name), file)
        for file in ("model.safetensors", "model.safetensors.index.json")
    ):
        return
    place = next(
        p for p in (Path(HF_HUB_CACHE), *Path(HF_HUB_CACHE).parents) if p.is_dir()
    )
    there = shutil.disk_usage(place).free
    if size > there:
        raise MemoryError(
            f"{name} is a download of about {size / GIB:.1f} GiB and {there / GIB:.1f}"
            " GiB are free in the hub's cache; free some, or set HF_HOME to a larger"
            " disk."
        )
