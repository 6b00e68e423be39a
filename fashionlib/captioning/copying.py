"""Caption items with captions that were written for others: what copying gets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from fashionlib.captioning.metrics import Scores, score_many
from fashionlib.captioning.metrics.overlap import Cider
from fashionlib.captioning.rerank import Setting, consensus, copy_or_write
from fashionlib.data.items import CAPTION, CATEGORY, PRODUCT, SPLIT, TEST, TRAIN
from fashionlib.features import Features, nearest

RANDOM = "random training caption"
NEAREST = "nearest photo's caption"
TYPICAL = "commonest caption of the true type"
POOLED, STANDARDISED, EYES = "pooled", "standardised", "the captioner's eyes"


def copies(
    split: pd.DataFrame, pictures: Features, seed: int
) -> dict[str, dict[str, str]]:
    """Return {baseline: {test item: a training caption}} of items in a split.

    `split` is indexed by item_id. RANDOM draws one, NEAREST takes that of the nearest
    picture (cosine), TYPICAL the commonest of the item's true category (`commonest`).
    """
    train, test = (split[split[SPLIT] == name] for name in (TRAIN, TEST))
    captions = {
        RANDOM: drawn(train, len(test), seed),
        NEAREST: [first for [first] in near(pictures, train, test.index, 1)],
        TYPICAL: commonest(train, test[CATEGORY]),
    }
    return pd.DataFrame(captions, test.index).to_dict()


def drawn(train: pd.DataFrame, n: int, seed: int) -> list[str]:
    """Return n training captions drawn with replacement: chance of every metric."""
    rows = np.random.default_rng(seed).integers(0, len(train), n)
    return train[CAPTION].to_numpy()[rows].tolist()


def near(
    space: Features, train: pd.DataFrame, ids: Sequence[str], k: int = 5
) -> list[list[str]]:
    """Return the captions of each item's k nearest training photos, nearest first."""
    rows, _ = nearest(space.rows(ids), space.rows(train.index), k)  # (items, k)
    return train[CAPTION].to_numpy()[rows].tolist()


def commonest(train: pd.DataFrame, categories: pd.Series) -> list[str]:
    """Return the commonest training caption of each item's category.

    For a category that training lacks it is the commonest of all.
    """
    captions = train.groupby(CATEGORY)[CAPTION]
    usual = captions.agg(lambda texts: texts.value_counts().index[0])
    return categories.map(usual).fillna(train[CAPTION].mode()[0]).tolist()


def looked_up(split: pd.DataFrame) -> dict[str, str]:
    """Return {test item: a training caption}, found by the product's id alone.

    No picture is read: it is the first training caption of the product, or, where
    training lacks the product, the commonest of the item's category.
    """
    train, test = (split[split[SPLIT] == name] for name in (TRAIN, TEST))
    known = train.drop_duplicates(PRODUCT).set_index(PRODUCT)[CAPTION]
    usual = pd.Series(commonest(train, test[CATEGORY]), test.index)
    return test[PRODUCT].map(known).fillna(usual).to_dict()


def plain_sentences(catalogue: pd.DataFrame, split: pd.DataFrame) -> list[str]:
    """Return the captions of other articles that a captioner may read without photos.

    Not those of the split's training articles, which come with photos; none of a
    product that is held out; none that a held-out article has word for word.
    """
    in_training = split[SPLIT] == TRAIN
    held = split[~in_training]
    taken = catalogue[PRODUCT].isin(held[PRODUCT])
    taken |= catalogue[CAPTION].isin(held[CAPTION])
    taken |= catalogue.index.isin(split.index[in_training])
    return sorted(set(catalogue[CAPTION][~taken].dropna()))


def standardised(space: Features, ids: Sequence[str]) -> Features:
    """Return the space less the mean of the rows of `ids`, over their deviation."""
    rows = space.rows(ids)
    matrix = (space.matrix - rows.mean(0)) / (rows.std(0) + 1e-6)
    return Features(space.ids, matrix, space.made_by)


def systems(
    measure: Cider,
    own: Sequence[Sequence[str]],
    copied: dict[str, list[list[str]]],
    settings: Sequence[Setting],
    ids: pd.Index,
) -> pd.DataFrame:
    """Return the captions of every system: one row an item of `ids`, a column a system.

    Systems are copies, their consensus, the captioner, and mixtures. `own` are a
    captioner's captions of each item, the greedy one first; `copied` those of `near` in
    each space. Mixtures with the copies of two spaces, STANDARDISED and EYES, are named
    by their setting as a text, see `rerank.copy_or_write`.
    """
    table = pd.DataFrame(index=ids)
    for space, groups in copied.items():
        table[f"nearest copy, {space}"] = [group[0] for group in groups]
        table[f"consensus of five copies, {space}"] = consensus(measure, groups)
    ten = both(copied[STANDARDISED], copied[EYES])
    table["consensus of ten copies, two spaces"] = consensus(measure, ten)
    table["captioner, greedy"] = [group[0] for group in own]
    for setting, captions in copy_or_write(measure, own, ten, settings).items():
        table[str(setting)] = captions
    return table


def score(
    items: pd.DataFrame, captions: pd.DataFrame, names: Sequence[str]
) -> dict[str, Scores]:
    """Score each column of captions against the items' own, by these metrics."""
    references = {item: [caption] for item, caption in items[CAPTION].items()}
    return score_many(references, captions.to_dict(), names)


def both(one: list[list[str]], other: list[list[str]]) -> list[list[str]]:
    """Join two lists of captions item by item."""
    return [a + b for a, b in zip(one, other, strict=True)]
