"""What SPICE-py and the official SPICE return alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fashionlib.captioning.metrics.spice.graph import f_score


@dataclass(frozen=True)
class Spice:
    """One system's scores: F1 per item, their mean, and the counts of tuples from which
    they come.
    """

    # (items,), 0 where neither side has a tuple; above 1 in rare cases: see
    # graph.f_score
    per_item: np.ndarray
    corpus: float
    counts: (
        np.ndarray
    )  # (items, CATEGORIES, 3): true positives, false positives, false negatives

    @property
    def by_category(self) -> np.ndarray:
        """F1 (items, CATEGORIES) of objects, attributes and relations alone; NaN where
        neither side has one.
        """
        return f_score(self.counts)


def from_counts(counts: np.ndarray) -> Spice:
    """Scores of counts (items, CATEGORIES, 3)."""
    per_item = np.nan_to_num(f_score(counts.sum(axis=1)))
    return Spice(per_item, float(per_item.mean()), counts)


def check_lengths(
    name: str, references: Sequence[Sequence[str]], systems: Sequence[Sequence[str]]
) -> None:
    """ValueError where a system has another number of captions, there are no items, or
    an item has no reference.
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
