"""Which words say which attribute: the plain names, and a table for tests and chapters
to look words up in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from fashionlib.labelling.attribute_schema import ATTRIBUTES, NONE
from wardrobe.catalogue import Garment

RIBBED = ("sleeveless", "sweater")  # of "corduroy/ribbed", theirs is the ribbed one
PATTERNS: Mapping[str, str] = {
    "solid": "plain",
    "dot": "dotted",
    "washed": "washed",
    "check": "checked",
    "cable": "cable",
    "stripe": "striped",
    "lettering": "lettering-print",
    "graphic": "graphic-print",
    "pattern/jacquard": "jacquard",
    "argyle": "argyle",
    "camouflage": "camouflage",
    "flower": "floral",
    "checkerboard": "checkerboard",
    "animal": "animal-print",
    "other": "colour-block",
}
TONES: Mapping[str, str] = {
    "normal": "",
    "vivid": "vivid",
    "pastel/light": "pastel",
    "metallic/shiny": "shiny",
}
FABRICS: Mapping[str, str] = {
    "cotton woven/tweed": "cotton tweed",
    "wool woven/tweed": "wool tweed",
    "polyester/nylon": "nylon",
    "silk/chiffon": "chiffon",
    "velvet/velveteen": "velvet",
    "down": "padded down",
}

# attribute -> value -> phrases that say it, hyphens as spaces. A phrase under several
# values says one of them.
SAID: Mapping[str, Mapping[str, frozenset[str]]] = {
    "colour": {colour: frozenset({colour}) for colour in ATTRIBUTES["colour"]},
    "tone": {
        "vivid": frozenset({"vivid"}),
        "pastel/light": frozenset({"pastel"}),
        "metallic/shiny": frozenset({"shiny", "metallic"}),
    },
    "total_length": {
        length: frozenset({f"{length} length", *more})
        for length, more in {
            "belly": ["cropped"],
            "waist": [],
            "hip": [],
            "thigh": [],
            "knee": ["knee high"],
            "shin": ["calf length"],
            "ankle": [],
            "floor": ["full length"],
        }.items()
    },
    "sleeve_length": {
        "sleeveless": frozenset({"sleeveless", "no sleeves"}),
        "short": frozenset({"short sleeves", "short sleeved"}),
        "long": frozenset({"long sleeves", "long sleeved"}),
    },
    "fabric": {
        "cotton": frozenset({"cotton"}),
        "cotton knit": frozenset({"cotton", "knit"}),
        "cotton woven/tweed": frozenset({"cotton", "tweed"}),
        "seersucker": frozenset({"seersucker"}),
        "denim": frozenset({"denim"}),
        "corduroy/ribbed": frozenset({"corduroy", "ribbed", "rib", "knit"}),
        "wool knit": frozenset({"wool", "knit"}),
        "wool woven/tweed": frozenset({"wool", "tweed"}),
        "polyester/nylon": frozenset({"polyester", "nylon"}),
        "linen": frozenset({"linen"}),
        "silk/chiffon": frozenset({"silk", "chiffon"}),
        "velvet/velveteen": frozenset({"velvet", "velveteen"}),
        "leather": frozenset({"leather"}),
        "suede": frozenset({"suede"}),
        "fleece": frozenset({"fleece"}),
        "fur": frozenset({"fur"}),
        "down": frozenset({"padded", "puffer", "down filled"}),
    },
    "pattern": {
        "solid": frozenset({"plain", "solid", "no pattern"}),
        "dot": frozenset({"dotted", "dots", "spotted"}),
        "washed": frozenset({"washed"}),
        "check": frozenset({"checked", "checks", "plaid"}),
        "cable": frozenset({"cable", "cables"}),
        "stripe": frozenset({"striped", "stripes"}),
        "lettering": frozenset({"lettering", "text"}),
        "graphic": frozenset({"graphic", "motif"}),
        "pattern/jacquard": frozenset({"jacquard"}),
        "argyle": frozenset({"argyle"}),
        "camouflage": frozenset({"camouflage"}),
        "flower": frozenset({"floral", "flower", "flowers"}),
        "checkerboard": frozenset({"checkerboard"}),
        "animal": frozenset({"animal"}),
        "other": frozenset({"colour block", "block patterned", "contrasting blocks"}),
    },
    "zip_up": {
        "half": frozenset({"zip", "half zip"}),
        "full": frozenset({"zip", "full zip"}),
    },
    "button": {
        "half": frozenset({"button", "buttons", "half button"}),
        "full": frozenset({"buttons", "full button"}),
    },
    "neckline": {
        "round": frozenset({"round neckline", "round neck", "neckline is round"}),
        "square": frozenset({"square neckline", "square neck", "neckline is square"}),
        "v-line": frozenset(
            {
                "v neck",
                "v shaped neckline",
                "v line neckline",
                "v neckline",
                "neckline is v shaped",
            }
        ),
        "sweetheart": frozenset({"sweetheart"}),
        "slit": frozenset({"slit at the neckline", "slit neckline"}),
        "halter": frozenset({"halterneck", "halter"}),
        "turtle": frozenset({"turtleneck", "turtle", "polo neck"}),
        "boat": frozenset({"boat"}),
    },
    "shoulder": {
        "off-shoulder": frozenset({"off the shoulder", "off shoulder"}),
        "one-shoulder": frozenset({"one shoulder"}),
    },
    "fit": {
        "fitted": frozenset({"slim fit", "fitted"}),
        "wide": frozenset({"relaxed", "loose", "oversized"}),
    },
    "pocket": {"yes": frozenset({"pocket", "pockets"})},
    "hood": {"yes": frozenset({"hood", "hooded"})},
    "collar": {"yes": frozenset({"collar", "lapels"})},
    "see-through": {"yes": frozenset({"sheer", "see through"})},
    "waist banding": {
        "yes": frozenset({"elasticated", "elastication", "waist banding", "waistband"})
    },
    "string": {
        "yes": frozenset(
            {"string", "strings", "drawstring", "drawstrings", "lacing", "laces"}
        )
    },
    "ribbon": {"yes": frozenset({"ribbon", "ribbons", "bow"})},
    "ruffle": {"yes": frozenset({"ruffle", "ruffles", "frill", "frills"})},
    "lace": {"yes": frozenset({"lace"})},
    "pintuck": {"yes": frozenset({"pintuck", "pintucks", "pleats", "creases"})},
}

# Words without a content of their own.
FUNCTION = frozenset(
    [
        "a",
        "after",
        "all",
        "an",
        "and",
        "another",
        "any",
        "anything",
        "at",
        "by",
        "content",
        "every",
        "extra",
        "feel",
        "for",
        "from",
        "go",
        "her",
        "in",
        "into",
        "is",
        "it",
        "least",
        "like",
        "made",
        "make",
        "never",
        "of",
        "off",
        "on",
        "one",
        "or",
        "own",
        "partly",
        "take",
        "that",
        "the",
        "to",
        "until",
        "when",
        "wear",
        "wherever",
        "will",
        "with",
        "you",
        "your",
    ]
)


def unseen(phrases: Iterable[str]) -> frozenset[str]:
    """The words with a content in phrases about what no picture shows, but those that
    also say an attribute.
    """
    words = set(
        re.findall(r"\b[a-z]{2,}\b", re.sub(r"\{\w+\}", "", " ".join(phrases).lower()))
    )
    visible = " ".join(
        phrase
        for values in SAID.values()
        for said_ in values.values()
        for phrase in said_
    )
    return frozenset(words - FUNCTION - set(visible.split()))


def said(garment: Garment, colour: str) -> dict[str, frozenset[str]]:
    """For each attribute of `SAID` the words that may truly be said of the article;
    none where it has no such thing.
    """
    values = {
        name: garment[name] for name in SAID if name in ATTRIBUTES and name != "colour"
    }
    values |= {"colour": colour, "fit": garment.fit} | dict.fromkeys(
        garment.details, "yes"
    )
    return {
        name: words.get(values.get(name, ""), frozenset())
        for name, words in SAID.items()
    }


def fabric(garment: Garment) -> str:
    """The plain name of the cloth."""
    if garment.fabric == "corduroy/ribbed":
        return "ribbed knit" if garment.subcategory in RIBBED else "corduroy"
    return FABRICS.get(garment.fabric, garment.fabric)


TRIMS: Mapping[str, str] = {
    "pocket": "pockets",
    "hood": "a hood",
    "collar": "a collar",
    "see-through": "a sheer layer",
    "waist banding": "an elasticated waist",
    "string": "a drawstring",
    "ribbon": "a ribbon",
    "ruffle": "ruffles",
    "lace": "a lace trim",
    "pintuck": "pintucks",
}
KIND_TRIMS: Mapping[tuple[str, str], str] = {
    ("bag", "pocket"): "a pocket",
    ("t-shirt", "pocket"): "a pocket",
    ("shirt", "pocket"): "a pocket",
    ("boots", "string"): "laces",
    ("sneakers", "string"): "laces",
    ("pleated skirt", "pintuck"): "pleats",
    ("slacks", "pintuck"): "creases",
}


def trims(garment: Garment) -> list[str]:
    """The fastenings and details in plain words, each after its article."""
    above = garment.category in ("top", "dress")
    found = []
    if garment.zip_up != NONE:
        found.append(
            "a full zip"
            if garment.zip_up == "full"
            else "a half zip"
            if above
            else "a zip fly"
        )
    if garment.button != NONE:
        found.append(
            "buttons down the front"
            if garment.button == "full"
            else "a half button placket"
            if above
            else "a button at the waist"
        )
    return found + [
        KIND_TRIMS.get((garment.subcategory, detail), TRIMS[detail])
        for detail in garment.details
    ]
