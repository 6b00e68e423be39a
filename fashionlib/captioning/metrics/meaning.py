"""Scores of what captions mean: attributes that they name, the category they speak of.

Paper A's last three columns; whatever shows a caption table adds them with one call.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import pandas as pd

from fashionlib.captioning.metrics import attributes
from fashionlib.captioning.metrics.category import Classifier, category_hits
from fashionlib.captioning.metrics.scores import Scores

MEANING = ("attribute precision", "attribute recall", "category accuracy")


def add_meaning(
    scores: Mapping[str, Scores],
    references: Mapping[str, Sequence[str]],
    systems: Mapping[str, Mapping[str, str]],
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
    for name, captions in systems.items():
        said = attributes.tagged([captions[item] for item in items], tagger)
        columns = attributes.precision_recall(said, true, pool)[["precision", "recall"]]
        columns = columns.set_axis(items).add_prefix("attribute ")
        hits = category_hits(classifier, captions, categories)
        columns["category accuracy"] = hits.astype(float)
        with_columns = scores[name].plus(columns.rename_axis("item_id"))
        lemmas = pd.Series(said, columns.index)
        scored[name] = replace(with_columns, attributes=lemmas)
    return scored
