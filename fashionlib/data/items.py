"""The items table that every reader returns, its columns' names, and its splits.

`items`: one row per item (an article, or a garment in a photo) in file order,
RangeIndex, columns `ITEM_COLUMNS`, and `split` where the layout ships one. What a
layout doesn't say is missing (NaN; None for a box).

    item_id      text, unique
    product_id   text: items of one product are the same garment
    image        a reference that `fashionlib.data.images.load` opens
    caption      text
    category, group, colour, pattern    text, in the layout's own words
    source       "shop" or "consumer"
    box          (left, upper, right, lower) in pixels

`transactions`: one row per bought article in file order, columns `TRANSACTION_COLUMNS`.
"""

from __future__ import annotations

import itertools
from typing import Literal

import numpy as np
import pandas as pd

ITEM, PRODUCT, IMAGE, CAPTION = "item_id", "product_id", "image", "caption"
CATEGORY, GROUP, COLOUR, PATTERN = "category", "group", "colour", "pattern"
SOURCE, BOX, SHOP, CONSUMER = "source", "box", "shop", "consumer"
SPLIT = "split"
USER, DATE = "user_id", "date"

ITEM_COLUMNS = [
    ITEM,
    PRODUCT,
    IMAGE,
    CAPTION,
    CATEGORY,
    GROUP,
    COLOUR,
    PATTERN,
    SOURCE,
    BOX,
]
TRANSACTION_COLUMNS = [USER, ITEM, DATE]
SPLIT_BY = {"article": ITEM, "product": PRODUCT, "caption": CAPTION}
TRAIN, VALIDATION, TEST = SPLITS = ("train", "validation", "test")


def split_items(
    items: pd.DataFrame,
    by: Literal["article", "product", "caption"] = "article",
    seed: int = 42,
) -> pd.DataFrame:
    """Return the items with a column `split`: 80 % train, 10 % validation, 10 % test.

    "article" is Paper A's 80/10/10 (section 3.2) as its published code cuts it, to the
    row: shuffle the table, cut 20 % off, halve it, all with one seed. It puts colours
    of one product, hence equal captions, on both sides: 75 % of H&M's test captions
    occur word for word in train. "product" and "caption" draw products, or distinct
    captions, instead (`GroupShuffleSplit`): none is in two splits; the shares are of
    them. A missing product or caption is a group of its own. ValueError for fewer than
    10 items (or products, captions), or an unknown `by`.
    """
    if by not in SPLIT_BY:
        raise ValueError(f"unknown split {by!r}; known: {', '.join(SPLIT_BY)}")
    groups = items[SPLIT_BY[by]].fillna(items[ITEM])
    if groups.nunique() < 10:
        raise ValueError(
            f"{groups.nunique()} {by}s can't be split 80/10/10; at least 10 are needed"
        )
    if by == "article":
        validation, test = _by_article(len(items), seed)
    else:
        validation, test = _by_group(groups.to_numpy(), seed)
    split = np.full(len(items), TRAIN, dtype=object)
    split[validation], split[test] = VALIDATION, TEST
    return items.assign(**{SPLIT: split.astype(str)})


def _by_article(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of the validation and test rows."""
    from sklearn.model_selection import train_test_split

    rows = pd.Series(range(count)).sample(frac=1, random_state=seed)
    _, rest = train_test_split(rows, test_size=0.2, random_state=seed)
    validation, test = train_test_split(rest, test_size=0.5, random_state=seed)
    return validation.to_numpy(), test.to_numpy()


def _by_group(groups: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of the validation and test rows."""
    from sklearn.model_selection import GroupShuffleSplit

    fifth = GroupShuffleSplit(1, test_size=0.2, random_state=seed)
    _, rest = next(fifth.split(groups, groups=groups))
    half = GroupShuffleSplit(1, test_size=0.5, random_state=seed)
    validation, test = next(half.split(rest, groups=groups[rest]))
    return rest[validation], rest[test]


def split_leaks(split: pd.DataFrame) -> dict[str, float]:
    """Count train and test, and the shares of test whose text or product train has."""
    train, test = (split[split[SPLIT] == name] for name in (TRAIN, TEST))
    return {
        "train": len(train),
        "test": len(test),
        "caption stands in train": float(test[CAPTION].isin(train[CAPTION]).mean()),
        "product stands in train": float(test[PRODUCT].isin(train[PRODUCT]).mean()),
    }


def shared_by_splits(items: pd.DataFrame, column: str) -> dict[str, pd.Series]:
    """Return {"train and test": the rows of both whose value both have}, by pair.

    Pairs that share nothing are left out; a missing value isn't shared.
    """
    shared = {}
    for pair in itertools.combinations(SPLITS, 2):
        rows = items[items[SPLIT].isin(pair)].dropna(subset=[column])
        both = rows.groupby(column)[SPLIT].transform("nunique") == 2
        if both.any():
            shared[" and ".join(pair)] = rows.loc[both, column]
    return shared


def one_product(items: pd.DataFrame) -> pd.DataFrame:
    """Return at most 8 rows of one product, the first with about 6 pictures.

    It is of one of the three commonest categories.
    """
    usable = items.dropna(subset=[CAPTION, IMAGE])
    common = usable[CATEGORY].value_counts().index[:3]
    usable = usable[usable[CATEGORY].isin(common)]
    sizes = usable.groupby(PRODUCT, sort=False).size()
    chosen = (sizes - 6).abs().idxmin()
    return usable[usable[PRODUCT] == chosen][:8]


def caption_words(captions: pd.Series) -> pd.Series:
    """Split captions into lower-case words, at all that is no letter or digit."""
    return captions.dropna().str.lower().str.findall(r"[a-z0-9]+")


def split_sizes(items: pd.DataFrame) -> str:
    """Say how many items each split holds: "8 train, 1 validation, 1 test"."""
    sizes = items[SPLIT].value_counts()
    return ", ".join(f"{sizes.get(name, 0)} {name}" for name in SPLITS)


def statistics(items: pd.DataFrame) -> dict[str, float]:
    """Return the columns of Paper A's Table 2 that follow from an items table.

    Rows without a caption count as images only. The columns are
    images; images per caption; vocabulary: distinct words of the lower-cased captions,
    split at anything that is not a letter or digit (the paper doesn't say how it
    counted); caption length: mean number of such words; categories.
    """
    captions = items[CAPTION].dropna()
    words = caption_words(captions)
    return {
        "images": float(items[IMAGE].notna().sum()),
        "images per caption": len(captions) / captions.nunique(),
        "vocabulary": float(words.explode().nunique()),
        "caption length": float(words.str.len().mean()),
        "categories": float(items[CATEGORY].nunique()),
    }
