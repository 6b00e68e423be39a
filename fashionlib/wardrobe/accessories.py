"""The shapes of bags, hats, socks, shoes, scarves and umbrellas; see `garments`."""

from __future__ import annotations

import numpy as np

from fashionlib.wardrobe.catalogue import Product
from fashionlib.wardrobe.draw import Pen


def _bag(pen: Pen, product: Product) -> None:
    if product.length == "long":  # a shoulder strap
        for x in (50, 110):
            pen.line((x, 120), (80 + (x - 80) * 0.5, 30), (80, 22), width=11)
        pen.piece([(36, 112), (124, 112), (128, 190), (32, 190)], rounds=1)
        pen.piece([(36, 112), (124, 112), (120, 150), (80, 160), (40, 150)], rounds=1, of="plain")
        pen.button((80, 151), 4.5)
        return
    for x, y in ((58, 64), (102, 64)):
        pen.line((x, 112), (x + (80 - x) * 0.2, y), (80, 44), width=10)
    pen.piece([(38, 104), (122, 104), (134, 200), (26, 200)], rounds=1)
    pen.line((38, 114), (122, 114), width=4)
    if product.closure == "zip":
        pen.line((42, 108), (118, 108), width=7, colour=(190, 192, 196))
    if product.pocket == "outer pocket":
        pen.piece([(54, 140), (106, 140), (108, 182), (52, 182)], rounds=0, of="plain")


def _beanie(pen: Pen, product: Product) -> None:
    if product.closure == "pompom":
        pen.piece([(80 + 17 * np.cos(a), 56 + 17 * np.sin(a) * (1 + 0.15 * (i % 2))) for i, a in
                   enumerate(np.linspace(0, 6.28, 20))], rounds=1, of="plain")
    pen.piece([(34, 158), (36, 110), (56, 74), (80, 66), (104, 74), (124, 110), (126, 158)])
    pen.ribs((42, 108), (118, 108), 38, 11)
    pen.piece([(31, 140), (129, 140), (130, 172), (30, 172)], rounds=1, of="plain")
    pen.ribs((31, 142), (129, 142), 28, 20)


def _cap(pen: Pen, product: Product) -> None:
    pen.piece([(34, 146), (36, 104), (60, 78), (88, 78), (112, 104), (116, 146)])
    pen.line((76, 78), (66, 108), (64, 146))
    pen.line((78, 78), (94, 110), (96, 146))
    pen.button((77, 79), 3.5)
    pen.piece([(84, 140), (116, 134), (146, 146), (154, 158), (118, 158), (74, 152)], of="plain")
    pen.line((34, 147), (90, 150), width=5)


def _socks(pen: Pen, product: Product) -> None:
    top = {"ankle-length": 122, "regular": 84, "knee-length": 32}[product.length]
    for shift in (-30, 16):
        leg = [(62, top), (92, top), (92, 168), (112, 186), (116, 204), (98, 212), (72, 200), (62, 176)]
        pen.piece([(x + shift, y) for x, y in leg])
        cuff = [(61, top - 2), (93, top - 2), (93, top + 13), (61, top + 13)]
        pen.piece([(x + shift, y) for x, y in cuff], rounds=0, of="plain")
        pen.ribs((61 + shift, top - 1), (93 + shift, top - 1), 13, 9)
        pen.line((104 + shift, 186), (98 + shift, 210))
        pen.line((62 + shift, 178), (80 + shift, 184), (74 + shift, 200))


def _boots(pen: Pen, product: Product) -> None:
    top = {"ankle-length": 108, "knee-length": 38}[product.length]
    pen.piece([(46, top), (88, top), (88, 150), (104, 168), (136, 178), (142, 196), (44, 196), (48, 160)])
    heel = 12 if product.fit == "fitted" else 4
    pen.solid([(44, 194), (142, 194), (142, 201), (80, 201), (70, 201 + heel), (46, 201 + heel)], (48, 42, 40))
    if product.closure == "lacing":
        for y in range(max(top + 10, 112), 166, 10):
            pen.line((66, y), (90, y + 3), width=5, colour=(240, 240, 236))
    elif product.closure == "zip":
        pen.line((58, top + 6), (60, 186), width=6, colour=(190, 192, 196))
    else:
        pen.piece([(66, max(top + 14, 122)), (80, max(top + 14, 122)), (80, 160), (66, 160)], rounds=1, of="plain")


def _sneakers(pen: Pen, product: Product) -> None:
    top = 104 if product.length == "regular" else 78
    pen.piece([(20, top + 4), (30, top), (62, top), (72, 116), (104, 132), (140, 142), (148, 164), (18, 164)])
    pen.solid([(16, 162), (150, 162), (150, 176), (22, 177), (15, 172)], (246, 246, 244), rounds=1)
    pen.piece([(116, 138), (140, 142), (147, 162), (112, 162)], rounds=1, of="plain")
    pen.piece([(20, top + 10), (36, top + 10), (40, 162), (19, 162)], rounds=1, of="plain")
    for i in range(4):
        pen.line((70 + i * 9, 122 + i * 5), (82 + i * 9, 112 + i * 6), width=6, colour=(250, 250, 248))
    pen.line((50, 158), (66, 128), (84, 158), width=6)


def _scarf(pen: Pen, product: Product) -> None:
    for x, end in ((52, 214), (86, 196)):
        pen.piece([(x, 70), (x + 28, 70), (x + 30, end), (x - 2, end)], rounds=1)
        if product.hem == "fringed":
            for f in np.linspace(0, 28, 8):
                pen.line((x + f, end - 2), (x + f, end + 14), width=4)
    pen.piece([(34, 56), (58, 34), (102, 34), (126, 56), (112, 84), (80, 94), (48, 84)])
    pen.piece([(56, 48), (80, 42), (104, 48), (80, 60)], of="lining")


def _umbrella(pen: Pen, product: Product) -> None:
    pen.line((80, 120), (80, 206), (86, 214), (94, 206), width=8)
    arc = [(80 + 66 * np.cos(a), 120 - 74 * np.sin(a)) for a in np.linspace(0, np.pi, 15)]
    pen.piece([*arc, (30, 112), (47, 120), (63, 112), (80, 120), (97, 112), (113, 120), (130, 112)], rounds=1)
    for x in (47, 80, 113):
        pen.line((80, 46), (x, 118))


SHAPES = {
    "Bag": _bag,
    "Hat/beanie": _beanie,
    "Cap/peaked": _cap,
    "Socks": _socks,
    "Boots": _boots,
    "Sneakers": _sneakers,
    "Scarf": _scarf,
    "Umbrella": _umbrella,
}
