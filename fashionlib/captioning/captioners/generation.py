"""Captioners, BLIP-2 and LLaVA: one way to load them, make batches, write captions, and
read what the image became.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from fashionlib.captioning.captioners import minis
from fashionlib.captioning.captioners.architectures import ARCHITECTURES
from fashionlib.captioning.captioners.captioner import (
    Captioner,
    looked_at,
)
from fashionlib.captioning.captioners.minis import MINIS, Grid, Size, Vit
from fashionlib.features.threads import enough_for, one_thread


def mini(
    captions: Iterable[str],
    tower: Grid | Vit,
    name: str = "blip2-small",
    size: Size | None = None,
    seed: int = 0,
) -> Captioner:
    """The mini of this name (`MINIS`) with random weights; `captions` make its
    tokenizer, `size` replaces its own.
    """
    if name not in MINIS:
        raise ValueError(f"unknown mini {name!r}; known: {', '.join(MINIS)}")
    kind, size = MINIS[name][0], size or MINIS[name][1]
    tokenizer = minis.vocabulary(captions, size.vocabulary)
    model = minis.model(kind, tower, size, tokenizer, seed)
    made = ARCHITECTURES[type(model).__name__]
    side = tower.image_size if isinstance(tower, Vit) else 224
    crop = {"crop_size": {"height": side, "width": side}} if kind == "llava" else {}
    return Captioner(
        model,
        tokenizer,
        made.pixels(size={"height": side, "width": side}, **crop),
        made.prompt,
    )


@torch.inference_mode()
def generate(
    captioner: Captioner,
    images: Any,
    batch_size: int = 128,
    max_new_tokens: int = 80,
    **decoding: Any,
) -> list[str]:
    """One caption per image, greedy unless `decoding` says otherwise (`num_beams=3`,
    `do_sample=True`, `top_p=0.9`).

    The caption starts after the prompt and ends before EOS. `max_new_tokens` counts
    neither image nor prompt.
    """
    model, start, written = captioner.base.eval(), captioner.start, []
    how = {"do_sample": False, "num_beams": 1} | decoding
    with one_thread(enough_for(model)):
        for k in tqdm(
            range(0, len(images), batch_size),
            desc="captions",
            unit="batch",
            leave=False,
        ):
            pixels = captioner.inputs(images[k : k + batch_size]).to(
                model.device, model.dtype
            )
            input_ids = torch.tensor(
                [start] * len(pixels), device=model.device
            )  # (items, start)
            captioner.check(input_ids)
            output = model.generate(
                pixel_values=pixels,
                input_ids=input_ids,
                attention_mask=torch.ones_like(input_ids),
                max_new_tokens=max_new_tokens,
                eos_token_id=captioner.eos,
                pad_token_id=captioner.tokenizer.pad_token_id,
                **how,
            )
            new = (
                output if captioner.encoder_decoder else output[:, len(start) :]
            )  # the others repeat the start
            written += [
                text.strip()
                for text in captioner.tokenizer.batch_decode(
                    new, skip_special_tokens=True
                )
            ]
    return written


@torch.inference_mode()
def seen(
    captioner: Captioner, images: Any, batch_size: int = 128
) -> dict[str, np.ndarray]:
    """What a BLIP-2 makes of each image, float32: "vision" (items, dim), the vision
    tower's outputs averaged over its tokens, and "queries" (items, queries, dim), the
    Q-Former's outputs: what the language model is told.
    """
    vision, told = [], []
    for output in looked_at(captioner, images, batch_size):
        vision.append(
            output.vision_outputs.last_hidden_state.float().mean(1).cpu().numpy()
        )
        told.append(output.qformer_outputs.last_hidden_state.float().cpu().numpy())
    return {"vision": np.concatenate(vision), "queries": np.concatenate(told)}


def queries(captioner: Captioner, images: Any, batch_size: int = 128) -> np.ndarray:
    """The Q-Former's outputs (items, queries, dim) float32: what the language model is
    told about each image.
    """
    return seen(captioner, images, batch_size)["queries"]
