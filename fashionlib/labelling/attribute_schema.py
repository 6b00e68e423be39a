"""Thesis B's attributes of a garment and the values each may take (tables 3.1 and
3.2).
"""

from __future__ import annotations

from collections.abc import Mapping

NONE = "none"

# Table 3.2. The thesis prints "peated skirt"; "pleated" is meant.
SUBCATEGORIES: Mapping[str, tuple[str, ...]] = {
    "top": (
        "t-shirt",
        "cardigan",
        "shirt",
        "blouse",
        "sweater",
        "sweatshirt",
        "sleeveless",
        "vest",
        "bomber jacket",
        "varsity jacket",
        "anorak jacket",
        "blazer",
        "down jacket",
        "jacket",
        "coat",
    ),
    "dress": ("long dress", "mini dress", "shirt dress", "overall dress", "jumpsuit"),
    "pants": (
        "sweatpants",
        "shorts",
        "slacks",
        "bermuda pants",
        "cargo pants",
        "overall pants",
        "cigarette pants",
        "boots cut pants",
        "baggy pants",
        "straight pants",
        "harem pants",
    ),
    "skirt": (
        "long skirt",
        "flare skirt",
        "pleated skirt",
        "mini skirt",
        "balloon skirt",
        "slit skirt",
    ),
}

# Table 3.1, in its order; each garment has one value of each, and "none" where it can't
# have one (a skirt's neckline).
ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "colour": (
        "red",
        "orange",
        "blue",
        "navy",
        "pink",
        "brown",
        "black",
        "white",
        "burgundy",
        "purple",
        "coral",
        "mint",
        "gray",
        "green",
        "khaki",
        "yellow",
        "beige",
    ),
    "tone": ("normal", "vivid", "pastel/light", "metallic/shiny"),
    "total_length": (
        "belly",
        "waist",
        "hip",
        "thigh",
        "knee",
        "shin",
        "ankle",
        "floor",
    ),
    "sleeve_length": ("sleeveless", "short", "long"),
    "fabric": (
        "cotton",
        "cotton knit",
        "cotton woven/tweed",
        "seersucker",
        "denim",
        "corduroy/ribbed",
        "wool knit",
        "wool woven/tweed",
        "polyester/nylon",
        "linen",
        "silk/chiffon",
        "velvet/velveteen",
        "leather",
        "suede",
        "fleece",
        "fur",
        "down",
    ),
    "pattern": (
        "solid",
        "dot",
        "washed",
        "check",
        "cable",
        "stripe",
        "lettering",
        "graphic",
        "pattern/jacquard",
        "argyle",
        "camouflage",
        "flower",
        "checkerboard",
        "animal",
        "other",
    ),
    "zip_up": ("none", "half", "full"),
    "button": ("none", "half", "full"),
    "neckline": (
        "round",
        "square",
        "v-line",
        "sweetheart",
        "slit",
        "halter",
        "turtle",
        "boat",
    ),
    "shoulder": ("normal", "off-shoulder", "one-shoulder"),
}

# Table 3.1's boolean attributes: a garment has any number of them.
DETAILS = (
    "pocket",
    "hood",
    "collar",
    "see-through",
    "waist banding",
    "string",
    "ribbon",
    "ruffle",
    "lace",
    "pintuck",
)
