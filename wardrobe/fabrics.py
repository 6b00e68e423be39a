"""How Thesis B's seventeen fabrics (table 3.1) catch the light: a grey tile of each.

Each tile is seamless and made once. Its value v in [-1, 1] is added light (v > 0: v of
the way to white) or shade (v < 0: -v of the way to black), so that cloth of any colour,
black and white too, shows it. Lengths are in units of the 160 x 240 sheet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
import skia
from scipy.ndimage import map_coordinates
from scipy.spatial import cKDTree

PIXELS = 4  # of a tile per unit of the sheet: sharp up to 640 pixels of width
FINE, BROAD = 64 / 24, 64 / 12  # units: periods that close a tile of 64
Field = np.ndarray  # (height, width) of a tile


def noise(like: Field, across: float, down: float, seed: int) -> Field:
    """Return seamless noise of mean 0 and standard deviation 1.

    It is smooth over `across` x `down` units.
    """
    white = np.random.default_rng(seed).standard_normal(like.shape)
    fy, fx = (
        np.fft.fftfreq(like.shape[0])[:, None],
        np.fft.rfftfreq(like.shape[1])[None, :],
    )
    keep = np.exp(-((fx * across * PIXELS) ** 2 + (fy * down * PIXELS) ** 2) * 2.5)
    keep[0, 0] = 0
    smooth = np.fft.irfft2(np.fft.rfft2(white) * keep, like.shape)
    return smooth / smooth.std()


def warp(field: Field, dx: Field, dy: Field) -> Field:
    """Return the seamless field with every point fetched from (dx, dy) units away."""
    rows, columns = np.indices(field.shape)
    return map_coordinates(
        field, [rows + dy * PIXELS, columns + dx * PIXELS], order=1, mode="grid-wrap"
    )


def cells(x: Field, y: Field, spacing: float, seed: int) -> tuple[Field, Field, Field]:
    """Scatter points; return each pixel's distance to the nearest and the second.

    Distances are in `spacing`s; the third field is the nearest's bearing.
    """
    size = np.array([x.shape[1], x.shape[0]]) / PIXELS
    rng = np.random.default_rng(seed)
    steps = np.maximum(np.round(size / spacing), 2).astype(int)
    points = np.stack(
        np.meshgrid(np.arange(steps[0]), np.arange(steps[1])), -1
    ).reshape(-1, 2)
    points = ((points + rng.uniform(0.1, 0.9, points.shape)) * size / steps) % size
    at = np.stack([x, y], -1)
    near, index = cKDTree(points, boxsize=size).query(at, k=2)
    off = (at - points[index[..., 0]] + size / 2) % size - size / 2
    return (
        near[..., 0] / spacing,
        near[..., 1] / spacing,
        np.arctan2(off[..., 1], off[..., 0]),
    )


def saw(at: Field, period: float) -> Field:
    """Rise from 0 to 1 along each period."""
    return (at / period) % 1


def bump(at: Field, period: float) -> Field:
    """Rise from 0 to 1 in the middle of each period and fall again, round."""
    return np.sin(np.pi * saw(at, period))


def cotton(x: Field, y: Field) -> Field:
    """Return a smooth weave: fine noise alone."""
    return 0.025 * noise(x, 1, 1, 1)


def knit(x: Field, y: Field, wide: float, high: float) -> Field:
    """Knit columns of V stitches, `wide` x `high` units each."""
    side = np.abs(saw(x, wide) - 0.5) * 2  # 0 in a column's middle, 1 between columns
    leg = bump(y - side * high * 0.75, high)
    return (
        (leg - 0.6) * 0.9 - 0.75 * np.clip(side - 0.72, 0, 1) * 3 - 0.35 * (side < 0.12)
    )


def cotton_knit(x: Field, y: Field) -> Field:
    """Knit small stitches."""
    return 0.34 * knit(x, y, 3.2, 3.2) + 0.02 * noise(x, 1, 1, 2)


def wool_knit(x: Field, y: Field) -> Field:
    """Knit big stitches of hairy yarn."""
    return 0.62 * knit(x, y, 8, 6.4) + 0.1 * noise(x, 0.5, 2, 3)


def cotton_woven(x: Field, y: Field) -> Field:
    """Weave a basket of coarse threads, some pale and some dark."""
    x, y = x + 0.35 * noise(x, 3, 3, 51), y + 0.35 * noise(x, 3, 3, 52)
    pick = np.random.default_rng(4).choice(
        [-0.34, -0.1, 0.0, 0.1, 0.5], (2, 24, 24), p=[0.25, 0.2, 0.2, 0.2, 0.15]
    )
    column, row = np.floor(x / FINE).astype(int), np.floor(y / FINE).astype(int)
    upright = (column + row) % 2 == 1  # this thread lies on top
    fleck = np.where(
        upright,
        pick[0, row // 2 % 12, column % 24],
        pick[1, row % 24, column // 2 % 12],
    )
    thread = np.where(upright, bump(x, FINE), bump(y, FINE))
    return 0.3 * (thread - 0.8) + fleck


def wool_woven(x: Field, y: Field) -> Field:
    """Weave herringbone with flecks."""
    turn = np.where(np.floor(x / 8) % 2 == 1, 1, -1)
    bone = np.tanh(3.5 * np.sin(2 * np.pi * (y + turn * x) / 4))
    flecks = np.clip(noise(x, 0.8, 0.8, 5) - 2, 0, 1) * 0.7
    return (
        0.27 * bone
        - 0.35 * np.exp(-((saw(x, 8) * 16) ** 2))
        + flecks
        + 0.06 * noise(x, 0.7, 0.7, 6)
    )


def seersucker(x: Field, y: Field) -> Field:
    """Weave fine stripes, each second one puckered."""
    stripe = np.tanh(5 * np.sin(2 * np.pi * (x + 0.25 * noise(x, 3, 2, 7)) / BROAD))
    pucker = noise(x, 2.4, 1.1, 8)
    return 0.27 * stripe + (stripe > 0) * 0.2 * pucker + 0.07 * noise(x, 8, 3, 9)


def denim(x: Field, y: Field) -> Field:
    """Weave steep diagonal twill with pale flecks, worn unevenly."""
    twill = np.sin(2 * np.pi * (x / FINE + y / 4 + 0.1 * noise(x, 1, 5, 10)))
    flecks = np.clip(noise(x, 0.4, 1.6, 11), 0, 3) * (twill > 0.1)
    return (
        0.2 * twill
        + 0.2 * flecks
        + 0.1 * noise(x, 0.7, 16, 12)
        + 0.08 * noise(x, 12, 12, 13)
        - 0.05
    )


def corduroy(x: Field, y: Field) -> Field:
    """Raise round upright cords with dark grooves between."""
    cord = bump(x + 0.12 * noise(x, 2, 14, 14), BROAD)
    return (
        np.where(cord < 0.45, -0.75 * (1 - cord / 0.45), 0.42 * (cord - 0.45))
        + 0.05 * noise(x, 0.8, 1.2, 15)
        + 0.06
    )


def nylon(x: Field, y: Field) -> Field:
    """Crease smooth cloth; small crisp creases gleam on one side."""
    bend = warp(noise(x, 5, 26, 16), 6 * noise(x, 30, 30, 17), 0 * x)
    gleam = np.clip((bend - 1.15) * 3, 0, 1) - 0.3 * np.clip((-1.25 - bend) * 3, 0, 1)
    return 0.62 * gleam + 0.07 * noise(x, 26, 40, 18) - 0.03


def linen(x: Field, y: Field) -> Field:
    """Weave uneven threads both ways, with slubs."""
    down, across = noise(x, 0.75, 18, 19), noise(x, 18, 0.75, 20)
    slubs = np.clip(noise(x, 0.7, 6, 21) - 1.5, 0, 2) + np.clip(
        noise(x, 6, 0.7, 22) - 1.5, 0, 2
    )
    return 0.12 * (down + across) - 0.3 * slubs + 0.03


def silk(x: Field, y: Field) -> Field:
    """Let broad bands of sheen flow."""
    flow = x / 40 + y / 120 + 0.28 * noise(x, 40, 50, 23) + 0.07 * noise(x, 14, 40, 24)
    wave = 0.5 + 0.5 * np.sin(2 * np.pi * flow)
    return 0.72 * wave**4 - 0.42 * (1 - wave) ** 2 - 0.03


def velvet(x: Field, y: Field) -> Field:
    """Fold deep cloth; soft pale folds are where the nap turns."""
    turn = noise(x, 12, 54, 25) + 0.4 * noise(x, 16, 16, 44)
    return (
        0.25 * np.tanh(turn)
        - 0.16
        + 0.09 * noise(x, 0.6, 1, 26)
        + 0.04 * noise(x, 4, 4, 27)
    )


def leather(x: Field, y: Field) -> Field:
    """Pebble and wrinkle, with sharp highlights along the folds."""
    near, second, _ = cells(x, y, 2.6, 28)
    fold = noise(x, 11, 44, 29) + 0.2 * noise(x, 4, 6, 30)
    gloss = 0.42 * np.clip(fold - 0.5, 0, 1.2) ** 1.5 + 0.25 * np.clip(
        (fold - 1.55) * 8, 0, 1
    )
    wrinkle = warp(noise(x, 11, 2, 48), 0 * x, 2 * noise(x, 9, 9, 49))
    pebble = -0.3 * np.exp(-(((second - near) / 0.16) ** 2)) + 0.16 * (0.5 - near)
    return (
        gloss
        - 0.3 * np.clip((wrinkle - 1.7) * 3, 0, 1)
        - 0.16 * np.clip(-0.4 - fold, 0, 1)
        + pebble
    )


def suede(x: Field, y: Field) -> Field:
    """Brush a matte surface this way and that."""
    brushed = warp(
        noise(x, 2.2, 9, 31), 2.5 * noise(x, 12, 12, 32), 2.5 * noise(x, 12, 12, 33)
    )
    return 0.09 * noise(x, 16, 16, 34) + 0.1 * brushed + 0.1 * noise(x, 0.6, 0.6, 35)


def fleece(x: Field, y: Field) -> Field:
    """Curl the wool into small locks."""
    near, _, bearing = cells(x, y, 5, 36)
    curl = np.sin(bearing + near * 11) * np.clip(near * 4, 0, 1)
    worm = np.sin(2 * np.pi * 0.9 * noise(x, 3.2, 3.2, 45))
    return (
        0.22 * curl
        + 0.2 * worm
        + 0.25 * (0.5 - near)
        + 0.06 * noise(x, 0.7, 0.7, 37)
        + 0.04
    )


def fur(x: Field, y: Field) -> Field:
    """Let long hair fall in tufts."""
    side = 1.6 * noise(x, 7, 14, 38)
    hair = warp(noise(x, 0.7, 13, 39), side, 0 * side)
    tuft = warp(saw(y + 4 * noise(x, 2.2, 12, 40), 20), side, 0 * side)
    return (
        0.24 * hair
        + 0.5 * (tuft**2 - 0.36)
        - 0.3 * np.exp(-((tuft / 0.12) ** 2))
        + 0.06
    )


def down(x: Field, y: Field) -> Field:
    """Stitch bulges, each lit from above, puckered at the stitching."""
    at = saw(y + 0.5 * noise(x, 20, 20, 41), 20)
    seam = np.minimum(at, 1 - at) * 20  # units from the stitching
    pucker = noise(x, 2.2, 7, 42) * np.exp(-seam / 3.5)
    gleam = np.exp(-(((at - 0.3) / 0.13) ** 2)) * (1 + 0.3 * noise(x, 12, 4, 43))
    return (
        0.42 * gleam
        - 0.88 * np.clip(at - 0.5, 0, 1)
        - 0.7 * np.exp(-((seam / 0.7) ** 2))
        + 0.13 * pucker
        + 0.1
    )


def foil(x: Field, y: Field) -> Field:
    """Polish metal: hard bands of light and dark that bend, and sparks.

    This is what the tone metallic/shiny adds to a fabric.
    """
    bend = x / 40 + y / 120 + 0.1 * noise(x, 26, 40, 46)
    ends, light = (
        (0, 0.16, 0.3, 0.36, 0.44, 0.56, 0.68, 0.74, 0.84, 1),
        (0, -0.3, 0, 0.75, 0.85, 0, -0.4, 0.35, 0.1, 0),
    )
    sparks = np.clip(noise(x, 0.8, 0.8, 50) - 1.9, 0, 0.8)
    return np.interp(bend % 1, ends, light) + sparks


FABRICS: Mapping[str, tuple[Callable[[Field, Field], Field], tuple[int, int]]] = {
    "cotton": (cotton, (64, 64)),
    "cotton knit": (cotton_knit, (64, 64)),
    "cotton woven/tweed": (cotton_woven, (64, 64)),
    "seersucker": (seersucker, (64, 64)),
    "denim": (denim, (64, 64)),
    "corduroy/ribbed": (corduroy, (64, 64)),
    "wool knit": (wool_knit, (64, 64)),
    "wool woven/tweed": (wool_woven, (64, 64)),
    "polyester/nylon": (nylon, (160, 240)),
    "linen": (linen, (64, 64)),
    "silk/chiffon": (silk, (160, 240)),
    "velvet/velveteen": (velvet, (160, 240)),
    "leather": (leather, (128, 128)),
    "suede": (suede, (128, 128)),
    "fleece": (fleece, (64, 64)),
    "fur": (fur, (80, 80)),
    "down": (down, (120, 120)),
}
TILES = {**FABRICS, "metallic/shiny": (foil, (160, 120))}


@cache
def tile(light: str) -> skia.Image:
    """Return the seamless tile of a fabric, or of the tone metallic/shiny.

    It is 8-bit grey, 128 for no change.
    """
    weave, (wide, high) = TILES[light]
    y, x = np.mgrid[: high * PIXELS, : wide * PIXELS] / PIXELS
    grey = np.round(127.5 + 127.5 * np.clip(weave(x, y), -1, 1)).astype(np.uint8)
    return skia.Image.fromarray(
        grey.reshape(*grey.shape, 1), skia.kGray_8_ColorType
    ).withDefaultMipmaps()
