"""The shapes of vests, jackets and coats."""

from __future__ import annotations

from wardrobe import bodice, collars, tops, trims
from wardrobe.bodice import DEPTHS, Cut
from wardrobe.catalogue import Garment
from wardrobe.draw import WOVEN, Pen, Point, mirror


def hem_rib(pen: Pen, size: Cut, width: float = 9, stripes: bool = False) -> None:
    """Draw a ribbed band that draws the hem in."""
    x, y = size.foot - 1.5, size.hem - width / 2
    pen.band((-x, y - 0.6), (0, y + 1), (x, y - 0.6), width=width, stripes=stripes)


def vest(pen: Pen, garment: Garment) -> None:
    """Draw a sleeveless jacket, quilted where it is of down."""
    size = bodice.cut(garment, 1.08)
    if "hood" in garment.details:
        collars.hood_behind(pen)
    bodice.body(pen, garment, size)
    arm = bodice.side(garment, size)
    pen.band(*arm, width=2.6, ribs=0)
    pen.band(*mirror(arm), width=2.6, ribs=0)
    if garment.fabric == "down":
        quilted_body(pen, size)
    tops.hem_line(pen, size)
    deep = tops.neck_depth(garment)
    collars.band(pen, garment, size, 4)
    trims.front(pen, garment, deep, size.hem, 80)
    if "pocket" in garment.details:
        trims.welt(pen, (size.waist - 5, 84), (size.waist - 12, 98))
    if "hood" in garment.details:
        collars.hood(pen, min(deep, 52))


def quilted(
    pen: Pen, left: list[Point], right: list[Point], bulge: float = 2.2
) -> None:
    """Draw rolls of down between a left and a right edge, one from each point on."""
    for (ax, ay), (bx, by), (cx, cy), (dx, dy) in zip(
        left, right, left[1:], right[1:], strict=False
    ):
        upper = ((ax + bx) / 2, (ay + by) / 2 + 0.8)
        lower = ((cx + dx) / 2, (cy + dy) / 2 + 1.6)
        start = ((ax + cx) / 2 - bulge, (ay + cy) / 2)
        end = ((bx + dx) / 2 + bulge, (by + dy) / 2)
        pen.piece([(ax, ay), upper, (bx, by), end, (dx, dy), lower, (cx, cy), start])


def quilted_body(pen: Pen, size: Cut) -> None:
    """Draw the body below the armholes in rolls."""
    count = round((size.hem - size.armhole) / 12)
    heights = [
        size.armhole + (size.hem - size.armhole) * i / count for i in range(count + 1)
    ]
    right = [(size.half(y) - 0.5, y) for y in heights]
    pen.seam((-size.shoulder, 53), (0, 55), (size.shoulder, 53), width=1.2)
    pen.fold((-size.shoulder, 56), (0, 58), (size.shoulder, 56), width=3)
    quilted(pen, [(-x, y) for x, y in right], right)


def quilted_sleeves(pen: Pen, garment: Garment, size: Cut) -> None:
    """Draw sleeves in rolls from the upper arm down to the cuff."""
    s, ease = size.shoulder, size.sleeve
    reach = [
        7.5 + ease * 0.5,
        10.5 + ease * 0.8,
        13 + ease * 0.9,
        15 + ease * 0.9,
        17 + ease * 0.8,
        17 + ease * 0.5,
    ]
    outer = [(s + out, 52 + 12.7 * i) for i, out in enumerate(reach)]
    inner = [(s + out, 58 + 12 * i) for i, out in enumerate((-6, -3, 0, 2, 4, 5.5))]
    quilted(pen, inner, outer)
    quilted(pen, [(-x, y) for x, y in outer], [(-x, y) for x, y in inner])


def bomber(pen: Pen, garment: Garment, varsity: bool = False) -> None:
    """Draw bomber and varsity jackets: ribbed neck, cuffs and hem."""
    size = bodice.cut(garment, 1.1)
    bodice.sleeves(
        pen, garment, size, "rib", 2, "contrast" if varsity else WOVEN, stripes=varsity
    )
    bodice.body(pen, garment, size)
    hem_rib(pen, size, stripes=varsity)
    if not varsity:
        pen.seams((14, 32), (20, 48), (size.chest, 68))  # raglan
    trims.front(pen, garment, 44, size.hem - (0 if varsity else 1), 80, placket=False)
    collars.band(pen, garment, size, 6.5, stripes=varsity)
    if "pocket" in garment.details:
        trims.welt(pen, (size.waist - 6, 76), (size.waist - 13, size.hem - 13))


def varsity(pen: Pen, garment: Garment) -> None:
    """Draw a bomber jacket with contrasting sleeves and striped ribs."""
    bomber(pen, garment, varsity=True)


def anorak(pen: Pen, garment: Garment) -> None:
    """Draw a hooded jacket with a pouch on its front."""
    size = bodice.cut(garment, 1.12)
    collars.hood_behind(pen)
    bodice.sleeves(pen, garment, size, "rib", puff=2)
    bodice.body(pen, garment, size)
    pen.seam((-size.shoulder, 56), (0, 58), (size.shoulder, 56), width=1.1)
    tops.hem_line(pen, size)
    trims.front(pen, garment, 46, size.hem, 80)
    trims.kangaroo(pen, min(size.hem, 122), flap=True)
    collars.hood(pen)
    if "string" in garment.details:
        trims.drawstring(pen, 46, 6, 22)


def down(pen: Pen, garment: Garment) -> None:
    """Draw a jacket quilted in rolls."""
    size = bodice.cut(garment, 1.16)
    if "hood" in garment.details:
        collars.hood_behind(pen)
    bodice.sleeves(pen, garment, size, "rib", puff=1)
    quilted_sleeves(pen, garment, size)
    bodice.body(pen, garment, size)
    quilted_body(pen, size)
    trims.front(pen, garment, 30, size.hem, 80)
    collars.turtle(pen, 15, ribs=False)
    pen.zip((0, 20), (0, size.hem))
    if "pocket" in garment.details:
        trims.welt(pen, (size.waist - 6, 80), (size.waist - 14, 97))
    if "hood" in garment.details:
        collars.hood(pen, 44)


def jacket(pen: Pen, garment: Garment) -> None:
    """Draw a trucker's jacket: yoke, panels, band at the hem, wide collar."""
    size = bodice.cut(garment, 1.07)
    bodice.sleeves(pen, garment, size, "band", puff=1)
    bodice.body(pen, garment, size)
    low = size.hem - 7
    pen.seam((-size.shoulder, 57), (0, 59), (size.shoulder, 57), width=1.1)
    pen.stitch((-size.shoulder, 59), (0, 61), (size.shoulder, 59))
    for start, end in ((18, 10), (25, 21)):
        pen.seams((start, 59), (end, low), width=1)
    pen.seam((-size.foot, low), (0, low + 1.4), (size.foot, low), width=1.1)
    trims.front(pen, garment, 50, size.hem, 80)
    if "pocket" in garment.details:
        for x in (9, -22):
            trims.pocket(pen, x, 58, 13, 16, flap=True)
    collars.shirt(pen, garment, 1.25)


def tailored(pen: Pen, garment: Garment) -> None:
    """Draw blazers and coats with lapels; a coat is buttoned in two rows."""
    coat = garment.subcategory == "coat"
    size = bodice.cut(garment, 1.07 if coat else 1.0, flare=0.03)
    bodice.sleeves(pen, garment, size)
    bodice.body(pen, garment, size)
    tops.hem_line(pen, size)
    deep = DEPTHS[garment.subcategory]
    pen.seams((size.chest - 7, 68), (size.waist - 8, 94), (size.waist - 7, 116))
    if garment.zip_up == "full":
        pen.zip((0, deep), (0, size.hem))
    elif coat:
        pen.seam((8, deep - 12), (9, deep + 4), (9, size.hem), width=1)
        for y in (deep - 4, deep + 12, deep + 28):
            pen.button(-7, y, 2.6)
            pen.button(5.5, y, 2.6)
    else:
        pen.seam((0, deep), (1, size.hem - 8), (5, size.hem), width=1)
        for y in (deep + 2, deep + 14):
            pen.button(-1.5, y, 2.4)
    collars.lapels(pen, garment)
    if "string" in garment.details:
        trims.belt(pen, size.waist, 96)
    if "pocket" in garment.details:
        y = 104 if not coat else 110
        for x in (size.waist - 19, 4 - size.waist):
            pen.piece([(x, y), (x + 15, y), (x + 15, y + 6), (x, y + 6)])
        pen.band((11, 66), (19, 64.5), width=2.6, ribs=0)


SHAPES = {
    "vest": vest,
    "bomber jacket": bomber,
    "varsity jacket": varsity,
    "anorak jacket": anorak,
    "down jacket": down,
    "jacket": jacket,
    "blazer": tailored,
    "coat": tailored,
}
