"""Colours that go on a ground, and the pens and shapes that draw patterns.

Lengths are in units of the sheet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import skia

RGB = tuple[int, int, int]
Size = tuple[float, float]
WHITE, BLACK, CREAM, INK = (255, 255, 255), (0, 0, 0), (250, 246, 234), (30, 30, 38)
LEAF = (48, 158, 110)
# of printed motifs
BRIGHT = ((228, 60, 56), (246, 190, 40), (38, 110, 190), LEAF, (240, 120, 170))


class Inks(NamedTuple):
    """The ground, a motif that stands out from it, and colours unlike the ground."""

    ground: RGB
    motif: RGB
    prints: list[RGB]


def mix(a: RGB, b: RGB, share: float) -> RGB:
    """Return `a` with a `share` of `b` in it."""
    return tuple(round(x + (y - x) * share) for x, y in zip(a, b, strict=True))  # type: ignore[return-value]


def luminance(shade: RGB) -> float:
    """Return the brightness from 0 (black) to 255 (white), with Rec. 601's weights."""
    return 0.299 * shade[0] + 0.587 * shade[1] + 0.114 * shade[2]


def difference(a: RGB, b: RGB) -> int:
    """Return the sum of the channels' absolute differences."""
    return sum(abs(x - y) for x, y in zip(a, b, strict=True))


def accent(shade: RGB) -> RGB:
    """Return a colour for motifs that stands out from the shade."""
    return mix(shade, CREAM, 0.9) if luminance(shade) < 165 else mix(shade, INK, 0.8)


def inks(ground: RGB) -> Inks:
    """Return the colours that go on a ground."""
    apart = [shade for shade in BRIGHT if difference(shade, ground) > 170]
    return Inks(ground, accent(ground), apart)


def fill(shade: RGB, alpha: float = 1) -> skia.Paint:
    """Return flat paint."""
    return skia.Paint(Color=skia.Color(*shade, round(255 * alpha)), AntiAlias=True)


def stroke(shade: RGB, width: float, alpha: float = 1) -> skia.Paint:
    """Return a round pen."""
    pen = fill(shade, alpha)
    pen.setStyle(skia.Paint.kStroke_Style)
    pen.setStrokeWidth(width)
    pen.setStrokeCap(skia.Paint.kRound_Cap)
    return pen


def polygon(points: Sequence[tuple[float, float]], close: bool = True) -> skia.Path:
    """Return a path of straight lines."""
    return skia.Path.Polygon([skia.Point(float(x), float(y)) for x, y in points], close)


def star(
    x: float,
    y: float,
    outer: float,
    inner: float,
    points: int,
    turn: float = -np.pi / 2,
) -> skia.Path:
    """Return a star, or a rosette."""
    angles = turn + np.arange(2 * points) * np.pi / points
    radii = np.where(np.arange(2 * points) % 2 == 0, outer, inner)
    return polygon(
        np.stack([x + radii * np.cos(angles), y + radii * np.sin(angles)], 1).tolist()
    )
