"""Caption metrics, one row per item first, with intervals: BLEU, METEOR, ROUGE-L,
CIDEr, SPICE-py, category accuracy.

`score_many` scores systems against the same references; `table` and `differences` give
bootstrap intervals and p-values; `Scores.plus` adds metrics of one's own, such as
attribute precision and recall (`fashionlib.captioning.metrics.attributes`);
`fashionlib score` does all that for files. Paper A prints all scores times 100.
"""

from fashionlib.captioning.metrics.bootstrap import (
    Difference,
    difference,
    differences,
    interval,
    table,
)
from fashionlib.captioning.metrics.category import (
    Classifier,
    category_classifier,
    category_hits,
)
from fashionlib.captioning.metrics.scores import (
    METRICS,
    OVERLAP,
    Scores,
    corpus_bleu,
    score,
    score_many,
)

__all__ = [
    "METRICS",
    "OVERLAP",
    "Classifier",
    "Difference",
    "Scores",
    "category_classifier",
    "category_hits",
    "corpus_bleu",
    "difference",
    "differences",
    "interval",
    "score",
    "score_many",
    "table",
]
