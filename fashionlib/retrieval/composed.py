"""Composed retrieval: a photo, and words for how the wanted garment differs.

The question here has a known answer: a photo of an article and a colour that it doesn't
have; wanted are articles of its category in that colour.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from fashionlib.data.items import CATEGORY, ITEM
from fashionlib.features import Features, unit

HUE, WANTED = "hue", "wanted"  # a colour's last word, and the one that is asked for
PARTS = ("wanted colour", "same category", "both")
UNKNOWN = ("", "other", "unknown", "undefined")
ENOUGH = 10  # other articles of the category in the wanted colour


def questions(items: pd.DataFrame, rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Add a column `wanted` to `rows`: another hue than the article's own.

    `items` and `rows` have the columns category and hue. The hue is drawn among those
    in which the category has at least ten articles, else among those it has most of;
    missing where the category has no other.
    """
    rng = np.random.default_rng(seed)
    counts = items.groupby([CATEGORY, HUE]).size()
    wanted = []
    for category, hue in zip(rows[CATEGORY], rows[HUE], strict=True):
        others = counts[category].drop([hue, *UNKNOWN], errors="ignore")
        enough = others.index[others >= min(ENOUGH, others.max())]
        wanted.append(rng.choice(list(enough)) if len(enough) else None)
    return rows.assign(**{WANTED: wanted})


@dataclass(frozen=True)
class Composed:
    """Questions of `questions`, asked of a space of items.

    `space` has rows of length one by item_id, `items` their category and hue, `queries`
    a row a question: item_id, category and wanted.
    """

    space: Features
    items: pd.DataFrame
    queries: pd.DataFrame

    def first(
        self, vectors: np.ndarray, allowed: np.ndarray | None = None, k: int = 10
    ) -> np.ndarray:
        """Return (queries, k) rows of the space, the nearest in any order.

        The question's own article is left out. `allowed` (queries, items) is what may
        be found; -1 where there is no further.
        """
        cosines = unit(vectors) @ self.space.matrix.T  # (queries, items)
        row_of = {item: row for row, item in enumerate(self.space.ids)}
        own = self.queries[ITEM].map(row_of).to_numpy()
        cosines[np.arange(len(own)), own] = -np.inf
        if allowed is not None:
            cosines = np.where(allowed, cosines, -np.inf)
        near = np.argpartition(-cosines, k)[:, :k]
        there = np.isfinite(np.take_along_axis(cosines, near, 1))
        return np.where(there, near, -1)

    def shares(
        self, vectors: np.ndarray, allowed: np.ndarray | None = None
    ) -> pd.DataFrame:
        """Return of each question the shares of its first ten; columns `PARTS`."""
        near = self.first(vectors, allowed)

        def mean(right: np.ndarray) -> np.ndarray:
            return (np.take_along_axis(right, near, 1) & (near >= 0)).mean(1)

        return self._parts(mean)

    def by_chance(self) -> pd.DataFrame:
        """Return the shares that a random item would have; columns `PARTS`."""
        return self._parts(lambda right: right.mean(1))

    def at_most(self) -> np.ndarray:
        """Return (queries,) the largest share of both that the items allow."""
        return np.minimum((self.in_colour & self.in_category).sum(1), 10) / 10

    @cached_property
    def in_colour(self) -> np.ndarray:
        """(queries, items) whether an item has the wanted colour."""
        return self._same(HUE, WANTED)

    @cached_property
    def in_category(self) -> np.ndarray:
        """(queries, items) whether an item has the question's category."""
        return self._same(CATEGORY, CATEGORY)

    def _same(self, column: str, asked: str) -> np.ndarray:
        values = self.items.set_index(ITEM)[column].loc[self.space.ids].to_numpy()
        return self.queries[asked].to_numpy()[:, None] == values

    def _parts(self, share: Callable[[np.ndarray], np.ndarray]) -> pd.DataFrame:
        both = self.in_colour & self.in_category
        masks = (self.in_colour, self.in_category, both)
        parts = {name: share(mask) for name, mask in zip(PARTS, masks, strict=True)}
        return pd.DataFrame(parts)
