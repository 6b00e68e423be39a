"""Which captions share a batch.

It is planned before the run, so that a resumed run goes through the same batches.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from fashionlib.captioning.captioners import Captioner, contrast, tokens
from fashionlib.captioning.training.recipes import Recipe


def plan(
    lengths: Sequence[int], batch_size: int, batches: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """Return `batches` batches of row numbers, each of captions of similar length.

    Shuffle, sort runs of 16 batches, shuffle. The whole order is a function of the
    generator.
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
    """Planned batches as a dataset: item i is the i-th batch, always the same.

    A share of them, the recipe's, are `texts` without images.
    """

    def __init__(
        self,
        captioner: Captioner,
        images: Sequence[str],
        captions: Sequence[str],
        recipe: Recipe,
        batches: int,
        texts: Sequence[str] = (),
        training: bool = True,
    ) -> None:
        self.captioner, self.recipe, self.training = captioner, recipe, training
        self.images, self.captions = list(images), list(captions)
        self.texts = list(texts)
        rng = np.random.default_rng([recipe.seed, 0])
        share = round(recipe.text_share * batches) if self.texts else 0
        is_text = np.zeros(batches, dtype=bool)
        is_text[rng.permutation(batches)[:share]] = True
        of_texts = iter(self._plan(self.texts, share, rng) if share else [])
        of_pairs = iter(self._plan(self.captions, batches - share, rng))
        self.batches = [
            (bool(text), next(of_texts if text else of_pairs)) for text in is_text
        ]

    def _plan(
        self, captions: Sequence[str], batches: int, rng: np.random.Generator
    ) -> list[np.ndarray]:
        lengths = [len(ids) for ids in tokens(self.captioner.tokenizer, captions)]
        return plan(lengths, self.recipe.batch_size, batches, rng)

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, i: int) -> dict[str, Tensor]:
        """Make the i-th batch."""
        is_text, rows = self.batches[i]
        source = self.texts if is_text else self.captions
        captions = [source[row] for row in rows]
        recipe = self.recipe
        batch = self.captioner.batch(
            None if is_text else [self.images[row] for row in rows],
            captions,
            recipe.longest,
            recipe.end,
            recipe.pad_to if self.training else 0,
        )
        if is_text:  # there is no picture to mirror, or to bring near
            return batch
        if self.captioner.architecture.grid and self.training and recipe.flip:
            coins = np.random.default_rng([recipe.seed, 1, i]).random(len(rows))
            mask = torch.from_numpy(coins < 0.5)
            batch["pixel_values"] = mirrored(batch["pixel_values"], mask)
        if recipe.joint:
            batch |= contrast.text_batch(self.captioner, captions, recipe.longest)
        return batch


def mirrored(grids: Tensor, mask: Tensor) -> Tensor:
    """Mirror the grids (items, side * side, dim) of a mask (items,) left to right."""
    side = math.isqrt(grids.shape[1])
    square = grids.unflatten(1, (side, side))
    turned = torch.where(mask[:, None, None, None], square.flip(2), square)
    return turned.flatten(1, 2)
