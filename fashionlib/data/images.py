"""Pictures, opened on demand: one place that decodes what strangers ship, and its
bounds.

A reference is a file's path, or `FILE#ROW` for a row of a container: dataset `images`
of an .hdf5 (FACAD: rows of 3 x height x width, uint8), or column `image` of a .parquet
(the hub: encoded bytes). `cropped` adds a box to any of them.
"""

from __future__ import annotations

import base64
import io
import math
import os
import re
import stat
import warnings
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

Box = tuple[int, int, int, int]  # left, upper, right, lower

MOST_PIXELS = 50_000_000  # a larger picture is refused, not decoded
FORMATS = ("JPEG", "PNG", "WEBP")
CONTAINER = re.compile(r"(?P<file>.+\.(?P<kind>hdf5|parquet))#(?P<row>\d+)")
CROP = re.compile(
    r"(?P<whole>.+)#box=(?P<box>-?[0-9]{1,9}(?:,-?[0-9]{1,9}){3})", re.DOTALL
)


def load(
    reference: str | Path, about: int | None = None, box: Sequence[int] | None = None
) -> Image.Image:
    """The picture in RGB, cut to `box` (left, upper, right, lower; pixels) if given.

    A JPEG much larger than `about` pixels is decoded at 1/2, 1/4 or 1/8 (2x faster),
    unless a box is cut. ValueError naming the picture where it is missing, broken, over
    50 megapixels, or the box doesn't lie in it.
    """
    try:
        return _decoded(reference, about, box)
    except (
        OSError,
        ValueError,
        SyntaxError,
        IndexError,
        KeyError,
        Image.DecompressionBombError,
    ) as error:
        step = "Replace or remove it; fashionlib check lists all such"
        raise ValueError(
            f"cannot read the picture {reference}: {_told(error)}. {step}."
        ) from error


def cropped(reference: str | Path, box: Sequence[int]) -> str:
    """The reference of the part of a picture that lies in `box` (left, upper, right,
    lower; its pixels).

    It is text, `REFERENCE#box=LEFT,UPPER,RIGHT,LOWER`, and may be kept in a table and
    cropped again, in pixels of the part. A file whose own name ends so is opened as
    that file; where the name without the end is a file too, nothing says which is
    meant, and opening raises ValueError. So does opening a box that doesn't lie in the
    picture, as in `load`. ValueError for a box that is not of four whole numbers.
    """
    edges = list(box)
    if len(edges) != 4 or any(edge != int(edge) for edge in edges):
        raise ValueError(
            f"{reference}: box {edges} is not of four whole numbers: left, upper,"
            " right, lower"
        )
    return f"{reference}#box={','.join(str(int(edge)) for edge in edges)}"


def small(reference: str | Path, width: int) -> Image.Image:
    """The picture, scaled down to `width` pixels; errors as `load`."""
    picture = load(reference, width)
    picture.thumbnail((width, 2 * width))
    return picture


def jpeg(picture: Image.Image, quality: int = 80) -> bytes:
    """Return the picture encoded as JPEG."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def data_url(picture: Image.Image, quality: int = 80) -> str:
    """Return the picture as a JPEG data URL, for a page or a request."""
    encoded = base64.b64encode(jpeg(picture, quality)).decode()
    return f"data:image/jpeg;base64,{encoded}"


def inline(reference: str | Path, width: int) -> tuple[str, int, int]:
    """Return the picture, scaled down to `width`, as (data URL, width, height).

    Raises as `load`.
    """
    picture = small(reference, width)
    return data_url(picture), *picture.size


def read(reference: str | Path) -> bytes:
    """The picture's bytes as they are stored: an encoded file, or raw pixels for a row
    of an .hdf5.

    For a crop the whole picture's, then the box: nothing to decode, but other bytes
    than those of any other crop.
    """
    if crop := _crop(reference):
        return read(crop[0]) + f"#box={crop[1]}".encode()
    if inside := _inside(reference, "hdf5"):
        return _hdf5(*inside).tobytes()
    inside = _inside(reference, "parquet")
    if inside:
        return _parquet(*inside)
    with _opened(Path(reference)) as file:
        return file.read()


def square(
    reference: str | Path, size: int, box: Sequence[int] | None = None
) -> np.ndarray:
    """The picture as (size, size, 3) uint8, squeezed to a square (nothing is cut off).
    Raises as `load`.
    """
    return np.asarray(
        load(reference, size, box).resize((size, size), Image.Resampling.BICUBIC)
    )


def size(reference: str | Path) -> tuple[int, int]:
    """(width, height) in pixels, read from the header. ValueError naming what can't be
    read, as `load`.
    """
    try:
        return _size(reference)
    except (
        OSError,
        ValueError,
        SyntaxError,
        IndexError,
        KeyError,
        Image.DecompressionBombError,
    ) as error:
        raise ValueError(
            f"cannot read the picture {reference}: {_told(error)}. Replace or"
            " remove it."
        ) from error


def fault(picture: Path | bytes) -> str | None:
    """Why the file, or its bytes, is no whole JPEG, PNG or WebP of at most
    `MOST_PIXELS`, or None; decodes no JPEG.
    """
    try:
        with warnings.catch_warnings(), _opened(picture) as file:
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(file, formats=FORMATS) as image:
                _refuse_giant(image)
                kind = image.format
                image.verify()
            file.seek(max(0, file.seek(0, io.SEEK_END) - 1024))
            return (
                "cut short"
                if kind == "JPEG" and b"\xff\xd9" not in file.read(1024)
                else None
            )
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
        return (
            f"{int(pixels[0]):,} pixels, more than {MOST_PIXELS // 10**6} megapixels"
            if pixels
            else str(error)
        )
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _inside(reference: str | Path, kind: str) -> tuple[str, int] | None:
    found = CONTAINER.fullmatch(str(reference))
    return (
        (found["file"], int(found["row"])) if found and found["kind"] == kind else None
    )


def _crop(reference: str | Path) -> tuple[str, Box] | None:
    """The whole picture's reference and the box, or None where the reference is no
    crop.
    """
    found = CROP.fullmatch(str(reference))
    if found is None:
        return None
    if os.path.lexists(reference):
        if os.path.isfile(found["whole"]):
            raise ValueError(
                f"it is a file, and a crop of the file {found['whole']}: rename one of"
                " them"
            )
        return None
    return found["whole"], tuple(map(int, found["box"].split(",")))


def _decoded(
    reference: str | Path, about: int | None, box: Sequence[int] | None
) -> Image.Image:
    if crop := _crop(reference):
        return _cut(_cut(_decoded(crop[0], None, None), crop[1]), box)
    if inside := _inside(reference, "hdf5"):
        return _cut(Image.fromarray(np.moveaxis(_hdf5(*inside), 0, -1)), box)
    with (
        warnings.catch_warnings(),
        Image.open(io.BytesIO(read(reference)), formats=FORMATS) as image,
    ):
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        _refuse_giant(image)
        if about and box is None:
            image.draft("RGB", (2 * about, 2 * about))
        return _cut(image.convert("RGB"), box)


def _size(reference: str | Path) -> tuple[int, int]:
    if crop := _crop(reference):
        left, upper, right, lower = _within(crop[1], *_size(crop[0]))
        return right - left, lower - upper
    if inside := _inside(reference, "hdf5"):
        return _hdf5_images(inside[0]).shape[:1:-1]
    stored = read(reference) if _inside(reference, "parquet") else Path(reference)
    with (
        warnings.catch_warnings(),
        _opened(stored) as file,
        Image.open(file, formats=FORMATS) as image,
    ):
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return image.size


def _refuse_giant(image: Image.Image) -> None:
    if image.width * image.height > MOST_PIXELS:
        raise ValueError(
            f"{image.width} x {image.height} pixels, more than {MOST_PIXELS // 10**6}"
            " megapixels"
        )


def _cut(image: Image.Image, box: Sequence[int] | None) -> Image.Image:
    if box is None:
        return image
    return image.crop(_within(box, *image.size))


def _within(box: Sequence[int], width: int, height: int) -> Box:
    left, upper, right, lower = (int(edge) for edge in box)
    if not (0 <= left < right <= width and 0 <= upper < lower <= height):
        raise ValueError(
            f"box {[left, upper, right, lower]} does not lie in {width} x {height}"
            " pixels"
        )
    return left, upper, right, lower


def _hdf5(file: str, row: int) -> np.ndarray:
    return _hdf5_images(file)[row]  # (3, height, width)


def hdf5_images(
    file,
):
    """Dataset `images` of an open HDF5 file: (rows, 3, height, width), uint8.

    ValueError when it is missing, of another shape or type, over 50 megapixels a row,
    or stored in another file.
    """
    import h5py

    link = file.get("images", getlink=True)
    found = file["images"] if isinstance(link, h5py.HardLink) else None
    if not isinstance(found, h5py.Dataset) or found.is_virtual or found.external:
        raise ValueError("holds no dataset 'images' of its own")
    if found.dtype != np.uint8 or found.ndim != 4 or found.shape[1] != 3:
        raise ValueError(
            f"images are {found.dtype} of shape {found.shape}, not uint8 of (rows, 3,"
            " height, width)"
        )
    pixels = max(
        found.shape[2] * found.shape[3], math.prod(found.chunks or ()) // 3
    )  # a chunk is read as a whole
    if pixels > MOST_PIXELS:
        raise ValueError(
            f"a row takes {pixels} pixels to read, more than {MOST_PIXELS // 10**6}"
            " megapixels"
        )
    return found


@lru_cache(maxsize=8)
def _hdf5_images(file: str):
    import h5py

    return hdf5_images(h5py.File(file, "r"))


@lru_cache(maxsize=8)
def _parquet_file(
    file: str,
):
    import pyarrow.parquet as pq

    table = pq.ParquetFile(file)
    counts = [table.metadata.row_group(n).num_rows for n in range(table.num_row_groups)]
    return table, np.concatenate([[0], np.cumsum(counts)])


@lru_cache(maxsize=2)
def _parquet_group(file: str, group: int) -> list[bytes]:
    rows = (
        _parquet_file(file)[0]
        .read_row_group(group, columns=["image"])
        .column("image")
        .to_pylist()
    )
    return [row["bytes"] if isinstance(row, dict) else row for row in rows]


def _parquet(file: str, row: int) -> bytes:
    starts = _parquet_file(file)[1]
    if row >= starts[-1]:
        raise IndexError(f"row {row} of {starts[-1]}")
    group = int(np.searchsorted(starts, row, side="right")) - 1
    return _parquet_group(file, group)[row - int(starts[group])]
