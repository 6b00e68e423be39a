"""Prints that lie once on a garment: words and bold pictures.

Words are in a font that matplotlib ships.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
import skia

from wardrobe.palette import INK, RGB, Inks, Size, fill, polygon, star

SHEET, CHEST, LEG = (160, 240), (80, 70), (97, 172)
WORDS = (
    "HELLO",
    "SUNDAY",
    "STUDIO",
    "OCEAN",
    "DREAM",
    "PARIS",
    "TOKYO",
    "LUCKY",
    "WILD",
    "NORTH",
    "RADIO",
    "1986",
)


@cache
def typeface() -> skia.Typeface:
    """Load the bold sans that matplotlib ships, the same on every machine."""
    file = Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans-Bold.ttf"
    # an empty manager asks the machine for no font
    return skia.FontMgr.New_Custom_Empty().makeFromFile(str(file))


@cache
def letters(text: str) -> skia.Path:
    """Return the outlines of a word set 100 units high.

    They are paths, so that no renderer's hinting moves them.
    """
    font, path = skia.Font(typeface(), 100), skia.Path()
    font.setHinting(skia.FontHinting.kNone)
    glyphs = font.textToGlyphs(text)
    for glyph, x in zip(glyphs, font.getXPos(glyphs), strict=True):
        path.addPath(font.getPath(glyph), x, 0)
    return path


def word(
    canvas: skia.Canvas,
    text: str,
    x: float,
    y: float,
    wide: float,
    tallest: float,
    paint: skia.Paint,
) -> None:
    """Draw a word centred at x, standing on y.

    It is `wide` units wide or its capitals `tallest` high, whichever is less.
    """
    outline = letters(text)
    bounds = outline.getBounds()
    size = min(wide / bounds.width(), tallest / 73)
    canvas.save()
    canvas.translate(x - bounds.centerX() * size, y)
    canvas.scale(size, size)
    canvas.drawPath(outline, paint)
    canvas.restore()


def lettering(canvas: skia.Canvas, inks: Inks, rng: np.random.Generator) -> Size:
    """Draw a word across the chest over a smaller one, and a word down the leg."""
    (x, y), words = CHEST, [WORDS[i] for i in rng.permutation(len(WORDS))[:2]]
    shade = fill(inks.motif)
    word(canvas, words[0], x, y + 2, 45, 13, shade)
    canvas.drawRect(skia.Rect(x - 20, y + 4.5, x + 20, y + 5.8), shade)
    word(canvas, words[1], x, y + 12.5, 28, 5.5, shade)
    canvas.translate(*LEG)
    canvas.rotate(90)
    word(canvas, words[0], 0, 4, 50, 10, shade)
    return SHEET


def _sunset(canvas: skia.Canvas, a: RGB, b: RGB, c: RGB) -> None:
    canvas.drawCircle(0, 0, 20, fill(a))
    canvas.save()
    canvas.clipPath(skia.Path.Circle(0, 0, 20), doAntiAlias=True)
    canvas.drawCircle(0, -2, 9, fill(b))
    canvas.drawPath(polygon([(-24, 20), (-9, 0), (0, 9), (8, -2), (24, 20)]), fill(c))
    canvas.restore()


def _bolt(canvas: skia.Canvas, a: RGB, b: RGB, c: RGB) -> None:
    canvas.drawCircle(0, 0, 20, fill(a))
    canvas.drawPath(
        polygon([(5, -18), (-11, 3), (-2, 3), (-6, 18), (11, -4), (2, -4)]), fill(b)
    )


def _star(canvas: skia.Canvas, a: RGB, b: RGB, c: RGB) -> None:
    for radius, shade in ((23, a), (15, b), (7, c)):
        canvas.drawPath(star(0, 0, radius, radius * 0.42, 5), fill(shade))


def _heart(canvas: skia.Canvas, a: RGB, b: RGB, c: RGB) -> None:
    for size, shade in ((1, a), (0.55, b)):
        heart = (
            skia.Path()
            .moveTo(0, 20 * size)
            .cubicTo(-34 * size, -4 * size, -16 * size, -28 * size, 0, -10 * size)
        )
        canvas.drawPath(
            heart.cubicTo(16 * size, -28 * size, 34 * size, -4 * size, 0, 20 * size),
            fill(shade),
        )


def _cat(canvas: skia.Canvas, a: RGB, b: RGB, c: RGB) -> None:
    canvas.drawPath(
        polygon([(-16, -2), (-15, -20), (-4, -11), (4, -11), (15, -20), (16, -2)]),
        fill(a),
    )
    canvas.drawOval(skia.Rect(-18, -13, 18, 17), fill(a))
    for x in (-7, 7):
        canvas.drawOval(skia.Rect(x - 3, -5, x + 3, 3), fill(b))
        canvas.drawOval(skia.Rect(x - 1, -4, x + 1, 3), fill(INK))
    canvas.drawPath(polygon([(-2.5, 6), (2.5, 6), (0, 9)]), fill(c))


def _boat(canvas: skia.Canvas, a: RGB, b: RGB, c: RGB) -> None:
    canvas.drawPath(polygon([(-1, -22), (-1, 7), (-17, 7)]), fill(a))
    canvas.drawPath(polygon([(2, -16), (2, 7), (16, 7)]), fill(b))
    canvas.drawPath(polygon([(-20, 10), (20, 10), (13, 19), (-13, 19)]), fill(c))


MOTIFS = (_sunset, _bolt, _star, _heart, _cat, _boat)


def graphic(canvas: skia.Canvas, inks: Inks, rng: np.random.Generator) -> Size:
    """Draw one bold picture on the chest."""
    canvas.translate(*CHEST)
    canvas.scale(0.85, 0.85)
    shades = [inks.prints[i] for i in rng.permutation(len(inks.prints))]
    MOTIFS[int(rng.integers(len(MOTIFS)))](canvas, *[inks.motif, *shades][:3])
    return SHEET
