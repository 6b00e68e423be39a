"""Scores of what captions mean: attributes that they name, the category they speak of.

They are Paper A's last three columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import pandas as pd

from fashionlib.captioning.metrics import attributes
from fashionlib.captioning.metrics.category import Classifier, category_hits
from fashionlib.captioning.metrics.scores import Scores, score_many

MEANING = ("attribute precision", "attribute recall", "category accuracy")


def score_all(
    references: dict[str, list[str]],
    systems: dict[str, dict[str, str]],
    pool: Iterable[str],
    classifier: Classifier,
    categories: pd.Series,
    tagger: str = "spacy",
) -> dict[str, Scores]:
    """Score all that a caption table needs: `score_many`, then `add_meaning`."""
    scores = score_many(references, systems)
    return add_meaning(scores, references, pool, classifier, categories, tagger)


def add_meaning(
    scores: Mapping[str, Scores],
    references: Mapping[str, Sequence[str]],
    pool: Iterable[str],
    classifier: Classifier,
    categories: pd.Series,
    tagger: str = "spacy",
) -> dict[str, Scores]:
    """Add MEANING's metrics to each system's scores, and its captions' attributes.

    An item's true attributes are those of all its references. Attribute scores are
    missing where these have none of the pool, and left out of the mean. `categories`:
    item_id -> true category. ValueError for an item without a category.
    """
    items = list(references)
    true = attributes.tagged([" . ".join(references[item]) for item in items], tagger)
    scored = {}
    for name, one in scores.items():
        said = attributes.tagged(list(one.captions), tagger)
        columns = attributes.precision_recall(said, true, pool)[["precision", "recall"]]
        columns = columns.set_axis(items).add_prefix("attribute ")
        hits = category_hits(classifier, one.captions.to_dict(), categories)
        columns["category accuracy"] = hits.astype(float)
        more = one.plus(columns.rename_axis("item_id"))
        scored[name] = replace(more, attributes=pd.Series(said, columns.index))
    return scored
