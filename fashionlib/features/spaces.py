"""Feature spaces: one row per article, in one file, joined by id and never by order."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fashionlib.data.files import atomic

BLOCK = 1024  # queries whose cosines are in memory together
GROUP = 4 * 2**20  # bytes of a row group: what reading needs beside the matrix itself
NEXT = (
    "Notebooks 03_who_leaks and 12_feature_spaces make such files, and Features.save"
    " writes one"
)


@dataclass(frozen=True)
class Features:
    """A feature space; row i belongs to `ids[i]`.

    `matrix` is (items, dim), or (items, cells, dim) for a grid.
    """

    ids: list[str]
    matrix: np.ndarray
    made_by: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.ids) != len(self.matrix):
            raise ValueError(
                f"{len(self.ids)} ids for {len(self.matrix)} rows of features"
            )
        if len(set(self.ids)) != len(self.ids):
            raise ValueError(
                f"{len(self.ids)} ids, but only {len(set(self.ids))} of them are"
                " different"
            )

    def rows(self, ids: Iterable[str]) -> np.ndarray:
        """Return the rows of `ids`, in that order; ValueError names missing ids."""
        at = {item: row for row, item in enumerate(self.ids)}
        wanted = list(ids)
        missing = [item for item in wanted if item not in at]
        if missing:
            raise ValueError(
                f"features for {len(wanted) - len(missing)} of {len(wanted)} items;"
                f" missing: {missing[:3]}. Make the features of these items first."
            )
        return self.matrix[[at[item] for item in wanted]]

    def save(self, path: Path) -> None:
        """Write one .parquet: columns item_id and features, a list of fixed size.

        Floats of 16, 32 or 64 bits stay as they are. The schema's metadata hold JSON:
        `made_by`, and `shape`, of one row. Written atomically, and uncompressed:
        packing floats costs more time than it saves room.
        """
        if self.matrix.dtype not in (np.float16, np.float32, np.float64):
            raise ValueError(
                f"{path}: features of type {self.matrix.dtype}; give floats, say"
                " matrix.astype('float32')"
            )
        shape = self.matrix.shape[1:]
        if (width := math.prod(shape)) == 0:
            raise ValueError(f"{path}: features of shape {shape} hold no number")
        cells = pa.field(
            "element", pa.from_numpy_dtype(self.matrix.dtype), nullable=False
        )
        about = {"made_by": json.dumps(self.made_by), "shape": json.dumps(shape)}
        schema = pa.schema(
            [
                pa.field("item_id", pa.string(), nullable=False),
                pa.field("features", pa.list_(cells, width), nullable=False),
            ],
            metadata=about,
        )
        rows = pa.FixedSizeListArray.from_arrays(
            pa.array(self.matrix.reshape(-1)), type=schema.field("features").type
        )
        with atomic(path) as part:
            pq.write_table(
                pa.table([self.ids, rows], schema=schema),
                part,
                row_group_size=max(1, GROUP // max(1, width * self.matrix.itemsize)),
                compression="none",
                use_dictionary=False,
                write_statistics=False,
            )


def load(path: Path) -> Features:
    """Read what `Features.save` wrote, or any parquet with its two columns.

    Those are a text column item_id and a column features of number lists. Needs the
    memory of the matrix and of one row group. FileNotFoundError names a file that is
    not there; ValueError names the file and what is wrong in it: no parquet, a column
    that is missing or of another type, a row without features, rows of different
    lengths, an id twice.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"no features at {path}; run notebooks 03_who_leaks and 12_feature_spaces"
            " first"
        )
    try:
        with pq.ParquetFile(path) as file:
            _check_columns(file.schema_arrow)
            return _read(file)
    except (pa.ArrowException, ValueError, OSError) as error:
        raise ValueError(f"{path} holds no features: {error}. {NEXT}.") from error


def _check_columns(schema: pa.Schema) -> None:
    """Raise ValueError unless ids are text and rows are lists of floats."""
    for name in ("item_id", "features"):
        if name not in schema.names:
            raise ValueError(
                f"no column {name!r}; its columns are"
                f" {', '.join(schema.names) or 'none'}"
            )
    ids, rows = schema.field("item_id").type, schema.field("features").type
    if not (pa.types.is_string(ids) or pa.types.is_large_string(ids)):
        raise ValueError(
            f"item_id is {ids}, not string (as a number, 0108775015 loses its zero)"
        )
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    is_list = any(kind(rows) for kind in lists)
    if not is_list or not pa.types.is_floating(rows.value_type):
        raise ValueError(f"features is {rows}, not a list of float")


def _read(file: pq.ParquetFile) -> Features:
    dtype = file.schema_arrow.field("features").type.value_type.to_pandas_dtype()
    ids: list[str] = []
    matrix = np.empty((0, 0), dtype)
    for group in range(file.num_row_groups):
        table = file.read_row_group(group, columns=["item_id", "features"])
        for batch in table.to_batches():
            rows = _matrix(batch.column("features"), len(ids))  # (rows, width)
            if not ids:
                matrix = np.empty((file.metadata.num_rows, rows.shape[1]), dtype)
            if rows.shape[1] != matrix.shape[1]:
                raise ValueError(
                    f"row {len(ids)} has {rows.shape[1]} features, the rows before"
                    f" {matrix.shape[1]}"
                )
            matrix[len(ids) : len(ids) + len(rows)] = rows
            ids += batch.column("item_id").to_pylist()
    if None in ids:
        raise ValueError(f"row {ids.index(None)} has no item_id")
    shape, made_by = _metadata(file.schema_arrow.metadata or {}, matrix)
    return Features(ids, matrix.reshape(len(ids), *shape), made_by)


def _matrix(lists: pa.Array, before: int) -> np.ndarray:
    """View the lists as (rows, width).

    ValueError names the first row of another length or of none; `before` rows count.
    """
    if lists.null_count:
        row = before + lists.is_null().index(True).as_py()
        raise ValueError(f"row {row} has no features")
    values = lists.flatten()
    if values.null_count:
        raise ValueError(f"{values.null_count} numbers are missing near row {before}")
    if not pa.types.is_fixed_size_list(lists.type):
        lengths = np.asarray(lists.value_lengths())
        other = np.flatnonzero(lengths != lengths[0])
        if len(other):
            raise ValueError(
                f"row {before + other[0]} has {lengths[other[0]]} features, row"
                f" {before} {lengths[0]}"
            )
    return values.to_numpy(zero_copy_only=True).reshape(len(lists), -1)


def _metadata(
    metadata: dict[bytes, bytes], matrix: np.ndarray
) -> tuple[list[int], dict[str, Any]]:
    """Return the shape of a row and `made_by`; ValueError where they can't be."""
    shape = json.loads(metadata.get(b"shape", b"null"))
    made_by = json.loads(metadata.get(b"made_by", b"null")) or {}
    rows, width = matrix.shape
    if shape is None:
        shape = [width]
    sizes = isinstance(shape, list) and all(type(n) is int and n >= 0 for n in shape)
    if not sizes or (rows and math.prod(shape) != width):
        raise ValueError(f"its rows have {width} features, its metadata say {shape}")
    if not isinstance(made_by, dict):
        raise ValueError(
            f"its metadata's made_by is no JSON object but {made_by!r:.40}"
        )
    return shape, made_by


def unit(matrix: np.ndarray) -> np.ndarray:
    """Divide each row by its Euclidean length; a row of zeros stays zero."""
    return matrix / np.maximum(np.linalg.norm(matrix, axis=-1, keepdims=True), 1e-12)


def concatenate(a: Features, b: Features) -> Features:
    """Put two spaces side by side, each row of each of length one.

    The items are those of `a`, joined by id (Paper A, section 2.3.1).
    """
    matrix = np.concatenate([unit(a.matrix), unit(b.rows(a.ids))], 1)
    made_by = {"concatenation": [a.made_by, b.made_by]}
    return Features(a.ids, matrix.astype(np.float32), made_by)


def nearest(
    queries: np.ndarray, gallery: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Find the k nearest gallery rows of each query by cosine, exactly, nearest first.

    Returns row numbers and cosines, both (queries, k); equal ones in order of rows.
    """
    if not 1 <= k <= len(gallery):
        raise ValueError(f"k = {k} neighbours from a gallery of {len(gallery)}")
    gallery = unit(gallery)
    all_rows, all_cosines = [], []
    for start in range(0, len(queries), BLOCK):
        cosines = unit(queries[start : start + BLOCK]) @ gallery.T  # (block, gallery)
        rows = highest(cosines, k)
        all_rows.append(rows)
        all_cosines.append(np.take_along_axis(cosines, rows, 1))
    return np.concatenate(all_rows), np.concatenate(all_cosines)


def highest(scores: np.ndarray, k: int) -> np.ndarray:
    """Return (rows, k) places of the k highest of each row, equal ones in order.

    The same as the first k of a stable sort, without sorting the rest.
    """
    low = -scores
    last = np.partition(low, k - 1, axis=1)[:, k - 1 : k]  # (rows, 1) the k-th
    row, place = np.nonzero(low <= last)  # k a row, and those that tie with the k-th
    order = np.lexsort((place, low[row, place], row))
    starts = np.searchsorted(row, np.arange(len(scores)))
    return place[order][starts[:, None] + np.arange(k)]
