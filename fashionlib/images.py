"""Pictures, opened on demand: one place that decodes what strangers ship, and its bounds.

A reference is a file's path, or `FILE#ROW` for a row of a container: dataset `images` of an .hdf5 (FACAD: rows of 3 x
height x width, uint8), or column `image` of a .parquet (the hub: encoded bytes).
"""

from __future__ import annotations

import io
import math
import re
import stat
import warnings
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

MOST_PIXELS = 50_000_000  # a larger picture is refused, not decoded
FORMATS = ("JPEG", "PNG", "WEBP")
CONTAINER = re.compile(r"(?P<file>.+\.(?P<kind>hdf5|parquet))#(?P<row>\d+)")


def load(reference: str | Path, about: int | None = None, box: Sequence[int] | None = None) -> Image.Image:
    """The picture in RGB, cut to `box` (left, upper, right, lower; pixels) if given.

    A JPEG much larger than `about` pixels is decoded at 1/2, 1/4 or 1/8 (2x faster), unless a box is cut. ValueError
    naming the picture where it is missing, broken, over 50 megapixels, or the box doesn't lie in it.
    """
    try:
        if inside := _inside(reference, "hdf5"):
            return _cut(Image.fromarray(np.moveaxis(_hdf5(*inside), 0, -1)), box)
        with warnings.catch_warnings(), Image.open(io.BytesIO(read(reference)), formats=FORMATS) as image:
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            _refuse_giant(image)
            if about and box is None:
                image.draft("RGB", (2 * about, 2 * about))
            return _cut(image.convert("RGB"), box)
    except (OSError, ValueError, SyntaxError, IndexError, KeyError, Image.DecompressionBombError) as error:
        step = "Replace or remove it; fashionlib check lists all such"
        raise ValueError(f"cannot read the picture {reference}: {_told(error)}. {step}.") from error


def small(reference: str | Path, width: int) -> Image.Image:
    """The picture, scaled down to `width` pixels; errors as `load`."""
    picture = load(reference, width)
    picture.thumbnail((width, 2 * width))
    return picture


def read(reference: str | Path) -> bytes:
    """The picture's bytes as they are stored: an encoded file, or raw pixels for a row of an .hdf5."""
    if inside := _inside(reference, "hdf5"):
        return _hdf5(*inside).tobytes()
    inside = _inside(reference, "parquet")
    if inside:
        return _parquet(*inside)
    with _opened(Path(reference)) as file:
        return file.read()


def square(reference: str | Path, size: int, box: Sequence[int] | None = None) -> np.ndarray:
    """The picture as (size, size, 3) uint8, squeezed to a square (nothing is cut off). Raises as `load`."""
    return np.asarray(load(reference, size, box).resize((size, size), Image.Resampling.BICUBIC))


def size(reference: str | Path) -> tuple[int, int]:
    """(width, height) in pixels, read from the header. ValueError naming a file that is no picture."""
    try:
        with warnings.catch_warnings(), _opened(Path(reference)) as file, Image.open(file, formats=FORMATS) as image:
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return image.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"cannot read the picture {reference}: {_told(error)}. Replace or remove it.") from error


def fault(picture: Path | bytes) -> str | None:
    """Why the file, or its bytes, is no whole JPEG, PNG or WebP of at most `MOST_PIXELS`, or None; decodes no JPEG."""
    try:
        with warnings.catch_warnings(), _opened(picture) as file:
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(file, formats=FORMATS) as image:
                _refuse_giant(image)
                kind = image.format
                image.verify()
            file.seek(max(0, file.seek(0, io.SEEK_END) - 1024))
            return "cut short" if kind == "JPEG" and b"\xff\xd9" not in file.read(1024) else None
    except Exception as error:  # a decoder fed by strangers may raise anything
        return _told(error)


def _opened(picture: Path | bytes) -> BinaryIO:
    if isinstance(picture, bytes):
        return io.BytesIO(picture)
    if not stat.S_ISREG(picture.stat().st_mode):  # a device or a pipe would never end
        raise ValueError("no regular file")
    return open(picture, "rb")


def _told(error: Exception) -> str:
    """The error in words without the path, which the caller knows better."""
    if isinstance(error, UnidentifiedImageError):
        return f"no {', '.join(FORMATS)}"
    if isinstance(error, Image.DecompressionBombError):
        pixels = re.search(r"\d+", str(error))
        return f"{int(pixels[0]):,} pixels, more than {MOST_PIXELS // 10**6} megapixels" if pixels else str(error)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _inside(reference: str | Path, kind: str) -> tuple[str, int] | None:
    found = CONTAINER.fullmatch(str(reference))
    return (found["file"], int(found["row"])) if found and found["kind"] == kind else None


def _refuse_giant(image: Image.Image) -> None:
    if image.width * image.height > MOST_PIXELS:
        raise ValueError(f"{image.width} x {image.height} pixels, more than {MOST_PIXELS // 10**6} megapixels")


def _cut(image: Image.Image, box: Sequence[int] | None) -> Image.Image:
    if box is None:
        return image
    left, upper, right, lower = (int(edge) for edge in box)
    if not (0 <= left < right <= image.width and 0 <= upper < lower <= image.height):
        raise ValueError(f"box {[left, upper, right, lower]} does not lie in {image.width} x {image.height} pixels")
    return image.crop((left, upper, right, lower))


def _hdf5(file: str, row: int) -> np.ndarray:
    return _hdf5_images(file)[row]  # (3, height, width)


def hdf5_images(file):  # noqa: ANN001, ANN201  an open h5py.File; its dataset, on demand
    """Dataset `images` of an open HDF5 file: (rows, 3, height, width), uint8.

    ValueError when it is missing, of another shape or type, over 50 megapixels a row, or stored in another file.
    """
    import h5py

    link = file.get("images", getlink=True)
    found = file["images"] if isinstance(link, h5py.HardLink) else None
    if not isinstance(found, h5py.Dataset) or found.is_virtual or found.external:
        raise ValueError("holds no dataset 'images' of its own")
    if found.dtype != np.uint8 or found.ndim != 4 or found.shape[1] != 3:
        raise ValueError(f"images are {found.dtype} of shape {found.shape}, not uint8 of (rows, 3, height, width)")
    pixels = max(found.shape[2] * found.shape[3], math.prod(found.chunks or ()) // 3)  # a chunk is read as a whole
    if pixels > MOST_PIXELS:
        raise ValueError(f"a row takes {pixels} pixels to read, more than {MOST_PIXELS // 10**6} megapixels")
    return found


@lru_cache(maxsize=8)
def _hdf5_images(file: str):  # noqa: ANN202  an open h5py dataset, read-only
    import h5py

    return hdf5_images(h5py.File(file, "r"))


@lru_cache(maxsize=8)
def _parquet_file(file: str):  # noqa: ANN202  an open pyarrow ParquetFile and the first row of each group
    import pyarrow.parquet as pq

    table = pq.ParquetFile(file)
    counts = [table.metadata.row_group(n).num_rows for n in range(table.num_row_groups)]
    return table, np.concatenate([[0], np.cumsum(counts)])


@lru_cache(maxsize=2)
def _parquet_group(file: str, group: int) -> list[bytes]:
    rows = _parquet_file(file)[0].read_row_group(group, columns=["image"]).column("image").to_pylist()
    return [row["bytes"] if isinstance(row, dict) else row for row in rows]


def _parquet(file: str, row: int) -> bytes:
    starts = _parquet_file(file)[1]
    if row >= starts[-1]:
        raise IndexError(f"row {row} of {starts[-1]}")
    group = int(np.searchsorted(starts, row, side="right")) - 1
    return _parquet_group(file, group)[row - int(starts[group])]
