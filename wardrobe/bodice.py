"""The part of a garment that hangs from the shoulders: neckline, body and sleeves."""

from __future__ import annotations

from dataclasses import dataclass

from wardrobe.catalogue import Garment
from wardrobe.draw import HEMS, WOVEN, Pen, Point, mirror

# Half widths at chest, waist and hip; how far the sleeve stands off the arm.
FITS = {
    "fitted": (26.5, 22, 27, 1),
    "regular": (29.5, 28, 30.5, 4),
    "wide": (36, 36.5, 38.5, 9),
}

# The front's edge from the neck's side to the middle.
NECKLINES: dict[str, list[Point]] = {
    "round": [(12, 30.5), (10.5, 39), (5, 45), (0, 46)],
    "square": [(15.5, 32), (14.5, 53), (0, 53)],
    "v-line": [(12, 30.5), (7, 47), (0, 65)],
    "sweetheart": [(18, 33.5), (18, 49), (14, 45), (8.5, 44.5), (3, 49), (0, 59)],
    "slit": [(11, 30), (9.5, 36), (5, 40), (0, 41)],
    "halter": [(8.5, 27), (7, 32), (0, 34)],
    "turtle": [(10, 30), (6.5, 35), (0, 36)],
    "boat": [(23.5, 34), (13, 40), (0, 42)],
}
# Where a v-line that opens in front closes.
DEPTHS = {
    "blazer": 90,
    "coat": 78,
    "cardigan": 66,
    "vest": 72,
    "shirt": 50,
    "shirt dress": 50,
    "jacket": 54,
}


@dataclass(frozen=True)
class Cut:
    """Half widths, and the heights of the hem and of the shirt tail's rise."""

    chest: float
    waist: float
    foot: float
    hem: float
    sleeve: float
    tail: float = 0

    @property
    def shoulder(self) -> float:
        """The half width at the shoulders."""
        return 31 + (self.chest - 29.5) * 0.6

    @property
    def armhole(self) -> float:
        """The height of the armhole's lower end."""
        return 66 + (self.chest - 29.5) * 0.6

    def half(self, y: float) -> float:
        """Return the half width at a height below the armhole."""
        # widths and heights of the two points between which y lies
        a, top, b, low = self.chest, self.armhole, self.waist, 93
        if self.hem <= 100:
            b, low = self.foot, self.hem
        elif y > 93:
            a, top, b, low = self.waist, 93, self.foot, self.hem
        return a + (b - a) * (y - top) / (low - top)


def cut(
    garment: Garment,
    bulk: float = 1,
    flare: float = 0,
    tail: float = 0,
    hem: float | None = None,
) -> Cut:
    """Return the measures of a body of that length and fit.

    It is `bulk` times as wide, and each side `flare` units wider per unit of height.
    """
    chest, waist, hip, sleeve = (bulk * x for x in FITS[garment.fit])
    hem = hem or HEMS[garment.total_length]
    foot = (
        waist + (hip - waist) * min(1, (hem - 92) / 22)
        if hem > 92
        else chest + (waist - chest) * (hem - 66) / 26
    )
    return Cut(chest, waist, foot + flare * max(0, hem - 70), hem, sleeve, tail)


def bare(garment: Garment) -> bool:
    """Return whether both shoulders are bare."""
    return garment.shoulder == "off-shoulder" or garment.neckline == "halter"


def neckline(garment: Garment, size: Cut) -> list[Point]:
    """Return the front's edge from the sheet's left shoulder to the right one."""
    if garment.shoulder == "off-shoulder":
        return [
            (-size.chest - 1, 54),
            (-16, 57),
            (0, 58),
            (16, 57),
            (size.chest + 1, 54),
        ]
    if garment.shoulder == "one-shoulder":
        return [(-22, 33.5), (-12, 44), (6, 54), (size.chest - 1, 60)]
    half = NECKLINES[garment.neckline]
    if garment.neckline == "v-line" and garment.subcategory in DEPTHS:
        depth = DEPTHS[garment.subcategory]
        half = [
            (12, 30.5),
            (7 if depth > 60 else 6, 30 + (depth - 30) * 0.45),
            (0, depth),
        ]
    return [*((-x, y) for x, y in half), *half[-2::-1]]


def side(garment: Garment, size: Cut, right: bool = True) -> list[Point]:
    """Return the body's right edge from below the neck to above the waist."""
    chest, armhole = size.chest, size.armhole
    if garment.shoulder == "off-shoulder":
        return [(chest + 0.5, armhole)]
    if garment.shoulder == "one-shoulder" and right:
        return [(chest, armhole + 2)]
    if garment.neckline == "halter":
        return [(9.5, 33), (13, 45), (19, 56), (chest - 1, 66)]
    if garment.sleeve_length != "sleeveless":
        return [(size.shoulder, 37.5), (size.shoulder - 1, 50), (chest, armhole)]
    outer = (
        size.shoulder
        if garment.subcategory == "vest"
        else max(22, NECKLINES[garment.neckline][0][0] + 5)
    )
    return [(outer, 35), (outer - 3.5, 47), (outer - 1, 58), (chest - 1, armhole)]


def body(pen: Pen, garment: Garment, size: Cut) -> None:
    """Draw the back that shows through the neck, and the front over it."""
    neck = neckline(garment, size)
    if garment.shoulder == "normal" and garment.neckline != "halter":
        x, y = neck[-1]
        bare = garment.sleeve_length == "sleeveless" and garment.subcategory != "vest"
        low = 14 if bare else 3
        pen.piece(
            [*neck, (x * 0.6, y + low * 0.8), (0, y + low), (-x * 0.6, y + low * 0.8)],
            of="lining",
        )
    elif garment.neckline == "halter":
        pen.band((-8.5, 28), (0, 24), (8.5, 28), width=3.5, ribs=0)
    else:
        pen.piece([*neck, (0, neck[-1][1] - 5)], of="lining")
    right, left = side(garment, size), side(garment, size, right=False)
    waist = [(size.waist, 93)] if size.hem > 100 else []
    foot, hem = size.foot, size.hem
    bottom = [(foot, hem - 1), (foot * 0.5, hem + 0.8)]
    if size.tail:
        bottom = [
            (foot, hem - size.tail),
            (foot * 0.86, hem - size.tail * 0.45),
            (foot * 0.4, hem),
        ]
    half, other = [*right, *waist, *bottom], [*left, *waist, *bottom]
    pen.piece([*half, *mirror(other), *neck])


def slit(pen: Pen) -> None:
    """Draw a keyhole below a closed neck."""
    pen.piece(
        [
            (0, 43.5),
            (2.2, 50),
            (4, 59),
            (2.5, 65),
            (0, 66.5),
            (-2.5, 65),
            (-4, 59),
            (-2.2, 50),
        ],
        of="lining",
    )
    pen.button(0, 43, 1.7)


def sleeve(
    garment: Garment, size: Cut, puff: float = 0
) -> tuple[list[Point], Point, Point]:
    """Return a right sleeve's outline and its end's outer and inner corner.

    `puff` swells it above the end.
    """
    s, chest, ease = size.shoulder, size.chest, size.sleeve
    top: list[Point] = [(s - 8, 39), (s, 37.5), (s + 6, 43)]
    if bare(garment):
        top = [(chest - 5, 55), (s + 2, 53.5), (s + 7.5, 56)]
    under: list[Point] = [(chest - 1, size.armhole + 3), (chest - 9, size.armhole - 4)]
    if garment.sleeve_length == "short":
        outer = (s + 11 + ease * 0.7, 72)
        inner = (max(s + 1, chest + 1.5), 77 + ease * 0.3)
        return (
            [
                *top,
                (s + 8 + ease * 0.6 + puff, 63 if bare(garment) else 54),
                outer,
                inner,
                *under,
            ],
            outer,
            inner,
        )
    outer, inner = (s + 16.5 + ease * 0.5, 119.5), (s + 6 - ease * 0.2, 122)
    bulge = (s + 16 + ease * 0.8 + puff, 107)
    sag = (s + 4.5 - ease * 0.3 - puff * 0.5, 111)
    end = [bulge, outer, inner, sag] if puff else [outer, inner]
    return (
        [*top, (s + 11 + ease * 0.9, 76), *end, (s + 3 - ease * 0.4, 92), *under],
        outer,
        inner,
    )


def sleeves(
    pen: Pen,
    garment: Garment,
    size: Cut,
    cuff: str = "hem",
    puff: float = 0,
    of: str = WOVEN,
    stripes: bool = False,
) -> None:
    """Draw both sleeves (one under a bare shoulder).

    Their `cuff` is "hem", "rib", "band" or "gather".
    """
    if garment.sleeve_length == "sleeveless":
        return
    outline, outer, inner = sleeve(garment, size, puff)
    for turn in (1, -1):
        if turn == 1 and garment.shoulder == "one-shoulder":
            continue
        pen.piece([(x * turn, y) for x, y in outline], of=of)
        ends = [(x * turn, y) for x, y in (outer, inner)]
        if garment.sleeve_length == "long":
            s = size.shoulder
            pen.fold((turn * (s + 6), 74), (turn * (s + 12), 81), width=2)
            pen.fold(
                (turn * (s + 8), 88),
                (turn * (s + 14 + size.sleeve * 0.6), 83),
                width=2,
                depth=50,
            )
        (ax, ay), (bx, by) = ends
        up = (ax + turn * -1.2, ay - 4.2), (bx + turn * -1.4, by - 4.2)
        if cuff == "hem":
            pen.stitch(*((x, y + 1) for x, y in up))
        elif cuff == "rib":
            pen.band(*((x, y + 1.4) for x, y in up), width=8, stripes=stripes)
        elif cuff == "band":
            pen.band(*((x, y + 1) for x, y in up), width=7, of=WOVEN, ribs=0)
            if garment.sleeve_length == "long":
                pen.button(up[0][0] - turn * 2.5, up[0][1] + 1.6, 1.2)
        elif cuff == "gather":
            pen.band(*((x, y + 2.2) for x, y in up), width=3.6, ribs=0)
            for share in (0.2, 0.4, 0.6, 0.8):
                x, y = ax + (bx - ax) * share, ay + (by - ay) * share - 4
                pen.seam((x, y), (x - turn * (1.5 + share), y - 7), alpha=150)
