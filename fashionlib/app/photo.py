"""A reader's photo: read within the bounds of `fashionlib.data.images`, turned upright,
cut, and kept only while in use.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from fashionlib.data import images

SIDE = 1280  # pixels of the longer side; encoders and captioners read a third of it
LEAST = 16  # pixels of a crop's sides
WHOLE = (0.0, 0.0, 100.0, 100.0)

Edges = tuple[
    float, float, float, float
]  # left, upper, right, lower, in percent of the photo's width and height


class Refused(ValueError):
    """What the reader can mend. The page shows its text, so it holds no path of this
    machine.
    """


def opened(path: str | Path) -> Image.Image:
    """The photo in RGB, upright as its camera held it, at most `SIDE` pixels a side,
    and no word of where it was taken.

    Refused with the reason.
    """
    fault = images.fault(Path(path))
    try:
        if fault:
            raise ValueError(fault)
        picture = ImageOps.exif_transpose(images.load(path, SIDE))
    except Exception as error:  # a decoder fed by strangers may raise anything
        raise Refused(
            f"This file is no photo that can be read: {fault or 'it is broken'}. Give a"
            f" whole JPEG, PNG or WebP of at most {images.MOST_PIXELS // 10**6}"
            " megapixels."
        ) from error
    picture.thumbnail((SIDE, SIDE))
    if min(picture.size) < LEAST:
        raise Refused(
            f"The photo is {picture.width} x {picture.height} pixels, too small to see"
            " anything."
        )
    picture.info.clear()
    return picture


def box(picture: Image.Image, edges: Edges) -> tuple[int, int, int, int]:
    """The edges in pixels. Refused where they enclose less than `LEAST` pixels either
    way.
    """
    left, upper, right, lower = (
        round(edge / 100 * side)
        for edge, side in zip(edges, 2 * picture.size, strict=True)
    )
    if right - left < LEAST or lower - upper < LEAST:
        raise Refused(
            f"The crop is {max(0, right - left)} x {max(0, lower - upper)} pixels, too"
            " small: move its edges apart."
        )
    return left, upper, right, lower


def outlined(picture: Image.Image, edges: Edges) -> Image.Image:
    """The photo with what the crop leaves out in the dark."""
    inside = box(picture, edges)
    shown = ImageEnhance.Brightness(picture).enhance(0.35)
    shown.paste(picture.crop(inside), inside[:2])
    if edges != WHOLE:
        left, upper, right, lower = inside
        ImageDraw.Draw(shown).rectangle(
            (left, upper, right - 1, lower - 1), outline="white", width=2
        )
    return shown


def between(
    one: tuple[int, int], other: tuple[int, int], size: tuple[int, int]
) -> Edges:
    """The crop between two opposite corners, given in pixels of a picture of this size;
    whole percents.
    """
    (left, right), (upper, lower) = (
        sorted(round(100 * place / side) for place in places)
        for places, side in zip(zip(one, other, strict=True), size, strict=True)
    )
    return left, upper, right, lower


@contextmanager
def cut(path: str | Path, edges: Edges = WHOLE) -> Iterator[str]:
    """The cropped photo as a PNG file, which is deleted afterwards. Raises Refused."""
    picture = opened(path)
    with tempfile.TemporaryDirectory(prefix="photo-") as folder:
        kept = Path(folder) / "photo.png"
        picture.crop(box(picture, edges)).save(kept)
        yield str(kept)
