"""Load captioners from folders and from the hub, and save them: safetensors only."""

from __future__ import annotations

import json
import os
import re
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoTokenizer, Blip2Processor, LlavaProcessor

from fashionlib.captioning.captioners import contrast, memory
from fashionlib.captioning.captioners.architectures import (
    IMAGE,
    CachedTower,
    architecture,
)
from fashionlib.captioning.captioners.captioner import Captioner
from fashionlib.captioning.captioners.rows import Rows
from fashionlib.data.files import atomic
from fashionlib.features.efficientnet import Cells
from fashionlib.features.encoders import refuse_missing

# beside a mini's weights: the projection that makes a picture's grid
CELLS = "cells.safetensors"
RETRIEVAL = "retrieval.safetensors"  # the part that `with_text` adds
# peft 0.21 asks transformers 5.23 for an attribute that was renamed; nothing a reader
# could do about it
warnings.filterwarnings(
    "ignore",
    message="`is_gradient_checkpointing` is deprecated",
    category=FutureWarning,
)


def precision(device: str) -> torch.dtype:
    """Return the weights' type for a device.

    float32 on a CPU, bfloat16 on GPUs of compute capability 8 and up, float16 on older
    ones.
    """
    if not device.startswith("cuda"):
        return torch.float32
    recent = torch.cuda.get_device_capability(device)[0] >= 8
    return torch.bfloat16 if recent else torch.float16


def load(
    name: str | Path,
    adapter: str | Path | None = None,
    device: str | None = None,
    bits: int | None = None,
    rows: Rows | None = None,
) -> Captioner:
    """Load a captioner from a hub id or a folder in the hub's layout.

    What it reads is decided here: one on grid features looks a picture up in `rows`,
    any other decodes pictures and leaves `rows` alone. `adapter` is a PEFT folder or
    hub id. `name` may itself be one: then the base is the one that the adapter names.
    The weights' type follows the hardware (`precision`; minis stay in float32); on a
    GPU they are loaded in 8 or 4 bits where whole ones don't fit, or as `bits` says.

    MemoryError before anything large is downloaded or loaded. ValueError for another
    architecture, an adapter whose base can't be found, where the tokenizer's `<image>`
    is not the model's image token, or naming a weight that a checkpoint lacks.
    """
    device = device or _default_device()
    if adapter is None and (named := base_of(name)):
        name, adapter = named, name
    config = AutoConfig.from_pretrained(name)
    kind = architecture(config, name)
    dtype = torch.float32 if kind.grid else precision(device)
    bits = memory.preflight(name, kind.model, config, device, dtype, bits)
    extra = {}
    if bits:  # bitsandbytes places the weights itself
        packing = _packed(bits, dtype)
        extra = {"quantization_config": packing, "device_map": {"": device}}
    model, info = kind.model.from_pretrained(
        name, dtype=dtype, use_safetensors=True, output_loading_info=True, **extra
    )
    refuse_missing(name, info["missing_keys"], model)
    tokenizer = AutoTokenizer.from_pretrained(name)
    image = tokenizer.convert_tokens_to_ids(IMAGE)
    if image != config.image_token_index:
        raise ValueError(
            f"{name}: {IMAGE} is token {image} of the tokenizer but"
            f" {config.image_token_index} of the model"
        )
    captioner = Captioner(
        model if bits else model.to(device),
        tokenizer,
        kind.pixels.from_pretrained(name),
        kind.prompt,
    )
    if kind.grid:
        captioner.rows = _rows(captioner, name, rows)
    if kind.name == "BLIP-2" and (file := _beside(name, RETRIEVAL)):
        tensors = load_file(file)
        shapes = {key: tensor.shape for key, tensor in tensors.items()}
        part = contrast.attach_like(captioner, shapes)
        refuse_missing(file, part.state_dict().keys() - tensors.keys(), part)
        part.load_state_dict(tensors)
    if adapter is not None:
        adapted = _adapted(captioner, str(adapter))
        captioner.model = adapted if bits else adapted.to(device)
    return captioner


def _default_device() -> str:
    if not torch.cuda.is_available():
        return "cpu"
    return f"cuda:{os.environ.get('LOCAL_RANK', 0)}"


def _rows(captioner: Captioner, name: str | Path, rows: Rows | None) -> Rows:
    """Give the rows, or none, the projection that lies beside the weights."""
    file = _beside(name, CELLS)
    cells = file and Cells.load(file)
    if rows is None:
        shape = captioner.tower.position.shape
        return Rows([], np.empty((0, *shape), np.float16), cells)
    return replace(rows, cells=rows.cells or cells)


def _beside(name: str | Path, file: str) -> Path | None:
    """Return a file that a folder, or a repository of the hub, may hold."""
    from transformers.utils import cached_file

    path = cached_file(
        str(name),
        file,
        _raise_exceptions_for_missing_entries=False,
        _raise_exceptions_for_connection_errors=False,
    )
    return path and Path(path)


def _adapted(captioner: Captioner, adapter: str) -> Any:
    """Add an adapter's weights, and the retrieval part that it trained.

    ValueError where some get none: peft would only warn.
    """
    from peft import PeftModel, get_peft_model_state_dict
    from transformers.utils import cached_file

    # OSError without it; peft would take a pickle
    weights = cached_file(adapter, "adapter_model.safetensors")
    with safe_open(weights, "pt") as file:
        names = set(file.keys())
        shapes = {
            inner: file.get_slice(name).get_shape()
            for name in names
            if (inner := name.partition(f".{contrast.NAME}.")[2])
        }
    if shapes and not hasattr(captioner.base, contrast.NAME):
        contrast.attach_like(captioner, shapes)
    if shapes:
        part = contrast.part_of(captioner)
        refuse_missing(adapter, part.state_dict().keys() - shapes.keys(), part)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Found missing adapter keys")
        model = PeftModel.from_pretrained(captioner.model, adapter)
    own = get_peft_model_state_dict(model, save_embedding_layers=False).keys()
    if missing := sorted(own - names):
        raise ValueError(
            f"the adapter {adapter} lacks {len(missing)} of {len(own)} weights, first"
            f" {missing[0]}: it was cut short, or is of another base, or of an older"
            " transformers' names"
        )
    return model


def base_of(name: str | Path) -> str | None:
    """Return the base model of an adapter; None where `name` is no adapter.

    ValueError where the adapter's base is a folder that isn't here: published adapters
    name their author's disk.
    """
    from transformers.utils import find_adapter_config_file

    file = find_adapter_config_file(str(name))
    if file is None:
        return None
    config = json.loads(Path(file).read_text(encoding="utf-8"))
    base = config.get("base_model_name_or_path") or ""
    beside = Path(name) / base  # the way from the adapter's folder to the base's
    if base and (beside / "config.json").is_file():
        return str(beside)
    is_folder = base and (Path(base) / "config.json").is_file()
    if is_folder or re.fullmatch(r"\w[\w.-]*/[\w.-]+", base):
        return base
    raise ValueError(
        f"the adapter {name} was trained on {base!r}, which is not here. Name its"
        f" base: load(base, adapter={str(name)!r}), e.g. with"
        " Salesforce/blip2-opt-2.7b"
    )


def _packed(bits: int, dtype: torch.dtype) -> Any:
    """Return bitsandbytes' settings for weights in 8 or 4 bits."""
    from transformers import BitsAndBytesConfig

    if bits not in (8, 4):
        raise ValueError(
            f"bits={bits}; weights are loaded in 8 or 4 bits, or whole (None)"
        )
    return BitsAndBytesConfig(
        load_in_8bit=bits == 8,
        load_in_4bit=bits == 4,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_compute_dtype=dtype,
    )


def save(captioner: Captioner, folder: Path) -> None:
    """Write the hub's layout, or the PEFT folder of an adapted model.

    The layout is config, safetensors, tokenizer, processor. A retrieval part and a
    mini's projection of pictures lie beside, in files of their own; a retrieval part
    that an adapter trained lies among the adapter's weights.
    """
    whole = captioner.model is captioner.base
    if whole and isinstance(captioner.tower, CachedTower):
        raise ValueError(
            "the vision tower of this captioner is its cached output; save the one it"
            " was made from"
        )
    with atomic(Path(folder)) as part:
        if not whole:
            captioner.model.save_pretrained(part, save_embedding_layers=False)
            return
        weights = {
            name: tensor
            for name, tensor in captioner.base.state_dict().items()
            if not name.startswith(f"{contrast.NAME}.")
        }
        captioner.base.save_pretrained(part, state_dict=weights)
        if hasattr(captioner.base, contrast.NAME):
            retrieval = contrast.part_of(captioner)
            save_file(retrieval.state_dict(), part / RETRIEVAL)
        if captioner.rows and captioner.rows.cells:
            captioner.rows.cells.save(part / CELLS)
        _processor(captioner).save_pretrained(part)


def _processor(captioner: Captioner) -> Blip2Processor | LlavaProcessor:
    config, parts = captioner.base.config, (captioner.pixels, captioner.tokenizer)
    if captioner.architecture.name == "BLIP-2":
        return Blip2Processor(*parts, num_query_tokens=config.num_query_tokens)
    return LlavaProcessor(
        *parts,
        patch_size=config.vision_config.patch_size,
        vision_feature_select_strategy=config.vision_feature_select_strategy,
        num_additional_image_tokens=1,
    )


def merged(captioner: Captioner) -> Captioner:
    """Return an adapted captioner as a whole model, its adapter's weights added."""
    return replace(captioner, model=captioner.model.merge_and_unload().eval())
