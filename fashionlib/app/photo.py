"""A reader's photo: read within bounds, turned upright, cut, and deleted after use."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageDraw, ImageEnhance

from fashionlib.data import images

SIDE = 1280  # pixels of the longer side; encoders and captioners read a third of it
LEAST = 16  # pixels of a crop's sides
WHOLE = (0.0, 0.0, 100.0, 100.0)

# left, upper, right, lower, in percent of the photo's width and height
Edges = tuple[float, float, float, float]


class InputError(ValueError):
    """A fault that the reader can mend.

    The page shows its text, so it holds no path of this machine.
    """


def read(path: str | Path) -> Image.Image:
    """Read the photo in RGB, as `images.load`, at most `SIDE` pixels wide.

    Nothing in it says where it was taken. InputError with the reason.
    """
    if fault := images.fault(path):
        raise InputError(
            f"This file is no photo that can be read: {fault}. Give a whole"
            f" {images.NAMED} of at most {images.MOST_PIXELS // 10**6} megapixels."
        )
    picture = images.load(path, SIDE)
    picture.thumbnail((SIDE, SIDE))
    if min(picture.size) < LEAST:
        raise InputError(
            f"The photo is {picture.width} x {picture.height} pixels, too small to see"
            " anything."
        )
    return picture


def box(picture: Image.Image, edges: Edges) -> tuple[int, int, int, int]:
    """Return the edges in pixels; InputError for sides of less than `LEAST`."""
    left, upper, right, lower = (
        round(edge / 100 * side)
        for edge, side in zip(edges, 2 * picture.size, strict=True)
    )
    if right - left < LEAST or lower - upper < LEAST:
        raise InputError(
            f"The crop is {max(0, right - left)} x {max(0, lower - upper)} pixels, too"
            " small: move its edges apart."
        )
    return left, upper, right, lower


def outlined(picture: Image.Image, edges: Edges) -> Image.Image:
    """Return the photo with what the crop leaves out in the dark."""
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
    """Return the crop between two opposite corners, in whole percents.

    The corners are in pixels of a picture of this size.
    """
    (left, right), (upper, lower) = (
        sorted(round(100 * place / side) for place in places)
        for places, side in zip(zip(one, other, strict=True), size, strict=True)
    )
    return left, upper, right, lower


@contextmanager
def cut(path: str | Path, edges: Edges = WHOLE) -> Iterator[str]:
    """Yield the cropped photo as a PNG file; as `read` and `box` raise.

    The file is deleted afterwards.
    """
    picture = read(path)
    with tempfile.TemporaryDirectory(prefix="photo-") as folder:
        file = Path(folder) / "photo.png"
        picture.crop(box(picture, edges)).save(file)
        yield str(file)
