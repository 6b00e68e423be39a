"""A pen that lays pieces of cloth on a Skia canvas, back to front, and sews on them.

It sews seams, ribs, buttons and zips. Points are (x, y) in units of a 160 x 240 sheet,
x measured from the sheet's upright middle, y down. All garments are cut for one
invisible body: neck at (11, 30), shoulder (31, 37), armpit (27, 64), waist (22, 92),
crotch 126, wrist (52, 122), soles at 232.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import cos, hypot

import skia

from wardrobe.palette import RGB, luminance, mix
from wardrobe.prints import SHEET

Point = tuple[float, float]

MIDDLE = SHEET[0] / 2
CREAM, INK, METAL = (248, 244, 234), (26, 26, 32), (206, 208, 212)
SHARP = cos(0.9)  # a turn of more than 0.9 rad stays a corner
WOVEN, METALLIC = "cloth", "metallic/shiny"

# Where a garment of each total length ends on the body (schema.ATTRIBUTES).
HEMS = {
    "belly": 88,
    "waist": 107,
    "hip": 127,
    "thigh": 150,
    "knee": 172,
    "shin": 195,
    "ankle": 215,
    "floor": 231,
}


def mirror(points: Sequence[Point]) -> list[Point]:
    """Return the points reflected in the sheet's upright middle, in reverse order."""
    return [(-x, y) for x, y in reversed(points)]


def around(half: Sequence[Point]) -> list[Point]:
    """Return a symmetric outline from its right half (top to bottom)."""
    return [*half, *mirror(half)]


def curve(points: Sequence[Point], closed: bool = True) -> skia.Path:
    """Return a smooth line through the points; sharp turns stay corners.

    All closed ones turn the same way.
    """
    if closed and _area(points) < 0:
        points = points[::-1]
    count = len(points)
    tangents = [
        _tangent(points, i) if closed or 0 < i < count - 1 else None
        for i in range(count)
    ]
    path = skia.Path()
    path.moveTo(*points[0])
    for i in range(count if closed else count - 1):
        j = (i + 1) % count
        (x0, y0), (x1, y1), start, end = points[i], points[j], tangents[i], tangents[j]
        if start is None and end is None:
            path.lineTo(x1, y1)
            continue
        reach = hypot(x1 - x0, y1 - y0) * 0.36
        ax, ay = (x0 + start[0] * reach, y0 + start[1] * reach) if start else (x0, y0)
        bx, by = (x1 - end[0] * reach, y1 - end[1] * reach) if end else (x1, y1)
        path.cubicTo(ax, ay, bx, by, x1, y1)
    if closed:
        path.close()
    return path


def _area(points: Sequence[Point]) -> float:
    return sum(
        a[0] * b[1] - b[0] * a[1]
        for a, b in zip(points, [*points[1:], points[0]], strict=True)
    )


def _tangent(points: Sequence[Point], i: int) -> Point | None:
    """Return the unit direction of the line at point `i`, None at a corner."""
    (x0, y0), (x1, y1), (x2, y2) = (
        points[i - 1],
        points[i],
        points[(i + 1) % len(points)],
    )
    before, after = hypot(x1 - x0, y1 - y0), hypot(x2 - x1, y2 - y1)
    if (x1 - x0) * (x2 - x1) + (y1 - y0) * (
        y2 - y1
    ) < SHARP * before * after or not before * after:
        return None
    # the shorter side decides, so that a long neighbour doesn't pull the curve out
    dx, dy = (
        (x1 - x0) / before**2 + (x2 - x1) / after**2,
        (y1 - y0) / before**2 + (y2 - y1) / after**2,
    )
    length = hypot(dx, dy)
    return dx / length, dy / length


@lru_cache(maxsize=512)
def ink(
    colour: RGB,
    width: float = 0,
    alpha: int = 255,
    soft: float = 0,
    dash: tuple[float, ...] = (),
) -> skia.Paint:
    """Return a paint of one colour: a line of that `width`, or a filled area (0).

    `soft` is the standard deviation of its blur; soft paint falls only on cloth that
    already lies there.
    """
    paint = skia.Paint(AntiAlias=True, Color=skia.Color(*colour, alpha))
    if width:
        paint.setStyle(skia.Paint.kStroke_Style)
        paint.setStrokeWidth(width)
        paint.setStrokeJoin(skia.Paint.kRound_Join)
    if dash:
        paint.setPathEffect(skia.DashPathEffect.Make(list(dash), 0))
    if soft:
        paint.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, soft))
        paint.setBlendMode(skia.BlendMode.kSrcATop)
    return paint


class Pen:
    """Draws on a canvas whose origin is the top of the sheet's upright middle.

    Its `outline` grows with each piece.
    """

    def __init__(
        self,
        canvas: skia.Canvas,
        woven: skia.Paint,
        colour: RGB,
        shiny: bool = False,
        furry: bool = False,
    ) -> None:
        self.canvas, self.outline, self.shiny, self.furry = (
            canvas,
            skia.Path(),
            shiny,
            furry,
        )
        if furry:
            woven.setPathEffect(skia.DiscretePathEffect.Make(2, 1.6, 7))
        dark = luminance(colour) < 70
        self.ink = mix(colour, CREAM, 0.4) if dark else mix(colour, INK, 0.6)
        self.contrast = (
            mix(colour, CREAM, 0.92)
            if luminance(colour) < 150
            else mix(colour, INK, 0.72)
        )
        self.trim = mix(colour, CREAM, 0.14) if dark else mix(colour, INK, 0.16)
        self.lining = mix(colour, CREAM, 0.2) if dark else mix(colour, INK, 0.42)
        self.paints = {
            WOVEN: woven,
            "trim": ink(self.trim),
            "lining": ink(self.lining),
            "contrast": ink(self.contrast),
        }

    def piece(
        self,
        shape: Sequence[Point] | skia.Path,
        of: str | RGB = WOVEN,
        edge: float = 0.8,
    ) -> skia.Path:
        """Lay down a piece of cloth or of another material; return its path.

        `of` is woven "cloth", "trim", dark "lining", "contrast" or a colour of its own.
        It throws a shadow on what lies under it, rounds off to its rim, and has an
        inked edge of that width.
        """
        path = shape if isinstance(shape, skia.Path) else curve(shape)
        woven = of == WOVEN
        self.canvas.drawPath(path, ink(INK, 2.5, 90, 1.6))
        self.canvas.drawPath(path, self.paints[of] if isinstance(of, str) else ink(of))
        if woven:
            self.canvas.save()
            self.canvas.clipPath(path, doAntiAlias=True)
            self.canvas.drawPath(path, ink(INK, 6, 46, 2.4))
            self.canvas.restore()
        if edge and not (woven and self.furry):
            self.canvas.drawPath(path, ink(self.ink, edge, 200))
        self.outline.addPath(path)
        return path

    def both(
        self, shape: Sequence[Point], of: str | RGB = WOVEN, edge: float = 0.8
    ) -> None:
        """Lay down a piece and its mirror image."""
        self.piece(shape, of, edge)
        self.piece(mirror(shape), of, edge)

    def seam(
        self,
        *points: Point,
        width: float = 0.8,
        colour: RGB | None = None,
        alpha: int = 220,
    ) -> None:
        """Draw an inked line along the points."""
        self.canvas.drawPath(
            curve(points, closed=False), ink(colour or self.ink, width, alpha)
        )

    def seams(self, *points: Point, width: float = 0.8) -> None:
        """Draw a seam and its mirror image."""
        self.seam(*points, width=width)
        self.seam(*mirror(points), width=width)

    def stitch(self, *points: Point, colour: RGB | None = None) -> None:
        """Draw a row of stitches."""
        self.canvas.drawPath(
            curve(points, closed=False),
            ink(colour or self.ink, 0.8, 230, dash=(1.6, 1.1)),
        )

    def cord(self, *points: Point, width: float = 2, of: RGB | None = None) -> None:
        """Lay a round cord, lace or strap along the points."""
        path, colour = curve(points, closed=False), of or self.contrast
        edge = ink(mix(colour, INK, 0.55), width + 1)
        self.canvas.drawPath(path, ink(INK, width + 1.6, 90, 1))
        self.canvas.drawPath(path, edge)
        self.canvas.drawPath(path, ink(colour, width))
        self._cover(path, edge)

    def band(
        self,
        *points: Point,
        width: float,
        of: str = "trim",
        ribs: float = 1.7,
        stripes: bool = False,
    ) -> None:
        """Lay a band of that width along the points, perhaps with two stripes.

        It is ribbed every `ribs` units (0: plain).
        """
        path, edge = curve(points, closed=False), ink(self.ink, width + 0.9)
        self.canvas.drawPath(path, ink(INK, width + 2, 80, 1.4))
        self.canvas.drawPath(path, edge)
        stroke = skia.Paint(self.paints[of])
        stroke.setStyle(skia.Paint.kStroke_Style)
        stroke.setStrokeWidth(width)
        self.canvas.drawPath(path, stroke)
        if stripes:
            self.canvas.drawPath(
                path, ink(CREAM if luminance(self.trim) < 190 else INK, width * 0.62)
            )
            self.canvas.drawPath(path, ink(self.trim, width * 0.24))
        if ribs:
            self.canvas.drawPath(
                path, ink(self.ink, width, 170, dash=(0.5, ribs - 0.5))
            )
        self._cover(path, edge)

    def _cover(self, path: skia.Path, stroke: skia.Paint) -> None:
        covered = skia.Path()
        stroke.getFillPath(path, covered)
        self.outline.addPath(covered)

    def fold(self, *points: Point, width: float = 3, depth: int = 70) -> None:
        """Draw a soft crease along the points: shade with a gleam beside it."""
        path = curve(points, closed=False)
        self.canvas.drawPath(path, ink(INK, width, depth, width * 0.6))
        path.offset(-width * 0.9, -0.4)
        self.canvas.drawPath(
            path,
            ink(
                (255, 255, 255),
                width * 0.8,
                150 if self.shiny else depth // 2,
                width * 0.5,
            ),
        )

    def hatch(
        self, path: skia.Path, step: float, width: float = 0.7, alpha: int = 170
    ) -> None:
        """Draw upright lines every `step` units, inside the path."""
        box, lines = path.getBounds(), skia.Path()
        x = box.left() + step / 2
        while x < box.right():
            lines.moveTo(x, box.top())
            lines.lineTo(x, box.bottom())
            x += step
        self.canvas.save()
        self.canvas.clipPath(path, doAntiAlias=True)
        self.canvas.drawPath(lines, ink(self.ink, width, alpha))
        self.canvas.restore()

    def button(
        self, x: float, y: float, radius: float = 1.9, of: RGB | None = None
    ) -> None:
        """Sew on a round button, its hole in the middle."""
        colour = of or self.contrast
        self.canvas.drawCircle(x + 0.3, y + 0.6, radius + 0.5, ink(INK, 0, 110, 0.6))
        self.canvas.drawCircle(x, y, radius, ink(colour))
        self.canvas.drawCircle(x, y, radius, ink(mix(colour, INK, 0.6), 0.6))
        self.canvas.drawCircle(
            x,
            y,
            radius * 0.3,
            ink(mix(colour, INK if luminance(colour) > 90 else CREAM, 0.5)),
        )

    def zip(self, *points: Point, width: float = 4.4, open_to: float = 0) -> None:
        """Sew a zip along the points: dark tape, metal teeth, and a slider.

        The slider and its puller are at the first point.
        """
        path = curve(points, closed=False)
        self.canvas.drawPath(path, ink(mix(self.ink, INK, 0.5), width))
        self.canvas.drawPath(path, ink(METAL, width * 0.62, dash=(1, 0.7)))
        self.canvas.drawPath(path, ink(INK, 0.5))
        x, y = points[0]
        for w, h, top in ((3.4, 4.4, -0.5), (2.2, 7, 3.4)):
            box = skia.Rect.MakeXYWH(x - w / 2, y + top + open_to, w, h)
            self.canvas.drawRoundRect(box, 1, 1, ink((226, 214, 168)))
            self.canvas.drawRoundRect(box, 1, 1, ink(INK, 0.6))
