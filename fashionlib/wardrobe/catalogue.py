"""What the wardrobe may hold: types, colours and patterns with the codes of H&M's table, and products at random.

Codes and names are those of Kaggle's articles.csv, so that columns mean the same on both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NONE = "none"


@dataclass(frozen=True)
class Product:
    """What every colour of a product shares. "none" where the type has no such thing."""

    type: str
    pattern: str
    sleeve: str
    length: str
    neckline: str
    closure: str
    pocket: str
    hem: str
    fit: str


@dataclass(frozen=True)
class Kind:
    """A product type: H&M's codes, how common it is, its price in H&M's unit, and what its products choose from."""

    number: int
    group: str
    garment_group: tuple[int, str]
    department: tuple[int, str]
    share: float
    price: float
    sleeve: tuple[str, ...] = (NONE,)
    length: tuple[str, ...] = (NONE,)
    neckline: tuple[str, ...] = (NONE,)
    closure: tuple[str, ...] = (NONE,)
    pocket: tuple[str, ...] = (NONE,)
    hem: tuple[str, ...] = (NONE,)
    fit: tuple[str, ...] = ("regular",)


UPPER, LOWER, FULL = "Garment Upper body", "Garment Lower body", "Garment Full body"
ACCESSORIES = (1019, "Accessories")
JERSEY, OUTDOOR, FITS = (1005, "Jersey Fancy"), (1007, "Outdoor"), ("fitted", "regular", "wide")
TOPS, SKIRTS = ("cropped", "regular", "long"), ("short", "knee-length", "long")

KINDS: dict[str, Kind] = {
    "T-shirt": Kind(255, UPPER, JERSEY, (7648, "Jersey"), 10, 0.012, ("short", "long"), TOPS, ("round", "v-neck"),
                    pocket=(NONE, NONE, "chest pocket"), hem=("straight", "rounded"), fit=FITS),
    "Vest top": Kind(253, UPPER, JERSEY, (8316, "Jersey"), 6, 0.010, ("sleeveless",), TOPS,
                     ("round", "v-neck", "square"), hem=("straight", "flared"), fit=("fitted", "regular")),
    "Shirt": Kind(259, UPPER, (1011, "Shirts"), (5767, "Shirt"), 8, 0.025, ("short", "long", "long"),
                  ("regular", "long"), ("collar",), ("buttons",), (NONE, "chest pocket"), ("straight", "rounded"),
                  FITS),
    "Sweater": Kind(252, UPPER, (1003, "Knitwear"), (1647, "Knitwear"), 9, 0.028, ("long",), TOPS,
                    ("round", "v-neck", "turtle"), hem=("ribbed", "straight"), fit=FITS),
    "Hoodie": Kind(308, UPPER, JERSEY, (8748, "Young Boy Jersey Fancy"), 6, 0.030, ("long",), ("cropped", "regular"),
                   ("hood",), (NONE, "zip"), ("kangaroo pocket", NONE), ("ribbed",), ("regular", "wide")),
    "Dress": Kind(265, FULL, (1013, "Dresses Ladies"), (1322, "Dress"), 11, 0.034, ("sleeveless", "short", "long"),
                  SKIRTS, ("round", "v-neck", "square", "collar"), (NONE, NONE, "buttons", "tie belt"),
                  hem=("straight", "flared", "frill")),
    "Skirt": Kind(275, LOWER, (1012, "Skirts"), (1444, "Skirt"), 6, 0.022, length=SKIRTS,
                  closure=(NONE, "buttons", "tie belt"), hem=("straight", "flared", "pleated")),
    "Trousers": Kind(272, LOWER, (1009, "Trousers"), (1722, "Trouser"), 10, 0.032, length=("ankle-length", "long"),
                     closure=("zip fly", "drawstring"), pocket=("side pockets", "leg pockets", NONE),
                     hem=("straight", "ribbed"), fit=FITS),
    "Shorts": Kind(274, LOWER, (1025, "Shorts"), (1723, "Shorts"), 6, 0.018, length=("short", "knee-length"),
                   closure=("zip fly", "drawstring"), pocket=("side pockets", "leg pockets", NONE), hem=("straight",),
                   fit=("regular", "wide")),
    "Jacket": Kind(262, UPPER, OUTDOOR, (1201, "Outwear"), 6, 0.045, ("long",), ("cropped", "regular"),
                   ("collar", "hood", "turtle"), ("zip", "zip", "buttons"), ("side pockets", "chest pocket"),
                   ("ribbed", "straight"), ("regular", "wide")),
    "Blazer": Kind(264, UPPER, (1008, "Dressed"), (1212, "Suit"), 4, 0.050, ("long",), ("regular", "long"),
                   ("lapels",), ("buttons", "double-breasted"), ("patch pockets", "side pockets"), ("straight",),
                   ("fitted", "regular")),
    "Coat": Kind(263, UPPER, OUTDOOR, (1201, "Outwear"), 4, 0.070, ("long",), ("knee-length", "long"),
                 ("lapels", "hood", "collar"), ("double-breasted", "buttons", "tie belt"),
                 ("side pockets", "patch pockets"), ("straight", "flared")),
    "Bag": Kind(66, "Accessories", ACCESSORIES, (3209, "Bags"), 4, 0.027, length=("short", "long"),
                closure=(NONE, "zip"), pocket=(NONE, "outer pocket")),
    "Hat/beanie": Kind(75, "Accessories", ACCESSORIES, (2950, "Baby Toys/Acc"), 3, 0.011, closure=(NONE, "pompom")),
    "Cap/peaked": Kind(69, "Accessories", ACCESSORIES, (9985, "Accessories"), 3, 0.012),
    "Socks": Kind(302, "Socks & Tights", (1021, "Socks and Tights"), (6541, "Baby Socks"), 4, 0.006,
                  length=("ankle-length", "regular", "knee-length")),
    "Boots": Kind(87, "Shoes", (1020, "Shoes"), (3529, "Boots"), 3, 0.055, length=("ankle-length", "knee-length"),
                  closure=("lacing", "zip", NONE), fit=("regular", "fitted")),
    "Sneakers": Kind(94, "Shoes", (1020, "Shoes"), (3828, "Sneakers"), 4, 0.036, length=("regular", "ankle-length"),
                     closure=("lacing",)),
    "Scarf": Kind(80, "Accessories", ACCESSORIES, (3409, "Scarves"), 2, 0.016, hem=("straight", "fringed")),
    "Polo shirt": Kind(257, UPPER, JERSEY, (5831, "Jersey Fancy"), 0.4, 0.020, ("short",), ("regular",), ("collar",),
                       ("half buttons",), hem=("straight",), fit=("fitted", "regular")),
    "Umbrella": Kind(83, "Accessories", ACCESSORIES, (3419, "Other items"), 0.2, 0.020),
}  # fmt: skip

PLAIN_TYPES = ("Sneakers", "Boots", "Blazer")  # their products are seldom printed
SHARES = {"solid": 0.40, "stripe": 0.14, "dot": 0.08, "check": 0.10, "flower": 0.10, "animal": 0.05, "camouflage": 0.03,
          "melange": 0.06, "block": 0.04}  # fmt: skip
APPEARANCE = {"solid": (1010016, "Solid"), "stripe": (1010017, "Stripe"), "dot": (1010006, "Dot"),
              "check": (1010004, "Check"), "flower": (1010001, "All over pattern"),
              "animal": (1010001, "All over pattern"), "camouflage": (1010001, "All over pattern"),
              "melange": (1010010, "Melange"), "block": (1010005, "Colour blocking")}  # fmt: skip

# colour -> share, colour group, perceived value, perceived master
SHADES: dict[str, tuple[float, tuple[int, str], tuple[int, str], tuple[int, str]]] = {
    "black": (20, (9, "Black"), (4, "Dark"), (5, "Black")),
    "navy": (11, (73, "Dark Blue"), (4, "Dark"), (2, "Blue")),
    "white": (10, (10, "White"), (3, "Light"), (9, "White")),
    "gray": (7, (7, "Grey"), (2, "Medium Dusty"), (12, "Grey")),
    "beige": (7, (13, "Beige"), (1, "Dusty Light"), (11, "Beige")),
    "pink": (6, (52, "Pink"), (5, "Bright"), (4, "Pink")),
    "blue": (6, (72, "Blue"), (5, "Bright"), (2, "Blue")),
    "red": (5, (42, "Red"), (5, "Bright"), (18, "Red")),
    "khaki": (5, (19, "Greenish Khaki"), (2, "Medium Dusty"), (20, "Khaki green")),
    "green": (4, (92, "Green"), (5, "Bright"), (19, "Green")),
    "burgundy": (4, (43, "Dark Red"), (4, "Dark"), (18, "Red")),
    "brown": (4, (17, "Yellowish Brown"), (2, "Medium Dusty"), (13, "Brown")),
    "yellow": (4, (22, "Yellow"), (5, "Bright"), (8, "Yellow")),
    "orange": (3, (32, "Orange"), (5, "Bright"), (3, "Orange")),
    "coral": (3, (41, "Light Red"), (3, "Light"), (18, "Red")),
    "mint": (3, (91, "Light Green"), (1, "Dusty Light"), (19, "Green")),
    "purple": (3, (62, "Purple"), (5, "Bright"), (6, "Lilac Purple")),
}
# index code, index, index group, section
INDICES = {
    "A": ("Ladieswear", (1, "Ladieswear"), (15, "Womens Everyday Collection")),
    "B": ("Lingeries/Tights", (1, "Ladieswear"), (62, "Womens Nightwear, Socks & Tigh")),
    "C": ("Ladies Accessories", (1, "Ladieswear"), (65, "Womens Big accessories")),
    "D": ("Divided", (2, "Divided"), (53, "Divided Collection")),
    "F": ("Menswear", (3, "Menswear"), (21, "Contemporary Casual")),
}


def index_of(kind: str, rng: np.random.Generator) -> str:
    """The index code of a new product of that type."""
    if KINDS[kind].group in ("Accessories", "Shoes"):
        return "C"
    if kind == "Socks":
        return "B"
    return str(rng.choice(["A", "D"] if kind in ("Dress", "Skirt", "Vest top") else ["A", "D", "F"]))


def product(kind: str, rng: np.random.Generator) -> Product:
    """A product of that type, each property drawn from what the type allows."""
    allowed = KINDS[kind]
    names, shares = list(SHARES), np.array(list(SHARES.values()))
    if kind in PLAIN_TYPES:
        shares[1:] /= 3
    pattern = str(rng.choice(names, p=shares / shares.sum()))
    parts = ("sleeve", "length", "neckline", "closure", "pocket", "hem", "fit")
    return Product(kind, pattern, *(str(rng.choice(getattr(allowed, part))) for part in parts))


def types(count: int, rng: np.random.Generator) -> list[str]:
    """`count` product types: every type at least once if there is room, the rest by their shares; shuffled."""
    shares = np.array([k.share for k in KINDS.values()])
    common = sorted(KINDS, key=lambda k: -KINDS[k].share)[:count]
    rest = rng.choice(list(KINDS), count - len(common), p=shares / shares.sum())
    return [str(k) for k in rng.permutation([*common, *rest])]
