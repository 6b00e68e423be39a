"""Loops over sparse rows and scores that numpy can't fuse, compiled by numba; rows are shared out among the cores.

Everywhere the best come first, ties in order of their position, and an empty place is -1. A row's result depends on
that row alone, so the number of cores changes no number.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

CHUNK = 64  # scores looked at together: most chunks hold nothing for the list, and a maximum is one cheap pass


@njit(parallel=True, cache=True)
def best_scores(scores, pointers, seen, n):
    """(rows, n) int32 columns of each row's largest finite scores, without the row's `seen` columns.

    scores: (rows, items) float32; pointers (rows + 1,) and seen: the CSR index arrays of the mask, each row sorted.
    """
    rows, items = scores.shape
    lists = np.full((rows, n), -1, np.int32)
    for row in prange(rows):
        values = np.full(n, -np.inf, np.float32)
        mask = seen[pointers[row]:pointers[row + 1]]
        for start in range(0, items, CHUNK):
            stop = min(start + CHUNK, items)
            highest = scores[row, start]
            for item in range(start, stop):
                highest = max(highest, scores[row, item])
            if not highest > values[n - 1]:
                continue
            for item in range(start, stop):
                value = scores[row, item]
                if not value > values[n - 1]:
                    continue
                at = np.searchsorted(mask, item)
                if at == len(mask) or mask[at] != item:
                    _insert(lists[row], values, item, value)
    return lists


@njit(cache=True)
def _insert(places, values, item, value):
    """Put the item where it belongs among the best, after those of equal value; the last one falls out."""
    at = len(values) - 1
    while at > 0 and values[at - 1] < value:
        values[at], places[at] = values[at - 1], places[at - 1]
        at -= 1
    values[at], places[at] = value, item
