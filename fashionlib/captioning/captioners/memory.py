"""How much memory a captioner needs, asked before anything large is fetched."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from accelerate.utils import CustomDtype, compute_module_sizes
from torch import nn
from transformers import PreTrainedConfig

# of the weights: activations and buffers of captioning; training needs more
WORKING = 1.2
GIB = 2**30
PACKED = {8: torch.int8, 4: CustomDtype.INT4}


def need(
    kind: type, config: PreTrainedConfig, dtype: torch.dtype, bits: int | None = None
) -> int:
    """Return the bytes to load and run a model of this class and configuration.

    They are its weights (no download needed) and a fifth more. With `bits` 8 or 4 the
    linear layers take that many, as bitsandbytes packs them (not the head, not
    embeddings).
    """
    with torch.device("meta"):  # accelerate's init_empty_weights unties the head
        model = kind(config)
    packed = {
        f"{name}.weight": PACKED[bits]
        for name, module in model.named_modules()
        if bits and isinstance(module, nn.Linear) and "lm_head" not in name
    }
    sizes = compute_module_sizes(model, dtype=dtype, special_dtypes=packed)
    return int(sizes[""] * WORKING)


def free(device: str) -> int:
    """Return the bytes that are free on the device now."""
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
    """Return the bits to load with: as asked, else the first that fits on the device.

    None are whole weights; after them come 8 and 4 on a GPU. On a CPU bits are taken
    only where they are asked for: they save memory there, and are slow. MemoryError
    with both numbers and advice where none fits, or where the download would not fit on
    the disk.
    """
    on_gpu, room = device.startswith("cuda"), free(device)
    choices = [bits] if bits else [None, 8, 4] if on_gpu else [None]
    for choice in choices:
        needed = need(kind, config, dtype, choice)
        if needed <= room:
            break
    else:
        precision = f"{choice} bits" if choice else str(dtype).removeprefix("torch.")
        smaller = on_gpu and choice == 8 and need(kind, config, dtype, 4) <= room
        raise MemoryError(
            f"{name} needs {needed / GIB:.1f} GiB on {device} ({precision}) and"
            f" {room / GIB:.1f} GiB are free. {_advice(on_gpu, smaller)}"
        )
    if not Path(name).is_dir():
        # the download is whole, whatever it is loaded with
        stored = need(kind, config, config.dtype or torch.float32) / WORKING
        _check_disk(name, stored)
    return choice


def _advice(on_gpu: bool, smaller: bool) -> str:
    if smaller:
        return "Load it with bits=4."
    gpu = "with more memory" if on_gpu else "(there also with bits=8 or 4)"
    return f"Take a GPU {gpu}, a smaller model, or a mini (profile tiny)."


def _check_disk(name: str | Path, size: float) -> None:
    """Raise MemoryError where a download of so many bytes would not fit."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.constants import HF_HUB_CACHE

    files = ("model.safetensors", "model.safetensors.index.json")
    if any(try_to_load_from_cache(str(name), file) for file in files):
        return
    folders = (Path(HF_HUB_CACHE), *Path(HF_HUB_CACHE).parents)
    room = shutil.disk_usage(next(p for p in folders if p.is_dir())).free
    if size > room:
        raise MemoryError(
            f"{name} is a download of about {size / GIB:.1f} GiB and {room / GIB:.1f}"
            " GiB are free in the hub's cache; free some, or set HF_HOME to a larger"
            " disk."
        )
