"""What is sewn on: fronts, pockets, bows, ruffles, lace, pintucks, drawstrings."""

from __future__ import annotations

from itertools import pairwise
from math import hypot

import skia

from wardrobe.catalogue import Garment
from wardrobe.draw import CREAM, METAL, WOVEN, Pen, Point, curve, ink, mirror


def front(
    pen: Pen,
    garment: Garment,
    top: float,
    hem: float,
    half: float,
    placket: bool = True,
) -> None:
    """Sew the front's zip or buttons from `top` down.

    They end at about `half` (half opening) or at `hem` (full). Buttons are on a
    `placket`, a strip of their own, or along the mere edge.
    """
    for part, end in (("half", min(max(half, top + 24), hem - 3)), ("full", hem)):
        if garment.zip_up == part:
            pen.zip((0, top), (0, end))
            pen.stitch((3.6, top + 1), (3.6, end))
            pen.stitch((-3.6, top + 1), (-3.6, end))
        if garment.button == part:
            if placket:
                pen.band((0, top + 1), (0, end), width=6, of=WOVEN, ribs=0)
            else:
                pen.seam((0, top), (0, end), width=1)
            count = 3 if part == "half" else max(4, round((end - top) / 13))
            for i in range(count):
                pen.button(0, top + 5 + (end - top - 9) * i / (count - 1))


def pocket(
    pen: Pen,
    x: float,
    y: float,
    width: float,
    height: float,
    flap: bool = False,
    pleat: bool = False,
) -> None:
    """Sew on a pocket whose upper left corner is at (x, y)."""
    right, low = x + width, y + height
    pen.piece(
        [(x, y), (right, y), (right, low - 3), (x + width / 2, low), (x, low - 3)]
    )
    left, end, middle = x + 1.3, right - 1.3, x + width / 2
    pen.stitch(
        (left, y + 1),
        (left, low - 3.6),
        (middle, low - 1.4),
        (end, low - 3.6),
        (end, y + 1),
    )
    if pleat:
        pen.seam((middle, y), (middle, low))
    if flap:
        fall = y + height * 0.36
        pen.piece(
            [
                (x - 1, y - 1),
                (right + 1, y - 1),
                (right + 1, fall - 2),
                (middle, fall + 1),
                (x - 1, fall - 2),
            ]
        )
        pen.button(middle, fall - 2, 1.3)
    else:
        pen.band((x, y + 1), (right, y + 1), width=2.4, ribs=0)


def welt(pen: Pen, *ends: Point) -> None:
    """Cut a slanted slit pocket with a bound edge on each side."""
    for line in (ends, mirror(ends)):
        pen.band(*line, width=3.4, ribs=0)
        pen.seam(*line, width=0.7)


def kangaroo(pen: Pen, hem: float, flap: bool = False) -> None:
    """Sew one wide pocket before the belly with slanted openings at both sides."""
    top = hem - 34
    pen.piece(
        [
            (-13, top),
            (13, top),
            (22, hem - 14),
            (22, hem - 4),
            (-22, hem - 4),
            (-22, hem - 14),
        ]
    )
    for line in (
        [(14, top + 1.5), (20.5, hem - 13.5)],
        [(-14, top + 1.5), (-20.5, hem - 13.5)],
    ):
        pen.seam(*line, width=1.6)
        pen.stitch(*((x * 0.9, y + 1) for x, y in line))
    pen.stitch((-12, top + 2), (12, top + 2))
    if flap:
        pen.piece(
            [
                (-22, top - 3),
                (22, top - 3),
                (22, top + 7),
                (0, top + 10),
                (-22, top + 7),
            ]
        )
        pen.stitch((-20, top + 5.4), (0, top + 8), (20, top + 5.4))


def bow(pen: Pen, x: float, y: float, size: float = 1) -> None:
    """Tie a ribbon with two loops and two ends."""

    def at(*points: Point) -> list[Point]:
        return [(x + a * size, y + b * size) for a, b in points]

    for turn in (1, -1):
        pen.piece(
            at(
                (0, 1),
                (turn * 3.5, 2),
                (turn * 10.5, 24),
                (turn * 6.5, 22),
                (turn * 4, 25),
            ),
            of="contrast",
        )
        pen.piece(
            at(
                (0, 0),
                (turn * 7, -6.5),
                (turn * 13.5, -6),
                (turn * 14.5, 0),
                (turn * 13, 5.5),
                (turn * 7, 4.5),
            ),
            of="contrast",
        )
        pen.seam(*at((turn * 2, 0), (turn * 9, -1)))
    pen.piece(
        at((-2.6, -3), (2.6, -3), (3, 0), (2.6, 3), (-2.6, 3), (-3, 0)), of="contrast"
    )


def _along(points: list[Point], step: float) -> tuple[list[Point], list[Point]]:
    """Return points every `step` units or so along the smooth line, and the directions.

    Directions are unit vectors.
    """
    measure = skia.PathMeasure(curve(points, closed=False), False)
    length = measure.getLength()
    count = max(2, round(length / step))
    ends = [measure.getPosTan(length * i / count) for i in range(count + 1)]
    return [(p.x(), p.y()) for p, _ in ends], [(t.x(), t.y()) for _, t in ends]


def ruffle(pen: Pen, *points: Point, width: float = 8, of: str = WOVEN) -> None:
    """Sew a gathered frill with a wavy edge below a line drawn from left to right."""
    line, ways = _along(list(points), 3)
    wave = []
    for i, ((x, y), (tx, ty)) in enumerate(zip(line, ways, strict=True)):
        reach = 1.12 if i % 2 else 0.82
        wave.append((x - ty * width * reach, y + tx * width * reach))
    pen.piece(_waves(line, wave), of=of)
    for i, ((ax, ay), (bx, by)) in enumerate(zip(line, wave, strict=True)):
        if i % 2:
            continue
        pen.canvas.drawLine(
            ax, ay, ax + (bx - ax) * 0.95, ay + (by - ay) * 0.95, ink(pen.ink, 0.8, 170)
        )
    pen.stitch(*points)


def _waves(line: list[Point], edge: list[Point]) -> skia.Path:
    """Return the area between a line and a wavy edge.

    The edge swings through the midpoints of `edge`.
    """
    path = skia.Path()
    path.moveTo(*line[0])
    for point in line[1:]:
        path.lineTo(*point)
    back = edge[::-1]
    path.lineTo(*back[0])
    for (ax, ay), (bx, by) in pairwise(back[1:]):
        path.quadTo(ax, ay, (ax + bx) / 2, (ay + by) / 2)
    path.lineTo(*back[-1])
    path.close()
    return path


def lace(pen: Pen, *points: Point, width: float = 8) -> None:
    """Sew an openwork trim below the line: scallops with holes and a net."""
    step = width * 0.6
    line, ways = _along(list(points), step)
    colour = CREAM if min(pen.trim) < 190 else pen.trim
    edge = [
        (x - ty * width * 0.68, y + tx * width * 0.68)
        for (x, y), (tx, ty) in zip(line, ways, strict=True)
    ]
    path = curve([*line, *edge[::-1]]) if len(line) < 3 else _waves(line, edge)
    for (ax, ay), (bx, by) in pairwise(edge):
        path.addCircle((ax + bx) / 2, (ay + by) / 2, width * 0.36)
    pen.piece(path, of=colour, edge=0.7)
    hole = ink(pen.lining if colour == CREAM else CREAM)
    for (ax, ay), (bx, by) in pairwise(edge):
        x, y, span = (ax + bx) / 2, (ay + by) / 2, hypot(bx - ax, by - ay)
        pen.canvas.drawCircle(x, y, width * 0.13, hole)
        for dx, dy in ((-0.34, -0.05), (0.34, -0.05), (0, 0.22)):
            pen.canvas.drawCircle(x + dx * span, y + dy * width, width * 0.07, hole)
    for (x, y), (tx, ty) in zip(line, ways, strict=True):
        pen.canvas.drawCircle(
            x - ty * width * 0.3, y + tx * width * 0.3, width * 0.11, hole
        )


def pintucks(
    pen: Pen,
    top: float,
    end: float,
    inner: float = 4.5,
    count: int = 5,
    step: float = 2.6,
) -> None:
    """Stitch fine parallel folds on both sides of the front."""
    for i in range(count):
        x = inner + i * step
        for turn in (1, -1):
            pen.fold((turn * x, top + i * 1.1), (turn * x, end), width=0.9, depth=110)
            pen.seam((turn * x, top + i * 1.1), (turn * x, end), width=0.7)


def drawstring(pen: Pen, y: float, spread: float = 3, length: float = 24) -> None:
    """Hang two knotted cords from eyelets."""
    for turn in (1, -1):
        x = turn * spread
        pen.canvas.drawCircle(x, y, 1.9, ink(METAL))
        pen.cord(
            (x, y),
            (x + turn * 1.5, y + length * 0.5),
            (x + turn * 0.6, y + length),
            width=1.7,
        )
        pen.cord(
            (x + turn * 0.6, y + length - 1.5),
            (x + turn * 0.8, y + length + 2.5),
            width=2.6,
        )


def belt(pen: Pen, half: float, y: float) -> None:
    """Tie a belt: round the waist, knotted before it, two ends hanging."""
    pen.band((-half, y), (0, y + 1.4), (half, y), width=5.5, ribs=0)
    pen.piece([(1, y), (6, y + 1), (12, y + 30), (7, y + 31)], of="trim")
    pen.piece([(-1, y), (3, y + 2), (0, y + 35), (-5, y + 34)], of="trim")
    pen.piece([(-3, y - 2.5), (4, y - 2.5), (4.5, y + 4), (-3.5, y + 4)], of="trim")
