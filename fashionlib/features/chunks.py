"""Long passes of an encoder, cut into chunks that are cached by content: a killed run
loses a chunk per worker.
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


def encode(
    compute: Callable[[Any], Arrays],
    items: Any,
    content: Callable[[Any], bytes],
    recipe: Sequence[Any],
    cache: Path | None = None,
    workers: int = 1,
    unit: str = "items",
    begin: Callable[[], object] | None = None,
) -> Arrays:
    """{name: (items, ...)}: what `compute` makes of all items, chunk by chunk,
    `workers` chunks at a time.

    `items` is anything that can be sliced. With a `cache` folder a chunk is computed
    once: its file is named by a hash of `recipe` (JSON; what decides the outcome beside
    the items) and of the items' `content`. `begin` is called at the start of each
    worker's thread. ValueError where there are no items.
    """
    if not len(items):
        raise ValueError(f"no {unit} to encode; give at least one")
    key = json.dumps(recipe).encode()

    def work(start: int) -> Arrays:
        chunk = items[start : start + CHUNK]
        return (
            _cached(lambda: compute(chunk), chunk, content, key, Path(cache))
            if cache
            else compute(chunk)
        )

    starts, made = range(0, len(items), CHUNK), {}
    with ThreadPoolExecutor(workers, initializer=begin) as pool:
        parts = tqdm(
            pool.map(work, starts),
            total=len(starts),
            desc=unit,
            unit=f"x{CHUNK}",
            leave=False,
        )
        for start, part in zip(starts, parts, strict=True):
            made = made or {
                name: np.empty((len(items), *a.shape[1:]), a.dtype)
                for name, a in part.items()
            }
            for name, array in part.items():
                made[name][start : start + CHUNK] = array
    return made


def _cached(
    compute: Callable[[], Arrays],
    chunk: Any,
    content: Callable[[Any], bytes],
    key: bytes,
    cache: Path,
) -> Arrays:
    """The chunk's arrays from its file in `cache`, computed and written first where
    there is none.
    """
    path = (
        cache
        / f"{hashlib.sha256(key + b''.join(map(content, chunk))).hexdigest()[:32]}.npz"
    )
    if path.is_file():
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    arrays = compute()
    with atomic(path) as part, open(part, "wb") as file:
        np.savez(file, **arrays)
    return arrays


def picture(path: str | Path) -> bytes:
    """A digest of a picture's bytes, and of the box of a crop. ValueError naming a
    picture that can't be read.
    """
    try:
        return hashlib.sha256(images.read(path)).digest()
    except (OSError, ValueError, LookupError) as error:
        raise ValueError(
            f"cannot read the picture {path}: {error}. Replace or remove it."
        ) from error


def words(text: str) -> bytes:
    """A digest of a text."""
    return hashlib.sha256(text.encode()).digest()


def row(array: np.ndarray) -> bytes:
    """A digest of a row of numbers."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).digest()
