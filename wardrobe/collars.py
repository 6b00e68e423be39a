"""What a neck is finished with: bands, collars, lapels and hoods."""

from __future__ import annotations

from wardrobe.bodice import DEPTHS, Cut, neckline
from wardrobe.catalogue import Garment
from wardrobe.draw import WOVEN, Pen, around, mirror


def band(
    pen: Pen,
    garment: Garment,
    size: Cut,
    width: float = 3,
    ribs: float = 1.7,
    reach: float = 0,
    stripes: bool = False,
) -> None:
    """Draw a band along the neck's edge, on to `reach` on both sides."""
    neck = neckline(garment, size)
    ends = ([(-reach, 57)], [(reach, 57)]) if reach else ([], [])
    pen.band(*ends[0], *neck, *ends[1], width=width, ribs=ribs, stripes=stripes)


def turtle(pen: Pen, height: float = 18, of: str = WOVEN, ribs: bool = True) -> None:
    """Draw a folded tube around the neck."""
    top = 34 - height
    path = pen.piece(
        around([(0, top - 0.5), (11.5, top + 1), (12.5, 30), (13.5, 36), (0, 41)]),
        of=of,
    )
    if ribs:
        pen.hatch(path, 2.2)
    pen.fold((-12, 30), (0, 33.5), (12, 30), width=2)


def shirt(pen: Pen, garment: Garment, spread: float = 1) -> None:
    """Draw a stand and two pointed leaves; `spread` widens them."""
    deep = DEPTHS.get(garment.subcategory, 46)
    pen.piece(
        [(-11.5, 31), (-9.5, 24), (0, 22.5), (9.5, 24), (11.5, 31), (0, 35)],
        of="lining",
    )
    x, tip = 11 + 7 * spread, 45 + 5 * spread
    leaf = [
        (9.5, 23.5),
        (13, 31),
        (x, tip - 7),
        (8 * spread, tip),
        (0.6, deep - 9 if deep > 50 else 40),
        (6.5, 31),
    ]
    pen.both(leaf)
    inner = [
        (12, 31),
        (x - 1.8, tip - 7.6),
        (8 * spread, tip - 2.2),
        (2, deep - 10.5 if deep > 50 else 38.5),
    ]
    pen.stitch(*inner)
    pen.stitch(*mirror(inner))


def lapels(pen: Pen, garment: Garment) -> None:
    """Draw a tailored collar whose notched lapels fold back to the first button."""
    deep = DEPTHS[garment.subcategory]
    lapel = [
        (12.5, 34),
        (21, 46),
        (17.5, 48.5),
        (23.5, 51),
        (15, deep - 20),
        (0, deep + 1),
        (6, deep - 24),
        (10.5, 40),
    ]
    pen.both(lapel, edge=1.4)
    pen.both(
        [(8, 23.5), (12.5, 29), (19.5, 42.5), (21, 46), (14.5, 44.5), (9, 34), (7, 27)],
        edge=1.4,
    )
    pen.piece(
        [(-8, 24), (0, 22), (8, 24), (9.5, 30), (9, 36), (0, 33), (-9, 36), (-9.5, 30)]
    )


def hood_behind(pen: Pen) -> None:
    """Draw the outside of a hood, to lie under the body."""
    pen.piece(
        [(-20, 39), (-19, 22), (-12, 8), (0, 4), (12, 8), (19, 22), (20, 39), (0, 43)]
    )


def hood(pen: Pen, deep: float = 46) -> None:
    """Draw the hood's opening and its front edges, which cross at `deep`."""
    pen.piece(
        [
            (-13, 34),
            (-13, 22),
            (-8, 12),
            (0, 9.5),
            (8, 12),
            (13, 22),
            (13, 34),
            (0, deep),
        ],
        of="lining",
    )
    rim = [
        (0, 5),
        (12, 9),
        (18.5, 22),
        (19, 35),
        (9, deep - 1),
        (0, deep + 3),
        (9.5, 38),
        (13, 26),
        (9, 14),
        (0, 10.5),
    ]
    pen.both(rim)
    pen.stitch((0, 12), (10, 16), (14.5, 26), (11, 38), (2, deep))
    pen.stitch((0, 12), (-10, 16), (-14.5, 26), (-11, 38), (-2, deep))
    pen.seam((0, 4.5), (0, 10))
