"""Pretrain a mini: captions of what is seen, a shop's sentences as plain text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from fashionlib.captioning.captioners import Captioner, with_text
from fashionlib.captioning.training.fine_tuning import Pairs, train
from fashionlib.captioning.training.recipes import Recipe, recipe


def recipe_of(mini: Captioner, steps: int, **changes: Any) -> Recipe:
    """Return the recipe that pretrains this mini: what a BLIP-2 learns, or a LLaVA."""
    blip2 = mini.architecture.name == "BLIP-2"
    name = "mini_first_stage" if blip2 else "mini_pretraining"
    return recipe(name, steps, **changes)


def pretrain(
    mini: Captioner,
    pairs: Pairs,
    texts: Sequence[str],
    setting: Recipe,
    output_dir: Path,
    **how: Any,
) -> tuple[Captioner, pd.DataFrame]:
    """Pretrain a mini of random weights; return it and its curve.

    `pairs` are images and their captions, `texts` sentences without a picture. A BLIP-2
    learns captioning beside the two losses of its paper's first stage (Li et al., 2023,
    section 3.1: image-text contrast and matching), in one run where the paper has two
    stages; a LLaVA captioning alone. `how` are `train`'s other arguments.
    """
    if setting.joint:
        mini = with_text(mini, seed=setting.seed)
    return train(mini, *pairs, setting, output_dir, texts=texts, **how)
