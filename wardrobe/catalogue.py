"""What the wardrobe may hold: Thesis B's garments and some accessories.

Codes and names are those of H&M's table (Kaggle's articles.csv), so that columns mean
the same on both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from fashionlib.labelling.attribute_schema import (
    ATTRIBUTES,
    DETAILS,
    NONE,
    SUBCATEGORIES,
)

ACCESSORY = "accessory"
FITS = ("fitted", "regular", "wide")
Closure = tuple[str, str]  # zip_up, button
OPEN = (NONE, NONE)
HALF_ZIP, FULL_ZIP = ("half", NONE), ("full", NONE)
HALF_BUTTON, FULL_BUTTON = (NONE, "half"), (NONE, "full")


@dataclass(frozen=True)
class Garment:
    """What every colour of a product shares: Thesis B's attributes and the fit.

    A value is "none" where the garment has no such thing.
    """

    category: str  # a key of schema.SUBCATEGORIES, or "accessory"
    subcategory: str  # a key of KINDS
    tone: str
    total_length: str
    sleeve_length: str
    fabric: str
    pattern: str
    zip_up: str
    button: str
    neckline: str
    shoulder: str
    fit: str
    details: tuple[str, ...]  # of schema.DETAILS, in their order
    motif: int = 0  # one of many: how its pattern falls and what its print shows

    def __getitem__(self, attribute: str) -> str:
        return getattr(self, attribute)

    def record(self, colour: str) -> dict[str, Any]:
        """Return the garment in one colour as a record, as `labelling` has it."""
        names = ["category", "subcategory", *ATTRIBUTES]
        record = {name: self[name] for name in names if name != "colour"}
        details = {detail: detail in self.details for detail in DETAILS}
        return record | {"colour": [colour]} | details


@dataclass(frozen=True)
class Kind:
    """A subcategory: H&M's type and codes, and what a product of it chooses from.

    `share` is its share of products, `price` a usual price in H&M's unit.
    """

    type: str
    share: float
    price: float
    fabrics: tuple[str, ...]
    patterns: tuple[str, ...]
    lengths: tuple[str, ...] = (NONE,)
    sleeves: tuple[str, ...] = (NONE,)
    closures: tuple[Closure, ...] = (OPEN,)
    necklines: tuple[str, ...] = (NONE,)
    shoulders: tuple[str, ...] = (NONE,)
    fits: tuple[str, ...] = ("regular",)
    has: frozenset[str] = field(default_factory=frozenset)  # details that each has
    may: frozenset[str] = field(default_factory=frozenset)  # one in three has them


UPPER, FULL, LOWER = "Garment Upper body", "Garment Full body", "Garment Lower body"
ACCESSORIES = (1019, "Accessories")
JERSEY = (1005, "Jersey Fancy")
KNITWEAR = (1003, "Knitwear")
OUTDOOR = (1007, "Outdoor")
TROUSERS = (1009, "Trousers")
DRESSES, SHOES = (1013, "Dresses Ladies"), (1020, "Shoes")

# H&M's product types: number, product group, garment group, department.
TYPES: Mapping[str, tuple[int, str, tuple[int, str], tuple[int, str]]] = {
    "T-shirt": (255, UPPER, JERSEY, (7648, "Kids Boy Jersey Fancy")),
    "Vest top": (253, UPPER, JERSEY, (8316, "Ladies Sport Bras")),
    "Shirt": (259, UPPER, (1011, "Shirts"), (5767, "Shirt")),
    "Blouse": (258, UPPER, (1010, "Blouses"), (1522, "Blouse")),
    "Cardigan": (245, UPPER, KNITWEAR, (1647, "Tops Knitwear")),
    "Sweater": (252, UPPER, KNITWEAR, (1647, "Tops Knitwear")),
    "Hoodie": (308, UPPER, JERSEY, (8748, "Young Boy Jersey Fancy")),
    "Outdoor Waistcoat": (261, UPPER, OUTDOOR, (7812, "Kids Girl Outdoor")),
    "Jacket": (262, UPPER, OUTDOOR, (1201, "Outwear")),
    "Blazer": (264, UPPER, (1008, "Dressed"), (1212, "Suit")),
    "Coat": (263, UPPER, OUTDOOR, (1201, "Outwear")),
    "Dress": (265, FULL, DRESSES, (1322, "Dress")),
    "Jumpsuit/Playsuit": (267, FULL, DRESSES, (1344, "Dresses")),
    "Dungarees": (268, FULL, (1016, "Trousers Denim"), (6557, "Baby Exclusive")),
    "Trousers": (272, LOWER, TROUSERS, (1722, "Trouser")),
    "Shorts": (274, LOWER, (1025, "Shorts"), (1723, "Shorts")),
    "Skirt": (275, LOWER, (1012, "Skirts"), (1444, "Skirts")),
    "Bag": (66, "Accessories", ACCESSORIES, (3209, "Bags")),
    "Hat/beanie": (75, "Accessories", ACCESSORIES, (2950, "Baby Toys/Acc")),
    "Cap/peaked": (69, "Accessories", ACCESSORIES, (9985, "Accessories")),
    "Scarf": (80, "Accessories", ACCESSORIES, (3409, "Scarves")),
    "Umbrella": (83, "Accessories", ACCESSORIES, (3419, "Other items")),
    "Socks": (302, "Socks & Tights", (1021, "Socks and Tights"), (6541, "Baby Socks")),
    "Boots": (87, "Shoes", SHOES, (3529, "Boots")),
    "Sneakers": (94, "Shoes", SHOES, (3828, "Sneakers")),
}

# How common a pattern is among the kinds that may have it.
PATTERN_SHARES: Mapping[str, float] = {
    "solid": 8,
    "stripe": 2.5,
    "check": 2,
    "flower": 2,
    "dot": 1.5,
    "lettering": 1,
    "graphic": 1,
    "cable": 1.5,
    "argyle": 0.8,
    "washed": 1.5,
    "pattern/jacquard": 1,
    "animal": 1,
    "camouflage": 0.6,
    "checkerboard": 0.6,
    "other": 0.8,
}
PRINTS = (
    "solid",
    "dot",
    "check",
    "stripe",
    "flower",
    "animal",
    "pattern/jacquard",
    "checkerboard",
    "camouflage",
    "other",
)
# of jersey and sweatshirts
WORN = (
    "solid",
    "stripe",
    "lettering",
    "graphic",
    "camouflage",
    "washed",
    "other",
)
KNITTED = ("solid", "cable", "stripe", "argyle", "pattern/jacquard", "other")
CLOTH = ("solid", "check", "stripe")
HARDY = ("solid", "washed", "camouflage", "check", "other")
TOP_LENGTHS = ("belly", "waist", "hip")
KNITS = ("cotton knit", "wool knit")
TAILORED = ("wool woven/tweed", "linen")
LIGHT = ("cotton", "linen", "silk/chiffon", "polyester/nylon")
ANY_NECK = (
    "round",
    "square",
    "v-line",
    "sweetheart",
    "slit",
    "halter",
    "turtle",
    "boat",
)
BARE = ("normal", "normal", "normal", "off-shoulder", "one-shoulder")
D = frozenset

KINDS: Mapping[str, Kind] = {
    "t-shirt": Kind(
        "T-shirt",
        10,
        0.012,
        ("cotton", "cotton knit", "polyester/nylon"),
        (*WORN, "dot", "flower"),
        TOP_LENGTHS,
        ("short", "short", "long"),
        (OPEN, OPEN, OPEN, HALF_BUTTON),
        ("round", "v-line", "square", "boat"),
        BARE,
        FITS,
        may=D({"pocket", "lace"}),
    ),
    "sleeveless": Kind(
        "Vest top",
        6,
        0.010,
        ("cotton", "cotton knit", "corduroy/ribbed", "silk/chiffon"),
        PRINTS,
        TOP_LENGTHS,
        ("sleeveless",),
        (OPEN,),
        ("round", "v-line", "square", "halter", "sweetheart", "slit"),
        ("normal", "normal", "normal", "one-shoulder"),
        ("fitted", "regular"),
        may=D({"lace", "ruffle"}),
    ),
    "shirt": Kind(
        "Shirt",
        7,
        0.025,
        ("cotton", "linen", "seersucker", "denim", "cotton woven/tweed"),
        PRINTS,
        ("waist", "hip"),
        ("short", "long", "long"),
        (FULL_BUTTON,),
        ("v-line",),
        ("normal",),
        FITS,
        has=D({"collar"}),
        may=D({"pocket", "pintuck"}),
    ),
    "blouse": Kind(
        "Blouse",
        6,
        0.025,
        LIGHT,
        PRINTS,
        ("waist", "hip"),
        ("sleeveless", "short", "long"),
        (OPEN, OPEN, HALF_BUTTON, FULL_BUTTON),
        ANY_NECK,
        BARE,
        ("regular", "wide"),
        may=D({"ribbon", "ruffle", "lace", "pintuck", "see-through"}),
    ),
    "cardigan": Kind(
        "Cardigan",
        5,
        0.028,
        KNITS,
        KNITTED,
        TOP_LENGTHS,
        ("short", "long", "long"),
        (FULL_BUTTON, FULL_BUTTON, FULL_ZIP),
        ("v-line", "round"),
        ("normal",),
        FITS,
        may=D({"pocket", "ribbon"}),
    ),
    "sweater": Kind(
        "Sweater",
        8,
        0.028,
        (*KNITS, "corduroy/ribbed"),
        KNITTED,
        TOP_LENGTHS,
        ("long",),
        (OPEN, OPEN, OPEN, HALF_ZIP),
        ("round", "v-line", "turtle", "boat"),
        ("normal", "normal", "normal", "off-shoulder"),
        FITS,
    ),
    "sweatshirt": Kind(
        "Hoodie",
        6,
        0.030,
        ("cotton", "fleece", "polyester/nylon"),
        WORN,
        ("belly", "hip"),
        ("long",),
        (OPEN, OPEN, HALF_ZIP, FULL_ZIP),
        ("round",),
        ("normal",),
        ("regular", "wide"),
        has=D({"hood", "string"}),
        may=D({"pocket"}),
    ),
    "vest": Kind(
        "Outdoor Waistcoat",
        2,
        0.030,
        ("down", "fleece", "wool knit", "denim"),
        ("solid", "check", "other"),
        ("waist", "hip"),
        ("sleeveless",),
        (FULL_ZIP, FULL_BUTTON),
        ("v-line", "round"),
        ("normal",),
        ("regular", "wide"),
        may=D({"pocket", "hood"}),
    ),
    "bomber jacket": Kind(
        "Jacket",
        2,
        0.045,
        ("polyester/nylon", "leather", "suede"),
        HARDY,
        ("waist", "hip"),
        ("long",),
        (FULL_ZIP,),
        ("round",),
        ("normal",),
        ("regular", "wide"),
        has=D({"waist banding"}),
        may=D({"pocket"}),
    ),
    "varsity jacket": Kind(
        "Jacket",
        2,
        0.045,
        ("wool woven/tweed", "polyester/nylon"),
        ("lettering", "solid"),
        ("waist", "hip"),
        ("long",),
        (FULL_BUTTON,),
        ("round",),
        ("normal",),
        ("regular", "wide"),
        has=D({"waist banding", "pocket"}),
    ),
    "anorak jacket": Kind(
        "Jacket",
        2,
        0.045,
        ("polyester/nylon", "cotton"),
        HARDY,
        ("hip", "thigh"),
        ("long",),
        (HALF_ZIP,),
        ("round",),
        ("normal",),
        ("regular", "wide"),
        has=D({"hood", "pocket"}),
        may=D({"string"}),
    ),
    "down jacket": Kind(
        "Jacket",
        2,
        0.060,
        ("down",),
        ("solid", "solid", "camouflage", "other"),
        ("waist", "hip", "thigh"),
        ("long",),
        (FULL_ZIP,),
        ("turtle",),
        ("normal",),
        ("regular", "wide"),
        may=D({"hood", "pocket"}),
    ),
    "jacket": Kind(
        "Jacket",
        3,
        0.045,
        ("denim", "leather", "suede", "corduroy/ribbed", "fleece"),
        HARDY,
        ("waist", "hip"),
        ("long",),
        (FULL_ZIP, FULL_BUTTON),
        ("v-line",),
        ("normal",),
        ("regular", "wide"),
        has=D({"collar"}),
        may=D({"pocket"}),
    ),
    "blazer": Kind(
        "Blazer",
        4,
        0.050,
        (*TAILORED, "velvet/velveteen", "cotton woven/tweed"),
        CLOTH,
        ("hip", "thigh"),
        ("long",),
        (FULL_BUTTON,),
        ("v-line",),
        ("normal",),
        FITS,
        has=D({"collar"}),
        may=D({"pocket"}),
    ),
    "coat": Kind(
        "Coat",
        3,
        0.070,
        ("wool woven/tweed", "fur", "cotton", "cotton woven/tweed"),
        CLOTH,
        ("thigh", "knee", "shin"),
        ("long",),
        (FULL_BUTTON, FULL_BUTTON, FULL_ZIP),
        ("v-line",),
        ("normal",),
        ("regular", "wide"),
        has=D({"collar"}),
        may=D({"pocket", "string"}),
    ),
    "long dress": Kind(
        "Dress",
        4,
        0.036,
        (*LIGHT, "velvet/velveteen"),
        PRINTS,
        ("shin", "ankle", "floor"),
        ("sleeveless", "short", "long"),
        (OPEN,),
        ANY_NECK,
        BARE,
        ("fitted", "regular", "wide"),
        may=D({"ruffle", "lace", "ribbon", "see-through"}),
    ),
    "mini dress": Kind(
        "Dress",
        4,
        0.030,
        (*LIGHT, "denim", "velvet/velveteen"),
        PRINTS,
        ("thigh", "knee"),
        ("sleeveless", "short", "long"),
        (OPEN, OPEN, HALF_BUTTON),
        ANY_NECK,
        BARE,
        FITS,
        may=D({"ruffle", "lace", "ribbon", "pintuck", "pocket"}),
    ),
    "shirt dress": Kind(
        "Dress",
        3,
        0.034,
        ("cotton", "linen", "seersucker", "denim"),
        PRINTS,
        ("thigh", "knee", "shin"),
        ("short", "long"),
        (FULL_BUTTON,),
        ("v-line",),
        ("normal",),
        ("regular", "wide"),
        has=D({"collar"}),
        may=D({"pocket", "string"}),
    ),
    "overall dress": Kind(
        "Dress",
        2,
        0.032,
        ("denim", "corduroy/ribbed", "cotton"),
        HARDY,
        ("thigh", "knee", "shin"),
        ("sleeveless",),
        (OPEN,),
        ("square",),
        ("normal",),
        ("regular",),
        has=D({"pocket"}),
    ),
    "jumpsuit": Kind(
        "Jumpsuit/Playsuit",
        3,
        0.036,
        ("cotton", "linen", "denim", "polyester/nylon"),
        PRINTS,
        ("ankle",),
        ("sleeveless", "short", "long"),
        (FULL_ZIP, FULL_BUTTON, HALF_BUTTON),
        ("v-line", "round", "square"),
        ("normal",),
        ("regular", "wide"),
        may=D({"pocket", "string"}),
    ),
    "sweatpants": Kind(
        "Trousers",
        3,
        0.024,
        ("cotton", "fleece", "polyester/nylon"),
        ("solid", "stripe", "lettering", "camouflage"),
        ("ankle",),
        fits=("regular", "wide"),
        has=D({"waist banding", "string"}),
        may=D({"pocket"}),
    ),
    "slacks": Kind(
        "Trousers",
        3,
        0.034,
        ("wool woven/tweed", "linen", "polyester/nylon"),
        CLOTH,
        ("ankle", "floor"),
        closures=((NONE, "half"),),
        fits=("fitted", "regular"),
        may=D({"pocket", "pintuck"}),
    ),
    "cargo pants": Kind(
        "Trousers",
        2,
        0.034,
        ("cotton", "polyester/nylon"),
        ("solid", "camouflage", "washed"),
        ("ankle",),
        closures=(HALF_ZIP,),
        fits=("regular", "wide"),
        has=D({"pocket"}),
        may=D({"string"}),
    ),
    "cigarette pants": Kind(
        "Trousers",
        2,
        0.030,
        ("cotton", "polyester/nylon", "leather"),
        CLOTH,
        ("shin", "ankle"),
        closures=(HALF_ZIP,),
        fits=("fitted",),
        may=D({"pocket"}),
    ),
    "boots cut pants": Kind(
        "Trousers",
        2,
        0.032,
        ("denim", "cotton", "velvet/velveteen"),
        ("solid", "washed"),
        ("ankle", "floor"),
        closures=(HALF_ZIP,),
        fits=("fitted",),
        may=D({"pocket"}),
    ),
    "baggy pants": Kind(
        "Trousers",
        2,
        0.034,
        ("denim", "corduroy/ribbed", "cotton"),
        HARDY,
        ("ankle", "floor"),
        closures=(HALF_ZIP,),
        fits=("wide",),
        may=D({"pocket"}),
    ),
    "straight pants": Kind(
        "Trousers",
        4,
        0.032,
        ("denim", "cotton", "corduroy/ribbed", "linen"),
        ("solid", "washed", "check", "stripe"),
        ("ankle",),
        closures=(HALF_ZIP, (NONE, "half")),
        fits=("regular",),
        may=D({"pocket"}),
    ),
    "harem pants": Kind(
        "Trousers",
        1.5,
        0.026,
        ("cotton", "linen", "silk/chiffon"),
        PRINTS,
        ("shin", "ankle"),
        fits=("wide",),
        has=D({"waist banding"}),
        may=D({"string"}),
    ),
    "overall pants": Kind(
        "Dungarees",
        0.3,
        0.036,
        ("denim", "corduroy/ribbed", "cotton"),
        HARDY,
        ("ankle",),
        fits=("regular",),
        has=D({"pocket"}),
    ),
    "shorts": Kind(
        "Shorts",
        4,
        0.018,
        ("cotton", "denim", "linen", "polyester/nylon"),
        PRINTS,
        ("thigh",),
        closures=(OPEN, HALF_ZIP),
        fits=FITS,
        may=D({"pocket", "string", "waist banding"}),
    ),
    "bermuda pants": Kind(
        "Shorts",
        3,
        0.022,
        ("cotton", "denim", "linen"),
        (*CLOTH, "washed", "camouflage"),
        ("knee",),
        closures=(HALF_ZIP, (NONE, "half")),
        fits=("regular", "wide"),
        may=D({"pocket"}),
    ),
    "long skirt": Kind(
        "Skirt",
        2,
        0.028,
        (*LIGHT, "denim"),
        PRINTS,
        ("shin", "ankle", "floor"),
        fits=("regular",),
        may=D({"waist banding", "ruffle"}),
    ),
    "flare skirt": Kind(
        "Skirt",
        2,
        0.024,
        (*LIGHT, "suede"),
        PRINTS,
        ("thigh", "knee"),
        fits=("wide",),
        may=D({"lace", "ruffle", "ribbon"}),
    ),
    "pleated skirt": Kind(
        "Skirt",
        2,
        0.026,
        ("polyester/nylon", "wool woven/tweed", "silk/chiffon"),
        CLOTH,
        ("thigh", "knee", "shin"),
        fits=("wide",),
        has=D({"pintuck"}),
    ),
    "mini skirt": Kind(
        "Skirt",
        2,
        0.020,
        ("denim", "leather", "corduroy/ribbed", "wool woven/tweed", "suede"),
        HARDY,
        ("thigh",),
        closures=(OPEN, FULL_BUTTON, HALF_ZIP),
        fits=("fitted",),
        may=D({"pocket"}),
    ),
    "balloon skirt": Kind(
        "Skirt",
        1.5,
        0.026,
        ("polyester/nylon", "cotton", "silk/chiffon"),
        ("solid", "flower", "dot"),
        ("thigh", "knee"),
        fits=("wide",),
        may=D({"ribbon", "waist banding"}),
    ),
    "slit skirt": Kind(
        "Skirt",
        1.5,
        0.026,
        ("polyester/nylon", "wool woven/tweed", "velvet/velveteen"),
        PRINTS,
        ("knee", "shin", "ankle"),
        fits=("fitted",),
    ),
    "bag": Kind(
        "Bag",
        5,
        0.025,
        ("leather", "suede", "cotton", "denim"),
        ("solid", "check", "animal", "lettering"),
        closures=(OPEN, FULL_ZIP),
        may=D({"pocket"}),
    ),
    "beanie": Kind(
        "Hat/beanie",
        3,
        0.010,
        (*KNITS, "fleece"),
        ("solid", "stripe", "cable", "pattern/jacquard"),
    ),
    "cap": Kind(
        "Cap/peaked",
        3,
        0.010,
        ("cotton", "denim", "corduroy/ribbed"),
        ("solid", "lettering", "camouflage", "check"),
    ),
    "scarf": Kind(
        "Scarf",
        3,
        0.016,
        ("wool knit", "wool woven/tweed", "silk/chiffon"),
        ("solid", "check", "stripe", "dot", "animal", "argyle"),
    ),
    "umbrella": Kind(
        "Umbrella",
        0.2,
        0.020,
        ("polyester/nylon",),
        ("solid", "dot", "check", "flower"),
    ),
    "socks": Kind(
        "Socks",
        4,
        0.006,
        KNITS,
        ("solid", "stripe", "dot", "argyle"),
        ("ankle", "shin", "knee"),
    ),
    "boots": Kind(
        "Boots",
        3,
        0.055,
        ("leather", "suede"),
        ("solid", "animal"),
        ("ankle", "knee"),
        closures=(OPEN, FULL_ZIP),
        may=D({"string"}),
    ),
    "sneakers": Kind(
        "Sneakers",
        4,
        0.036,
        ("leather", "suede", "cotton"),
        ("solid", "other", "checkerboard"),
        has=D({"string"}),
    ),
}
TONES: Mapping[str, float] = {
    "normal": 6,
    "vivid": 1.5,
    "pastel/light": 1.5,
    "metallic/shiny": 1,
}
CATEGORY_OF = {
    name: category for category, names in SUBCATEGORIES.items() for name in names
}

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
    "B": (
        "Lingeries/Tights",
        (1, "Ladieswear"),
        (62, "Womens Nightwear, Socks & Tigh"),
    ),
    "C": ("Ladies Accessories", (1, "Ladieswear"), (65, "Womens Big accessories")),
    "D": ("Divided", (2, "Divided"), (53, "Divided Collection")),
    "F": ("Menswear", (3, "Menswear"), (21, "Contemporary Casual")),
}


def index_of(kind: str, rng: np.random.Generator) -> str:
    """Draw the index code of a new product of that subcategory."""
    type_ = KINDS[kind].type
    if type_ == "Socks":
        return "B"
    if CATEGORY_OF.get(kind) is None:
        return "C"
    for_women = type_ in ("Dress", "Skirt", "Vest top", "Blouse")
    return str(rng.choice(["A", "D"] if for_women else ["A", "D", "F"]))


def garment(kind: str, rng: np.random.Generator) -> Garment:
    """Draw a product of that subcategory, each attribute from what the kind allows."""
    allowed = KINDS[kind]

    def pick(choices: tuple) -> str:
        return choices[int(rng.integers(len(choices)))]

    patterns = list(dict.fromkeys(allowed.patterns))
    shares = np.array([PATTERN_SHARES[p] for p in patterns])
    tones = np.array(list(TONES.values()))
    zip_up, button = pick(allowed.closures)
    neckline, shoulder = pick(allowed.necklines), pick(allowed.shoulders)
    if neckline in ("halter", "turtle"):
        shoulder = "normal"
    elif shoulder in ("off-shoulder", "one-shoulder"):
        neckline = "boat"  # its edge runs across
    has = allowed.has | {d for d in sorted(allowed.may) if rng.random() < 1 / 3}
    return Garment(
        category=CATEGORY_OF.get(kind, ACCESSORY),
        subcategory=kind,
        tone=list(TONES)[int(rng.choice(len(tones), p=tones / tones.sum()))],
        total_length=pick(allowed.lengths),
        sleeve_length=pick(allowed.sleeves),
        fabric=pick(allowed.fabrics),
        pattern=patterns[int(rng.choice(len(patterns), p=shares / shares.sum()))],
        zip_up=zip_up,
        button=button,
        neckline=neckline,
        shoulder=shoulder,
        fit=pick(allowed.fits),
        details=tuple(d for d in DETAILS if d in has),
        motif=int(rng.integers(1_000_000)),
    )


def assortment(rng: np.random.Generator) -> dict[str, Garment]:
    """Draw a product of each subcategory."""
    return {kind: garment(kind, rng) for kind in KINDS}


def plain(garment: Garment, **parts: Any) -> Garment:
    """Return the garment in plain cotton with a round neckline and no details.

    `parts` are other attributes to change.
    """
    usual = {"pattern": "solid", "fabric": "cotton", "tone": "normal", "details": ()}
    usual |= {"neckline": "round", "shoulder": "normal"}
    return replace(garment, **usual | parts)


def varied(garment: Garment, attribute: str) -> dict[str, Garment]:
    """Return the garment with each value of the attribute, all else the same."""
    values = ATTRIBUTES[attribute]
    return {value: replace(garment, **{attribute: value}) for value in values}


def kinds(count: int, rng: np.random.Generator) -> list[str]:
    """Draw `count` subcategories, shuffled.

    Each comes at least once if there is room, the rest by their shares.
    """
    shares = np.array([k.share for k in KINDS.values()])
    common = sorted(KINDS, key=lambda k: -KINDS[k].share)[:count]
    rest = rng.choice(list(KINDS), count - len(common), p=shares / shares.sum())
    return [str(k) for k in rng.permutation([*common, *rest])]
