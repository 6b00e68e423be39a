"""What `fashionlib retrieve` does: ranks and top-k accuracy of anybody's vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

import fashionlib
from fashionlib import features
from fashionlib.data import provenance, tables
from fashionlib.retrieval.benchmarks import Benchmark
from fashionlib.retrieval.hits import TIE, first_hits, unit_rows
from fashionlib.retrieval.tables import CUTOFFS, accuracy, is_hit

COLUMNS = ["query", "gallery"]


class Retrieved(NamedTuple):
    """The result of `retrieve_files`, and what it is made of."""

    result: dict[str, Any]  # what is written as JSON
    per_query: pd.DataFrame  # query, first_hit (0: none), top-k ... (1 or 0)


def retrieve_files(
    queries: Path,
    gallery: Path,
    pairs: Path,
    cutoffs: Sequence[int] = CUTOFFS,
    seed: int = 0,
) -> Retrieved:
    """Rank the gallery for each query by cosine and judge it by the true pairs.

    `queries` and `gallery` are .npy (rows, dim) of floats, the gallery perhaps (rows,
    vectors, dim), or .parquet of `Features.save`; where they are one file, a query
    isn't in its own gallery. `pairs` is a table with the columns query and gallery,
    numbers of rows from 0. The result holds queries, gallery, pairs, dim, "top-k":
    {accuracy, low, high, chance} for each cutoff, conventions, versions. ValueError
    naming file and row: see `vectors` and `true_pairs`.
    """
    query_rows, gallery_rows = vectors(queries), vectors(gallery)
    if query_rows.ndim != 2:
        raise ValueError(
            f"{queries}: queries of shape {query_rows.shape}; a query is one vector,"
            " only a gallery's item may have several"
        )
    if query_rows.shape[1] != gallery_rows.shape[-1]:
        raise ValueError(
            f"{queries} has rows of {query_rows.shape[1]} numbers, {gallery} of"
            f" {gallery_rows.shape[-1]}: give both of one encoder"
        )
    relevant = true_pairs(pairs, len(query_rows), len(gallery_rows))
    itself = None
    if queries.samefile(gallery):
        itself = sparse.eye(len(query_rows), dtype=bool, format="csr")
    first = first_hits(query_rows, gallery_rows, relevant, itself)
    benchmark = Benchmark(
        pd.DataFrame(index=range(len(query_rows))),
        pd.DataFrame(index=range(len(gallery_rows))),
        relevant,
        f"the pairs of {pairs.name}",
        itself,
    )
    table = accuracy(first, benchmark, cutoffs, seed)
    result = {
        "queries": len(query_rows),
        "gallery": len(gallery_rows),
        "pairs": int(relevant.nnz),
        "dim": gallery_rows.shape[-1],
        **table.drop(columns="queries").to_dict("index"),
        "conventions": conventions(gallery_rows.ndim == 3, itself is not None),
        "versions": {"fashionlib": fashionlib.__version__} | provenance.versions(),
    }
    per_query = pd.DataFrame({"query": range(len(first)), "first_hit": first})
    for k in cutoffs:
        per_query[f"top-{k}"] = is_hit(first, k).astype(int)
    return Retrieved(result, per_query)


def report(result: Mapping[str, Any], cutoffs: Sequence[int]) -> str:
    """Write the accuracy of each cutoff, one a line."""
    form = "top-{} {accuracy:.4f}  [{low:.4f}, {high:.4f}], chance {chance:.4f}"
    return "\n".join(form.format(k, **result[f"top-{k}"]) for k in cutoffs)


def conventions(several: bool, itself: bool) -> dict[str, str]:
    """Say in words how the numbers came about."""
    return {
        "score": "cosine, of the nearest of an item's vectors" if several else "cosine",
        "accuracy": "share of the queries with at least one true row among the first k",
        "gallery": "all rows but the query's own" if itself else "all rows",
        "ties": (
            f"against the encoder: false rows within {TIE:g} of the best true row stand"
            " before it"
        ),
        "chance": "of a random order, exact: 1 - C(N - R, k) / C(N, k)",
        "interval": (
            "95 % percentile bootstrap over queries, 1,000 resamples; too narrow where"
            " several queries are of one product"
        ),
    }


def vectors(path: Path) -> np.ndarray:
    """Read a file's rows, each of length one, float32.

    ValueError naming the file, and the row where one is at fault: no .npy or .parquet,
    pickled, cut short, of another shape or type, not finite, all zeros.
    FileNotFoundError.
    """
    if path.suffix == ".parquet":
        matrix = features.load(path).matrix
    elif path.suffix == ".npy":
        matrix = _npy(path)
    else:
        raise ValueError(
            f"{path}: vectors are read from .npy or .parquet; numpy.save writes the"
            " first"
        )
    if matrix.ndim not in (2, 3) or matrix.dtype.kind != "f" or not all(matrix.shape):
        raise ValueError(
            f"{path}: {matrix.dtype} of shape {matrix.shape}; give floats, (rows, dim),"
            " or for a gallery (rows, vectors, dim)"
        )
    return unit_rows(f"{path}:", matrix)


def _npy(path: Path) -> np.ndarray:
    try:
        # np.load would take an archive or a pickle for what it is not
        with path.open("rb") as file:
            return np.lib.format.read_array(file, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path} is no whole .npy of numbers: {error}") from error


def true_pairs(path: Path, queries: int, gallery: int) -> sparse.csr_matrix:
    """Read true pairs, bool (queries, gallery), from a table of two columns of rows.

    ValueError naming the line: a column missing, no row number, a row out of range, a
    query without a true row.
    """
    table = tables.open_table(path)
    if lacks := [column for column in COLUMNS if column not in table.names]:
        raise ValueError(
            f"{path} has no column {lacks[0]!r}; its columns are"
            f" {', '.join(table.names)}. It needs query and gallery, numbers of rows"
            " from 0"
        )
    values = table.read(COLUMNS).fillna("")
    table.refuse_misfits()
    rows, cols = (
        _numbers(table, values[column], side)
        for column, side in zip(COLUMNS, (queries, gallery), strict=True)
    )
    shape = (queries, gallery)
    pairs = sparse.csr_matrix((np.ones(len(rows), bool), (rows, cols)), shape)
    empty = np.flatnonzero(np.diff(pairs.indptr) == 0)
    if len(empty):
        raise ValueError(
            f"{path}: query row {empty[0]} has no true row, {len(empty)} of {queries}"
            " queries have none; leave their vectors out, or give their pairs"
        )
    return pairs


def _numbers(table: tables.Table, column: pd.Series, rows: int) -> np.ndarray:
    """Read a column of row numbers; ValueError naming the first bad line."""
    whole = column.str.fullmatch("[0-9]{1,12}").to_numpy(bool)
    values = np.where(whole, column, "0").astype(np.int64)
    out = f"is out of range: there are {rows} rows, numbered from 0"
    for bad, what in ((~whole, "is no row number"), (values >= rows, out)):
        if bad.any():
            at = int(bad.argmax())
            raise table.fault(at, f"{column.name} {column.iloc[at]!r} {what}")
    return values
