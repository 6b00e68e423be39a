"""Loops over sparse rows and scores that numpy can't fuse, compiled by numba.

Rows are shared out among the cores (NUMBA_NUM_THREADS sets how many), by threads of
Python's: numba's own take three times as long to compile. Everywhere the best come
first, ties in order of their position, and an empty place is -1. A row's result depends
on that row alone, so the number of cores changes no number. A mask is the pair of CSR
index arrays, `pointers` and `masked`, of what must not be recommended to each user,
rows sorted.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numba import config, get_num_threads, njit
from numba.core import event
from scipy import sparse

LOG = logging.getLogger(__name__)

# Scores looked at together: most chunks hold nothing for the list, and a maximum is one
# cheap pass.
CHUNK = 64
BLOCK = 32_768  # rows whose counters are used together: 128 KiB
# A quotient times its divisor may come out a little above; a tie must not be skipped
# for that.
ROUNDED = 1 - 1e-12
# Columns read beyond what the bound asks: fewer rows are then counted to the end (4 and
# 5 were fastest).
SLACK = 4


class Compiling(event.Listener):
    """Say once that loops of this module are compiled: none was in numba's cache."""

    told = False

    def on_start(self, event: event.Event) -> None:
        """Say it, unless it has been said."""
        ours = event.data["dispatcher"].py_func.__module__ == __name__
        if ours and not self.told:
            self.told = True
            LOG.info("compiling loops for this machine, once: some ten seconds")

    def on_end(self, event: event.Event) -> None:
        """Do nothing."""


event.register("numba:compile", Compiling())


def _cacheable() -> tempfile.TemporaryDirectory | None:
    """Let numba keep what it compiles, if need be for this process alone.

    It knows no place where the install is read-only and the home can't be written.
    """
    try:
        njit(cache=True)(_on_all_cores)
    except RuntimeError:
        spare = tempfile.TemporaryDirectory(prefix="numba-")
        config.CACHE_DIR = spare.name
        LOG.info("numba's cache can't be written; NUMBA_CACHE_DIR names a folder")
        return spare
    return None


def top_products(
    left: sparse.csr_matrix,
    right: sparse.csr_matrix,
    mask: sparse.csr_matrix,
    n: int,
) -> np.ndarray:
    """Return (rows, n) int32: the n largest entries of each row of left @ right.

    Entries of `mask` are left out; an entry that no product reaches is not offered.
    """
    lists = np.full((left.shape[0], n), -1, np.int32)
    _on_all_cores(
        _best_products,
        left.indptr,
        left.indices,
        left.data,
        right.indptr,
        right.indices,
        right.data,
        right.shape[1],
        mask.indptr,
        mask.indices,
        lists,
    )
    return lists


def most_similar(
    rows: sparse.csr_matrix, names: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Find for each row the k others of highest cosine: names int32, cosines float64.

    Both come back as (rows, k). `rows` is binary, its indices sorted; a row that shares
    no column is not offered. Give the rows in ascending order of how many columns they
    have, the columns in ascending order of how many rows. `names` (rows,) are the rows'
    positions elsewhere, which break ties.
    """
    columns = rows.T.tocsr()
    nearest = np.full((rows.shape[0], k), -1, np.int32)
    cosines = np.zeros(nearest.shape)
    _on_all_cores(
        _most_similar,
        rows.indptr,
        rows.indices,
        columns.indptr,
        columns.indices,
        np.diff(rows.indptr),
        names,
        nearest,
        cosines,
    )
    return nearest, cosines


def _on_all_cores(kernel: Callable[..., None], *arguments: Any) -> None:
    """Call kernel(first, step, *arguments) on each core, for every step-th row."""
    cores = get_num_threads()
    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(lambda first: kernel(first, cores, *arguments), range(cores)))


SPARE = _cacheable()  # removed when the process ends


@njit(nogil=True, cache=True)
def merge_scores(scores, first, pointers, masked, lists, values):
    """Take the best of a tile of scores into lists and values, in place.

    Scores are (rows, some items) float32, lists and values (rows, n). The tile's
    columns are the items from `first` on; tiles must come in order of the items. Scores
    that are not above -inf and items of the row's mask are left out.
    """
    rows, items = scores.shape
    last = lists.shape[1] - 1
    for row in range(rows):
        mask, best = masked[pointers[row] : pointers[row + 1]], values[row]
        for start in range(0, items, CHUNK):
            stop = min(start + CHUNK, items)
            highest = scores[row, start]
            for item in range(start, stop):
                highest = max(highest, scores[row, item])
            if not highest > best[last]:
                continue
            for item in range(start, stop):
                value = scores[row, item]
                if not value > best[last]:
                    continue
                if not _holds(mask, first + item):
                    _insert(lists[row], best, first + item, value)


@njit(nogil=True, cache=True)
def _best_products(
    first,
    step,
    left_at,
    left,
    weight,
    right_at,
    right,
    value,
    items,
    pointers,
    masked,
    lists,
):
    """Fill the lists of some rows with the largest of left @ right; see `top_products`.

    left (rows, m) and right (m, items) are CSR arrays. Sums are rounded to 12 digits,
    so that the order of adding breaks no tie.
    """
    total, known = np.zeros(items), np.zeros(items, np.bool_)
    touched, values = np.empty(items, np.int32), np.empty(lists.shape[1])
    for row in range(first, len(lists), step):
        mask, count = masked[pointers[row] : pointers[row + 1]], 0
        for item in mask:
            known[item] = True
        for a in range(left_at[row], left_at[row + 1]):
            for b in range(right_at[left[a]], right_at[left[a] + 1]):
                item = right[b]
                if known[item]:
                    continue
                if total[item] == 0:
                    touched[count] = item
                    count += 1
                total[item] += weight[a] * value[b]
        values[:] = -np.inf
        for item in touched[:count]:
            _insert(lists[row], values, item, np.rint(total[item] * 1e12) / 1e12)
            total[item] = 0
        for item in mask:
            known[item] = False


@njit(cache=True)
def first_unmasked(order, pointers, masked, n):
    """Return (rows, n) int32: the first n of `order` (positions) outside the mask."""
    rows = len(pointers) - 1
    lists = np.full((rows, n), -1, np.int32)
    for row in range(rows):
        mask, count = masked[pointers[row] : pointers[row + 1]], 0
        for item in order:
            if count == n:
                break
            if not _holds(mask, item):
                lists[row, count] = item
                count += 1
    return lists


@njit(nogil=True, cache=True)
def _most_similar(
    first, step, row_at, columns, column_at, rows_of, degree, names, nearest, cosines
):
    """Fill nearest and cosines of some rows; see `most_similar`.

    row_at and columns are the CSR arrays, column_at and rows_of those of the transpose,
    all sorted; degree is a row's number of columns.

    Exact, with much of the work left out. The others are met in blocks of ascending
    degree; a block's counters fit the processor's cache. A row that shares `c` of its
    columns with an other of degree d has c**2 / d as squared cosine (times its own
    degree); once k others reach `worst`, an other of degree d needs sqrt(worst * d)
    columns in common. So the row's commonest columns, where most of the work lies, need
    not be read while those that are read decide who can still enter, and those few are
    counted to the end: term-at-a-time pruning (Turtle and Flood, IPM 31:6, 1995).
    """
    rows, k = nearest.shape
    widest = 0 if rows == 0 else degree[rows - 1]
    shared, touched = np.zeros(BLOCK, np.int32), np.empty(BLOCK + 1, np.uint32)
    cursor, values = np.empty(widest, np.int64), np.empty(k)
    for row in range(first, rows, step):
        mine, values[:] = columns[row_at[row] : row_at[row + 1]], 0
        for place, column in enumerate(mine):
            cursor[place] = column_at[column]
        read = len(mine)  # how many of its columns, the rarest first
        for start in range(0, rows, BLOCK):
            # columns to share with one of this block
            least = np.sqrt(values[k - 1] * degree[start]) - 1e-9
            if len(mine) < least:
                break
            while read > 1 and len(mine) - read + SLACK < least:
                read -= 1
            missed, count = len(mine) - read, 0
            for place in range(read):
                at, stop = cursor[place], column_at[mine[place] + 1]
                if at < stop and rows_of[stop - 1] >= start + BLOCK:
                    stop = at + _before(rows_of[at:stop], start + BLOCK)
                for other in rows_of[at:stop]:
                    # unsigned: numba need not look for a negative index
                    slot = np.uint32(other - start)
                    met = shared[slot]
                    touched[count] = slot
                    count += met == 0
                    shared[slot] = met + 1
                cursor[place] = stop
            for slot in touched[:count]:
                met = shared[slot]
                shared[slot] = 0
                if met + missed < least:
                    continue
                other = start + np.int64(slot)
                bar = values[k - 1] * degree[other] * ROUNDED
                if other == row or (met + missed) ** 2 < bar:
                    continue
                if missed:
                    theirs = columns[row_at[other] : row_at[other + 1]]
                    met += _shared(mine[read:], theirs)
                _insert(nearest[row], values, names[other], met * met / degree[other])
        for place in range(k):
            cosines[row, place] = np.sqrt(values[place] / max(len(mine), 1))


@njit(cache=True)
def _holds(sorted_values, value):
    at = _before(sorted_values, value)
    return at < len(sorted_values) and sorted_values[at] == value


@njit(cache=True)
def _before(sorted_values, value):
    """Count the values below this one, as np.searchsorted, which compiles slowly."""
    low, high = 0, len(sorted_values)
    while low < high:
        middle = (low + high) // 2
        if sorted_values[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True)
def _shared(a, b):
    """Count the values that two sorted arrays share, from their ends.

    `a` holds some of the largest.
    """
    i, j, count = len(a) - 1, len(b) - 1, 0
    while i >= 0 and j >= 0:
        count += a[i] == b[j]
        i, j = i - (a[i] >= b[j]), j - (b[j] >= a[i])
    return count


@njit(cache=True)
def _insert(places, values, item, value):
    """Put the item among the best, if it is one; the last one falls out.

    Larger values come first, then lower positions.
    """
    at = len(values) - 1
    tied = value == values[at] and places[at] >= 0
    if value < values[at] or (tied and places[at] < item):
        return
    while at > 0 and (
        values[at - 1] < value or (values[at - 1] == value and places[at - 1] > item)
    ):
        values[at], places[at] = values[at - 1], places[at - 1]
        at -= 1
    values[at], places[at] = value, item
