"""Shapes of tops worn next to the skin or in a room.

`outerwear` has vests, jackets and coats.
"""

from __future__ import annotations

from wardrobe import bodice, collars, trims
from wardrobe.bodice import DEPTHS, Cut
from wardrobe.catalogue import Garment
from wardrobe.draw import Pen


def neck_depth(garment: Garment) -> float:
    """Return where the front begins below the neck."""
    if garment.shoulder != "normal":
        return {"off-shoulder": 58, "one-shoulder": 50}[garment.shoulder]
    if garment.neckline == "v-line":
        return DEPTHS.get(garment.subcategory, 65)
    return bodice.NECKLINES[garment.neckline][-1][1]


def hem_line(pen: Pen, size: Cut, up: float = 3.6) -> None:
    """Draw the hem's seam."""
    pen.stitch(
        (-size.foot + 0.6, size.hem - 1 - up),
        (0, size.hem + 0.8 - up),
        (size.foot - 0.6, size.hem - 1 - up),
    )


def ornaments(pen: Pen, garment: Garment, size: Cut) -> None:
    """Sew ruffle, lace, pintuck and ribbon about the neck of tops and dresses."""
    neck = bodice.neckline(garment, size)
    if "pintuck" in garment.details:
        trims.pintucks(pen, neck_depth(garment) + 4, 88, inner=5)
    if "ruffle" in garment.details:
        trims.ruffle(pen, *neck, width=9)
    if "lace" in garment.details:
        trims.lace(pen, *neck, width=9)
    if "ribbon" in garment.details:
        trims.bow(pen, 0, min(neck_depth(garment), 66) + 2, 0.95)


def soft_neck(
    pen: Pen, garment: Garment, size: Cut, width: float = 3, ribs: float = 1.7
) -> None:
    """Finish the neck of anything without a collar."""
    if garment.neckline == "turtle":
        collars.turtle(pen)
    elif garment.shoulder == "off-shoulder":
        reach = 0 if garment.sleeve_length == "sleeveless" else size.shoulder + 7.5
        collars.band(pen, garment, size, 6, ribs, reach)
    else:
        collars.band(
            pen,
            garment,
            size,
            width,
            ribs if garment.neckline in ("round", "v-line") else 0,
        )
    if garment.neckline == "slit":
        bodice.slit(pen)


def jersey(pen: Pen, garment: Garment) -> None:
    """Draw T-shirts and sleeveless tops."""
    size = bodice.cut(garment)
    bodice.sleeves(pen, garment, size)
    bodice.body(pen, garment, size)
    hem_line(pen, size)
    soft_neck(pen, garment, size, width=3 if garment.subcategory == "t-shirt" else 2.2)
    trims.front(pen, garment, neck_depth(garment), size.hem, 74)
    ornaments(pen, garment, size)
    if "lace" in garment.details:
        trims.lace(
            pen,
            (-size.foot, size.hem - 5),
            (0, size.hem - 3),
            (size.foot, size.hem - 5),
            width=8,
        )
    if "pocket" in garment.details:
        trims.pocket(pen, 9, 58, 13, 15)


def shirt(pen: Pen, garment: Garment) -> None:
    """Draw a shirt with a collar, cuffs and a rounded tail."""
    size = bodice.cut(garment, tail=9)
    bodice.sleeves(pen, garment, size, "band")
    bodice.body(pen, garment, size)
    pen.seams((size.shoulder - 1, 49), (14, 46), width=0.7)
    if "pintuck" in garment.details:
        trims.pintucks(pen, 55, 96, inner=6)
    trims.front(pen, garment, 46, size.hem, 74)
    collars.shirt(pen, garment)
    if "pocket" in garment.details:
        trims.pocket(pen, 8.5, 60, 13.5, 16)


def blouse(pen: Pen, garment: Garment) -> None:
    """Draw a wide blouse with gathered sleeves."""
    size = bodice.cut(garment, flare=0.1)
    long = garment.sleeve_length == "long"
    bodice.sleeves(pen, garment, size, "gather", puff=7 if long else 3)
    bodice.body(pen, garment, size)
    soft_neck(pen, garment, size, 2.4, 0)
    for x in (0.3, 0.75):
        pen.fold(
            (size.foot * x, size.hem - 26),
            (size.foot * (x + 0.06), size.hem - 1),
            width=2.4,
        )
        pen.fold(
            (-size.foot * x, size.hem - 30),
            (-size.foot * (x + 0.06), size.hem - 1),
            width=2.4,
        )
    trims.front(pen, garment, neck_depth(garment), size.hem, 80)
    ornaments(pen, garment, size)


def cardigan(pen: Pen, garment: Garment) -> None:
    """Draw a knitted jacket whose fronts fall apart at the hem."""
    size = bodice.cut(garment, 1.03)
    bodice.sleeves(pen, garment, size, "rib")
    bodice.body(pen, garment, size)
    deep, part = (
        neck_depth(garment),
        size.hem - 13,
    )  # below `part` the fronts fall apart
    pen.piece(
        [(0, part), (5.5, size.hem + 2), (-5.5, size.hem + 2)], of="lining", edge=0
    )
    neck = bodice.neckline(garment, size)
    for turn in (1, -1):
        edge = [(x, y) for x, y in (neck if turn < 0 else neck[::-1]) if x * turn > 0]
        pen.band(
            *edge,
            (2.6 * turn, deep + 2),
            (2.6 * turn, part),
            (7.6 * turn, size.hem + 0.4),
            width=5.4,
        )
    if garment.zip_up == "full":
        pen.zip((0, deep), (0, part + 4))
    else:
        for i in range(count := max(3, round((part - deep) / 9))):
            pen.button(-2.4, deep + 3 + (part - deep - 3) * i / (count - 1), 2.3)
    if "pocket" in garment.details:
        for x in (size.foot - 18.5, 5.5 - size.foot):
            trims.pocket(pen, x, size.hem - 23, 13, 16)
    if "ribbon" in garment.details:
        trims.bow(pen, 0, deep, 0.95)


def sweater(pen: Pen, garment: Garment) -> None:
    """Draw a knitted pullover with ribbed ends."""
    size = bodice.cut(garment, 1.06)
    bodice.sleeves(pen, garment, size, "rib", puff=1)
    bodice.body(pen, garment, size)
    hem_line(pen, size, 5)
    soft_neck(pen, garment, size, 4.6)
    trims.front(
        pen,
        garment,
        neck_depth(garment) - (10 if garment.neckline == "turtle" else 2),
        size.hem,
        76,
    )


def sweatshirt(pen: Pen, garment: Garment) -> None:
    """Draw a hooded sweatshirt, perhaps with a pouch."""
    size = bodice.cut(garment, 1.06)
    collars.hood_behind(pen)
    bodice.sleeves(pen, garment, size, "rib", puff=2)
    bodice.body(pen, garment, size)
    hem_line(pen, size, 5)
    trims.front(pen, garment, 47, size.hem, 80)
    if "pocket" in garment.details:
        trims.kangaroo(pen, size.hem)
        if garment.zip_up == "full":
            trims.front(pen, garment, 47, size.hem, 80)
    collars.hood(pen)
    if "string" in garment.details:
        trims.drawstring(pen, 46, 5.5, 22)


SHAPES = {
    "t-shirt": jersey,
    "sleeveless": jersey,
    "shirt": shirt,
    "blouse": blouse,
    "cardigan": cardigan,
    "sweater": sweater,
    "sweatshirt": sweatshirt,
}
