"""Caption items with captions that were written for others: what copying alone gets."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fashionlib.data.items import CAPTION, CATEGORY, SPLIT, TEST, TRAIN
from fashionlib.features import Features, nearest

RANDOM = "random training caption"
NEAREST = "nearest photo's caption"
TYPICAL = "commonest caption of the true type"


def copies(
    split: pd.DataFrame, pictures: Features, seed: int
) -> dict[str, dict[str, str]]:
    """Return {baseline: {test item: a training caption}} of items in a split.

    `split` is indexed by item_id. RANDOM draws one, NEAREST takes that of the nearest
    picture (cosine), TYPICAL the commonest of the item's true category, or of all where
    training has no such category.
    """
    train, test = (split[split[SPLIT] == name] for name in (TRAIN, TEST))
    drawn = np.random.default_rng(seed).integers(0, len(train), len(test))
    rows, _ = nearest(pictures.rows(test.index), pictures.rows(train.index), 1)
    commonest = train.groupby(CATEGORY)[CAPTION].agg(_commonest)
    typical = test[CATEGORY].map(commonest).fillna(train[CAPTION].mode()[0])
    captions = {
        RANDOM: train[CAPTION].iloc[drawn],
        NEAREST: train[CAPTION].iloc[rows[:, 0]],
        TYPICAL: typical,
    }
    return {
        name: dict(zip(test.index, texts, strict=True))
        for name, texts in captions.items()
    }


def _commonest(captions: pd.Series) -> str:
    return captions.value_counts().index[0]
