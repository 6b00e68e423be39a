"""Who bought what and when: splits by time, what they leak, matrices, exports."""

from fashionlib.data.interactions.tables import (
    Interactions,
    counts,
    encode,
    global_split,
    interactions,
    latest,
    leaks,
    temporal_split,
)

__all__ = [
    "Interactions",
    "counts",
    "encode",
    "global_split",
    "interactions",
    "latest",
    "leaks",
    "temporal_split",
]
