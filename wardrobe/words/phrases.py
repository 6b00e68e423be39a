"""Which words say which attribute: plain names, and a table of all phrases."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import chain

from fashionlib.labelling.attribute_schema import ATTRIBUTES
from wardrobe.catalogue import Garment

# attribute -> value -> phrases that say it, hyphens as spaces. A phrase under several
# values says one of them.
PHRASES: Mapping[str, Mapping[str, frozenset[str]]] = {
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
    """Return the words with a content in phrases about what no picture shows.

    Words that also say an attribute are left out.
    """
    text = re.sub(r"\{\w+\}", "", " ".join(phrases).lower())  # without its slots
    words = set(re.findall(r"\b[a-z]{2,}\b", text))
    visible: set[str] = set()
    for values in PHRASES.values():
        visible.update(" ".join(chain(*values.values())).split())
    return frozenset(words - FUNCTION - visible)


def true_phrases(garment: Garment, colour: str) -> dict[str, frozenset[str]]:
    """Return for each attribute of `PHRASES` the words that may truly be said.

    None where the article has no such thing.
    """
    names = [name for name in PHRASES if name in ATTRIBUTES and name != "colour"]
    values = {name: garment[name] for name in names}
    values |= {"colour": colour, "fit": garment.fit}
    values |= dict.fromkeys(garment.details, "yes")
    return {
        name: words.get(values.get(name, ""), frozenset())
        for name, words in PHRASES.items()
    }
