"""Write captions, and read what BLIP-2 makes of an image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from fashionlib.captioning.captioners.captioner import Captioner


def generate(
    captioner: Captioner,
    images: Sequence[str],
    batch_size: int = 128,
    max_new_tokens: int = 80,
    **decoding: Any,
) -> list[str]:
    """Write one caption an image, greedy unless `decoding` says otherwise.

    Say `num_beams=3`, or `do_sample=True, top_p=0.9`. The caption starts after the
    prompt and ends before EOS; `max_new_tokens` counts neither image nor prompt. Where
    a GPU lacks the memory for a batch, all are written anew with half as many at once.
    """
    try:
        return _written(captioner, images, batch_size, max_new_tokens, decoding)
    except torch.OutOfMemoryError:
        if batch_size == 1:
            raise
    torch.cuda.empty_cache()
    half = batch_size // 2
    return generate(captioner, images, half, max_new_tokens, **decoding)


@torch.inference_mode()
def _written(
    captioner: Captioner,
    images: Sequence[str],
    batch_size: int,
    max_new_tokens: int,
    decoding: dict[str, Any],
) -> list[str]:
    start, captions = captioner.start, []
    for pixels in captioner.input_batches(images, batch_size, "captions"):
        # (items, start)
        input_ids = torch.tensor([start] * len(pixels), device=pixels.device)
        output = captioner.base.generate(
            pixel_values=pixels,
            input_ids=input_ids,
            attention_mask=torch.ones_like(input_ids),
            max_new_tokens=max_new_tokens,
            eos_token_id=captioner.eos,
            pad_token_id=captioner.tokenizer.pad_token_id,
            **{"do_sample": False, "num_beams": 1} | decoding,
        )
        # a T5 writes the caption alone; the others repeat the start
        new = output if captioner.encoder_decoder else output[:, len(start) :]
        texts = captioner.tokenizer.batch_decode(new, skip_special_tokens=True)
        captions += [text.strip() for text in texts]
    return captions


def generate_samples(
    captioner: Captioner,
    images: Sequence[str],
    samples: int,
    temperature: float,
    seed: int,
) -> list[list[str]]:
    """Write each image's captions: the greedy one, then `samples` that are drawn."""
    greedy = generate(captioner, images)
    torch.manual_seed(seed)
    drawn = generate(
        captioner,
        images,
        batch_size=64,
        do_sample=True,
        temperature=temperature,
        num_return_sequences=samples,
    )  # an image's samples stand together
    return [
        [first, *drawn[row * samples : (row + 1) * samples]]
        for row, first in enumerate(greedy)
    ]


class ImageStates(NamedTuple):
    """What a BLIP-2 makes of images, float32."""

    vision: np.ndarray  # (items, dim): the vision tower's outputs, their mean
    queries: np.ndarray  # (items, queries, dim): what the language model reads


def encode_images(
    captioner: Captioner, images: Sequence[str], batch_size: int = 128
) -> ImageStates:
    """Return the vision tower's and the Q-Former's outputs for each image.

    ValueError without a Q-Former.
    """
    vision, queries = [], []
    for output in encode_batches(captioner, images, batch_size):
        tower = output.vision_outputs.last_hidden_state  # (items, tokens, dim)
        vision.append(tower.float().mean(1).cpu().numpy())
        queries.append(output.qformer_outputs.last_hidden_state.float().cpu().numpy())
    return ImageStates(np.concatenate(vision), np.concatenate(queries))


@torch.inference_mode()
def encode_batches(
    captioner: Captioner, images: Sequence[str], batch_size: int
) -> Iterator[Any]:
    """Yield a BLIP-2's `vision_outputs` and `qformer_outputs` of each batch."""
    need_qformer(captioner)
    for pixels in captioner.input_batches(images, batch_size, "images"):
        yield captioner.base.get_image_features(pixels, return_dict=True)


def need_qformer(captioner: Captioner) -> None:
    """Raise ValueError unless the captioner is a BLIP-2."""
    name = captioner.architecture.name
    if name != "BLIP-2":
        raise ValueError(f"a {name} has no Q-Former; give a BLIP-2")
