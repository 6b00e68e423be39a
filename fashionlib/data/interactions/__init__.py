"""Who bought what and when: splits by time, what they leak, matrices, exports."""

from fashionlib.data.interactions.ids import encode_ids
from fashionlib.data.interactions.matrices import Interactions, latest, to_matrices
from fashionlib.data.interactions.splits import (
    core,
    global_split,
    leaking,
    leaks,
    table_one,
    temporal_split,
)

__all__ = [
    "Interactions",
    "core",
    "encode_ids",
    "global_split",
    "latest",
    "leaking",
    "leaks",
    "table_one",
    "temporal_split",
    "to_matrices",
]
