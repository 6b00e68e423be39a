"""The shapes of trousers and skirts: everything that hangs from the waist."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from wardrobe import trims
from wardrobe.catalogue import Garment
from wardrobe.draw import HEMS, INK, WOVEN, Pen, Point, around, mirror
from wardrobe.palette import mix

WAIST = 90  # the height of the waistband's lower edge
FIT = {"fitted": 0.9, "regular": 1.0, "wide": 1.14}


@dataclass(frozen=True)
class Legs:
    """Measures of trousers.

    Half widths at hip and thigh, each leg's outer and inner edge at the knee and at the
    hem, the crotch's height.
    """

    hip: float
    thigh: float
    knee: tuple[float, float]
    hem: tuple[float, float]
    crotch: float = 128
    cuffed: bool = False
    fit: str = "regular"  # the fit of these measures


LEGS = {
    "sweatpants": Legs(31, 34, (33, 7), (26, 12), 130, cuffed=True),
    "shorts": Legs(31, 36, (38, 3), (40, 2.5), 126),
    "bermuda pants": Legs(30, 33, (33, 4), (33, 4), 127),
    "slacks": Legs(29.5, 31, (29.5, 5.5), (29, 8), 127),
    "cargo pants": Legs(31, 34.5, (34, 4.5), (33, 6), 129),
    "cigarette pants": Legs(27.5, 26.5, (22.5, 5.5), (19.5, 8), 126, fit="fitted"),
    "boots cut pants": Legs(28.5, 29, (24.5, 6.5), (38, 3.5), 126, fit="fitted"),
    "baggy pants": Legs(32, 39, (43, 3), (44, 4), 132, fit="wide"),
    "straight pants": Legs(29.5, 31.5, (31, 5), (31, 7), 127),
    "harem pants": Legs(33, 41, (43, 4), (24, 11), 168, cuffed=True, fit="wide"),
    "overall pants": Legs(31, 34, (33, 4.5), (33, 6.5), 129),
    "jumpsuit": Legs(29.5, 31, (31, 4), (31, 6), 128),
}


def legs(pen: Pen, garment: Garment, top: float = WAIST, waist: float = 26) -> Legs:
    """Draw both trouser legs below the waist, to the hem."""
    cut, hem = LEGS[garment.subcategory], HEMS[garment.total_length]
    k = FIT[garment.fit] / FIT[cut.fit]
    knee = 172.0
    side: list[Point] = [(waist, top), (cut.hip, 110), (cut.thigh * k, 134)]
    if hem > knee + 8:
        side.append((cut.knee[0] * k, knee))
    outer, inner = cut.hem[0] * k, cut.hem[1] / k
    if cut.cuffed and cut.crotch < 150:
        side.append((cut.knee[0] * k - 2, hem - 16))
    elif cut.cuffed:
        side.append((outer + 8, hem - 12))
    half = [*side, (outer, hem), (inner, hem + 1)]
    if hem > knee + 8:
        half.append((cut.knee[1] / k, max(knee, cut.crotch + 3)))
    pen.piece([*half, (0.6, cut.crotch), *mirror(half)])
    pen.seam((0, top), (0, cut.crotch - 1), width=1)
    for turn in (1, -1):
        pen.fold((turn * 2, cut.crotch - 3), (turn * 12, cut.crotch - 9), width=2)
        pen.fold(
            (turn * 3, cut.crotch + 2), (turn * 13, cut.crotch + 1), width=1.8, depth=50
        )
        if hem > knee + 8 and cut.crotch < 150:
            mid = (cut.knee[0] * k + cut.knee[1]) / 2
            pen.fold(
                (turn * (mid - 8), knee + 3),
                (turn * (mid + 5), knee - 2),
                width=2,
                depth=55,
            )
        ends = [(turn * outer, hem - 4), (turn * inner, hem - 3)]
        if cut.cuffed:
            pen.band(
                (turn * (outer + 0.5), hem - 3),
                (turn * (inner - 0.5), hem - 2),
                width=8,
            )
        else:
            pen.stitch(*ends)
    return cut


def waistband(pen: Pen, garment: Garment, half: float = 26, fly: bool = True) -> None:
    """Draw a band with belt loops and a fly, or gathered elastic.

    It has a drawstring where the garment has one.
    """
    y = WAIST - 3.6
    if "waist banding" in garment.details:
        pen.band((-half, y), (0, y + 1), (half, y), width=10, of=WOVEN, ribs=2.1)
        pen.seam((-half, y), (0, y + 1), (half, y), width=0.8)
        for i in range(-4, 5):
            pen.fold(
                (i * half / 4.6, y + 6), (i * half / 4.2, y + 15), width=1.1, depth=90
            )
    else:
        pen.band((-half, y), (0, y + 1), (half, y), width=7.5, of=WOVEN, ribs=0)
        for x in (-half * 0.62, half * 0.62):
            pen.band((x, y - 4), (x, y + 5), width=2, of=WOVEN, ribs=0)
    if fly:
        _fly(pen, garment, y)
    if "string" in garment.details:
        trims.drawstring(pen, y + 0.5, 3.2, 20)


def _fly(pen: Pen, garment: Garment, y: float) -> None:
    if garment.zip_up == "half":
        pen.stitch((7.5, y + 5), (7.5, y + 20), (0.6, y + 29))
        pen.zip((0, y - 2), (0, y + 25), width=4)
    if garment.button == "half":
        pen.seam((7, y + 4), (7, y + 20), (0.6, y + 28))
        for i in range(3):
            pen.button(2.6, y + 1 + i * 8.5, 2)


def side_pockets(pen: Pen, hip: float = 30) -> None:
    """Sew slanted pockets that end at hips of that half width."""
    for turn in (1, -1):
        mouth = [
            (turn * (hip - 12), WAIST + 1),
            (turn * (hip - 7.5), WAIST + 12),
            (turn * (hip - 0.6), WAIST + 17),
        ]
        pen.seam(*mouth, width=2, alpha=255)
        pen.stitch(*((x - turn * 1.8, y + 1.2) for x, y in mouth))


def trousers(pen: Pen, garment: Garment) -> None:
    """Draw trousers or shorts of any cut."""
    kind = garment.subcategory
    cut = legs(pen, garment)
    hem = HEMS[garment.total_length]
    if "pintuck" in garment.details or kind == "slacks":
        for turn in (1, -1):
            crease = [
                (turn * 14, WAIST + 4),
                (turn * 18, 140),
                (turn * (sum(cut.hem) / 2), hem - 2),
            ]
            pen.fold(*crease, width=1.2, depth=60)
            if "pintuck" in garment.details:
                for shift in (-2.4, 0, 2.4):
                    pen.seam(*((x + shift, y) for x, y in crease), width=0.8)
    if kind == "cargo pants":
        for x in (21, -37):
            trims.pocket(pen, x, 146, 16, 24, flap=True, pleat=True)
    if "pocket" in garment.details:
        side_pockets(pen, cut.hip)
    waistband(pen, garment)


def skirt_folds(
    pen: Pen,
    top: float,
    hem: float,
    waist: float,
    foot: float,
    count: int,
    depth: int = 80,
) -> None:
    """Draw folds that fan out from the waist to the hem."""
    for i in range(count):
        share = -0.84 + 1.68 * (i + 0.5) / count
        start = top + (4 if i % 2 else 12)
        x = share * waist * 0.95
        end = share * foot
        pen.fold(
            (x, start),
            ((x + end) / 2, (start + hem) / 2),
            (end, hem - 1),
            width=2.4,
            depth=depth,
        )


def wavy(foot: float, hem: float, waves: int, deep: float) -> list[Point]:
    """Return a hem from right to left that swings up and down."""
    count = waves * 2
    return [
        (foot * (1 - 2 * i / count), hem + (deep if i % 2 else 0))
        for i in range(count + 1)
    ]


def skirt(
    pen: Pen, garment: Garment, waist: float = 26, top: float = WAIST, swing: float = 1
) -> float:
    """Draw a straight, flared or bell-shaped skirt; return its half width below."""
    hem, kind = HEMS[garment.total_length], garment.subcategory
    long = (hem - top) / 100
    foot = {
        "long skirt": 31 + 9 * long,
        "flare skirt": 33 + 19 * long,
        "pleated skirt": 33 + 16 * long,
        "mini skirt": 34,
        "slit skirt": 27,
    }.get(kind, 31 + 16 * long) * swing
    hip = {"flare skirt": 30, "pleated skirt": 29}.get(kind, 30.5) * max(1, swing**0.5)
    mid = (hip + foot) / 2 if kind != "slit skirt" else 29
    side: list[Point] = [(waist, top), (hip, 110)]
    if hem > 160:
        side.append((mid, 110 + (hem - 110) * 0.5))
    bottom = (
        wavy(foot, hem - 2, 5, 4)
        if kind == "flare skirt"
        else [(foot, hem - 2), (0, hem + 1.5), (-foot, hem - 2)]
    )
    pen.piece([*side, *bottom, *mirror(side)])
    if kind not in ("mini skirt", "slit skirt", "pleated skirt"):
        skirt_folds(
            pen,
            top,
            hem,
            waist,
            foot,
            7 if kind == "flare skirt" else 4,
            100 if kind == "flare skirt" else 55,
        )
    if kind != "flare skirt":
        pen.stitch((-foot + 1, hem - 5.5), (0, hem - 2.4), (foot - 1, hem - 5.5))
    return foot


def hem_trims(pen: Pen, garment: Garment, foot: float, hem: float) -> None:
    """Sew ruffle and lace along a skirt's hem."""
    if "ruffle" in garment.details:
        trims.ruffle(
            pen,
            (-foot * 0.97, hem - 12),
            (0, hem - 8),
            (foot * 0.97, hem - 12),
            width=13,
        )
    if "lace" in garment.details:
        trims.lace(pen, (-foot, hem - 6), (0, hem - 2.5), (foot, hem - 6), width=9)


def skirts(pen: Pen, garment: Garment) -> None:
    """Draw long, flare, mini and slit skirts."""
    hem = HEMS[garment.total_length]
    foot = skirt(pen, garment)
    if garment.subcategory == "slit skirt":
        top = max(122, hem - 62)
        inside = mix(pen.lining, INK, 0.5)
        pen.piece(
            [(12, top), (15.5, hem - 18), (23, hem + 1), (2, hem + 2), (9, hem - 22)],
            of=inside,
        )
        pen.seam((12, top), (15.5, hem - 18), (23, hem), width=1.4)
        pen.seam((12, top), (9, hem - 22), (2, hem + 1.4), width=1.4)
    hem_trims(pen, garment, foot, hem)
    if "pocket" in garment.details:
        side_pockets(pen)
    if garment.button == "full":
        trims.front(pen, garment, WAIST, hem, 0)
    waistband(pen, garment)
    if "ribbon" in garment.details:
        trims.bow(pen, 8, WAIST - 2, 1)


def pleated(pen: Pen, garment: Garment) -> None:
    """Draw knife pleats: stitched down over the hips, a zigzag at the hem."""
    hem, count = HEMS[garment.total_length], 9
    foot = 33 + 16 * (hem - WAIST) / 100
    low = [(foot * (1 - 2 * i / count), hem) for i in range(count + 1)]
    zigzag: list[Point] = []
    for (ax, y), (bx, _) in pairwise(low):
        zigzag += [(ax, y - 3.5), (bx + 0.6, y + 1.5)]
    pen.piece([(26, WAIST), *zigzag, (-foot, hem - 3.5), (-26, WAIST)])
    for i in range(1, count):
        x, end = 26 * (1 - 2 * i / count), low[i][0]
        pen.fold((x, WAIST + 2), (end, hem - 2), width=2, depth=110)
        pen.seam((x, WAIST), (end, hem - 3), width=1.1, alpha=255)
        for shift in (1.6, 3) if "pintuck" in garment.details else ():
            pen.stitch(
                (x + shift, WAIST), (x + shift * 1.1 + (end - x) * 0.24, WAIST + 20)
            )
    waistband(pen, garment)


def balloon(pen: Pen, garment: Garment) -> None:
    """Draw a skirt gathered at the waist and at the hem, full between them."""
    hem = HEMS[garment.total_length]
    half = [
        (26, WAIST),
        (37, WAIST + 12),
        (45, (WAIST + hem) / 2 + 4),
        (42, hem - 11),
        (30, hem - 2),
        (6, hem + 1),
    ]
    pen.piece(around(half))
    for i in range(-4, 5):
        x = i * 5.2
        mid = x * 1.75
        pen.fold(
            (x, WAIST + 2),
            (mid, (WAIST + hem) / 2),
            (x * 1.35, hem - 2),
            width=2.4,
            depth=75,
        )
    pen.band((-30, hem - 2), (0, hem + 1), (30, hem - 2), width=4, of=WOVEN, ribs=2.4)
    waistband(pen, garment)
    if "ribbon" in garment.details:
        trims.bow(pen, 8, WAIST - 2, 1)


SHAPES = {
    **dict.fromkeys(
        [name for name in LEGS if name not in ("jumpsuit", "overall pants")], trousers
    ),
    **dict.fromkeys(["long skirt", "flare skirt", "mini skirt", "slit skirt"], skirts),
    "pleated skirt": pleated,
    "balloon skirt": balloon,
}
