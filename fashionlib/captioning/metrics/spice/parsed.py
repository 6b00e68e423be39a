"""SPICE-py: scores of scene graphs that come of a spaCy parse."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fashionlib.captioning.metrics.spice import cache
from fashionlib.captioning.metrics.spice.graph import Graph, counts
from fashionlib.captioning.metrics.spice.scores import Spice, check_lengths, from_counts

NAME = "SPICE-py"


def score_many(
    references: Sequence[Sequence[str]], systems: Sequence[Sequence[str]]
) -> list[Spice]:
    """Score each system's raw captions (items,) against the same raw references.

    Captions are not tokenised before, as in SPICE. The references of an item, any
    number, are merged into one scene graph. Each distinct caption is parsed once, also
    over calls (`cache`). An empty caption scores 0. ValueError where the lengths
    differ, there are no items, or an item has no reference; FileNotFoundError with the
    next step where spaCy's model or METEOR's jar, which holds WordNet, is missing.
    """
    check_lengths(NAME, references, systems)
    tuples = cache.tuples(text for texts in (*references, *systems) for text in texts)
    true = []
    for texts in references:
        true.append(Graph.of(parts for text in texts for parts in tuples[text]))
    scores = []
    for captions in systems:
        graphs = [Graph.of(tuples[text]) for text in captions]
        pairs = zip(graphs, true, strict=True)
        scores.append(from_counts(np.array([counts(*pair) for pair in pairs])))
    return scores


def score(references: Sequence[Sequence[str]], captions: Sequence[str]) -> Spice:
    """Score one system; see `score_many`."""
    return score_many(references, [captions])[0]
