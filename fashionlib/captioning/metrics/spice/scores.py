"""What SPICE-py and the official SPICE return alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fashionlib.captioning.metrics.spice.graph import f_score


@dataclass(frozen=True)
class Spice:
    """One system's scores, and the counts of tuples from which they come.

    F1 is 0 where neither side has a tuple, and above 1 in rare cases: see `f_score`.
    Counts are of true positives, false positives and false negatives.
    """

    per_item: np.ndarray  # (items,)
    corpus: float  # their mean
    counts: np.ndarray  # (items, CATEGORIES, 3)

    @property
    def by_category(self) -> np.ndarray:
        """F1 (items, CATEGORIES) of each alone; NaN where neither side has one."""
        return f_score(self.counts)


def from_counts(counts: np.ndarray) -> Spice:
    """Score counts (items, CATEGORIES, 3)."""
    per_item = np.nan_to_num(f_score(counts.sum(axis=1)))
    return Spice(per_item, float(per_item.mean()), counts)


def check_lengths(
    name: str, references: Sequence[Sequence[str]], systems: Sequence[Sequence[str]]
) -> None:
    """Raise ValueError where captions and references don't fit.

    A system has another number of captions, there are no items, or an item has no
    reference.
    """
    for captions in systems:
        if len(captions) != len(references):
            raise ValueError(
                f"{name}: {len(captions)} captions for {len(references)} lists of"
                " references"
            )
    if not references:
        raise ValueError(f"{name}: no items to score")
    bare = [
        row
        for row, texts in enumerate(references)
        if isinstance(texts, str) or not texts
    ]
    if bare:
        raise ValueError(
            f"{name}: {len(bare)} of {len(references)} items have no list of"
            f" references; rows: {bare[:3]}"
        )
