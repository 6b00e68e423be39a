"""Captioners from folders and from the hub, and back into folders: safetensors only."""

from __future__ import annotations

import json
import os
import re
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import (
    AutoConfig,
    AutoTokenizer,
    Blip2Processor,
    LlavaProcessor,
    PreTrainedModel,
)

from fashionlib.captioning.captioners import contrast, memory
from fashionlib.captioning.captioners.architectures import (
    IMAGE,
    CachedTower,
    architecture,
)
from fashionlib.captioning.captioners.captioner import Captioner
from fashionlib.data.files import atomic
from fashionlib.features.efficientnet import Cells

CELLS = (  # beside a mini's weights: the projection that makes a picture's grid
    "cells.safetensors"
)
RETRIEVAL, WORDS = (
    "retrieval.safetensors",
    "text_tokenizer",
)  # the part that `with_text` adds; a tokenizer of its own
# peft 0.21 asks transformers 5.23 for an attribute that was renamed; nothing a reader
# could do about it
warnings.filterwarnings(
    "ignore",
    message="`is_gradient_checkpointing` is deprecated",
    category=FutureWarning,
)


def precision(device: str) -> torch.dtype:
    """float32 on a CPU, bfloat16 on GPUs of compute capability 8 and up, float16 on
    older ones.
    """
    if not device.startswith("cuda"):
        return torch.float32
    return (
        torch.bfloat16
        if torch.cuda.get_device_capability(device)[0] >= 8
        else torch.float16
    )


def load(
    name: str | Path,
    adapter: str | Path | None = None,
    device: str | None = None,
    prompt: str | None = None,
    bits: int | None = None,
) -> Captioner:
    """A captioner from a hub id or a folder in the hub's layout, safetensors only.

    `adapter` is a PEFT folder or hub id. `name` may itself be one: then the base is the
    one that the adapter names. The weights' type follows the hardware (`precision`;
    minis stay in float32); on a GPU they are loaded in 8 or 4 bits where whole ones
    don't fit, or as `bits` says. Raises MemoryError before anything large is downloaded
    or loaded; ValueError for another architecture, an adapter whose base can't be
    found, or where the tokenizer's `<image>` is not the model's image token.
    """
    device = device or (
        f"cuda:{os.environ.get('LOCAL_RANK', 0)}"
        if torch.cuda.is_available()
        else "cpu"
    )
    if adapter is None and (named := base_of(name)):
        name, adapter = named, name
    config = AutoConfig.from_pretrained(name)
    kind = architecture(config, name)
    dtype = torch.float32 if kind.grid else precision(device)
    bits = memory.preflight(name, kind.model, config, device, dtype, bits)
    extra = (
        {"quantization_config": _packed(bits, dtype), "device_map": {"": device}}
        if bits
        else {}
    )
    model = kind.model.from_pretrained(name, dtype=dtype, use_safetensors=True, **extra)
    tokenizer = AutoTokenizer.from_pretrained(name)
    if tokenizer.convert_tokens_to_ids(IMAGE) != config.image_token_index:
        raise ValueError(
            f"{name}: {IMAGE} is token {tokenizer.convert_tokens_to_ids(IMAGE)} of the"
            f" tokenizer but {config.image_token_index} of the model"
        )
    cells = _beside(name, CELLS) if kind.grid else None
    words = next(
        (
            place
            for place in (adapter, name)
            if place and _beside(place, f"{WORDS}/tokenizer.json")
        ),
        None,
    )
    captioner = Captioner(
        model.eval() if bits else model.to(device).eval(),
        tokenizer,
        kind.pixels.from_pretrained(name),
        kind.prompt if prompt is None else prompt,
        cells=cells and Cells.load(cells),
        text_tokenizer=words and AutoTokenizer.from_pretrained(words, subfolder=WORDS),
    )
    if kind.name == "BLIP-2" and (found := _beside(name, RETRIEVAL)):
        tensors = load_file(found)
        contrast.attach_like(
            captioner, {key: tensor.shape for key, tensor in tensors.items()}
        ).load_state_dict(tensors)
    if adapter is not None:
        adapted = _adapted(captioner, str(adapter))
        captioner.model = adapted.eval() if bits else adapted.to(device).eval()
    return captioner


def _beside(name: str | Path, file: str) -> Path | None:
    """A file that a folder, or a repository of the hub, may hold."""
    from transformers.utils import cached_file

    found = cached_file(
        str(name),
        file,
        _raise_exceptions_for_missing_entries=False,
        _raise_exceptions_for_connection_errors=False,
    )
    return found and Path(found)


def _adapted(captioner: Captioner, adapter: str) -> Any:
    """The model with an adapter's weights, a retrieval part among them where it trained
    one.

    ValueError where some of its layers get none: peft would only warn.
    """
    from peft import PeftModel
    from transformers.utils import cached_file

    found = cached_file(
        adapter, "adapter_model.safetensors"
    )  # OSError without it; peft would take a pickle
    with safe_open(found, "pt") as file:
        shapes = {
            key.partition(f".{contrast.NAME}.")[2]: file.get_slice(key).get_shape()
            for key in file.keys()
        }
    if "logit_scale" in shapes and not hasattr(captioner.base, contrast.NAME):
        contrast.attach_like(captioner, shapes)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Found missing adapter keys")
        try:
            return PeftModel.from_pretrained(captioner.model, adapter)
        except UserWarning as missing:
            raise ValueError(
                f"the adapter {adapter} is of another base, or of an older"
                f" transformers' names: {missing!s:.200}"
            ) from missing


def base_of(name: str | Path) -> str | None:
    """The base model that an adapter was trained on; None where `name` is no adapter.

    ValueError where the adapter's base is a folder that isn't here: published adapters
    name their author's disk.
    """
    from transformers.utils import find_adapter_config_file

    found = find_adapter_config_file(str(name))
    if found is None:
        return None
    base = (
        json.loads(Path(found).read_text(encoding="utf-8")).get(
            "base_model_name_or_path"
        )
        or ""
    )
    if (
        base and (beside := Path(name) / base / "config.json").is_file()
    ):  # the way from one to the other
        return str(beside.parent)
    if not (base and (Path(base) / "config.json").is_file()) and not re.fullmatch(
        r"\w[\w.-]*/[\w.-]+", base
    ):
        raise ValueError(
            f"the adapter {name} was trained on {base!r}, which is not here. Name its"
            f" base: load(base, adapter={str(name)!r}), e.g. with"
            " Salesforce/blip2-opt-2.7b"
        )
    return base


def _packed(bits: int, dtype: torch.dtype) -> Any:
    """Settings of bitsandbytes for weights in 8 or 4 bits."""
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
    """Write the hub's layout (config, safetensors, tokenizer, processor), or the PEFT
    folder of an adapted model.

    A retrieval part, its own tokenizer and a mini's projection of pictures lie beside,
    in files of their own; a retrieval part that an adapter trained lies among the
    adapter's weights.
    """
    whole = captioner.model is captioner.base
    if whole and isinstance(captioner.tower, CachedTower):
        raise ValueError(
            "the vision tower of this captioner is its cached output; save the one it"
            " was made from"
        )
    with atomic(Path(folder)) as part:
        if captioner.text_tokenizer is not None:
            captioner.text_tokenizer.save_pretrained(part / WORDS)
        if not whole:
            captioner.model.save_pretrained(part, save_embedding_layers=False)
        else:
            own, retrieval = _apart(captioner.base)
            captioner.base.save_pretrained(part, state_dict=own)
            if retrieval:
                save_file(retrieval, part / RETRIEVAL)
            if captioner.cells is not None:
                captioner.cells.save(part / CELLS)
            config, tokenizer = captioner.base.config, captioner.tokenizer
            processor = (
                Blip2Processor(
                    captioner.pixels,
                    tokenizer,
                    num_query_tokens=config.num_query_tokens,
                )
                if captioner.architecture.name == "BLIP-2"
                else LlavaProcessor(
                    captioner.pixels,
                    tokenizer,
                    patch_size=config.vision_config.patch_size,
                    vision_feature_select_strategy=config.vision_feature_select_strategy,
                    num_additional_image_tokens=1,
                )
            )
            processor.save_pretrained(part)


def _apart(model: PreTrainedModel) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """A model's weights as its class knows them, and those of its retrieval part."""
    start = f"{contrast.NAME}."
    weights = model.state_dict()
    return (
        {
            name: tensor
            for name, tensor in weights.items()
            if not name.startswith(start)
        },
        {
            name.removeprefix(start): tensor
            for name, tensor in weights.items()
            if name.startswith(start)
        },
    )


def merged(captioner: Captioner) -> Captioner:
    """An adapted captioner with its adapter's weights added to its own: a whole model,
    which `save` writes as one.
    """
    return replace(captioner, model=captioner.model.merge_and_unload().eval())
