"""Where consumer photos are taken: a street, a shop, a park or a room, with people.

Each draws on a frame `wide` x 240 units.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import skia

from wardrobe import figure
from wardrobe.draw import INK, ink
from wardrobe.palette import BRIGHT, RGB, mix

HIGH = 240.0
WALLS = (
    (186, 150, 122),
    (160, 96, 80),
    (206, 196, 178),
    (142, 152, 164),
    (220, 208, 186),
    (112, 108, 112),
)
GREENS = ((70, 112, 58), (96, 140, 70), (52, 88, 54), (128, 158, 84))
GOODS = (
    *BRIGHT,
    (236, 232, 222),
    (60, 64, 76),
    (150, 120, 96),
    (120, 170, 190),
    (176, 140, 190),
)
Rng = np.random.Generator


def _pick(rng: Rng, shades: tuple[RGB, ...]) -> RGB:
    return shades[int(rng.integers(len(shades)))]


def _box(
    canvas: skia.Canvas,
    x: float,
    y: float,
    w: float,
    h: float,
    shade: RGB,
    alpha: int = 255,
) -> None:
    canvas.drawRect(skia.Rect.MakeXYWH(x, y, w, h), ink(shade, 0, alpha))


def _down(
    canvas: skia.Canvas, wide: float, top: float, bottom: float, upper: RGB, lower: RGB
) -> None:
    """Draw a field that turns from one shade to another."""
    ends = [skia.Point(0, top), skia.Point(0, bottom)]
    shader = skia.GradientShader.MakeLinear(
        ends, [skia.Color(*upper), skia.Color(*lower)]
    )
    canvas.drawRect(skia.Rect(0, top, wide, bottom), skia.Paint(Shader=shader))


def _cloud(
    canvas: skia.Canvas,
    rng: Rng,
    x: float,
    y: float,
    reach: float,
    shade: RGB,
    count: int = 7,
) -> None:
    """Draw round blobs about a point: leaves, bushes."""
    blobs = skia.Path()
    for dx, dy, r in rng.uniform(-1, 1, (count, 3)):
        blobs.addCircle(x + dx * reach, y + dy * reach * 0.7, reach * (0.5 + 0.15 * r))
    canvas.drawPath(blobs, ink(shade))


def street(canvas: skia.Canvas, wide: float, rng: Rng) -> None:
    """Draw houses with windows and shops, a pavement, a car."""
    _down(canvas, wide, 0, HIGH, (150, 186, 222), (244, 240, 232))
    x, ground = -rng.uniform(0, 30), rng.uniform(176, 196)
    while x < wide:
        w, top, wall = rng.uniform(38, 74), rng.uniform(-20, 60), _pick(rng, WALLS)
        _box(canvas, x, top, w, ground - top, wall)
        panes, step = skia.Path(), rng.uniform(13, 19)
        for px in np.arange(x + 5, x + w - 8, step):
            for py in np.arange(top + 8, ground - 60, step * 1.5):
                panes.addRect(skia.Rect.MakeXYWH(px, py, step * 0.58, step * 0.95))
        canvas.drawPath(
            panes, ink(mix(_pick(rng, ((70, 84, 104), (232, 214, 150))), wall, 0.2))
        )
        _box(canvas, x + 3, ground - 44, w - 6, 44, (52, 58, 68))
        _box(
            canvas,
            x + 6,
            ground - 38,
            w - 12,
            26,
            mix(_pick(rng, GOODS), (240, 220, 180), 0.5),
        )
        _box(canvas, x + 1, ground - 52, w - 2, 10, _pick(rng, BRIGHT))
        x += w
    _down(canvas, wide, ground, HIGH, (172, 168, 164), (128, 126, 128))
    if rng.random() < 0.6:
        at, body = rng.uniform(-20, wide - 30), _pick(rng, GOODS)
        canvas.drawRoundRect(
            skia.Rect.MakeXYWH(at, ground - 22, 66, 20), 7, 7, ink(body)
        )
        canvas.drawRoundRect(
            skia.Rect.MakeXYWH(at + 14, ground - 36, 36, 20),
            8,
            8,
            ink(mix(body, INK, 0.35)),
        )
        for wheel in (at + 14, at + 52):
            canvas.drawCircle(wheel, ground - 2, 7, ink(INK))
    at = rng.uniform(0, wide)
    _box(canvas, at, -5, 2.4, ground + 20, (60, 64, 66))


def shop(canvas: skia.Canvas, wide: float, rng: Rng) -> None:
    """Draw shelves of folded things and a rail of clothes under bright lamps."""
    _box(canvas, 0, 0, wide, HIGH, mix(_pick(rng, WALLS), (255, 255, 255), 0.45))
    for lamp in np.arange(rng.uniform(0, 30), wide, 44):
        _box(canvas, lamp, 4, 26, 4, (255, 252, 236))
    for shelf in (44, 84):
        _box(canvas, 0, shelf + 22, wide, 3, (120, 96, 76))
        x = -rng.uniform(0, 10)
        while x < wide:
            w, h = rng.uniform(9, 20), rng.uniform(8, 21)
            _box(canvas, x, shelf + 22 - h, w - 1.5, h, _pick(rng, GOODS))
            x += w
    _down(canvas, wide, 196, HIGH, (196, 176, 150), (146, 126, 104))
    _box(canvas, 0, 118, wide, 2, (80, 80, 84))
    x = rng.uniform(-6, 6)
    while x < wide:
        w, drop = rng.uniform(7, 13), rng.uniform(50, 76)
        canvas.drawRoundRect(
            skia.Rect.MakeXYWH(x, 121, w, drop), 3, 3, ink(_pick(rng, GOODS))
        )
        x += w * rng.uniform(0.85, 1.3)


def park(canvas: skia.Canvas, wide: float, rng: Rng) -> None:
    """Draw trees, a meadow with flowers, a path and a bench."""
    _down(canvas, wide, 0, 150, (140, 188, 228), (226, 236, 234))
    for x in np.arange(-10, wide + 20, 22):
        _cloud(
            canvas,
            rng,
            x,
            rng.uniform(106, 128),
            rng.uniform(16, 26),
            _pick(rng, GREENS),
        )
    for _ in range(int(rng.integers(1, 4))):
        x, top = rng.uniform(0, wide), rng.uniform(20, 60)
        _box(canvas, x - 4, top, 8, 170 - top, (96, 70, 50))
        for shade in GREENS[:3]:
            _cloud(
                canvas,
                rng,
                x + rng.uniform(-10, 10),
                top + rng.uniform(-8, 14),
                rng.uniform(22, 32),
                shade,
            )
    _down(canvas, wide, 146, HIGH, (122, 158, 76), (76, 116, 52))
    bend, lean = rng.uniform(0.2, 0.8) * wide, rng.uniform(-40, 40)
    path = skia.Path.Polygon(
        [
            skia.Point(bend, 146),
            skia.Point(bend + 10, 146),
            skia.Point(bend + 60 + lean, HIGH),
            skia.Point(bend - 40 + lean, HIGH),
        ],
        True,
    )
    canvas.drawPath(path, ink((206, 190, 158)))
    for x, y in rng.uniform((0, 160), (wide, HIGH), (26, 2)):
        canvas.drawCircle(x, y, 1.8, ink(_pick(rng, BRIGHT)))
    if rng.random() < 0.5:
        at = rng.uniform(0, wide - 40)
        for y in (146, 153, 164):
            _box(canvas, at, y, 54, 4, (124, 82, 52))
        _box(canvas, at + 4, 164, 4, 16, (52, 50, 50))
        _box(canvas, at + 46, 164, 4, 16, (52, 50, 50))


def room(canvas: skia.Canvas, wide: float, rng: Rng) -> None:
    """Draw a wall with pictures, a window or a bookcase, a sofa, a plant."""
    wall = mix(_pick(rng, (*WALLS, *GOODS)), (246, 240, 230), 0.55)
    _box(canvas, 0, 0, wide, HIGH, wall)
    _down(canvas, wide, 188, HIGH, (172, 128, 88), (116, 82, 56))
    left, case = rng.uniform(-10, wide * 0.3), rng.random() < 0.5
    if case:
        _box(canvas, left, 10, 62, 178, (110, 76, 52))
        for shelf in np.arange(14, 170, 29):
            _box(canvas, left + 3, shelf, 56, 25, (70, 48, 36))
            x = left + 4
            while x < left + 54:
                w, h = rng.uniform(3, 7), rng.uniform(14, 23)
                _box(canvas, x, shelf + 25 - h, w, h, _pick(rng, GOODS))
                x += w
    else:
        _box(canvas, left - 3, 17, 66, 86, (246, 246, 242))
        _box(canvas, left, 20, 60, 80, (196, 222, 240))
        _cloud(canvas, rng, left + 30, 86, 16, _pick(rng, GREENS))
        _box(canvas, left + 28.5, 20, 3, 80, (246, 246, 242))
    for _ in range(int(rng.integers(1, 4))):
        x = rng.uniform(wide * 0.5, wide)
        y = rng.uniform(10, 70)
        w = rng.uniform(20, 36)
        h = rng.uniform(20, 36)
        _box(canvas, x, y, w, h, (60, 50, 44))
        _box(canvas, x + 2.5, y + 2.5, w - 5, h - 5, _pick(rng, GOODS))
        canvas.drawCircle(x + w / 2, y + h / 2, w * 0.22, ink(_pick(rng, GOODS)))
    at, seat = rng.uniform(-20, wide * 0.6), _pick(rng, GOODS)
    for x, y, w, h in (
        (0, 128, 100, 44),
        (-6, 158, 112, 34),
        (-12, 146, 16, 48),
        (96, 146, 16, 48),
    ):
        canvas.drawRoundRect(
            skia.Rect.MakeXYWH(at + x, y, w, h),
            6,
            6,
            ink(mix(seat, INK, 0.2 * (w < 20))),
        )
    x = rng.uniform(0, wide)
    _cloud(canvas, rng, x, 140, 17, _pick(rng, GREENS))
    _box(canvas, x - 8, 158, 16, 34, (188, 104, 74))


PLACES: tuple[Callable[[skia.Canvas, float, Rng], None], ...] = (
    street,
    shop,
    park,
    room,
)


def scene(canvas: skia.Canvas, wide: float, rng: Rng) -> None:
    """Draw one of the places, and up to three people who pass by."""
    PLACES[int(rng.integers(len(PLACES)))](canvas, wide, rng)
    for _ in range(int(rng.integers(0, 4))):
        size = rng.uniform(0.42, 0.72)
        canvas.save()
        canvas.translate(
            rng.uniform(0, wide), HIGH - 14 - rng.uniform(0, 24) - 232 * size
        )
        canvas.scale(size, size)
        figure.person(canvas, figure.look(rng))
        canvas.restore()


def passer(canvas: skia.Canvas, wide: float, rng: Rng) -> None:
    """Draw somebody nearer, cut by the edge of the frame."""
    size, right = rng.uniform(1.1, 1.6), rng.random() < 0.5
    canvas.save()
    canvas.translate(
        wide * rng.uniform(0.97, 1.12) if right else wide * rng.uniform(-0.12, 0.03),
        rng.uniform(10, 60),
    )
    canvas.scale(size, size)
    figure.person(canvas, figure.look(rng))
    canvas.restore()
