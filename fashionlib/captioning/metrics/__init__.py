"""Caption metrics, one row per item first, with intervals.

`score_many` scores systems against the same references: BLEU, METEOR, ROUGE-L, CIDEr,
SPICE-py. `score_all` adds attribute precision and recall and category accuracy;
`Scores.plus` adds metrics of one's own; `table` and `differences` give bootstrap
intervals and p-values. `fashionlib score` does all that for files. Paper A prints all
scores times 100.
"""

from fashionlib.captioning.metrics.category import (
    Classifier,
    category_classifier,
    category_hits,
)
from fashionlib.captioning.metrics.intervals import difference, differences, table
from fashionlib.captioning.metrics.meaning import MEANING, add_meaning, score_all
from fashionlib.captioning.metrics.scores import (
    METRICS,
    OVERLAP,
    Scores,
    lengths,
    rows,
    score,
    score_many,
)

__all__ = [
    "MEANING",
    "METRICS",
    "OVERLAP",
    "Classifier",
    "Scores",
    "add_meaning",
    "category_classifier",
    "category_hits",
    "difference",
    "differences",
    "lengths",
    "rows",
    "score",
    "score_all",
    "score_many",
    "table",
]
