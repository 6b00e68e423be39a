"""Open pictures on demand: one place that decodes what strangers ship, with its bounds.

A picture is read as a viewer shows it, in 8 bits of red, green and blue:

- turned and mirrored by its EXIF orientation; sizes and boxes are in pixels as shown
- what is transparent (alpha, a palette's, a PNG's tRNS) on white
- of an animation, a TIFF's pages or a camera's several pictures in one file, the first
- 16 bits of grey scaled to 8; greys, black and white, palettes and CMYK (in a JPEG
  inverted, as Adobe writes it) converted. Numbers of 32 bits have no agreed white and
  are refused. Colour profiles are not applied.

Files are JPEG, PNG, WebP, GIF, TIFF, BMP, or AVIF where this Pillow reads it, told by
what they hold and not by name. HEIC is refused: convert it to JPEG.

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
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

Box = tuple[int, int, int, int]  # left, upper, right, lower

MOST_PIXELS = 50_000_000  # a larger picture is refused, not decoded
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF")
NAMED = f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}"
SUFFIXES = (  # of their files
    *(".jpg", ".jpeg", ".jfif", ".png", ".webp"),
    *(".gif", ".tif", ".tiff", ".bmp", ".avif"),
)
PHONE = (".heic", ".heif")  # what phones write and Pillow doesn't read
TURNS = {  # EXIF orientation: what brings the picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIDEWAYS = (5, 6, 7, 8)  # width and height change places
CONTAINER = re.compile(r"(?P<file>.+\.(?P<kind>hdf5|parquet))#(?P<row>\d+)")
CROP = re.compile(
    r"(?P<whole>.+)#box=(?P<box>-?[0-9]{1,9}(?:,-?[0-9]{1,9}){3})", re.DOTALL
)


def load(reference: str | Path, about: int | None = None) -> Image.Image:
    """Return the picture as it is shown, in RGB; of a reference with a box that part.

    Nothing of what a camera wrote into the file goes along. A JPEG much larger than
    `about` pixels is decoded at 1/2, 1/4 or 1/8 (2x faster), unless a box is cut.
    ValueError naming the picture where it is missing, broken, over 50 megapixels, or
    the box doesn't lie in it.
    """
    with _naming(reference, "Replace or remove it; fashionlib check lists all such."):
        picture = _decoded(reference, about)
        picture.info.clear()
        return picture


def cropped(reference: str | Path, box: Sequence[int]) -> str:
    """Return the reference of the part in `box` (left, upper, right, lower; pixels).

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
    """Return the picture, scaled down to `width` pixels. Raises as `load`."""
    picture = load(reference, width)
    picture.thumbnail((width, 2 * width))
    return picture


def square(reference: str | Path, size: int) -> np.ndarray:
    """Return the picture as (size, size, 3) uint8, squeezed to a square.

    Nothing is cut off. Raises as `load`.
    """
    picture = load(reference, size)
    return np.asarray(picture.resize((size, size), Image.Resampling.BICUBIC))


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
    """Return the picture's bytes as stored: a file, or raw pixels for an .hdf5's row.

    Caches are keyed by them. A picture that is shown otherwise than it is stored
    (turned, transparent, 16 bits) has a mark behind it: releases that showed it as it
    is stored left other results under the plain bytes. For a crop the whole picture's,
    then the box: nothing to decode, but other bytes than those of any other crop.
    """
    if crop := _crop(reference):
        whole, box = crop
        return read(whole) + f"#box={box}".encode()
    stored = _stored(reference)
    if isinstance(stored, np.ndarray):
        return stored.tobytes()
    with _opened(stored) as file:
        content = file.read()
    return content + b"#shown" if _differs(content) else content


def _differs(content: bytes) -> bool:
    """Return whether a picture is shown otherwise than it is stored."""
    try:
        with _header(io.BytesIO(content)) as image:
            deep = image.mode.startswith("I;16")
            return _orientation(image) in TURNS or image.has_transparency_data or deep
    except Exception:  # broken: who decodes it will say so
        return False


def size(reference: str | Path) -> tuple[int, int]:
    """Return (width, height) of what `load` returns, read from the header.

    Raises as `load`.
    """
    with _naming(reference, "Replace or remove it."):
        return _size(reference)


def fault(reference: str | Path) -> str | None:
    """Return why `load` refuses the picture, or None. A JPEG is decoded at 1/8."""
    try:
        _decoded(reference, 1)
    except Exception as error:  # a decoder fed by strangers may raise anything
        return _reason(error)
    return None


def common_folder(references: Iterable[str | Path]) -> str:
    """Return the innermost folder that holds all pictures."""
    return os.path.commonpath({absolute(Path(one).parent) for one in references})


def absolute(path: str | Path) -> str:
    """Return the path from the root, without "..", links as they are."""
    return os.path.normpath(Path(path).absolute())


def fault_below(reference: str | Path, folder: str | Path) -> str | None:
    """As `fault`, for a picture below the folder; a link that leads out is one too."""
    if leads_out(reference, folder):
        return "a link that leads out of the folder"
    return fault(reference)


def leads_out(reference: str | Path, folder: str | Path) -> bool:
    """Return whether a link between the folder and a picture below it leads out of it.

    A folder right below that is a link (H&M's `images` on another disk) is its owner's
    and belongs to it. Raises ValueError for a picture that isn't below the folder.
    """
    file = str(reference)
    while crop := _crop(file):
        file = crop[0]
    container = CONTAINER.fullmatch(file)
    folder = Path(absolute(folder))
    place = Path(absolute(container["file"] if container else file))
    above = place.relative_to(folder).parts[:-1]
    homes = [folder, *(folder / name for name in above[:1])]
    real = place.resolve()
    return not any(real.is_relative_to(home.resolve()) for home in homes)


@contextmanager
def _naming(reference: str | Path, step: str) -> Iterator[None]:
    """Raise whatever a stranger's picture raises as a ValueError that names it."""
    try:
        yield
    except Exception as error:  # a decoder fed by strangers may raise anything
        raise ValueError(
            f"cannot read the picture {reference}: {_reason(error)}. {step}"
        ) from error


def _reason(error: Exception) -> str:
    """Return the error in words without the path, which the caller knows better."""
    if str(error).startswith("image file is truncated"):
        return "cut short"
    if isinstance(error, Image.DecompressionBombError):
        pixels = re.search(r"\d+", str(error))
        if pixels:
            return f"{int(pixels[0]):,} pixels, more than {_megapixels()}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _megapixels() -> str:
    return f"{MOST_PIXELS // 10**6} megapixels"


@contextmanager
def _header(file: BinaryIO) -> Iterator[Image.Image]:
    """Open an encoded picture without decoding it; ValueError over `MOST_PIXELS`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about odd tags; a giant is refused below
        with _identified(file) as image:
            if image.width * image.height > MOST_PIXELS:
                raise ValueError(
                    f"{image.width} x {image.height} pixels, more than {_megapixels()}"
                )
            yield image


def _identified(file: BinaryIO) -> Image.Image:
    try:
        return Image.open(file, formats=FORMATS)
    except UnidentifiedImageError as error:
        file.seek(4)
        brand = file.read(8)
        if brand[:4] == b"ftyp" and brand[4:7] in (b"hei", b"hev", b"mif", b"avi"):
            avif = brand[4:7] == b"avi"
            kind = "an AVIF, broken or not" if avif else "a HEIC, which is not"
            raise ValueError(f"{kind} read here: convert it to JPEG") from error
        raise ValueError(f"no {NAMED}") from error


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation of an opened picture, 1 where it has none.

    Pillow turns a TIFF itself. Of a PNG it is what stands before the pixels, as for
    browsers: PngImageFile.getexif would decode them.
    """
    if image.format == "TIFF":
        return 1
    try:
        return Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1)
    except Exception:  # an EXIF block that can't be read turns nothing
        return 1


def _shown(image: Image.Image) -> Image.Image:
    """Return the picture in RGB, what is transparent on white."""
    if image.mode in ("I", "F"):
        raise ValueError(
            "its numbers have 32 bits and no agreed white: save it in 8 or 16 bits"
        )
    if image.mode.startswith("I;16"):
        image = _eight_bits(image)
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image)
    return white


def _eight_bits(image: Image.Image) -> Image.Image:
    """Scale 16 bits of grey to 8, with alpha where one grey stands for transparent."""
    levels = np.asarray(image).astype(np.uint32)  # (height, width)
    grey = Image.fromarray(((levels + 128) // 257).astype(np.uint8))
    clear = image.info.get("transparency")
    if clear is not None:
        grey.putalpha(Image.fromarray(np.where(levels == clear, 0, 255).astype("u1")))
    return grey


def _opened(picture: Path | bytes) -> BinaryIO:
    if isinstance(picture, bytes):
        return io.BytesIO(picture)
    if not stat.S_ISREG(picture.stat().st_mode):  # a device or a pipe would never end
        raise ValueError("no regular file")
    return picture.open("rb")


def _stored(reference: str | Path) -> np.ndarray | bytes | Path:
    """Return an .hdf5's row as (3, height, width), a .parquet's as bytes, or a path."""
    container = CONTAINER.fullmatch(str(reference))
    if container is None:
        return Path(reference)
    file, row = container["file"], int(container["row"])
    return _hdf5_rows(file)[row] if container["kind"] == "hdf5" else _parquet(file, row)


def _crop(reference: str | Path) -> tuple[str, Box] | None:
    """Return the whole picture's reference and the box, or None for no crop."""
    match = CROP.fullmatch(str(reference))
    if match is None:
        return None
    if os.path.lexists(reference):  # a broken link is a name of its own too
        if Path(match["whole"]).is_file():
            raise ValueError(
                f"it is a file, and a crop of the file {match['whole']}: rename one of"
                " them"
            )
        return None
    return match["whole"], tuple(map(int, match["box"].split(",")))


def _decoded(reference: str | Path, about: int | None) -> Image.Image:
    if crop := _crop(reference):
        whole, box = crop
        image = _decoded(whole, None)
        return image.crop(_within(box, *image.size))
    stored = _stored(reference)
    if isinstance(stored, np.ndarray):
        return Image.fromarray(np.moveaxis(stored, 0, -1))
    with _opened(stored) as file, _header(file) as image:
        turn = TURNS.get(_orientation(image))
        if about:
            image.draft("RGB", (2 * about, 2 * about))
        picture = _shown(image)
    return picture if turn is None else picture.transpose(turn)


def _size(reference: str | Path) -> tuple[int, int]:
    if crop := _crop(reference):
        whole, box = crop
        left, upper, right, lower = _within(box, *_size(whole))
        return right - left, lower - upper
    stored = _stored(reference)
    if isinstance(stored, np.ndarray):
        height, width = stored.shape[1:]
        return width, height
    with _opened(stored) as file, _header(file) as image:
        sideways = _orientation(image) in SIDEWAYS
        return image.size[::-1] if sideways else image.size


def _within(box: Box, width: int, height: int) -> Box:
    left, upper, right, lower = box
    if not (0 <= left < right <= width and 0 <= upper < lower <= height):
        raise ValueError(f"box {list(box)} does not lie in {width} x {height} pixels")
    return box


def hdf5_images(file: Any) -> Any:
    """Return dataset `images` of an open HDF5 file: (rows, 3, height, width), uint8.

    ValueError when it is missing, of another shape or type, over 50 megapixels a row,
    or stored in another file.
    """
    import h5py

    link = file.get("images", getlink=True)
    rows = file["images"] if isinstance(link, h5py.HardLink) else None
    if not isinstance(rows, h5py.Dataset) or rows.is_virtual or rows.external:
        raise ValueError("holds no dataset 'images' of its own")
    if rows.dtype != np.uint8 or rows.ndim != 4 or rows.shape[1] != 3:
        raise ValueError(
            f"images are {rows.dtype} of shape {rows.shape}, not uint8 of (rows, 3,"
            " height, width)"
        )
    # a chunk is read as a whole
    pixels = max(rows.shape[2] * rows.shape[3], math.prod(rows.chunks or ()) // 3)
    if pixels > MOST_PIXELS:
        raise ValueError(
            f"a row takes {pixels} pixels to read, more than {_megapixels()}"
        )
    return rows


@lru_cache(maxsize=8)
def _hdf5_rows(file: str) -> Any:
    import h5py

    return hdf5_images(h5py.File(file, "r"))


@lru_cache(maxsize=8)
def _parquet_file(file: str) -> tuple[Any, np.ndarray]:
    """Return the open file, and where each of its row groups starts."""
    import pyarrow.parquet as pq

    table = pq.ParquetFile(file)
    counts = [table.metadata.row_group(n).num_rows for n in range(table.num_row_groups)]
    return table, np.concatenate([[0], np.cumsum(counts)])


@lru_cache(maxsize=2)
def _parquet_group(file: str, group: int) -> list[bytes]:
    table, _ = _parquet_file(file)
    rows = table.read_row_group(group, columns=["image"]).column("image").to_pylist()
    return [row["bytes"] if isinstance(row, dict) else row for row in rows]


def _parquet(file: str, row: int) -> bytes:
    _, starts = _parquet_file(file)
    if row >= starts[-1]:
        raise IndexError(f"row {row} of {starts[-1]}")
    group = int(np.searchsorted(starts, row, side="right")) - 1
    picture = _parquet_group(file, group)[row - int(starts[group])]
    if not picture:
        raise ValueError("no bytes")
    return picture
