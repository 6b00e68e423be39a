"""The shapes of what covers the whole body: dresses, jumpsuits, overalls."""

from __future__ import annotations

from dataclasses import replace

from wardrobe import bodice, bottoms, collars, tops, trims
from wardrobe.bodice import Cut
from wardrobe.catalogue import Garment
from wardrobe.draw import HEMS, METAL, WOVEN, Pen, ink

SEAM = 92  # where bodice and skirt meet
SWING = {"fitted": 0.82, "regular": 1.05, "wide": 1.3}
WAISTS = {"fitted": 22.0, "regular": 24.5, "wide": 28.0}


def _bodice(pen: Pen, garment: Garment, cuff: str = "hem", puff: float = 0) -> Cut:
    """Draw sleeves and a bodice that ends at the waist's seam."""
    full = bodice.cut(garment)
    size = replace(
        full, chest=full.chest * 0.95, foot=WAISTS[garment.fit], hem=SEAM + 2
    )
    bodice.sleeves(pen, garment, size, cuff, puff)
    bodice.body(pen, garment, size)
    return size


def dress(pen: Pen, garment: Garment) -> None:
    """Draw long and mini dresses: bodice and skirt."""
    soft = garment.fit != "fitted"
    size = _bodice(pen, garment, "gather" if soft else "hem", 3 if soft else 0)
    hem = HEMS[garment.total_length]
    foot = bottoms.skirt(pen, garment, size.foot, SEAM, SWING[garment.fit])
    pen.seam((-size.foot, SEAM), (0, SEAM + 1.4), (size.foot, SEAM), width=1.1)
    for x in (0.35, 0.7):
        pen.fold((size.foot * x, SEAM - 1), (size.chest * x, 76), width=1.6, depth=55)
        pen.fold((-size.foot * x, SEAM - 1), (-size.chest * x, 76), width=1.6, depth=55)
    if "pocket" in garment.details:
        trims.welt(pen, (20, SEAM + 12), (28, SEAM + 25))
    bottoms.hem_trims(pen, garment, foot, hem)
    tops.soft_neck(pen, garment, size, 2.4, 0)
    trims.front(pen, garment, tops.neck_depth(garment), hem, SEAM - 3)
    waist = "ribbon" in garment.details
    tops.ornaments(
        pen,
        replace(garment, details=tuple(d for d in garment.details if d != "ribbon")),
        size,
    )
    if waist:
        pen.band(
            (-size.foot, SEAM),
            (0, SEAM + 1.4),
            (size.foot, SEAM),
            width=4.5,
            of="contrast",
            ribs=0,
        )
        trims.bow(pen, 0, SEAM + 1, 1.05)


def shirt_dress(pen: Pen, garment: Garment) -> None:
    """Draw a long, folded shirt, perhaps with a belt."""
    size = bodice.cut(garment, flare=0.1, tail=7)
    hem = size.hem
    bodice.sleeves(pen, garment, size, "band")
    bodice.body(pen, garment, size)
    for x in (0.35, 0.72):
        pen.fold(
            (size.waist * x * 0.9, 104), (size.foot * x, hem - 6), width=2.4, depth=60
        )
        pen.fold(
            (-size.waist * x * 0.9, 104), (-size.foot * x, hem - 6), width=2.4, depth=60
        )
    trims.front(pen, garment, 46, hem, 80)
    collars.shirt(pen, garment)
    if "pocket" in garment.details:
        for x in (8.5, -22):
            trims.pocket(pen, x, 60, 13.5, 16, flap=True)
    if "string" in garment.details:
        trims.belt(pen, size.waist, 94)


def _bib(pen: Pen, waist: float) -> None:
    """Draw a bib, straps with buckles, the pocket on the breast."""
    back = [(-15, 62), (15, 62), (19, 76), (waist, 92), (-waist, 92), (-19, 76)]
    pen.piece(back, of="lining")
    for turn in (1, -1):
        pen.band(
            (turn * 8, 72),
            (turn * 11, 50),
            (turn * 13, 30),
            width=6,
            of="lining",
            ribs=0,
        )
    pen.piece(
        [
            (-15.5, 57),
            (15.5, 57),
            (17, 72),
            (waist + 1, 93),
            (-waist - 1, 93),
            (-17, 72),
        ]
    )
    pen.stitch((-14.5, 59), (14.5, 59))
    for turn in (1, -1):
        pen.band(
            (turn * 11.5, 62),
            (turn * 12.5, 44),
            (turn * 13, 29),
            width=6.4,
            of=WOVEN,
            ribs=0,
        )
        for y, w in ((56.5, 8.6), (61, 7)):
            pen.cord(
                (turn * 11.5 - w / 2, y), (turn * 11.5 + w / 2, y), width=1.6, of=METAL
            )
        pen.canvas.drawCircle(turn * 11.5, 62.5, 2.6, ink(METAL))
        pen.canvas.drawCircle(turn * 11.5, 62.5, 2.6, ink((60, 60, 66), 0.7))
    trims.pocket(pen, -9.5, 69, 19, 17)


def overall(pen: Pen, garment: Garment) -> None:
    """Draw a bib on straps above a skirt or trousers."""
    if garment.category == "pants":
        bottoms.legs(pen, garment, 92, 26)
        pen.seam((7, 96), (7, 114), (0.6, 122))
    else:
        bottoms.skirt(pen, garment, 26, 92, 0.95)
        pen.seam((0, 98), (0, HEMS[garment.total_length] - 2), width=1)
    bottoms.side_pockets(pen)
    _bib(pen, 25)
    pen.band((-26, 93), (0, 94), (26, 93), width=6.5, of=WOVEN, ribs=0)


def jumpsuit(pen: Pen, garment: Garment) -> None:
    """Draw bodice and trousers in one, joined at the waist."""
    size = _bodice(pen, garment, "band" if garment.sleeve_length == "long" else "hem")
    bottoms.legs(pen, garment, SEAM, size.foot)
    pen.band(
        (-size.foot, SEAM), (0, SEAM + 1), (size.foot, SEAM), width=5, of=WOVEN, ribs=0
    )
    if "pocket" in garment.details:
        bottoms.side_pockets(pen, bottoms.LEGS["jumpsuit"].hip)
    tops.soft_neck(pen, garment, size, 3, 0)
    trims.front(
        pen,
        garment,
        tops.neck_depth(garment) if garment.neckline != "v-line" else 64,
        121,
        84,
    )
    if "string" in garment.details:
        trims.belt(pen, size.foot, SEAM)


SHAPES = {
    "long dress": dress,
    "mini dress": dress,
    "shirt dress": shirt_dress,
    "overall dress": overall,
    "overall pants": overall,
    "jumpsuit": jumpsuit,
}
