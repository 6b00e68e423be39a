"""A captioner: a model with what turns images and captions into its batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from tqdm import tqdm
from transformers import PreTrainedModel

from fashionlib.captioning.captioners.architectures import (
    ARCHITECTURES,
    Architecture,
    CachedTower,
    end_of,
)
from fashionlib.captioning.captioners.caches import resized
from fashionlib.captioning.captioners.rows import Rows
from fashionlib.features import chunks
from fashionlib.features.threads import enough_for, one_thread


@dataclass
class Captioner:
    """A model with what turns images and captions into its batches.

    Images are references of pictures (`fashionlib.data.images`). A captioner whose
    vision tower reads features has them in `rows`; any other decodes the pictures, and
    with a folder `pixel_cache` does so once. `prompt` is the text that each caption
    follows.
    """

    model: Any  # PreTrainedModel, or a PeftModel around it
    tokenizer: Any
    pixels: Any  # the image processor
    prompt: str = ""
    pixel_cache: Path | None = None
    rows: Rows | None = None

    @property
    def base(self) -> PreTrainedModel:
        """The model itself, with the adapter's layers in it where there is one."""
        if hasattr(self.model, "get_base_model"):
            return self.model.get_base_model()
        return self.model

    @property
    def architecture(self) -> Architecture:
        """What of the captioner depends on its architecture."""
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
        prefix = self.architecture.tower
        return [f"{prefix}.{name}" for name, _ in self.tower.named_modules() if name]

    @property
    def eos(self) -> int:
        """The token that ends a caption."""
        return end_of(self.base.config)

    @property
    def start(self) -> list[int]:
        """The tokens before every caption: image tokens, BOS, prompt, in some order."""
        return self.architecture.start(self.base.config, self.tokenizer, self.prompt)

    @property
    def encoder_decoder(self) -> bool:
        """Whether the language model is a T5.

        Then the start goes to its encoder, the caption to its decoder.
        """
        return self.base.config.text_config.is_encoder_decoder

    def inputs(self, images: Sequence[str]) -> Tensor:
        """Return the images' pixel_values, on the CPU.

        (items, 3, height, width) float32, or rows of features (items, cells, dim).
        """
        if self.rows is None:
            pixels = [resized(self.pixels, path, self.pixel_cache) for path in images]
            return self.pixels(
                pixels,
                do_resize=False,
                do_center_crop=False,
                do_convert_rgb=False,
                input_data_format="channels_first",
                return_tensors="pt",
            )["pixel_values"]
        rows = self.rows.read(images)
        if self.architecture.grid and rows.shape[1:] != self.tower.position.shape:
            raise ValueError(
                f"grid features of shape {tuple(rows.shape[1:])}; this captioner takes"
                f" {tuple(self.tower.position.shape)}"
            )
        return rows

    def input_batches(
        self, images: Sequence[str], batch_size: int, what: str
    ) -> Iterator[Tensor]:
        """Yield the inputs of each batch on the model's device, in its type.

        `what` is the progress bar's name.
        """
        model, images = self.base.eval(), list(images)
        starts = range(0, len(images), batch_size)
        with one_thread(enough_for(model)):
            for k in tqdm(starts, desc=what, unit="batch", leave=False):
                batch = self.inputs(images[k : k + batch_size])
                yield batch.to(model.device, model.dtype)

    def digest(self, image: str) -> bytes:
        """Return a digest of what the vision tower is given of an image."""
        return self.rows.digest(image) if self.rows else chunks.digest_picture(image)

    def batch(
        self,
        images: Sequence[str] | None,
        captions: Sequence[str],
        longest: int = 84,
        end: bool = True,
        pad_to: int = 0,
    ) -> dict[str, Tensor]:
        """Make a training batch: pixel_values, input_ids, attention_mask, labels.

        Rows are padded on the right. Targets are the caption (cut to `longest` tokens)
        and EOS; image tokens, BOS, prompt and pads are -100. With `images=None` the
        rows are text for the language model alone; rows with and without images can't
        share a batch. `end=False` leaves EOS out; `pad_to` fills each row up to so many
        tokens with pads that are targets too (what the reference's code does, with
        512): both are there to show what they do.
        """
        last, text = self.eos, self.base.config.text_config
        # a text without image starts at BOS; a T5 has none
        first = last if self.encoder_decoder else text.bos_token_id
        start = [first] if images is None else self.start
        targets = []
        for ids in tokens(self.tokenizer, captions):
            # OPT's EOS is the line feed, which captions may hold
            words = [token for token in ids if token != last]
            target = words[:longest] + [last] * end
            pads = max(0, pad_to - len(start) - len(target))
            targets.append(target + [self.tokenizer.pad_token_id] * pads)
        batch = self._tensors(start, targets)
        if images is None:
            return batch
        self.check(batch["input_ids"])
        return {"pixel_values": self.inputs(images)} | batch

    def _tensors(self, start: list[int], targets: list[list[int]]) -> dict[str, Tensor]:
        if self.encoder_decoder:
            input_ids = torch.tensor([start] * len(targets))  # (items, start)
            return {
                "input_ids": input_ids,
                "labels": padded(targets, -100),
                "attention_mask": torch.ones_like(input_ids),
            }
        rows = [start + target for target in targets]
        labels = [[-100] * len(start) + target for target in targets]
        return {
            "input_ids": padded(rows, self.tokenizer.pad_token_id),
            "labels": padded(labels, -100),
            "attention_mask": padded([[1] * len(row) for row in rows], 0),
        }

    def check(self, input_ids: Tensor) -> None:
        """Raise ValueError unless each row has the start's image tokens and no more.

        With none, BLIP-2 ignores the image.
        """
        image = self.base.config.image_token_index
        counts = (input_ids == image).sum(1)  # (items,)
        needed = self.start.count(image)
        if (counts != needed).any():
            raise ValueError(
                f"{sorted(set(counts.tolist()))} image tokens in a row for {needed}"
                f" image vectors; the image token is {image}"
            )


def padded(rows: Sequence[Sequence[int]], fill: int) -> Tensor:
    """Return rows of token ids as one tensor (rows, longest), filled on the right."""
    tensors = [torch.tensor(row, dtype=torch.long) for row in rows]
    return pad_sequence(tensors, batch_first=True, padding_value=fill)


def tokens(tokenizer: Any, captions: Sequence[str]) -> list[list[int]]:
    """Return the token ids of each caption, without BOS and EOS.

    A caption that spells a special token is plain text.
    """
    special = set(tokenizer.all_special_ids)
    encoded = tokenizer(list(captions), add_special_tokens=False)["input_ids"]
    return [[token for token in ids if token not in special] for ids in encoded]
