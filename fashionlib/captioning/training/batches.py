"""Which captions share a batch, planned before the run, so that a resumed run sees what
it would have seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from fashionlib.captioning.captioners import Captioner, contrast, tokens
from fashionlib.captioning.training.recipes import Recipe


def plan(
    lengths: Sequence[int], batch_size: int, batches: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """`batches` batches of row numbers, each of captions of similar length: shuffle,
    sort runs of 16 batches, shuffle.

    The whole order is a function of the generator.
    """
    planned: list[np.ndarray] = []
    while len(planned) < batches:
        rows = rng.permutation(len(lengths))
        for k in range(0, len(rows), 16 * batch_size):
            run = rows[k : k + 16 * batch_size]
            run = run[np.argsort(np.take(lengths, run), kind="stable")]
            cut = [run[j : j + batch_size] for j in range(0, len(run), batch_size)]
            planned += [cut[j] for j in rng.permutation(len(cut))]
    return planned[:batches]


class Batches(torch.utils.data.Dataset):
    """Planned batches as a dataset: item i is the i-th batch, ready made, the same
    whenever it is asked for.
    """

    def __init__(
        self,
        captioner: Captioner,
        images: Any,
        captions: Sequence[str],
        recipe: Recipe,
        batches: int,
        texts: Sequence[str] = (),
        training: bool = True,
    ) -> None:
        self.captioner, self.images, self.captions, self.texts = (
            captioner,
            images,
            captions,
            texts,
        )
        self.recipe, self.training = recipe, training
        rng = np.random.default_rng([recipe.seed, 0])
        text = np.zeros(batches, dtype=bool)
        text[
            rng.permutation(batches)[
                : round(recipe.text_share * batches) if texts else 0
            ]
        ] = True
        read = iter(self._plan(texts, int(text.sum()), rng) if text.any() else [])
        seen = iter(self._plan(captions, int((~text).sum()), rng))
        self.batches = [
            (bool(is_text), next(read if is_text else seen)) for is_text in text
        ]

    def _plan(
        self, captions: Sequence[str], batches: int, rng: np.random.Generator
    ) -> list[np.ndarray]:
        lengths = [len(ids) for ids in tokens(self.captioner.tokenizer, captions)]
        return plan(lengths, self.recipe.batch_size, batches, rng)

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, i: int) -> dict[str, torch.Tensor]:
        is_text, rows = self.batches[i]
        if is_text:
            return self._made(None, [self.texts[r] for r in rows])
        images = (
            [self.images[r] for r in rows]
            if isinstance(self.images, list | tuple)
            else self.images[rows]
        )
        if self.captioner.architecture.grid and self.training and self.recipe.flip:
            images = mirrored(
                images,
                np.random.default_rng([self.recipe.seed, 1, i]).random(len(rows)) < 0.5,
            )
        return self._made(images, [self.captions[r] for r in rows])

    def _made(self, images: Any, captions: Sequence[str]) -> dict[str, torch.Tensor]:
        made = self.captioner.batch(
            images,
            captions,
            self.recipe.longest,
            self.recipe.end,
            self.recipe.pad_to if self.training else 0,
        )
        if (
            self.recipe.joint and images is not None
        ):  # a sentence without a picture has nothing to be near to
            made |= contrast.text_batch(self.captioner, captions, self.recipe.longest)
        return made


def mirrored(grids: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Grid features (items, side * side, dim) with the rows of the mask `which`
    mirrored left to right.
    """
    items, cells, dim = grids.shape
    side = math.isqrt(cells)
    square = grids.reshape(items, side, side, dim)
    return np.where(which[:, None, None, None], square[:, :, ::-1], square).reshape(
        grids.shape
    )
