"""Feature spaces: one row per article, made once, kept in one file, joined by article
id and never by order.
"""

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

GROUP = 4 * 2**20  # bytes of a row group: what reading needs beside the matrix itself
NEXT = (
    "Notebooks 03_who_leaks and 12_feature_spaces make such files, and Features.save"
    " writes one"
)


@dataclass(frozen=True)
class Features:
    """A feature space. `matrix` is (items, dim), or (items, cells, dim) for a grid; row
    i belongs to `ids[i]`.
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
        """The rows of `ids`, in that order. Raises ValueError that names the first ids
        which are not here.
        """
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
        """Write one .parquet: columns item_id and features (a list of fixed size),
        float16, 32 or 64 as they are.

        The schema's metadata hold JSON: `made_by`, and `shape`, of one row. Written
        atomically, and uncompressed: packing floats costs more time than it saves room.
        """
        if self.matrix.dtype not in (np.float16, np.float32, np.float64):
            raise ValueError(
                f"{path}: features of type {self.matrix.dtype}; give floats, say"
                " matrix.astype('float32')"
            )
        shape = self.matrix.shape[1:]
        width = math.prod(shape)
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
        step = max(1, GROUP // max(1, width * self.matrix.itemsize))
        with (
            atomic(Path(path)) as part,
            pq.ParquetWriter(
                part,
                schema,
                compression="none",
                use_dictionary=False,
                write_statistics=False,
            ) as file,
        ):
            for k in range(0, len(self.ids), step):
                values = pa.array(
                    np.ascontiguousarray(self.matrix[k : k + step]).reshape(-1)
                )
                lists = pa.FixedSizeListArray.from_arrays(
                    values, type=schema.field("features").type
                )
                file.write_batch(
                    pa.record_batch(
                        [pa.array(self.ids[k : k + step], pa.string()), lists],
                        schema=schema,
                    )
                )


def load(path: Path) -> Features:
    """Read what `Features.save` wrote, or any parquet with a text column item_id and a
    column features of number lists.

    Needs the memory of the matrix and of one row group. FileNotFoundError names a file
    that is not there; ValueError names the file and what is wrong in it: no parquet, a
    column that is missing or of another type, a row without features, rows of different
    lengths, an id twice.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"no features at {path}; run notebooks 03_who_leaks and 12_feature_spaces"
            " first"
        )
    try:
        with pq.ParquetFile(path) as file:
            _columns(file.schema_arrow)
            return _read(file)
    except (pa.ArrowException, ValueError, OSError) as error:
        raise ValueError(f"{path} holds no features: {error}. {NEXT}.") from error


def _columns(schema: pa.Schema) -> None:
    """ValueError unless there are ids that are text and rows that are lists of
    numbers.
    """
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
    if not any(kind(rows) for kind in lists) or not pa.types.is_floating(
        rows.value_type
    ):
        raise ValueError(f"features is {rows}, not a list of float")


def _read(file: pq.ParquetFile) -> Features:
    about = file.schema_arrow.metadata or {}
    kind = file.schema_arrow.field("features").type.value_type.to_pandas_dtype()
    ids: list[str] = []
    matrix = np.empty((0, 0), kind)
    for group in range(file.num_row_groups):
        for batch in file.read_row_group(
            group, columns=["item_id", "features"]
        ).to_batches():
            rows = _matrix(
                batch.column("features"), len(ids)
            )  # (rows, width), a view where Arrow allows it
            if not ids:
                matrix = np.empty((file.metadata.num_rows, rows.shape[1]), kind)
            if rows.shape[1] != matrix.shape[1]:
                raise ValueError(
                    f"row {len(ids)} has {rows.shape[1]} features, the rows before"
                    f" {matrix.shape[1]}"
                )
            matrix[len(ids) : len(ids) + len(rows)] = rows
            ids += batch.column("item_id").to_pylist()
    if None in ids:
        raise ValueError(f"row {ids.index(None)} has no item_id")
    shape, made_by = (
        json.loads(about.get(name, b"null")) for name in (b"shape", b"made_by")
    )
    shape = [matrix.shape[1]] if shape is None else shape
    if not (
        isinstance(shape, list)
        and all(type(n) is int and n >= 0 for n in shape)
        and (not ids or math.prod(shape) == matrix.shape[1])
    ):
        raise ValueError(
            f"its rows have {matrix.shape[1]} features, its metadata say {shape}"
        )
    if not isinstance(made_by or {}, dict):
        raise ValueError(
            f"its metadata's made_by is no JSON object but {made_by!r:.40}"
        )
    return Features(ids, matrix.reshape(len(ids), *shape), made_by or {})


def _matrix(lists: pa.Array, before: int) -> np.ndarray:
    """The lists as (rows, width); ValueError naming the first row, `before` counted, of
    another length or of none.
    """
    if lists.null_count:
        raise ValueError(
            f"row {before + lists.is_null().index(True).as_py()} has no features"
        )
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


def unit(matrix: np.ndarray) -> np.ndarray:
    """Rows divided by their Euclidean length; a row of zeros stays zero."""
    return matrix / np.maximum(np.linalg.norm(matrix, axis=-1, keepdims=True), 1e-12)


def concatenate(a: Features, b: Features) -> Features:
    """Both spaces side by side, each row of each of length one; items of `a`, joined by
    id (Paper A, section 2.3.1).
    """
    matrix = np.concatenate([unit(a.matrix), unit(b.rows(a.ids))], 1)
    return Features(
        a.ids, matrix.astype(np.float32), {"concatenation": [a.made_by, b.made_by]}
    )


def _highest(scores: np.ndarray, k: int) -> np.ndarray:
    """(rows, k) places of the k highest of each row, highest first, equal ones in
    order: a stable sort's first k.
    """
    low = -scores
    bar = np.partition(low, k - 1, axis=1)[:, k - 1 : k]
    row, place = np.nonzero(low <= bar)  # k a row, and those that tie with the last
    order = np.lexsort((place, low[row, place], row))
    starts = np.searchsorted(row, np.arange(len(scores)))
    return place[order][starts[:, None] + np.arange(k)]


def nearest(
    queries: np.ndarray, gallery: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers and cosines, both (queries, k), of the k nearest gallery rows, exact,
    nearest first.
    """
    if not 1 <= k <= len(gallery):
        raise ValueError(f"k = {k} neighbours from a gallery of {len(gallery)}")
    target, found = unit(gallery).T, []
    for start in range(0, len(queries), 1024):
        cosine = unit(queries[start : start + 1024]) @ target
        rows = _highest(cosine, k)
        found.append((rows, np.take_along_axis(cosine, rows, 1)))
    return np.concatenate([rows for rows, _ in found]), np.concatenate(
        [cosine for _, cosine in found]
    )
