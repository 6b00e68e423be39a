"""A captioner: a model with what turns images and captions into its batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm
from transformers import PreTrainedModel

from fashionlib.captioning.captioners.architectures import (
    ARCHITECTURES,
    Architecture,
    CachedTower,
    end_of,
)
from fashionlib.captioning.captioners.caches import resized
from fashionlib.features.efficientnet import Cells
from fashionlib.features.threads import enough_for, one_thread


@dataclass
class Captioner:
    """A model with what turns images and captions into its batches.

    Images are paths (or references of `fashionlib.data.images`); for a mini on a grid,
    features (items, cells, dim), or paths too where it has the projection `cells`; for
    a captioner `without_tower`, that tower's outputs. `prompt` is the text that each
    caption follows. With a folder `pixel_cache`, a picture is decoded and resized once
    and kept there under a name of its bytes. `text_tokenizer` is the retrieval part's
    own, where that isn't `tokenizer`.
    """

    model: Any  # PreTrainedModel, or a PeftModel around it
    tokenizer: Any
    pixels: Any  # the image processor
    prompt: str = ""
    pixel_cache: Path | None = None
    cells: Cells | None = None
    text_tokenizer: Any = None

    @property
    def base(self) -> PreTrainedModel:
        """The model itself, with the adapter's layers in it where there is one."""
        return (
            self.model.get_base_model()
            if hasattr(self.model, "get_base_model")
            else self.model
        )

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
        return [
            f"{self.architecture.tower}.{name}"
            for name, _ in self.tower.named_modules()
            if name
        ]

    @property
    def eos(self) -> int:
        """The token that ends a caption."""
        return end_of(self.base.config)

    @property
    def start(self) -> list[int]:
        """The token ids that stand before every caption: image tokens, BOS, prompt, in
        the architecture's order.
        """
        return self.architecture.start(self.base.config, self.tokenizer, self.prompt)

    @property
    def encoder_decoder(self) -> bool:
        """Whether the language model is a T5: then the start goes to its encoder, the
        caption to its decoder.
        """
        return self.base.config.text_config.is_encoder_decoder

    def inputs(self, images: Sequence[str] | np.ndarray | Tensor) -> Tensor:
        """Images -> pixel_values, on the CPU: (items, 3, height, width) float32;
        features as (items, cells, dim).
        """
        if isinstance(self.tower, CachedTower):
            if not isinstance(images, Tensor):
                raise ValueError(
                    "this captioner's vision tower is cached: give rows of what"
                    " `encode` returned"
                )
            return images
        if self.architecture.grid:
            shape = tuple(self.tower.position.shape)
            if isinstance(next(iter(images), None), str | Path):
                images = self._grid(images, *shape)
            if np.shape(images)[1:] != shape:
                raise ValueError(
                    f"grid features of shape {np.shape(images)[1:]}; this captioner"
                    f" takes {shape}"
                )
            return torch.from_numpy(np.asarray(images, dtype=np.float32))
        kept = [resized(self.pixels, path, self.pixel_cache) for path in images]
        return self.pixels(
            kept,
            do_resize=False,
            do_center_crop=False,
            do_convert_rgb=False,
            input_data_format="channels_first",
            return_tensors="pt",
        )["pixel_values"]

    def _grid(self, paths: Sequence[str], cells: int, dim: int) -> np.ndarray:
        """The grid features (items, cells, dim) of pictures, for a mini that reads no
        others.
        """
        if self.cells is None:
            raise ValueError(
                "this captioner reads grid features, and its folder has no projection"
                " of pictures to them (cells.safetensors, which notebook 03 keeps);"
                " give features, or set `cells`"
            )
        if self.cells.dim != dim:
            raise ValueError(
                f"the projection makes {self.cells.dim} numbers a cell; this captioner"
                f" takes {dim}"
            )
        return self.cells.grid(paths, cells)

    def batch(
        self,
        images: Any,
        captions: Sequence[str],
        longest: int = 84,
        end: bool = True,
        pad_to: int = 0,
    ) -> dict[str, Tensor]:
        """A training batch padded on the right: pixel_values, input_ids,
        attention_mask, labels.

        Targets are the caption (cut to `longest` tokens) and EOS; image tokens, BOS,
        prompt and pads are -100. With `images=None` the rows are text for the language
        model alone. Rows with and without images can't share a batch. `end=False`
        leaves EOS out; `pad_to` fills each row up to so many tokens with pads that are
        targets too (what the reference's code does, with 512): both are there to show
        what they do.
        """
        bos = (
            self.eos
            if self.encoder_decoder
            else self.base.config.text_config.bos_token_id
        )  # a T5 has no BOS
        start = self.start if images is not None else [bos]
        said = [
            [token for token in ids if token != self.eos]
            for ids in tokens(self.tokenizer, captions)
        ]
        ends = [
            ids[:longest] + [self.eos] * end for ids in said
        ]  # OPT's EOS is the line feed, which captions may hold
        if pad_to:
            ends = [
                ids + [self.tokenizer.pad_token_id] * (pad_to - len(start) - len(ids))
                for ids in ends
            ]
        if self.encoder_decoder:
            made = {
                "input_ids": torch.tensor([start] * len(ends)),
                "labels": padded(ends, -100),
            }
            made["attention_mask"] = torch.ones_like(made["input_ids"])
        else:
            made = {
                "input_ids": padded(
                    [start + ids for ids in ends], self.tokenizer.pad_token_id
                ),
                "labels": padded([[-100] * len(start) + ids for ids in ends], -100),
                "attention_mask": padded([[1] * len(start + ids) for ids in ends], 0),
            }
        if images is None:
            return made
        self.check(made["input_ids"])
        return {"pixel_values": self.inputs(images)} | made

    def check(self, input_ids: Tensor) -> None:
        """Raise ValueError unless each row has the image tokens it needs: with none,
        BLIP-2 ignores the image.
        """
        config = self.base.config
        found, needed = (
            (input_ids == config.image_token_index).sum(1),
            self.architecture.image_tokens(config),
        )
        if (found != needed).any():
            raise ValueError(
                f"{sorted(set(found.tolist()))} image tokens in a row for {needed}"
                f" image vectors; the image token is {config.image_token_index}"
            )


def padded(rows: Sequence[Sequence[int]], fill: int) -> Tensor:
    """Rows of token ids as one tensor (rows, longest), filled up on the right."""
    made = torch.full((len(rows), max(map(len, rows))), fill)
    for row, ids in zip(made, rows, strict=True):
        row[: len(ids)] = torch.tensor(ids)
    return made


def tokens(tokenizer: Any, captions: Sequence[str]) -> list[list[int]]:
    """The token ids of each caption, no BOS or EOS; a caption that spells a special
    token is plain text.
    """
    special = set(tokenizer.all_special_ids)
    return [
        [token for token in ids if token not in special]
        for ids in tokenizer(list(captions), add_special_tokens=False)["input_ids"]
    ]


@torch.inference_mode()
def looked_at(
    captioner: Captioner, images: Any, batch_size: int = 128
) -> Iterator[Any]:
    """For each batch of images what a BLIP-2 makes of them: `vision_outputs`, and
    `qformer_outputs`, whose `last_hidden_state` (items, queries, dim) is what the
    language model is told. ValueError without a Q-Former.
    """
    if captioner.architecture.name != "BLIP-2":
        raise ValueError(
            f"a {captioner.architecture.name} has no Q-Former; give a BLIP-2"
        )
    model = captioner.base.eval()
    with one_thread(enough_for(model)):
        for k in tqdm(
            range(0, len(images), batch_size), desc="images", unit="batch", leave=False
        ):
            pixels = captioner.inputs(images[k : k + batch_size]).to(
                model.device, model.dtype
            )
            yield model.get_image_features(pixels, return_dict=True)
