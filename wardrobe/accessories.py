"""Shapes of bags, hats, scarves, umbrellas, socks and shoes.

They fill the sheet and hang on no body.
"""

from __future__ import annotations

from math import cos, pi, sin

from wardrobe import trims
from wardrobe.catalogue import Garment
from wardrobe.draw import CREAM, METAL, WOVEN, Pen, Point, around, ink, mirror

SOLE, RUBBER = (52, 44, 42), (244, 243, 238)
SOCK_TOPS = {"ankle": 138, "shin": 84, "knee": 30}
BOOT_TOPS = {"ankle": 112, "knee": 30}


def bag(pen: Pen, garment: Garment) -> None:
    """Draw a tote with two handles."""
    for turn in (1, -1):
        pen.band(
            (turn * 27, 106),
            (turn * 24, 72),
            (turn * 12, 44),
            (0, 38),
            width=6.5,
            of=WOVEN,
            ribs=0,
        )
    half: list[Point] = [(44, 96), (50, 150), (53, 196), (48, 204)]
    pen.piece(around(half))
    pen.piece([(-44, 96), (0, 91), (44, 96), (0, 99)], of="lining")
    for turn in (1, -1):
        pen.band(
            (turn * 27, 118),
            (turn * 27, 98),
            (turn * 26, 88),
            width=6.5,
            of=WOVEN,
            ribs=0,
        )
        pen.canvas.drawCircle(turn * 27, 113, 2.4, ink(METAL))
        pen.canvas.drawCircle(turn * 27, 113, 2.4, ink((70, 70, 74), 0.7))
        pen.fold((turn * 44, 132), (turn * 38, 168), width=3)
    pen.stitch((-46, 190), (0, 193), (46, 190))
    if garment.zip_up == "full":
        pen.zip((-43, 98), (0, 100.5), (43, 98), width=6)
    if "pocket" in garment.details:
        trims.pocket(pen, -26, 128, 52, 54, flap=True)


def beanie(pen: Pen, garment: Garment) -> None:
    """Draw a knitted hat with a bobble and a folded brim."""
    crown: list[Point] = [(0, 60), (17, 64), (34, 78), (44, 102), (47, 150)]
    bobble = []
    for i in range(22):
        a, tuft = 2 * pi * i / 22, 1 + 0.1 * (i % 2)
        bobble.append((18 * cos(a) * tuft, 50 + 17 * sin(a) * tuft))
    pen.piece(bobble, of="trim")
    path = pen.piece([*crown, *mirror(crown)[:-1]])
    pen.hatch(path, 5.2, 0.8, 110)
    for x in (16, 34):
        pen.fold((x * 0.5, 66), (x, 92), (x * 1.1, 136), width=3, depth=45)
        pen.fold((-x * 0.5, 66), (-x, 92), (-x * 1.1, 136), width=3, depth=45)
    pen.fold((-44, 134), (0, 139), (44, 134), width=5, depth=150)
    pen.band((-50, 153), (0, 158), (50, 153), width=30, of=WOVEN, ribs=3.4)
    pen.seam((-48, 138.4), (0, 143), (48, 138.4), width=1.4, alpha=255)


def cap(pen: Pen, garment: Garment) -> None:
    """Draw a peaked cap, turned a little to the side."""
    pen.piece(
        [
            (-50, 146),
            (-48, 112),
            (-32, 84),
            (-6, 74),
            (22, 82),
            (40, 108),
            (43, 140),
            (0, 150),
        ]
    )
    pen.seam((-6, 75), (-28, 106), (-32, 147))
    pen.seam((-6, 75), (14, 104), (20, 146))
    for x, y in ((-30, 98), (8, 92), (30, 104)):
        pen.canvas.drawCircle(x, y, 1.6, ink(pen.lining))
    pen.button(-6, 75, 3.6, pen.trim)
    pen.piece(
        [
            (-36, 148),
            (0, 141),
            (40, 136),
            (62, 146),
            (70, 160),
            (40, 158),
            (0, 160),
            (-24, 158),
        ],
        of="trim",
    )
    for lift in (3, 6, 9):
        pen.stitch(
            (-24, 155 - lift * 0.4),
            (0, 156 - lift),
            (40, 153 - lift),
            (64 - lift, 156 - lift * 0.6),
        )


def scarf(pen: Pen, garment: Garment) -> None:
    """Draw a scarf wound once round the neck, fringed ends hanging."""
    pen.piece([(-36, 66), (-27, 52), (0, 46), (27, 52), (36, 66), (0, 66)])
    pen.piece([(-24, 60), (0, 55), (24, 60), (14, 70), (-14, 70)], of="lining")
    for x, end, lean in ((5, 198, 6), (-27, 216, -4)):
        corners = [(x, 78), (x + 24, 78), (x + 24 + lean, end), (x + lean, end)]
        for i in range(9):
            f = x + lean + 1.4 + i * 2.65
            pen.cord(
                (f, end - 2), (f - 0.8 + i * 0.2, end + 13), width=1.3, of=pen.trim
            )
        pen.piece(corners)
        pen.fold((x + 8, 92), (x + 9 + lean * 0.7, end - 12), width=2.6)
        pen.fold((x + 17, 90), (x + 17 + lean * 0.5, end - 40), width=2)
    pen.piece(
        [
            (-42, 62),
            (-27, 55),
            (0, 68),
            (27, 55),
            (42, 62),
            (36, 88),
            (12, 102),
            (-12, 102),
            (-36, 88),
        ]
    )
    pen.fold((-36, 66), (-12, 80), (14, 79), (37, 66), width=3)
    pen.fold((-34, 80), (-8, 92), (20, 90), width=2.6)


def umbrella(pen: Pen, garment: Garment) -> None:
    """Draw an open umbrella with its stick."""
    pen.cord((0, 60), (0, 200), (3, 209), (10, 211), (15, 204), width=3, of=SOLE)
    pen.cord((0, 34), (0, 46), width=2.4, of=METAL)
    rim = [68 * x for x in (-1, -0.62, -0.22, 0.22, 0.62, 1)]
    angles = [pi * i / 12 for i in range(13)]
    dome = [(-68 * cos(a), 116 - 74 * sin(a)) for a in angles]
    edge: list[Point] = []
    for left, right in zip(rim[::-1], rim[-2::-1], strict=False):
        edge += [(left, 116), ((left + right) / 2, 108)]
    pen.piece([*dome[:-1], *edge, (-68, 116)][:-1])
    for x in rim[1:-1]:
        pen.seam((0, 42), (x * 0.72, 74), (x, 115), width=1)
    for x in (-0.8, -0.42, 0, 0.42, 0.8):
        pen.fold((x * 20, 56), (x * 62, 106), width=4, depth=40)


def socks(pen: Pen, garment: Garment) -> None:
    """Draw a pair, heel and toe knitted in the trim's colour."""
    top = SOCK_TOPS[garment.total_length]
    for x, y in ((-38, -6), (6, 6)):

        def at(*points: Point, x: float = x, y: float = y) -> list[Point]:
            return [(a + x, b + y) for a, b in points]

        pen.piece(
            at(
                (-13, top),
                (13, top),
                (14, 166),
                (24, 184),
                (40, 194),
                (42, 206),
                (34, 213),
                (12, 208),
                (-8, 196),
                (-14, 178),
            )
        )
        pen.piece(
            at((-14, 174), (-2, 180), (-1, 194), (-4, 198), (-11, 192)), of="trim"
        )
        pen.piece(at((32, 189), (40, 194), (42, 206), (34, 213), (26, 211)), of="trim")
        pen.band(*at((-13, top + 6), (13, top + 6)), width=13, of=WOVEN, ribs=2.6)
        pen.fold(*at((11, 168), (2, 176), (4, 182)), width=2.4)


def boots(pen: Pen, garment: Garment) -> None:
    """Draw a pair from the side, on low heels."""
    top = BOOT_TOPS[garment.total_length]
    slim = top < 100
    for x, y in ((14, -10), (-12, 6)):

        def at(*points: Point, x: float = x, y: float = y) -> list[Point]:
            return [(a + x, b + y) for a, b in points]

        back, fore = (-30, 6) if slim else (-28, 4)
        pen.piece(
            at(
                (-38, 186),
                (4, 188),
                (46, 190),
                (47, 196),
                (-6, 196),
                (-12, 208),
                (-34, 208),
            ),
            of=SOLE,
        )
        ankle = 152.0
        pen.piece(
            at(
                (back - 2, top),
                (fore + 2, top),
                (3, ankle - 24 if slim else 132),
                (5, ankle + 4),
                (24, 170),
                (42, 178),
                (47, 191),
                (-38, 188),
                (-34, 168),
                (-29, 146),
            )
        )
        pen.band(*at((back - 2, top + 2.5), (fore + 2, top + 2.5)), width=5, ribs=0)
        pen.seam(*at((-36, 176), (-12, 168), (8, 160)))
        pen.fold(*at((2, 150), (-10, 156), (-20, 154)), width=2.6)
        pen.fold(*at((4, 158), (-4, 163)), width=2)
        if garment.zip_up == "full":
            pen.zip(*at((-16, top + 6), (-14, 182)), width=5)
        if "string" in garment.details:
            start = max(top + 12, 116)
            for i in range(5):
                a, b = start + i * 9, start + i * 9 + 5
                pen.cord(*at((-8, a), (4 + i * 1.6, b)), width=2)
                pen.cord(*at((-8, b), (4 + i * 1.6, a)), width=2)
        elif garment.zip_up == "none" and not slim:
            elastic = pen.piece(
                at((-19, 120), (-6, 120), (-8, 154), (-17, 154)), of="trim"
            )
            pen.hatch(elastic, 1.8)


def sneakers(pen: Pen, garment: Garment) -> None:
    """Draw a pair from the side."""
    for x, y in ((8, -34), (-8, 18)):

        def at(*points: Point, x: float = x, y: float = y) -> list[Point]:
            return [(a + x, b + y) for a, b in points]

        pen.piece(
            at(
                (-54, 112),
                (-48, 107),
                (-22, 110),
                (-12, 108),
                (0, 122),
                (22, 138),
                (46, 146),
                (56, 158),
                (56, 168),
                (-56, 168),
            )
        )
        pen.piece(at((-52, 110), (-22, 112), (-26, 120), (-46, 119)), of="lining")
        pen.piece(
            at((26, 141), (46, 146), (56, 158), (56, 167), (30, 167), (22, 152)),
            of="trim",
        )
        pen.piece(
            at((-54, 118), (-44, 119), (-38, 140), (-40, 167), (-56, 167)), of="trim"
        )
        pen.piece(at((-18, 110), (-10, 109), (24, 139), (18, 146)), of="trim")
        pen.stitch(*at((-36, 164), (-14, 140), (10, 164)))
        sole = at(
            (-57, 163),
            (0, 164),
            (57, 162),
            (60, 168),
            (57, 176),
            (0, 177),
            (-57, 177),
            (-59, 170),
        )
        pen.piece(sole, of=RUBBER)
        pen.seam(*at((-59, 171), (59, 171)), colour=(150, 150, 150))
        for i in range(5 if "string" in garment.details else 0):
            px, py = -9 + i * 7, 113 + i * 6.2
            pen.cord(*at((px - 8, py + 8), (px + 2, py - 1)), width=2.4, of=CREAM)


SHAPES = {
    "bag": bag,
    "beanie": beanie,
    "cap": cap,
    "scarf": scarf,
    "umbrella": umbrella,
    "socks": socks,
    "boots": boots,
    "sneakers": sneakers,
}
