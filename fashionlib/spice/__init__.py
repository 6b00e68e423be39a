"""SPICE-py: SPICE (Anderson et al. 2016) with its merging and matching exactly, and tuples of a spaCy parse.

SPICE compares captions by what they say: objects, their attributes and relations, matched by word or WordNet synset.
Its official jar parses with Stanford's CoreNLP; here spaCy does, so that the numbers are no published SPICE's and
always carry this name. `fashionlib.spice.official` runs the jar where its models and a fitting Java are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fashionlib.spice import cache
from fashionlib.spice.graph import CATEGORIES, counts, f_score, graph

__all__ = ["CATEGORIES", "NAME", "Spice", "score", "score_many"]
NAME = "SPICE-py"


@dataclass(frozen=True)
class Spice:
    """One system's SPICE-py: F1 per item, their mean, and the counts of tuples from which they come."""

    per_item: np.ndarray  # (items,), 0 where neither side has a tuple; above 1 in rare cases: see graph.f_score
    corpus: float
    counts: np.ndarray  # (items, CATEGORIES, 3): true positives, false positives, false negatives

    @property
    def by_category(self) -> np.ndarray:
        """F1 (items, CATEGORIES) of objects, attributes and relations alone; NaN where neither side has one."""
        return f_score(self.counts)


def score_many(references: Sequence[Sequence[str]], systems: Sequence[Sequence[str]]) -> list[Spice]:
    """SPICE-py of each system's raw captions (items,) against the same raw references (items, any number).

    Captions are not tokenised before, as in SPICE. The references of an item are merged into one scene graph. Each
    distinct caption is parsed once, also over calls (`cache`). An empty caption scores 0. ValueError where the lengths
    differ, there are no items, or an item has no reference; FileNotFoundError with the next step where spaCy's model or
    METEOR's jar, which holds WordNet, is missing.
    """
    for captions in systems:
        if len(captions) != len(references):
            raise ValueError(f"{NAME}: {len(captions)} captions for {len(references)} lists of references")
    if not references:
        raise ValueError(f"{NAME}: no items to score")
    bare = [row for row, texts in enumerate(references) if isinstance(texts, str) or not texts]
    if bare:
        raise ValueError(f"{NAME}: {len(bare)} of {len(references)} items have no list of references; rows: {bare[:3]}")
    said = cache.tuples(text for texts in (*references, *systems) for text in texts)
    true = [graph(parts for text in texts for parts in said[text]) for texts in references]
    return [
        _measured(np.array([counts(graph(said[text]), one) for text, one in zip(captions, true, strict=True)]))
        for captions in systems
    ]


def score(references: Sequence[Sequence[str]], captions: Sequence[str]) -> Spice:
    """SPICE-py of one system; see `score_many`."""
    return score_many(references, [captions])[0]


def _measured(found: np.ndarray) -> Spice:
    per_item = np.nan_to_num(f_score(found.sum(axis=1)))
    return Spice(per_item, float(per_item.mean()), found)
