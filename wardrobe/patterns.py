"""The fifteen patterns of Thesis B's table 3.1 in vectors: each draws one tile.

Lengths are in units of the 160 x 240 sheet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
import skia

from wardrobe import fabrics
from wardrobe.palette import (
    BLACK,
    CREAM,
    INK,
    LEAF,
    RGB,
    WHITE,
    Inks,
    Size,
    fill,
    inks,
    luminance,
    mix,
    polygon,
    star,
    stroke,
)
from wardrobe.prints import CHEST, SHEET, graphic, lettering


def solid(canvas: skia.Canvas, inks: Inks, rng: np.random.Generator) -> Size:
    """Draw nothing: the ground alone."""
    return SHEET


def stripe(canvas: skia.Canvas, inks: Inks, rng: np.random.Generator) -> Size:
    """Draw stripes, across or upright."""
    step, upright = rng.uniform(11, 17), rng.random() < 0.35
    band = (
        skia.Rect(0, 0, step * 0.42, step)
        if upright
        else skia.Rect(0, 0, step, step * 0.42)
    )
    canvas.drawRect(band, fill(inks.motif))
    return step, step


def dot(canvas: skia.Canvas, inks: Inks, rng: np.random.Generator) -> Size:
    """Draw dots in rows that are offset."""
    step = rng.uniform(13, 18)
    for x, y in ((0.25, 0.25), (0.75, 0.75)):
        canvas.drawCircle(x * step, y * step, step * 0.17, fill(inks.motif))
    return step, step


def check(canvas: skia.Canvas, inks: Inks, rng: np.random.Generator) -> Size:
    """Draw broad bands that cross, and a thin line of a second colour."""
    step, line = rng.uniform(22, 28), inks.prints[int(rng.integers(len(inks.prints)))]
    for band in (
        skia.Rect(0, 0, step * 0.45, step),
        skia.Rect(0, 0, step, step * 0.45),
    ):
        canvas.drawRect(band, fill(inks.motif, 0.5))
    for at in (
        skia.Rect(step * 0.7, 0, step * 0.76, step),
        skia.Rect(0, step * 0.7, step, step * 0.76),
    ):
        canvas.drawRect(at, fill(line, 0.85))
    return step, step


def checkerboard(canvas: skia.Canvas, inks: Inks, rng: np.random.Generator) -> Size:
    """Draw two squares of a board."""
    half = rng.uniform(8, 11)
    for x, y in ((0, 0), (half, half)):
        canvas.drawRect(skia.Rect(x, y, x + half, y + half), fill(inks.motif))
    return 2 * half, 2 * half


def argyle(canvas: skia.Canvas, inks: Inks, rng: np.random.Generator) -> Size:
    """Draw columns of diamonds in two colours by turns, under a thin lattice."""
    wide, high = rng.uniform(20, 23), rng.uniform(32, 37)
    second = inks.prints[int(rng.integers(len(inks.prints)))]
    for x, shade in ((wide / 2, inks.motif), (wide * 1.5, second)):
        canvas.drawPath(
            polygon(
                [(x, 0), (x + wide / 2, high / 2), (x, high), (x - wide / 2, high / 2)]
            ),
            fill(shade),
        )
    lattice = stroke(CREAM if luminance(inks.ground) < 110 else INK, 0.8, 0.8)
    for x in (-wide, 0, wide):
        canvas.drawLine(x, 0, x + 2 * wide, high * 2, lattice)
        canvas.drawLine(x + wide, 0, x - wide, high * 2, lattice)
    return 2 * wide, high


def ornament(canvas: skia.Canvas, inks: Inks, rng: np.random.Generator) -> Size:
    """Draw a woven figure that repeats: rosettes in a lattice of ogees."""
    step = rng.uniform(24, 30)
    canvas.scale(step / 24, step / 24)
    pen = stroke(inks.motif, 1.6)
    for side in (-1, 1):
        ogee = skia.Path().moveTo(12, -12)
        for top in (-12, 12):
            ogee.cubicTo(12, top + 6, 12 + side * 12, top + 4, 12 + side * 12, top + 12)
            ogee.cubicTo(12 + side * 12, top + 20, 12, top + 18, 12, top + 24)
        canvas.drawPath(ogee, pen)
    for x, y in ((12, 12), (0, 0), (24, 0), (0, 24), (24, 24)):
        canvas.drawPath(star(x, y, 7, 2.6, 8), fill(inks.motif))
        canvas.drawCircle(x, y, 1.7, fill(inks.ground))
    return step, step


def flower(canvas: skia.Canvas, inks: Inks, rng: np.random.Generator) -> Size:
    """Draw flowers of five petals with a heart and leaves."""
    petals = [shade for shade in inks.prints if shade != LEAF]
    petals = [CREAM, *petals] if luminance(inks.ground) < 170 else petals
    leaf = (60, 130, 78) if luminance(inks.ground) > 90 else (130, 186, 120)
    wide = 54.0
    first = int(rng.integers(len(petals)))
    for number, (x, y) in enumerate(((13, 12), (40, 16), (25, 37), (52, 42))):
        shade = petals[(first + number % 2) % len(petals)]
        radius = rng.uniform(4.2, 5.4)
        turn = rng.uniform(0, 1.26)
        x = x + rng.uniform(-2, 2)
        y = y + rng.uniform(-2, 2)
        for dx in (-wide, 0, wide):
            for dy in (-wide, 0, wide):
                if -14 < x + dx < wide + 14 and -14 < y + dy < wide + 14:
                    _bloom(canvas, x + dx, y + dy, radius, turn, shade, leaf)
    return wide, wide


def _bloom(
    canvas: skia.Canvas,
    x: float,
    y: float,
    radius: float,
    turn: float,
    shade: RGB,
    leaf: RGB,
) -> None:
    leaves, petals = skia.Path(), skia.Path()
    for angle in (turn + 0.6, turn + 3.4):
        dx, dy = np.cos(angle) * radius, np.sin(angle) * radius
        tip, side = (x + dx * 2.6, y + dy * 2.6), 0.7
        leaves.moveTo(x, y).quadTo(
            x + dx * 1.4 - dy * side, y + dy * 1.4 + dx * side, *tip
        )
        leaves.quadTo(x + dx * 1.4 + dy * side, y + dy * 1.4 - dx * side, x, y)
    for angle in turn + np.arange(5) * 2 * np.pi / 5:
        petals.addCircle(
            x + np.cos(angle) * radius, y + np.sin(angle) * radius, radius * 0.68
        )
    canvas.drawPath(leaves, fill(leaf))
    canvas.drawPath(petals, fill(shade))
    canvas.drawCircle(
        x,
        y,
        radius * 0.55,
        fill((250, 200, 60) if shade != (246, 190, 40) else (120, 70, 30)),
    )


def animal(canvas: skia.Canvas, inks: Inks, rng: np.random.Generator) -> Size:
    """Draw a leopard's broken rings."""
    dark = luminance(inks.ground) < 70
    spot = mix(inks.ground, CREAM, 0.75) if dark else INK
    heart = mix(inks.ground, spot, 0.38)
    wide = 60.0
    spots = [(c * 15 + 7.5 * (r % 2), r * 12 + 6) for r in range(5) for c in range(4)]
    hearts, rings = skia.Path(), skia.Path()
    for x, y in spots:
        x, y = x + rng.uniform(-2, 2), y + rng.uniform(-1.6, 1.6)
        w, h, start = rng.uniform(3.6, 5.2), rng.uniform(3, 4.2), rng.uniform(0, 360)
        for dx in (-wide, 0, wide):
            for dy in (-wide, 0, wide):
                if -8 < x + dx < wide + 8 and -8 < y + dy < wide + 8:
                    oval = skia.Rect(x + dx - w, y + dy - h, x + dx + w, y + dy + h)
                    hearts.addOval(oval)
                    for turn in (0, 120, 235):
                        rings.addArc(oval, start + turn, 78)
    canvas.drawPath(hearts, fill(heart))
    canvas.drawPath(rings, stroke(spot, 2.3))
    return wide, wide


@cache
def blots(
    seed: int, wide: int, high: int, across: float, bare: float, full: float
) -> skia.Image:
    """Return a seamless mask: 0 where noise is under `bare`, 255 over `full`."""
    field = fabrics.noise(
        np.zeros((high * fabrics.PIXELS, wide * fabrics.PIXELS)),
        across,
        across * 0.75,
        seed,
    )
    mask = np.round(255 * np.clip((field - bare) / (full - bare), 0, 1)).astype(
        np.uint8
    )
    return skia.Image.fromarray(mask.reshape(*mask.shape, 1), skia.kAlpha_8_ColorType)


def _blot(canvas: skia.Canvas, mask: skia.Image, shade: RGB, alpha: float = 1) -> None:
    where = skia.Rect(
        0, 0, mask.width() / fabrics.PIXELS, mask.height() / fabrics.PIXELS
    )
    canvas.drawImageRect(
        mask,
        where,
        skia.SamplingOptions(skia.FilterMode.kLinear, skia.MipmapMode.kNearest),
        fill(shade, alpha),
    )


def camouflage(canvas: skia.Canvas, inks: Inks, rng: np.random.Generator) -> Size:
    """Draw blots in three tones of the ground."""
    low = luminance(inks.ground) < 60
    tones = [mix(inks.ground, CREAM, 0.5), mix(inks.ground, (90, 74, 50), 0.65)]
    tones.append(mix(inks.ground, CREAM, 0.25) if low else mix(inks.ground, INK, 0.62))
    for seed, tone in enumerate(tones):
        _blot(canvas, blots(50 + seed, 96, 96, 17, 0.62, 0.72), tone)
    return 96, 96


def washed(canvas: skia.Canvas, inks: Inks, rng: np.random.Generator) -> Size:
    """Bleach the ground in clouds."""
    faded = (
        mix(inks.ground, CREAM, 0.78)
        if luminance(inks.ground) < 190
        else mix(inks.ground, (110, 120, 140), 0.42)
    )
    _blot(canvas, blots(60, 160, 160, 44, -0.5, 1.2), faded)
    _blot(canvas, blots(61, 160, 160, 9, 0.6, 2.4), faded, 0.8)
    return 160, 160


def cable(canvas: skia.Canvas, inks: Inks, rng: np.random.Generator) -> Size:
    """Draw raised braids of two strands, with cords between them."""
    light = mix(inks.ground, WHITE, 0.3)
    body = inks.ground
    dark = mix(inks.ground, BLACK, 0.45)
    if luminance(inks.ground) < 60:  # black wool shows by its lights alone
        light = mix(inks.ground, WHITE, 0.5)
        body = mix(inks.ground, WHITE, 0.2)
        dark = BLACK
    wide, high = 30.0, 24.0
    for x in (1.5, 5, 25, 28.5):
        canvas.drawLine(x, -5, x, high + 5, stroke(dark, 1.3, 0.6))
        canvas.drawLine(x + 1.1, -5, x + 1.1, high + 5, stroke(light, 0.9, 0.6))
    for top in (-high / 2, 0, high / 2, high):
        for side in (-1, 1) if round(top / (high / 2)) % 2 else (1, -1):
            strand = skia.Path().moveTo(15 - side * 4.5, top)
            strand.cubicTo(
                15 - side * 4.5,
                top + 5,
                15 + side * 4.5,
                top + 7,
                15 + side * 4.5,
                top + 12,
            )
            for width, shade in ((7.6, dark), (5.8, body), (2.2, light)):
                canvas.drawPath(strand, stroke(shade, width))
    return wide, high


def block(canvas: skia.Canvas, inks: Inks, rng: np.random.Generator) -> Size:
    """Draw two more colours in broad slanting panels."""
    other, high = inks.prints[int(rng.integers(len(inks.prints)))], 112.0
    slope = rng.uniform(0.15, 0.3) * (1 if rng.random() < 0.5 else -1) * SHEET[0]
    for shade, top, bottom in ((inks.motif, 0, 34), (other, 34, 46)):
        for y in (-high, 0, high):
            panel = [
                (0, y + top),
                (SHEET[0], y + top + slope),
                (SHEET[0], y + bottom + slope),
                (0, y + bottom),
            ]
            canvas.drawPath(polygon(panel), fill(shade))
    return SHEET[0], high


PATTERNS: Mapping[str, Callable[[skia.Canvas, Inks, np.random.Generator], Size]] = {
    "solid": solid,
    "dot": dot,
    "washed": washed,
    "check": check,
    "cable": cable,
    "stripe": stripe,
    "lettering": lettering,
    "graphic": graphic,
    "pattern/jacquard": ornament,
    "argyle": argyle,
    "camouflage": camouflage,
    "flower": flower,
    "checkerboard": checkerboard,
    "animal": animal,
    "other": block,
}
PLACED = ("lettering", "graphic")  # once, on the chest


def shader(
    pattern: str,
    ground: RGB,
    rng: np.random.Generator,
    chest: tuple[float, float] = CHEST,
) -> skia.Shader:
    """Return the pattern on its ground, repeated for ever.

    It is moved at random unless it belongs on the chest.
    """
    if pattern == "solid":
        return skia.Shaders.Color(skia.Color(*ground))
    recorder = skia.PictureRecorder()
    canvas = recorder.beginRecording(skia.Rect(*SHEET))
    canvas.clear(skia.Color(*ground))
    size = PATTERNS[pattern](canvas, inks(ground), rng)
    move = (
        np.subtract(chest, CHEST) if pattern in PLACED else rng.uniform(0, SHEET[1], 2)
    )
    place = skia.Matrix.Translate(*move.tolist())
    picture, again = recorder.finishRecordingAsPicture(), skia.TileMode.kRepeat
    return picture.makeShader(
        again, again, skia.FilterMode.kLinear, place, skia.Rect(*size)
    )
