"""Retrieval: which garment of a gallery is the one asked for.

A benchmark holds queries, a gallery and which rows are true. Ranks come first, one per
query (`first_hits`); tables are made of them (`accuracy`). Vectors are anybody's: rows
of an encoder's features, in the order of a benchmark's `queries` and `gallery`.
"""

from fashionlib.retrieval.benchmarks import (
    Benchmark,
    by_picture,
    captions,
    deepfashion,
    deepfashion2,
    pictures,
    street,
    variants,
)
from fashionlib.retrieval.hits import first_hits
from fashionlib.retrieval.tables import (
    accuracies,
    accuracy,
    chance,
    difference,
    overview,
    per_group,
)

__all__ = [
    "Benchmark",
    "accuracies",
    "accuracy",
    "by_picture",
    "captions",
    "chance",
    "deepfashion",
    "deepfashion2",
    "difference",
    "first_hits",
    "overview",
    "per_group",
    "pictures",
    "street",
    "variants",
]
