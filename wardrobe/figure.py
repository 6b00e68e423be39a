"""A person to wear a garment: the body that `draw` cuts clothes for, in plain clothes.

Points as in `draw`: x from the body's middle, y down, the soles at 232.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import skia

from wardrobe import bodice
from wardrobe.catalogue import Garment
from wardrobe.draw import INK, Point, around, curve, ink
from wardrobe.palette import BRIGHT, RGB, difference, mix

SKINS = ((252, 216, 188), (232, 188, 148), (200, 144, 102), (142, 88, 58), (92, 58, 40))
HAIRS = (
    (28, 24, 24),
    (74, 46, 30),
    (140, 92, 50),
    (214, 178, 112),
    (128, 52, 30),
    (168, 168, 170),
)
PLAIN = (
    (236, 234, 228),
    (44, 48, 60),
    (120, 124, 132),
    (92, 108, 140),
    (170, 150, 124),
    (70, 84, 70),
    (132, 70, 66),
)
ARM = ((25, 43), (38, 80), (43, 119))  # shoulder, elbow, wrist
BENT = ((25, 43), (41, 78), (23, 96))  # with the hand on the hip
TORSO = around(
    [(7.5, 22), (9, 29), (27, 36.5), (30, 45), (26, 64), (22, 92), (27, 112), (27, 128)]
)
LEG = [
    (1, 120),
    (27, 120),
    (25, 158),
    (19, 180),
    (18, 200),
    (13, 222),
    (6, 222),
    (6, 200),
    (5, 176),
    (2, 150),
]
TROUSERS = [
    (0, 90),
    (23, 90),
    (29, 112),
    (28, 160),
    (23, 217),
    (6, 217),
    (3, 134),
    (0, 132),
]
SHORTS = [(0, 90), (23, 90), (29, 112), (30, 152), (4, 153), (2, 132), (0, 130)]
SKIRT = [(0, 90), (23, 90), (29, 112), (36, 168), (0, 171)]
SHIRT = around([(13, 31), (28, 36.5), (31, 46), (28, 64), (24, 92), (29, 116)])
SHOE = [(5, 221), (15, 221), (21, 230), (20, 233.5), (5, 233.5)]


@dataclass(frozen=True)
class Look:
    """How somebody looks.

    Colours, long hair or short, what covers the legs, which arm is bent (0: none).
    """

    skin: RGB
    hair: RGB
    top: RGB
    bottom: RGB
    shoe: RGB
    long_hair: bool
    long_sleeves: bool
    legs: Sequence[Point]
    bent: int


def look(rng: np.random.Generator, apart: RGB | None = None) -> Look:
    """Draw somebody's looks; the clothes are plain and not of the colour `apart`."""

    def pick(shades: Sequence[RGB]) -> RGB:
        return shades[int(rng.integers(len(shades)))]

    far = [s for s in PLAIN if apart is None or difference(s, apart) > 110]
    legs = (TROUSERS, TROUSERS, SHORTS, SKIRT)[int(rng.integers(4))]
    return Look(
        pick(SKINS),
        pick(HAIRS),
        pick(far if apart else [*far, *BRIGHT]),
        pick(far),
        pick(PLAIN),
        rng.random() < 0.5,
        rng.random() < 0.5,
        legs,
        int(rng.integers(-1, 2)),
    )


def _both(canvas: skia.Canvas, points: Sequence[Point], colour: RGB) -> None:
    canvas.drawPath(curve(points), ink(colour))
    canvas.drawPath(curve([(-x, y) for x, y in points]), ink(colour))


def _limb(
    canvas: skia.Canvas, points: Sequence[Point], side: int, width: float, colour: RGB
) -> None:
    path = curve([(side * x, y) for x, y in points], closed=False)
    canvas.drawPath(path, ink(colour, width))
    for x, y in (points[0], points[-1]):
        canvas.drawCircle(side * x, y, width / 2, ink(colour))


def _arm(
    canvas: skia.Canvas, who: Look, side: int, skin: bool = True, sleeve: bool = False
) -> None:
    """Draw an arm from shoulder to hand, perhaps in the top's sleeve."""
    points = BENT if who.bent == side else ARM
    if skin:
        _limb(canvas, points, side, 9, who.skin)
        canvas.drawCircle(
            side * (points[-1][0] + 1), points[-1][1] + 5, 5.4, ink(who.skin)
        )
    if sleeve:
        cut = (
            points
            if who.long_sleeves
            else [points[0], (points[0][0] + 6, points[0][1] + 19)]
        )
        _limb(canvas, cut, side, 13, mix(who.top, INK, 0.12))


def legs(canvas: skia.Canvas, who: Look, covered: bool) -> None:
    """Draw legs in shoes, in `who.legs` where covered."""
    _both(canvas, LEG, who.skin)
    _both(canvas, SHOE, who.shoe)
    if covered:
        _both(canvas, who.legs, who.bottom)
        canvas.drawLine(
            0,
            100,
            0,
            165 if who.legs is SKIRT else 132,
            ink(mix(who.bottom, INK, 0.5), 0.8),
        )


def back(canvas: skia.Canvas, who: Look) -> None:
    """Draw hair that falls behind the body."""
    if who.long_hair:
        canvas.drawPath(
            curve(around([(0, -6), (13, 2), (15, 30), (17, 54), (8, 58)])),
            ink(mix(who.hair, INK, 0.3)),
        )


def torso(canvas: skia.Canvas, who: Look, covered: bool) -> None:
    """Draw the body without its head, arms where they hang.

    It wears the plain top where `covered`.
    """
    for side in (-1, 1):
        _arm(canvas, who, side, sleeve=covered)
    canvas.drawPath(curve(TORSO), ink(who.skin))
    if covered:
        canvas.drawPath(curve([*SHIRT, (-6, 37), (0, 40), (6, 37)]), ink(who.top))


def front(canvas: skia.Canvas, who: Look, sleeve: bool) -> None:
    """Draw the bent arm, before the body."""
    if who.bent:
        _arm(canvas, who, who.bent, sleeve=sleeve)


def head(canvas: skia.Canvas, who: Look) -> None:
    """Draw face, hair and neck."""
    canvas.drawPath(
        curve(around([(0, -5), (9.5, 0), (10.5, 9), (7, 20), (0, 25)])), ink(who.skin)
    )
    dark = mix(who.skin, INK, 0.75)
    for side in (-1, 1):
        canvas.drawOval(
            skia.Rect(side * 4.2 - 1.5, 8.4, side * 4.2 + 1.5, 10.6), ink(dark)
        )
        canvas.drawLine(
            side * 2.6, 6.4, side * 6.4, 6, ink(mix(who.hair, dark, 0.5), 0.9)
        )
    canvas.drawLine(0, 10, -1, 14.5, ink(mix(who.skin, INK, 0.25), 0.8))
    canvas.drawLine(-3, 18.4, 3, 18.4, ink((176, 74, 76), 1.3))
    fringe = [(11, 9), (9.5, 2), (3, 1), (-5, 3), (-9.5, 4), (-11, 9)]
    fringe += [(-12.5, 0), (-8, -8), (0, -10), (8, -8), (12.5, 0)]
    canvas.drawPath(curve(fringe), ink(who.hair))
    if who.long_hair:
        _both(
            canvas,
            [(9, 0), (12.5, 2), (15, 24), (16, 46), (11, 42), (10, 20)],
            who.hair,
        )


def throat(canvas: skia.Canvas, who: Look, garment: Garment) -> None:
    """Draw what an open neck shows on a body: skin, and below it a shirt."""
    canvas.drawPath(
        curve(around([(6.5, 19), (7, 30), (5, 33)])), ink(mix(who.skin, INK, 0.12))
    )
    if garment.neckline in ("turtle", "halter", "none") or garment.shoulder != "normal":
        return
    line = bodice.neckline(garment, bodice.cut(garment))
    neck = curve([(x * 0.84, y - 3) for x, y in line])
    canvas.drawPath(neck, ink(who.skin))
    if line[len(line) // 2][1] > 68:
        canvas.save()
        canvas.clipPath(neck, doAntiAlias=True)
        canvas.drawRect(skia.Rect(-30, 50, 30, 100), ink(who.top))
        canvas.restore()


def person(canvas: skia.Canvas, who: Look) -> None:
    """Draw somebody in plain clothes."""
    back(canvas, who)
    torso(canvas, who, covered=True)
    legs(canvas, who, covered=True)
    head(canvas, who)


def wear(
    canvas: skia.Canvas,
    who: Look,
    garment: Garment,
    sheet: skia.Picture,
    worn: skia.Matrix,
    light: float,
) -> None:
    """Draw somebody in the garment.

    `sheet` draws the garment, `worn` brings the sheet onto the body, `light` is from -1
    to 1.
    """
    upper = garment.category in ("top", "dress")
    accessory = garment.category == "accessory"
    if garment.sleeve_length == "long" or garment.subcategory in ("bag", "umbrella"):
        who = replace(who, bent=0)  # its sleeves hang down, or the hand is full
    if garment.subcategory in ("socks", "boots"):
        who = replace(who, legs=SHORTS)
    _shadow(canvas)
    canvas.saveLayer(None, None)
    back(canvas, who)
    torso(canvas, who, covered=not upper)
    legs(canvas, who, covered=garment.category == "top" or accessory)
    if accessory:
        front(canvas, who, sleeve=True)
        head(canvas, who)
    canvas.drawPicture(sheet, worn)
    if not accessory:
        if upper:
            throat(canvas, who, garment)
        front(canvas, who, sleeve=not upper)
        head(canvas, who)
    _shade(canvas, light)
    canvas.restore()


def _shadow(canvas: skia.Canvas) -> None:
    """Draw the shadow on the ground."""
    canvas.drawOval(skia.Rect(-40, 225, 40, 241), ink((0, 0, 0), 0, 70))


def _shade(canvas: skia.Canvas, light: float) -> None:
    """Darken the side away from the light, and fold what is already drawn."""
    greys = [
        skia.Color(20, 20, 40, round(96 * max(0, side)))
        for side in (-light, -light / 4, light / 4, light)
    ]
    shader = skia.GradientShader.MakeLinear(
        [skia.Point(-50, 0), skia.Point(50, 12)], greys
    )
    canvas.drawPaint(skia.Paint(Shader=shader, BlendMode=skia.BlendMode.kSrcATop))


def carry(canvas: skia.Canvas, who: Look, side: int) -> None:
    """Draw a bag at the hip on a strap across the chest."""
    dark = mix(who.shoe, INK, 0.3)
    canvas.drawPath(
        curve([(-side * 22, 36), (0, 68), (side * 30, 106)], closed=False), ink(dark, 3)
    )
    left, right = sorted((side * 16, side * 44))
    canvas.drawRoundRect(
        skia.Rect(left, 102, right, 130), 4, 4, ink(mix(who.shoe, (150, 96, 60), 0.4))
    )
    canvas.drawRoundRect(skia.Rect(left, 102, right, 113), 4, 4, ink(dark))
