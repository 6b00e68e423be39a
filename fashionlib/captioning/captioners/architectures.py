"""The two architectures, BLIP-2 and LLaVA: what stands before a caption, and vision
towers that read cached features.

A *mini* is a small model of transformers' own classes whose vision tower takes grid
features made earlier (`fashionlib.features.efficientnet`) in place of pixels, so that
it trains in minutes on one CPU thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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
    """A vision tower for features made earlier: (items, cells, dim) plus one learned
    vector per cell.

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
        cells = (
            self.dropout(pixel_values.to(self.position.dtype)) + self.position
        )  # (items, cells, dim)
        if self.class_cell:
            cells = torch.cat([cells.mean(1, keepdim=True), cells], 1)
        return BaseModelOutputWithPooling(
            cells, cells.mean(1), hidden_states=(cells, cells)
        )


class CachedTower(nn.Module):
    """In the place of a vision tower whose outputs (items, tokens, dim) were computed
    before; it hands them on.
    """

    def __init__(self, layers: int, modules_before: list[str]) -> None:
        super().__init__()
        self.layers, self.modules_before = layers, modules_before

    def forward(self, pixel_values: Tensor, **_: Any) -> BaseModelOutputWithPooling:
        return BaseModelOutputWithPooling(
            pixel_values, pixel_values.mean(1), (pixel_values,) * (self.layers + 1)
        )


class GridBlip2ForConditionalGeneration(Blip2ForConditionalGeneration):
    """BLIP-2 on cached grid features. A batch without images is a batch of plain text
    for the language model.
    """

    def __init__(self, config: Blip2Config) -> None:
        super().__init__(config)
        self.vision_model = GridTower(config.vision_config)

    def forward(self, pixel_values: Tensor | None = None, **inputs: Any) -> Any:
        if pixel_values is None and inputs.get("mm_encoder_outputs") is None:
            return self.language_model(**inputs)
        return super().forward(pixel_values=pixel_values, **inputs)


class GridLlavaForConditionalGeneration(LlavaForConditionalGeneration):
    """LLaVA on cached grid features."""

    def __init__(self, config: LlavaConfig) -> None:
        super().__init__(config)
        self.model.vision_tower = GridTower(config.vision_config, class_cell=True)


def blip2_start(config: Blip2Config, tokenizer: Any, prompt: str) -> list[int]:
    """Image tokens, one per query, BOS, prompt. A T5 has no BOS: its encoder reads
    image tokens, prompt and EOS.
    """
    images = [config.image_token_index] * config.num_query_tokens
    ids = tokenizer(prompt, add_special_tokens=False)["input_ids"] if prompt else []
    if config.text_config.is_encoder_decoder:
        return images + ids + [end_of(config)]
    return images + [config.text_config.bos_token_id] + ids


def llava_start(config: LlavaConfig, tokenizer: Any, prompt: str) -> list[int]:
    """BOS and the prompt, whose `<image>` becomes one image token per patch (and one
    for the class token, if kept).
    """
    ids = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    if ids.count(config.image_token_index) != 1:
        raise ValueError(
            f"{ids.count(config.image_token_index)} {IMAGE} in the prompt {prompt!r};"
            " write it once"
        )
    at = ids.index(config.image_token_index)
    bos = config.text_config.bos_token_id
    return [
        bos,
        *ids[:at],
        *[config.image_token_index] * llava_images(config),
        *ids[at + 1 :],
    ]


def llava_images(config: LlavaConfig) -> int:
    patches = (config.vision_config.image_size // config.vision_config.patch_size) ** 2
    return patches + (config.vision_feature_select_strategy == "full")


def end_of(config: PreTrainedConfig) -> int:
    """The token that ends a caption (for BLIP-2 OPT that is the line feed, not
    `</s>`).
    """
    token = config.text_config.eos_token_id
    return token[0] if isinstance(token, list) else token


@dataclass(frozen=True)
class Architecture:
    """What of a captioner depends on its architecture. `start` are the token ids that
    stand before every caption.
    """

    name: str  # as the papers write it
    model: type
    # the image processor on Pillow: the same pixels with and without torchvision
    pixels: type
    tower: str  # the vision tower's name among the model's modules
    start: Callable[[Any, Any, str], list[int]]
    image_tokens: Callable[[Any], int]
    prompt: str = ""

    @property
    def grid(self) -> bool:
        """Whether it reads grid features in place of pictures."""
        return self.model in (
            GridBlip2ForConditionalGeneration,
            GridLlavaForConditionalGeneration,
        )


ASK = (  # LLaVA-1.5's template; the question is ours
    f"USER: {IMAGE}\nDescribe this fashion item. ASSISTANT:"
)
BLIP2 = (
    "BLIP-2",
    BlipImageProcessorPil,
    "vision_model",
    blip2_start,
    lambda config: config.num_query_tokens,
)
LLAVA = (
    "LLaVA",
    CLIPImageProcessorPil,
    "model.vision_tower",
    llava_start,
    llava_images,
)
ARCHITECTURES = {
    model.__name__: Architecture(
        name, model, pixels, tower, start, image_tokens, prompt
    )
    for model, (name, pixels, tower, start, image_tokens), prompt in (
        (Blip2ForConditionalGeneration, BLIP2, ""),
        (GridBlip2ForConditionalGeneration, BLIP2, ""),
        (LlavaForConditionalGeneration, LLAVA, ASK),
        (GridLlavaForConditionalGeneration, LLAVA, IMAGE),
    )
}


def architecture(config: PreTrainedConfig, name: object) -> Architecture:
    """The architecture of a configuration. ValueError where it is another one than the
    known.
    """
    kind = (config.architectures or ["none"])[0]
    if kind not in ARCHITECTURES:
        raise ValueError(
            f"{name} is a {kind}; known architectures: {', '.join(ARCHITECTURES)}"
        )
    return ARCHITECTURES[kind]
