"""Long passes of an encoder, cut into chunks that are cached by content.

A run that is killed loses at most one chunk per worker.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from fashionlib.data import images
from fashionlib.data.files import atomic

CHUNK = 128  # items per cache file

Arrays = dict[str, np.ndarray]


def encode_chunks(
    compute: Callable[[Any], Arrays],
    items: Any,
    digest: Callable[[Any], bytes],
    recipe: Sequence[Any],
    cache: Path | None = None,
    workers: int = 1,
    unit: str = "items",
    begin: Callable[[], object] | None = None,
) -> Arrays:
    """Return {name: (items, ...)}, what `compute` makes of all items, chunk by chunk.

    `items` is anything that can be sliced; `workers` chunks are computed at a time.
    With a `cache` folder a chunk is computed once: its file is named by a hash of
    `recipe` (JSON; what decides the outcome beside the items) and of each item's
    `digest`. `begin` is called at the start of each worker's thread. ValueError where
    there are no items.
    """
    if not len(items):
        raise ValueError(f"no {unit} to encode; give at least one")
    key = json.dumps(recipe).encode()

    def work(start: int) -> Arrays:
        chunk = items[start : start + CHUNK]
        if cache is None:
            return compute(chunk)
        name = hashlib.sha256(key + b"".join(map(digest, chunk))).hexdigest()[:32]
        return _cached(Path(cache) / f"{name}.npz", lambda: compute(chunk))

    starts = range(0, len(items), CHUNK)
    arrays: Arrays = {}
    with ThreadPoolExecutor(workers, initializer=begin) as pool:
        parts = pool.map(work, starts)
        bar = tqdm(parts, total=len(starts), desc=unit, unit=f"x{CHUNK}", leave=False)
        for start, part in zip(starts, bar, strict=True):
            for name, rows in part.items():
                if name not in arrays:
                    arrays[name] = np.empty((len(items), *rows.shape[1:]), rows.dtype)
                arrays[name][start : start + CHUNK] = rows
    return arrays


def _cached(path: Path, compute: Callable[[], Arrays]) -> Arrays:
    """Read the chunk's arrays; where there is no file, compute and write them first."""
    if path.is_file():
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    arrays = compute()
    with atomic(path) as part, part.open("wb") as file:
        np.savez(file, **arrays)
    return arrays


def digest_picture(path: str | Path) -> bytes:
    """Hash a picture's bytes, and the box of a crop; ValueError names a broken one."""
    try:
        return hashlib.sha256(images.read(path)).digest()
    except (OSError, ValueError, LookupError) as error:
        raise ValueError(
            f"cannot read the picture {path}: {error}. Replace or remove it."
        ) from error


def digest_row(array: np.ndarray) -> bytes:
    """Hash a row of numbers."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).digest()
