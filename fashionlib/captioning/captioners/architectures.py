"""BLIP-2 and LLaVA: what stands before a caption, towers that read features.

A *mini* is a small model of transformers' own classes whose vision tower takes grid
features made earlier (`fashionlib.features.efficientnet`) in place of pixels, so that
it trains in minutes on one CPU thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from transformers import (
    Blip2Config,
    Blip2ForConditionalGeneration,
    LlavaConfig,
    LlavaForConditionalGeneration,
    PreTrainedConfig,
)
from transformers.modeling_outputs import BaseModelOutputWithPooling
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

IMAGE = "<image>"


class GridTower(nn.Module):
    """A vision tower on features made earlier: it adds a learned vector to each cell.

    With `class_cell` the mean of the cells stands before them, where CLIP has its class
    token.
    """

    def __init__(self, config: PreTrainedConfig, class_cell: bool = False) -> None:
        super().__init__()
        cells = (config.image_size // config.patch_size) ** 2
        self.position = nn.Parameter(torch.randn(cells, config.hidden_size) * 0.2)
        self.dropout = nn.Dropout(config.attention_dropout)
        self.class_cell = class_cell

    def forward(self, pixel_values: Tensor, **_: Any) -> BaseModelOutputWithPooling:
        """Return (items, cells, dim) as a vision tower's last and hidden states."""
        features = pixel_values.to(self.position.dtype)  # (items, cells, dim)
        cells = self.dropout(features) + self.position
        if self.class_cell:
            cells = torch.cat([cells.mean(1, keepdim=True), cells], 1)
        return BaseModelOutputWithPooling(
            cells, cells.mean(1), hidden_states=(cells, cells)
        )


class CachedTower(nn.Module):
    """Stands for a vision tower whose outputs (items, tokens, dim) it is given."""

    def __init__(self, layers: int, modules_before: list[str]) -> None:
        super().__init__()
        self.layers, self.modules_before = layers, modules_before

    def forward(self, pixel_values: Tensor, **_: Any) -> BaseModelOutputWithPooling:
        """Return what was given, as every layer's output."""
        return BaseModelOutputWithPooling(
            pixel_values, pixel_values.mean(1), (pixel_values,) * (self.layers + 1)
        )


class GridBlip2ForConditionalGeneration(Blip2ForConditionalGeneration):
    """BLIP-2 on grid features."""

    def __init__(self, config: Blip2Config) -> None:
        super().__init__(config)
        self.vision_model = GridTower(config.vision_config)

    def forward(self, pixel_values: Tensor | None = None, **inputs: Any) -> Any:
        """Read images and text; a batch without images is the language model's."""
        if pixel_values is None and inputs.get("mm_encoder_outputs") is None:
            return self.language_model(**inputs)
        return super().forward(pixel_values=pixel_values, **inputs)


class GridLlavaForConditionalGeneration(LlavaForConditionalGeneration):
    """LLaVA on grid features."""

    def __init__(self, config: LlavaConfig) -> None:
        super().__init__(config)
        self.model.vision_tower = GridTower(config.vision_config, class_cell=True)


def blip2_start(config: Blip2Config, tokenizer: Any, prompt: str) -> list[int]:
    """Return one image token per query, BOS and prompt.

    A T5 has no BOS: its encoder reads image tokens, prompt and EOS.
    """
    images = [config.image_token_index] * config.num_query_tokens
    ids = tokenizer(prompt, add_special_tokens=False)["input_ids"] if prompt else []
    if config.text_config.is_encoder_decoder:
        return [*images, *ids, end_of(config)]
    return [*images, config.text_config.bos_token_id, *ids]


def llava_start(config: LlavaConfig, tokenizer: Any, prompt: str) -> list[int]:
    """Return BOS and the prompt, whose `<image>` becomes one image token a patch.

    One more stands for the class token where the model reads it too.
    """
    ids = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    image = config.image_token_index
    if ids.count(image) != 1:
        raise ValueError(
            f"{ids.count(image)} {IMAGE} in the prompt {prompt!r}; write it once"
        )
    vision = config.vision_config
    patches = (vision.image_size // vision.patch_size) ** 2
    class_token = config.vision_feature_select_strategy == "full"
    images = [image] * (patches + class_token)
    at = ids.index(image)
    return [config.text_config.bos_token_id, *ids[:at], *images, *ids[at + 1 :]]


def end_of(config: PreTrainedConfig) -> int:
    """Return the token that ends a caption; BLIP-2 OPT's is the line feed."""
    token = config.text_config.eos_token_id
    return token[0] if isinstance(token, list) else token


@dataclass(frozen=True)
class Architecture:
    """What of a captioner depends on its architecture.

    `start` gives the token ids that stand before every caption.
    """

    name: str  # as the papers write it
    model: type
    # the image processor on Pillow: the same pixels with and without torchvision
    pixels: type
    tower: str  # the vision tower's name among the model's modules
    start: Callable[[Any, Any, str], list[int]]
    prompt: str = ""
    grid: bool = False  # whether it reads grid features in place of pictures


BLIP2 = Architecture(
    "BLIP-2",
    Blip2ForConditionalGeneration,
    BlipImageProcessorPil,
    "vision_model",
    blip2_start,
)
LLAVA = Architecture(
    "LLaVA",
    LlavaForConditionalGeneration,
    CLIPImageProcessorPil,
    "model.vision_tower",
    llava_start,
    # LLaVA-1.5's template; the question is ours
    f"USER: {IMAGE}\nDescribe this fashion item. ASSISTANT:",
)
GRID_BLIP2 = replace(BLIP2, model=GridBlip2ForConditionalGeneration, grid=True)
GRID_LLAVA = replace(
    LLAVA, model=GridLlavaForConditionalGeneration, grid=True, prompt=IMAGE
)
ARCHITECTURES = {
    one.model.__name__: one for one in (BLIP2, LLAVA, GRID_BLIP2, GRID_LLAVA)
}


def architecture(config: PreTrainedConfig, name: object) -> Architecture:
    """Return the architecture of a configuration; ValueError for an unknown one."""
    kind = (config.architectures or ["none"])[0]
    if kind not in ARCHITECTURES:
        raise ValueError(
            f"{name} is a {kind}; known architectures: {', '.join(ARCHITECTURES)}"
        )
    return ARCHITECTURES[kind]
