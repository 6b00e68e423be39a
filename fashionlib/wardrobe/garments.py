"""The shapes of garments: one function per family, each laying pieces with a `Pen` from back to front."""

from __future__ import annotations

import numpy as np
from PIL import Image

from fashionlib.wardrobe import accessories
from fashionlib.wardrobe.catalogue import Product
from fashionlib.wardrobe.draw import COLOURS, SHEET, Pen, Point, mirror

TOP_HEM = {"cropped": 136, "regular": 168, "long": 194}
DRESS_HEM = {"short": 166, "knee-length": 190, "long": 226}
COAT_HEM = {"regular": 172, "knee-length": 204, "long": 228}
SKIRT_HEM = {"short": 132, "knee-length": 172, "long": 222}
WIDTH = {"fitted": 0.88, "regular": 1.0, "wide": 1.16}


def picture(product: Product, colour: str, rng: np.random.Generator, size: tuple[int, int] = SHEET) -> Image.Image:
    """The shop photo of one article: (width, height) pixels, RGB."""
    pen = Pen(COLOURS[colour], product.pattern, rng)
    SHAPES[product.type](pen, product)
    return pen.finish(size, rng)


def _top(pen: Pen, product: Product) -> None:
    """T-shirts, shirts, sweaters, jackets, coats: sleeves, body, hem, neck, front."""
    lengths = COAT_HEM if product.type == "Coat" else TOP_HEM
    hem, wide = lengths[product.length], WIDTH[product.fit]
    chest = 33 * wide
    foot = chest * {"flared": 1.32, "straight": 1.0, "ribbed": 0.94, "rounded": 1.0}[product.hem]
    if product.neckline == "hood":
        pen.piece([(58, 56), (54, 30), (66, 14), (94, 14), (106, 30), (102, 56)])
    _sleeves(pen, product, chest)
    side = [*_armhole(product), (80 + chest - 3, 76), (80 + chest, 90), (80 + foot, hem - 4), (80 + foot, hem)]
    bottom = [(80 + foot - 5, hem + 1)]
    if product.hem == "rounded":
        side, bottom = side[:-2], [(80 + foot, hem - 16), (80 + foot * 0.62, hem + 9)]
    pen.piece([*side, *bottom, *mirror(bottom[::-1]), *mirror(side[::-1]), *_scoop(product)])
    if product.hem == "ribbed":
        trim = [(80 - foot, hem - 9), (80 + foot, hem - 9), (80 + foot * 0.94, hem + 3), (80 - foot * 0.94, hem + 3)]
        pen.piece(trim, rounds=1, of="plain")
        pen.ribs((80 - foot, hem - 9), (80 + foot, hem - 9), 11, 22)
    _neck(pen, product)
    _front(pen, product, hem - 4)
    _pockets(pen, product, hem)


def _armhole(product: Product) -> list[Point]:
    """The body's right edge from neck to armpit: narrow straps without sleeves."""
    if product.sleeve == "sleeveless":
        return [(92, 38), (99, 39), (100, 50), (97, 66), (102, 76)]
    return [(91, 43), (111, 50)]


def _scoop(product: Product) -> list[Point]:
    """The neck between two straps, from left to right."""
    if product.sleeve != "sleeveless":
        return []
    return {"round": [(69, 56), (91, 56)], "v-neck": [(71, 46), (80, 76), (89, 46)],
            "square": [(68, 62), (69, 64), (91, 64), (92, 62)]}.get(product.neckline, [])  # fmt: skip


def _sleeves(pen: Pen, product: Product, chest: float) -> None:
    if product.sleeve == "short":
        pen.both([(107, 47), (117, 56), (139, 90), (121, 101), (80 + chest, 84), (100, 60)])
    elif product.sleeve == "long":
        pen.both([(107, 47), (118, 57), (130, 100), (143, 160), (127, 165), (80 + chest, 90), (100, 60)])
        if product.hem == "ribbed" or product.type == "Shirt":
            pen.both([(142, 154), (144, 166), (126, 171), (125, 158)], rounds=1, of="plain")


def _neck(pen: Pen, product: Product) -> None:
    neck = product.neckline
    if _scoop(product):
        return
    if neck in ("round", "hood"):
        pen.piece([(67, 41), (70, 54), (80, 59), (90, 54), (93, 41), (80, 43)], of="lining")
        pen.line((67, 44), (69, 56), (80, 63), (91, 56), (93, 44))
    elif neck == "v-neck":
        pen.piece([(67, 41), (80, 76), (93, 41), (80, 44)], rounds=1, of="lining")
        pen.line((64, 44), (80, 81), (96, 44))
    elif neck == "square":
        pen.piece([(63, 42), (64, 66), (96, 66), (97, 42)], rounds=1, of="lining")
    elif neck == "turtle":
        pen.piece([(67, 50), (68, 28), (92, 28), (93, 50), (80, 55)], rounds=1)
        pen.ribs((68, 30), (92, 30), 20, 8)
    elif neck == "collar":
        pen.piece([(68, 38), (80, 60), (92, 38), (80, 42)], rounds=1, of="lining")
        pen.both([(70, 34), (62, 47), (70, 64), (80, 55)], rounds=0)
    elif neck == "lapels":
        pen.piece([(67, 40), (80, 112), (93, 40), (80, 43)], rounds=0, of="lining")
        pen.both([(70, 36), (59, 58), (66, 62), (59, 68), (79, 114), (70, 62)], rounds=0, of="plain")
    if neck == "hood":
        pen.piece([(66, 50), (62, 32), (70, 22), (90, 22), (98, 32), (94, 50), (80, 58)], of="lining")
        for x in (74, 86):
            pen.line((x, 58), (x, 84), width=5, colour=(240, 240, 236))


def _front(pen: Pen, product: Product, hem: float) -> None:
    start = {"lapels": 112, "v-neck": 78, "collar": 58}.get(product.neckline, 60)
    if product.closure == "buttons":
        pen.line((80, start), (80, hem + 4))
        for y in np.linspace(start + 6, hem - 8, 3 if product.neckline == "lapels" else 6):
            pen.button((80, y), 2.0)
    elif product.closure == "half buttons":
        pen.line((77, 58), (77, 90), (83, 90), (83, 58))
        for y in (66, 76, 86):
            pen.button((80, y), 1.5)
    elif product.closure == "double-breasted":
        pen.line((88, start - 6), (88, hem + 4))
        for y in np.linspace(start + 8, min(hem - 12, start + 52), 3):
            pen.button((70, y), 2.6)
            pen.button((90, y), 2.6)
    elif product.closure == "zip":
        pen.line((80, start - 2), (80, hem + 4), width=10, colour=(196, 198, 202))
        pen.line((80, start - 2), (80, hem + 4), width=3, colour=(70, 72, 76))
        pen.solid([(78, start + 4), (82, start + 4), (82, start + 12), (78, start + 12)], (220, 200, 120))
    elif product.closure == "tie belt":
        pen.piece([(44, 122), (116, 122), (116, 131), (44, 131)], rounds=0, of="plain")
        pen.piece([(78, 128), (88, 128), (96, 158), (86, 160)], rounds=0, of="plain")


def _pockets(pen: Pen, product: Product, hem: float) -> None:
    if product.pocket == "chest pocket":
        pen.piece([(88, 82), (104, 82), (104, 96), (96, 101), (88, 96)], rounds=0)
    elif product.pocket == "kangaroo pocket":
        pen.piece([(64, hem - 40), (96, hem - 40), (106, hem - 12), (54, hem - 12)], rounds=0)
    elif product.pocket == "patch pockets":
        pen.both([(88, hem - 44), (106, hem - 44), (106, hem - 20), (88, hem - 20)], rounds=0)
    elif product.pocket == "side pockets":
        for points in ([(102, hem - 52), (94, hem - 26)], mirror([(102, hem - 52), (94, hem - 26)])):
            pen.line(*points, width=7)


def _dress(pen: Pen, product: Product) -> None:
    hem, wide = DRESS_HEM[product.length], WIDTH[product.fit]
    _sleeves(pen, product, 29)
    foot = {"flared": 56, "straight": 35, "frill": 46}[product.hem] * wide
    side = [*_armhole(product), (107, 76), (109, 88), (104, 116), (80 + foot, hem - 4), (80 + foot, hem)]
    pen.piece([*side, (80, hem + 4), *mirror(side[::-1]), *_scoop(product)])
    if product.hem == "frill":
        wave = [(80 + foot * (1 - s), hem + (10 if i % 2 else 4)) for i, s in enumerate(np.linspace(0, 2, 13))]
        pen.piece([(80 - foot * 0.97, hem - 14), (80 + foot * 0.97, hem - 14), *wave], rounds=1, of="plain")
    pen.line((56, 117), (80, 119), (104, 117), width=4)
    if product.hem == "flared":
        for x in (-0.55, -0.2, 0.2, 0.55):
            pen.line((80 + x * 30, 122), (80 + x * foot, hem - 3), width=2)
    _neck(pen, product)
    _front(pen, product, 114 if product.closure == "buttons" else hem)


def _skirt(pen: Pen, product: Product) -> None:
    hem, wide = SKIRT_HEM[product.length], WIDTH[product.fit]
    foot = {"flared": 60, "straight": 36, "pleated": 54}[product.hem] * wide
    side = [(106, 54), (113, 84), (80 + foot, hem)]
    pen.piece([*side, (80, hem + 4), *mirror(side[::-1])], rounds=1)
    count = {"flared": 4, "straight": 0, "pleated": 11}[product.hem]
    for share in np.linspace(-0.8, 0.8, count) if count else ():
        pen.line((80 + share * 27, 62), (80 + share * foot, hem), width=4 if product.hem == "pleated" else 2)
    pen.piece([(54, 46), (106, 46), (107, 57), (53, 57)], rounds=0, of="plain")
    if product.closure == "buttons":
        pen.line((80, 57), (80, hem + 2))
        for y in np.linspace(64, hem - 8, 6):
            pen.button((80, y), 2.0)
    elif product.closure == "tie belt":
        pen.line((80, 52), (72, 78), width=8)
        pen.line((80, 52), (90, 76), width=8)


def _trousers(pen: Pen, product: Product) -> None:
    short = product.type == "Shorts"
    top, crotch = (62, 116) if short else (24, 88)
    hem = {"short": 142, "knee-length": 172, "ankle-length": 202, "long": 228}[product.length]
    leg = {"fitted": 15, "regular": 21, "wide": 30}[product.fit] + (10 if short else 0)
    x = 98 + leg * 0.25
    side = [(109, top), (117, crotch - 8), (x + leg * 0.62, hem), (x - leg * 0.5, hem)]
    pen.piece([*side, (80, crotch), *mirror(side[::-1])], rounds=1)
    if product.hem == "ribbed":
        left, right = x - leg * 0.5, x + leg * 0.6
        cuff = [(right, hem - 8), (right - 1, hem + 2), (left + 1, hem + 2), (left, hem - 8)]
        pen.both(cuff, rounds=0, of="plain")
    pen.piece([(51, top - 5), (109, top - 5), (110, top + 5), (50, top + 5)], rounds=0, of="plain")
    pen.line((80, top + 5), (80, crotch))
    if product.closure == "drawstring":
        pen.line((78, top + 2), (72, top + 24), width=5, colour=(240, 240, 236))
        pen.line((82, top + 2), (89, top + 22), width=5, colour=(240, 240, 236))
    else:
        pen.button((80, top), 2.2)
        pen.line((80, top + 6), (86, top + 24), (80, top + 30))
    if product.pocket == "side pockets":
        for points in ([(98, top + 6), (113, top + 24)], mirror([(98, top + 6), (113, top + 24)])):
            pen.line(*points, width=4)
    elif product.pocket == "leg pockets":
        y = crotch + (6 if short else 26)
        left, right = x - leg * 0.1, x + leg * 0.62
        pen.both([(left, y), (right, y), (right, y + 22), (left, y + 22)], rounds=0, of="plain")


SHAPES = {
    "T-shirt": _top,
    "Vest top": _top,
    "Shirt": _top,
    "Polo shirt": _top,
    "Sweater": _top,
    "Hoodie": _top,
    "Jacket": _top,
    "Blazer": _top,
    "Coat": _top,
    "Dress": _dress,
    "Skirt": _skirt,
    "Trousers": _trousers,
    "Shorts": _trousers,
    **accessories.SHAPES,
}
