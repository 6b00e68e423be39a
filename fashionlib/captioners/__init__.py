"""Captioners, BLIP-2 and LLaVA: one way to load them, make batches, write captions, and read what the image became."""

from __future__ import annotations

import json
import os
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm
from transformers import AutoConfig, AutoTokenizer, Blip2Processor, LlavaProcessor, PreTrainedModel

from fashionlib.captioners import memory, twins
from fashionlib.captioners.architectures import (
    ARCHITECTURES,
    IMAGE,
    Architecture,
    CachedTower,
    architecture,
    end_of,
)
from fashionlib.captioners.caches import encode, resized, without_tower
from fashionlib.captioners.twins import TWINS, Grid, Size, Vit
from fashionlib.runs import atomic

__all__ = ["TWINS", "Captioner", "Grid", "Size", "Vit", "encode", "generate", "load", "queries", "save", "seen",
           "twin", "without_tower"]

SMALL = 10_000_000  # weights; below this a second CPU thread costs more than it brings
# peft 0.21 asks transformers 5.23 for an attribute that was renamed; nothing a reader could do about it
warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated", category=FutureWarning)


@dataclass
class Captioner:
    """A model with what turns images and captions into its batches.

    Images are paths (or references of `fashionlib.images`); for a twin, grid features (items, cells, dim); for a
    captioner `without_tower`, that tower's outputs. `prompt` is the text that each caption follows. With a
    folder `pixel_cache`, a picture is decoded and resized once and kept there under a name of its bytes.
    """

    model: Any  # PreTrainedModel, or a PeftModel around it
    tokenizer: Any
    pixels: Any  # the image processor
    prompt: str = ""
    pixel_cache: Path | None = None

    @property
    def base(self) -> PreTrainedModel:
        """The model itself, with the adapter's layers in it where there is one."""
        return self.model.get_base_model() if hasattr(self.model, "get_base_model") else self.model

    @property
    def architecture(self) -> Architecture:
        return ARCHITECTURES[type(self.base).__name__]

    @property
    def tower(self) -> torch.nn.Module:
        """The vision tower."""
        return self.base.get_submodule(self.architecture.tower)

    @property
    def tower_modules(self) -> list[str]:
        """Names of the vision tower's modules, also where the tower was taken out."""
        if isinstance(self.tower, CachedTower):
            return self.tower.modules_before
        return [f"{self.architecture.tower}.{name}" for name, _ in self.tower.named_modules() if name]

    @property
    def eos(self) -> int:
        """The token that ends a caption."""
        return end_of(self.base.config)

    @property
    def start(self) -> list[int]:
        """The token ids that stand before every caption: image tokens, BOS, prompt, in the architecture's order."""
        return self.architecture.start(self.base.config, self.tokenizer, self.prompt)

    @property
    def encoder_decoder(self) -> bool:
        """Whether the language model is a T5: then the start goes to its encoder, the caption to its decoder."""
        return self.base.config.text_config.is_encoder_decoder

    def inputs(self, images: Sequence[str] | np.ndarray | Tensor) -> Tensor:
        """Images -> pixel_values, on the CPU: (items, 3, height, width) float32; features as (items, cells, dim)."""
        if isinstance(self.tower, CachedTower):
            if not isinstance(images, Tensor):
                raise ValueError("this captioner's vision tower is cached: give rows of what `encode` returned")
            return images
        if self.architecture.grid:
            shape = tuple(self.tower.position.shape)
            if np.shape(images)[1:] != shape:
                raise ValueError(f"grid features of shape {np.shape(images)[1:]}; this captioner takes {shape}")
            return torch.from_numpy(np.asarray(images, dtype=np.float32))
        kept = [resized(self.pixels, path, self.pixel_cache) for path in images]
        return self.pixels(kept, do_resize=False, do_center_crop=False, do_convert_rgb=False,
                           input_data_format="channels_first", return_tensors="pt")["pixel_values"]

    def batch(self, images: Any, captions: Sequence[str], longest: int = 84, end: bool = True, pad_to: int = 0,
              ) -> dict[str, Tensor]:
        """A training batch padded on the right: pixel_values, input_ids, attention_mask, labels.

        Targets are the caption (cut to `longest` tokens) and EOS; image tokens, BOS, prompt and pads are -100. With
        `images=None` the rows are text for the language model alone. Rows with and without images can't share a batch.
        `end=False` leaves EOS out; `pad_to` fills each row up to so many tokens with pads that are targets too (what
        the reference's code does, with 512): both are there to show what they do.
        """
        bos = self.eos if self.encoder_decoder else self.base.config.text_config.bos_token_id  # a T5 has no BOS
        start = self.start if images is not None else [bos]
        said = [[token for token in ids if token != self.eos] for ids in tokens(self.tokenizer, captions)]
        ends = [ids[:longest] + [self.eos] * end for ids in said]  # OPT's EOS is the line feed, which captions may hold
        if pad_to:
            ends = [ids + [self.tokenizer.pad_token_id] * (pad_to - len(start) - len(ids)) for ids in ends]
        if self.encoder_decoder:
            made = {"input_ids": torch.tensor([start] * len(ends)), "labels": padded(ends, -100)}
            made["attention_mask"] = torch.ones_like(made["input_ids"])
        else:
            made = {"input_ids": padded([start + ids for ids in ends], self.tokenizer.pad_token_id),
                    "labels": padded([[-100] * len(start) + ids for ids in ends], -100),
                    "attention_mask": padded([[1] * len(start + ids) for ids in ends], 0)}
        if images is None:
            return made
        self.check(made["input_ids"])
        return {"pixel_values": self.inputs(images)} | made

    def check(self, input_ids: Tensor) -> None:
        """Raise ValueError unless each row has the image tokens it needs: with none, BLIP-2 ignores the image."""
        config = self.base.config
        found, needed = (input_ids == config.image_token_index).sum(1), self.architecture.image_tokens(config)
        if (found != needed).any():
            raise ValueError(f"{sorted(set(found.tolist()))} image tokens in a row for {needed} image vectors; "
                             f"the image token is {config.image_token_index}")


def padded(rows: Sequence[Sequence[int]], fill: int) -> Tensor:
    """Rows of token ids as one tensor (rows, longest), filled up on the right."""
    made = torch.full((len(rows), max(map(len, rows))), fill)
    for row, ids in zip(made, rows, strict=True):
        row[:len(ids)] = torch.tensor(ids)
    return made


def tokens(tokenizer: Any, captions: Sequence[str]) -> list[list[int]]:
    """The token ids of each caption, no BOS or EOS; a caption that spells a special token is plain text."""
    special = set(tokenizer.all_special_ids)
    return [[token for token in ids if token not in special]
            for ids in tokenizer(list(captions), add_special_tokens=False)["input_ids"]]


def precision(device: str) -> torch.dtype:
    """float32 on a CPU, bfloat16 on GPUs of compute capability 8 and up, float16 on older ones."""
    if not device.startswith("cuda"):
        return torch.float32
    return torch.bfloat16 if torch.cuda.get_device_capability(device)[0] >= 8 else torch.float16


def load(name: str | Path, adapter: str | Path | None = None, device: str | None = None, prompt: str | None = None,
         bits: int | None = None) -> Captioner:
    """A captioner from a hub id or a folder in the hub's layout, safetensors only.

    `adapter` is a PEFT folder or hub id. `name` may itself be one: then the base is the one that the adapter names.
    The weights' type follows the hardware (`precision`; twins stay in float32); on a GPU they are loaded in 8 or 4
    bits where whole ones don't fit, or as `bits` says. Raises MemoryError before anything large is downloaded or
    loaded; ValueError for another architecture, an adapter whose base can't be found, or where the tokenizer's
    `<image>` is not the model's image token.
    """
    device = device or (f"cuda:{os.environ.get('LOCAL_RANK', 0)}" if torch.cuda.is_available() else "cpu")
    if adapter is None and (named := base_of(name)):
        name, adapter = named, name
    config = AutoConfig.from_pretrained(name)
    kind = architecture(config, name)
    dtype = torch.float32 if kind.grid else precision(device)
    bits = memory.preflight(name, kind.model, config, device, dtype, bits)
    extra = {"quantization_config": _packed(bits, dtype), "device_map": {"": device}} if bits else {}
    model = kind.model.from_pretrained(name, dtype=dtype, use_safetensors=True, **extra)
    tokenizer = AutoTokenizer.from_pretrained(name)
    if tokenizer.convert_tokens_to_ids(IMAGE) != config.image_token_index:
        raise ValueError(f"{name}: {IMAGE} is token {tokenizer.convert_tokens_to_ids(IMAGE)} of the tokenizer but "
                         f"{config.image_token_index} of the model")
    if adapter is not None:
        model = _adapted(model, str(adapter))
    prompt = kind.prompt if prompt is None else prompt
    return Captioner(model.eval() if bits else model.to(device).eval(), tokenizer, kind.pixels.from_pretrained(name),
                     prompt)


def _adapted(model: PreTrainedModel, adapter: str) -> Any:
    """The model with an adapter's weights. ValueError where some of its layers get none: peft would only warn."""
    from peft import PeftModel
    from transformers.utils import cached_file

    cached_file(adapter, "adapter_model.safetensors")  # OSError without it; peft would take a pickle
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Found missing adapter keys")
        try:
            return PeftModel.from_pretrained(model, adapter)
        except UserWarning as missing:
            raise ValueError(f"the adapter {adapter} is of another base, or of an older transformers' names: "
                             f"{str(missing):.200}") from missing


def base_of(name: str | Path) -> str | None:
    """The base model that an adapter was trained on; None where `name` is no adapter.

    ValueError where the adapter's base is a folder that isn't here: published adapters name their author's disk.
    """
    from transformers.utils import find_adapter_config_file

    found = find_adapter_config_file(str(name))
    if found is None:
        return None
    base = json.loads(Path(found).read_text(encoding="utf-8")).get("base_model_name_or_path") or ""
    if base and (beside := Path(name) / base / "config.json").is_file():  # the way from one to the other
        return str(beside.parent)
    if not (base and (Path(base) / "config.json").is_file()) and not re.fullmatch(r"\w[\w.-]*/[\w.-]+", base):
        raise ValueError(f"the adapter {name} was trained on {base!r}, which is not here. Name its base: "
                         f"load(base, adapter={str(name)!r}), e.g. with Salesforce/blip2-opt-2.7b")
    return base


def _packed(bits: int, dtype: torch.dtype) -> Any:
    """Settings of bitsandbytes for weights in 8 or 4 bits."""
    from transformers import BitsAndBytesConfig

    if bits not in (8, 4):
        raise ValueError(f"bits={bits}; weights are loaded in 8 or 4 bits, or whole (None)")
    return BitsAndBytesConfig(load_in_8bit=bits == 8, load_in_4bit=bits == 4, bnb_4bit_quant_type="nf4",
                              bnb_4bit_compute_dtype=dtype)


def save(captioner: Captioner, folder: Path) -> None:
    """Write the hub's layout (config, safetensors, tokenizer, processor), or the PEFT folder of an adapted model."""
    whole = captioner.model is captioner.base
    if whole and isinstance(captioner.tower, CachedTower):
        raise ValueError("the vision tower of this captioner is its cached output; save the one it was made from")
    with atomic(Path(folder)) as part:
        captioner.model.save_pretrained(part, **({} if whole else {"save_embedding_layers": False}))
        if whole:
            config, tokenizer = captioner.base.config, captioner.tokenizer
            processor = (Blip2Processor(captioner.pixels, tokenizer, num_query_tokens=config.num_query_tokens)
                         if captioner.architecture.name == "BLIP-2" else
                         LlavaProcessor(captioner.pixels, tokenizer, patch_size=config.vision_config.patch_size,
                                        vision_feature_select_strategy=config.vision_feature_select_strategy,
                                        num_additional_image_tokens=1))
            processor.save_pretrained(part)


def twin(captions: Iterable[str], tower: Grid | Vit, name: str = "blip2-small", size: Size | None = None,
         seed: int = 0) -> Captioner:
    """The twin of this name (`TWINS`) with random weights; `captions` make its tokenizer, `size` replaces its own."""
    if name not in TWINS:
        raise ValueError(f"unknown twin {name!r}; known: {', '.join(TWINS)}")
    kind, size = TWINS[name][0], size or TWINS[name][1]
    tokenizer = twins.vocabulary(captions, size.vocabulary)
    model = twins.model(kind, tower, size, tokenizer, seed)
    made = ARCHITECTURES[type(model).__name__]
    side = tower.image_size if isinstance(tower, Vit) else 224
    crop = {"crop_size": {"height": side, "width": side}} if kind == "llava" else {}
    return Captioner(model, tokenizer, made.pixels(size={"height": side, "width": side}, **crop), made.prompt)


@contextmanager
def threads(captioner: Captioner) -> Iterator[None]:
    """One torch thread while a small model computes on the CPU, as before afterwards: a second one mostly waits."""
    before = torch.get_num_threads()
    weights = sum(p.numel() for p in captioner.base.parameters())
    torch.set_num_threads(1 if weights < SMALL and captioner.base.device.type == "cpu" else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@torch.inference_mode()
def generate(captioner: Captioner, images: Any, batch_size: int = 128, max_new_tokens: int = 80,
             **decoding: Any) -> list[str]:
    """One caption per image, greedy unless `decoding` says otherwise (`num_beams=3`, `do_sample=True`, `top_p=0.9`).

    The caption starts after the prompt and ends before EOS. `max_new_tokens` counts neither image nor prompt.
    """
    model, start, written = captioner.base.eval(), captioner.start, []
    how = {"do_sample": False, "num_beams": 1} | decoding
    with threads(captioner):
        for k in tqdm(range(0, len(images), batch_size), desc="captions", unit="batch", leave=False):
            pixels = captioner.inputs(images[k:k + batch_size]).to(model.device, model.dtype)
            input_ids = torch.tensor([start] * len(pixels), device=model.device)  # (items, start)
            captioner.check(input_ids)
            output = model.generate(pixel_values=pixels, input_ids=input_ids, attention_mask=torch.ones_like(input_ids),
                                    max_new_tokens=max_new_tokens, eos_token_id=captioner.eos,
                                    pad_token_id=captioner.tokenizer.pad_token_id, **how)
            new = output if captioner.encoder_decoder else output[:, len(start):]  # the others repeat the start
            written += [text.strip() for text in captioner.tokenizer.batch_decode(new, skip_special_tokens=True)]
    return written


@torch.inference_mode()
def seen(captioner: Captioner, images: Any, batch_size: int = 128) -> dict[str, np.ndarray]:
    """What a BLIP-2 makes of each image, float32: "vision" (items, dim), the vision tower's outputs averaged over
    its tokens, and "queries" (items, queries, dim), the Q-Former's outputs: what the language model is told.
    """
    if captioner.architecture.name != "BLIP-2":
        raise ValueError(f"a {captioner.architecture.name} has no Q-Former; give a BLIP-2")
    model, vision, told = captioner.base.eval(), [], []
    with threads(captioner):
        for k in tqdm(range(0, len(images), batch_size), desc="images", unit="batch", leave=False):
            pixels = captioner.inputs(images[k:k + batch_size]).to(model.device, model.dtype)
            output = model.get_image_features(pixels, return_dict=True)
            vision.append(output.vision_outputs.last_hidden_state.float().mean(1).cpu().numpy())
            told.append(output.qformer_outputs.last_hidden_state.float().cpu().numpy())
    return {"vision": np.concatenate(vision), "queries": np.concatenate(told)}


def queries(captioner: Captioner, images: Any, batch_size: int = 128) -> np.ndarray:
    """The Q-Former's outputs (items, queries, dim) float32: what the language model is told about each image."""
    return seen(captioner, images, batch_size)["queries"]
