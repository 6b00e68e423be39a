"""Rank each query's first true row, exactly, without holding all scores at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from fashionlib.features import unit

if TYPE_CHECKING:  # a search starts without scipy
    from scipy import sparse

# rows that are equal but for length get float32 cosines up to 4e-7 apart (dim 256 and
# 1280)
TIE = 1e-6


def first_hits(
    queries: np.ndarray,
    gallery: np.ndarray,
    relevant: sparse.csr_matrix,
    excluded: sparse.csr_matrix | None = None,
    block: int = 2**24,
) -> np.ndarray:
    """Return (queries,) the rank, from 1, of each query's first true row by cosine.

    It is 0 where no row is true. `queries` (queries, dim); `gallery` (items, dim), or
    (items, vectors, dim): an item of several vectors scores with the nearest, as
    BLIP-2's query outputs are compared with a text (Li et al. 2023, section 3.1). Rows
    needn't be of length one. Non-zero entries of `relevant` (queries, items) are true,
    those of `excluded` are not in that query's gallery (itself, say).

    Ties are counted against the encoder: every false row that scores as high as the
    best true one, to `TIE`, stands before it, so that equal vectors for all find
    nothing. In a large gallery a deep rank is so a few places worse than a sort of the
    scores gives (benchmarks/retrieval_scale.py). At most about `block` scores are in
    memory, 64 MiB. ValueError for shapes that don't fit, NaN, a row of zeros, or a true
    row that is excluded.
    """
    from scipy import sparse

    relevant = _boolean(relevant)
    if excluded is None:
        excluded = sparse.csr_matrix(relevant.shape, dtype=bool)
    excluded = _boolean(excluded)
    _check(queries, gallery, relevant, excluded)
    vectors = unit_rows("gallery", gallery)
    vectors = vectors.reshape(-1, gallery.shape[-1])  # (items * vectors, dim)
    queries = unit_rows("query", queries)
    ranks = np.zeros(len(queries), np.int64)
    step = max(1, block // len(vectors))
    starts = range(0, len(queries), step)
    for start in tqdm(starts, "queries", unit=f"x{step}", leave=False, disable=None):
        rows = slice(start, start + step)
        scores = queries[rows] @ vectors.T  # (step, items * vectors)
        if gallery.ndim == 3:
            scores = scores.reshape(len(scores), *gallery.shape[:2]).max(2)
        ranks[rows] = _ranks(scores, relevant[rows], excluded[rows])
    return ranks


def _ranks(
    scores: np.ndarray, relevant: sparse.csr_matrix, excluded: sparse.csr_matrix
) -> np.ndarray:
    """Return (queries,) the ranks of scores (queries, items), which are changed."""
    scores[excluded.nonzero()] = -np.inf
    counts = np.diff(relevant.indptr)
    with_true = np.flatnonzero(counts)  # queries with a true row
    if not len(with_true):
        return np.zeros(len(scores), np.int64)
    query_of = np.repeat(np.arange(len(scores)), counts)
    true = scores[query_of, relevant.indices]  # (true pairs,), query by query
    starts = relevant.indptr[with_true]
    # a score from which on a row stands before the best true one, or ties with it
    bar = np.full(len(scores), np.inf, np.float32)
    bar[with_true] = np.maximum.reduceat(true, starts) - np.float32(TIE)
    tied = np.bincount(query_of, true >= bar[query_of], len(scores)).astype(np.int64)
    ahead = np.count_nonzero(scores >= bar[:, None], axis=1) - tied
    return np.where(counts > 0, 1 + ahead, 0)


def _boolean(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    from scipy import sparse

    made = sparse.csr_matrix(matrix, dtype=bool, copy=True)
    made.sum_duplicates()
    made.eliminate_zeros()
    return made


def unit_rows(name: str, matrix: np.ndarray) -> np.ndarray:
    """Return the rows at length one, float32.

    ValueError, "NAME row N ...", for the first that isn't finite or is all zeros.
    """
    matrix = np.asarray(matrix, dtype=np.float32)
    infinite = ~np.isfinite(matrix).reshape(len(matrix), -1).all(1)
    zero = ~matrix.any(-1).reshape(len(matrix), -1).all(1)
    for bad, fault in ((infinite, "is not finite"), (zero, "is all zeros")):
        if bad.any():
            raise ValueError(
                f"{name} row {int(bad.argmax())} {fault}, {bad.sum()} of {len(matrix)}"
                " are: it has no direction to compare; leave such rows out"
            )
    return unit(matrix)


def _check(
    queries: np.ndarray,
    gallery: np.ndarray,
    relevant: sparse.csr_matrix,
    excluded: sparse.csr_matrix,
) -> None:
    same_dim = queries.shape[-1:] == gallery.shape[-1:]
    if queries.ndim != 2 or gallery.ndim not in (2, 3) or not same_dim:
        raise ValueError(
            f"queries of shape {queries.shape} for a gallery of shape {gallery.shape}:"
            " give (queries, dim) and (items, dim) or (items, vectors, dim), of one"
            " encoder"
        )
    for name, pairs in (("relevant", relevant), ("excluded", excluded)):
        if pairs.shape != (len(queries), len(gallery)):
            raise ValueError(
                f"{name} is of shape {pairs.shape}, for {len(queries)} queries and"
                f" {len(gallery)} items"
            )
    if not len(queries) or not len(gallery):
        raise ValueError(
            f"{len(queries)} queries and a gallery of {len(gallery)}: nothing to rank"
        )
    both = relevant.multiply(excluded)
    if both.nnz:
        row, item = (int(place[0]) for place in both.nonzero())
        raise ValueError(
            f"gallery row {item} is true for query {row} and excluded from its gallery"
        )
