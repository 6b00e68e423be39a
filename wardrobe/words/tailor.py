"""Captions in a tailor's words, as H&M's shop writes them.

There is one for all colours of a product, silent about them. What a picture shows
(cloth, sleeves, neckline, fastening, pockets, trims, length, fit) is said truly and in
several ways; then come linings, sources of fibres and other things that no picture
shows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import chain

import numpy as np

from fashionlib.labelling.attribute_schema import NONE
from fashionlib.labelling.grammar import listed, pick, sentence
from fashionlib.labelling.templates import RIBBED
from wardrobe.catalogue import ACCESSORY, Garment
from wardrobe.words.phrases import unseen

Wordings = Mapping[str, tuple[str, ...]]

NOUNS: Wordings = {
    "t-shirt": ("T-shirt", "T-shirt", "top"),
    "sleeveless": ("vest top", "top"),
    "sweater": ("jumper", "sweater"),
    "sweatshirt": ("hoodie", "sweatshirt", "top"),
    "vest": ("gilet", "waistcoat"),
    "bomber jacket": ("bomber jacket", "jacket"),
    "varsity jacket": ("baseball jacket", "varsity jacket"),
    "anorak jacket": ("anorak",),
    "down jacket": ("puffer jacket", "jacket"),
    "blazer": ("blazer", "jacket"),
    "long dress": ("dress",),
    "mini dress": ("dress",),
    "overall dress": ("dungaree dress", "pinafore dress"),
    "sweatpants": ("joggers", "sweatpants"),
    "slacks": ("suit trousers", "trousers"),
    "cargo pants": ("cargo trousers",),
    "cigarette pants": ("cigarette trousers",),
    "boots cut pants": ("bootcut trousers",),
    "baggy pants": ("baggy trousers",),
    "straight pants": ("straight trousers", "trousers"),
    "harem pants": ("harem trousers",),
    "overall pants": ("dungarees",),
    "bermuda pants": ("Bermuda shorts",),
    "long skirt": ("skirt",),
    "flare skirt": ("flared skirt",),
    "mini skirt": ("skirt",),
    "slit skirt": ("skirt",),
    "bag": ("bag", "shoulder bag"),
    "beanie": ("hat", "beanie"),
    "sneakers": ("trainers",),
}
COTTONS: Wordings = {  # what is made of it decides
    "jersey": (
        "cotton jersey",
        "soft cotton jersey",
        "stretch cotton jersey",
        "slub cotton jersey",
    ),
    "sweat": (
        "cotton sweatshirt fabric",
        "soft cotton sweatshirt fabric",
        "thick cotton sweatshirt fabric",
    ),
    "outer": ("cotton twill", "sturdy cotton twill", "a cotton weave"),
    "below": ("cotton twill", "sturdy cotton twill", "a stretch cotton weave"),
    "bag": ("cotton canvas", "sturdy cotton canvas"),
    "cap": ("cotton twill", "cotton canvas"),
    "sneakers": ("cotton canvas",),
    NONE: ("a cotton weave", "an airy cotton weave", "cotton poplin"),
}
FABRICS: Wordings = {
    "cotton knit": (
        "a soft cotton knit",
        "a fine knit in a cotton blend",
        "a chunky cotton knit",
    ),
    "cotton woven/tweed": (
        "cotton tweed",
        "a textured cotton tweed",
        "tweed in a cotton blend",
    ),
    "seersucker": ("seersucker", "airy seersucker", "a seersucker weave"),
    "denim": ("denim", "sturdy denim", "stretch denim", "rigid denim"),
    "corduroy/ribbed": ("corduroy", "soft corduroy", "stretch corduroy"),
    "wool knit": (
        "a wool knit",
        "a chunky wool knit",
        "a soft wool knit",
        "a fine knit in a wool blend",
    ),
    "wool woven/tweed": (
        "a wool weave",
        "wool tweed",
        "tweed in a wool blend",
        "a felted wool weave",
    ),
    "polyester/nylon": ("nylon", "woven nylon", "a polyester weave", "crisp polyester"),
    "linen": ("a linen weave", "airy linen", "a linen blend", "slub linen"),
    "silk/chiffon": ("chiffon", "airy chiffon", "softly draping silk", "a silk weave"),
    "velvet/velveteen": ("velvet", "stretch velvet", "soft velvet"),
    "leather": ("imitation leather", "supple leather", "grained imitation leather"),
    "suede": ("imitation suede", "soft suede", "supple imitation suede"),
    "fleece": ("fleece", "soft fleece", "thick fleece"),
    "fur": ("faux fur", "soft faux fur"),
    "down": (
        "padded fabric",
        "a padded weave",
        "a down-filled weave",
        "down-filled fabric",
    ),
}
RIBS = ("ribbed jersey", "a rib knit", "soft, ribbed jersey")
# Said with the cloth ("soft, striped cotton jersey") or among the features ("with
# stripes and a zip").
BEFORE: Wordings = {
    "dot": ("dotted", "spotted"),
    "washed": ("washed",),
    "check": ("checked",),
    "stripe": ("striped",),
    "pattern/jacquard": ("jacquard-patterned",),
    "argyle": ("argyle-patterned",),
    "camouflage": ("camouflage-patterned",),
    "flower": ("floral", "flower-patterned"),
    "checkerboard": ("checkerboard-patterned",),
    "animal": ("animal-print",),
    "other": ("block-patterned",),
}
AFTER: Wordings = {
    "dot": ("a print of dots",),
    "washed": ("a washed look",),
    "check": ("woven checks",),
    "cable": ("a cable pattern", "knitted cables"),
    "stripe": ("stripes",),
    "lettering": ("a text print", "printed lettering"),
    "graphic": ("a printed motif",),
    "pattern/jacquard": ("a jacquard pattern",),
    "argyle": ("an argyle pattern",),
    "camouflage": ("a camouflage print",),
    "flower": ("a floral print", "printed flowers"),
    "checkerboard": ("a checkerboard pattern",),
    "animal": ("an animal print",),
    "other": ("contrasting blocks",),
}
LENGTHS: Wordings = {
    "belly": ("cropped",),
    "waist": ("", "waist-length"),
    "thigh": ("thigh-length",),
    "knee": ("knee-length",),
    "shin": ("calf-length",),
    "ankle": ("ankle-length",),
    "floor": ("full-length",),
}
SHOULDERS = {"off-shoulder": "off-the-shoulder", "one-shoulder": "one-shoulder"}
NECKLINES: Wordings = {
    "round": ("a round neckline", "a round neck"),
    "square": ("a square neckline", "a square neck"),
    "v-line": ("a V-neck", "a V-shaped neckline"),
    "sweetheart": ("a sweetheart neckline",),
    "slit": ("a slit at the neckline",),
    "halter": ("a halterneck",),
    "turtle": ("a turtleneck", "a polo neck"),
    "boat": ("a boat neck", "a boat-shaped neckline"),
}
CLOSURES = {
    ("zip_up", "full"): ("a zip down the front", "a long front zip"),
    ("zip_up", "half"): ("a short zip at the top", "a half-zip front"),
    ("button", "full"): ("buttons down the front", "buttons all the way down"),
    ("button", "half"): ("a placket with buttons", "a button placket"),
}
ELSEWHERE = {  # on trousers, skirts and accessories
    ("zip_up", "full"): ("a zip", "a metal zip"),
    ("zip_up", "half"): ("a zip fly", "a short zip at the front"),
    ("button", "half"): ("a button at the front", "a button fly"),
}
DETAILS: Wordings = {
    "pocket": ("pockets", "front pockets"),
    "hood": ("a hood",),
    "collar": ("a collar", "a turn-down collar"),
    "see-through": ("a sheer finish", "sheer sections"),
    "waist banding": ("an elasticated waist", "wide elastication at the waist"),
    "string": ("a drawstring at the waist",),
    "ribbon": ("a decorative bow", "a ribbon tied in a bow"),
    "ruffle": ("a frill trim", "a wide frill", "ruffles"),
    "lace": ("a lace trim", "lace details"),
    "pintuck": ("pintucks", "narrow pintucks"),
}
PLACED: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("t-shirt", "pocket"): ("a chest pocket", "an open chest pocket"),
    ("shirt", "pocket"): ("a chest pocket",),
    ("bag", "pocket"): ("an outer pocket",),
    ("sweatshirt", "pocket"): ("a front pocket", "a pocket at the front"),
    ("anorak jacket", "pocket"): ("a front pocket",),
    ("cargo pants", "pocket"): ("leg pockets", "roomy leg pockets"),
    ("sweatshirt", "hood"): ("a drawstring hood", "a hood with a drawstring"),
    ("sweatshirt", "string"): ("",),
    ("blazer", "collar"): ("notch lapels", "narrow notch lapels"),
    ("coat", "collar"): ("notch lapels", "wide lapels"),
    ("pleated skirt", "pintuck"): ("pleats all round", "narrow pleats"),
    ("slacks", "pintuck"): ("pressed creases",),
    ("boots", "string"): ("lacing at the front",),
    ("sneakers", "string"): ("lacing at the front", "laces"),
    ("bomber jacket", "waist banding"): ("elastication at the hem",),
    ("varsity jacket", "waist banding"): ("elastication at the hem",),
}
FITS: Wordings = {
    "fitted": ("Slim fit.", "Fitted shape.", "Slim fit that follows the body."),
    "regular": ("Regular fit.", "Regular fit with good room for movement."),
    "wide": (
        "Relaxed fit.",
        "Loose fit.",
        "Oversized shape.",
        "Relaxed fit with plenty of room.",
    ),
}

# What no picture shows. {noun} is the garment's, {n} and {m} are numbers of two digits.
LININGS = (
    "Lined.",
    "Unlined.",
    "Partly lined.",
    "Fully lined.",
    "Lining made from recycled fibres.",
)
FIBRES: Wordings = {
    "cotton": (
        "Made from organic cotton.",
        "The cotton content of the {noun} is partly recycled.",
        "The cotton in the {noun} is organic.",
        "Contains at least {n}% recycled cotton.",
    ),
    "wool": (
        "The wool in the {noun} is certified.",
        "Contains at least {n}% recycled wool.",
        "Made partly from recycled wool.",
    ),
    "polyester": (
        "The polyester content of the {noun} is recycled.",
        "Contains at least {n}% recycled polyester.",
        "Made partly from recycled polyester.",
    ),
    NONE: (
        "Made partly from recycled fibres.",
        "Contains at least {n}% recycled fibres.",
    ),
}
SECRETS: Wordings = {
    "jersey": (
        "Slightly longer at the back.",
        "Reinforced seams inside.",
        "Taped seams inside at the back.",
    ),
    "sweat": (
        "Brushed inside.",
        "Brushed inside for extra warmth.",
        "Reinforced seams inside.",
    ),
    "outer": (
        "Inner compartment for a phone.",
        "Vent at the back.",
        "Hanger loop inside.",
    ),
    "closed": (
        "Concealed zip in one side.",
        "Concealed zip at the back.",
        "Concealed hook-and-eye fastening.",
    ),
    "below": (
        "Yoke at the back.",
        "Reinforced seams inside.",
        "Concealed hook-and-eye fastening.",
    ),
    "bag": (
        "Size {n}x28x12 cm.",
        "Width {n} cm, depth 12 cm.",
        "Inner compartment. Width {n} cm.",
    ),
    "scarf": ("Size {n}x1{m} cm.",),
    "umbrella": ("Diameter {m} cm.", "Opens automatically. Diameter {m} cm."),
    "beanie": ("Double layer inside.", "Brushed inside."),
    "cap": ("Adjustable at the back.", "Adjustable at the back. Inner sweatband."),
    "socks": ("Reinforced heels and toes.", "Cushioned inside.", "Seamless toes."),
    "boots": (
        "Rubber soles of {n} mm.",
        "Cushioned insoles.",
        "Cushioned insoles and rubber soles.",
    ),
    "sneakers": (
        "Rubber soles of {n} mm.",
        "Cushioned insoles.",
        "Cushioned insoles and rubber soles.",
    ),
    NONE: (
        "Slightly longer at the back.",
        "Yoke at the back.",
        "Reinforced seams inside.",
    ),
}
UNSEEN = unseen(
    [*LININGS, *chain(*FIBRES.values()), *chain(*SECRETS.values()), "stretch", "blend"]
)
FAMILIES: Wordings = {
    "jersey": ("t-shirt", "sleeveless", "cardigan", "sweater"),
    "sweat": ("sweatshirt", "sweatpants"),
    "outer": (
        "vest",
        "bomber jacket",
        "varsity jacket",
        "anorak jacket",
        "down jacket",
        "jacket",
        "blazer",
        "coat",
    ),
}
SLEEVELESS = ("sleeveless", "vest", "overall dress")  # by name
TOUCHES = (
    "soft",
    "airy",
    "fine",
    "chunky",
    "sturdy",
    "supple",
    "crisp",
    "thick",
    "padded",
    "felted",
    "textured",
    "grained",
)


def caption(garment: Garment, colour: str, rng: np.random.Generator) -> str:
    """Return the product's text.

    An opening sentence, perhaps one of features, the fit, and unseen facts.
    """
    noun = pick(rng, NOUNS.get(garment.subcategory, (garment.subcategory,)))
    cloth = pick(rng, _cloths(garment))
    first, second = _closing(garment, rng), _details(garment, rng)
    adjectives = _adjectives(garment, rng)
    if garment.sleeve_length in ("short", "long"):
        if rng.random() < 0.35:
            adjectives.append(f"{garment.sleeve_length}-sleeved")
        else:
            second.insert(0, f"{garment.sleeve_length} sleeves")
    if garment.pattern in BEFORE and rng.random() < 0.6:
        cloth = _patterned(cloth, pick(rng, BEFORE[garment.pattern]))
    elif garment.pattern != "solid":
        first.insert(0, pick(rng, AFTER[garment.pattern]))
    if garment.tone == "metallic/shiny":
        first.insert(0, pick(rng, ("a metallic sheen", "a shiny finish")))
    if len(second) < 2 or len(first + second) < 4:
        first, second = first + second, []
    opening = f"{', '.join(adjectives)} {noun} in {cloth}".lstrip()
    sentences = [sentence(f"{opening} with {listed(first)}" if first else opening)]
    if second:
        sentences.append(sentence(re.sub("^an? ", "", listed(second))))
    return " ".join(sentences + _unseen(garment, noun, rng))


def _family(garment: Garment) -> str:
    for family, kinds in FAMILIES.items():
        if garment.subcategory in kinds:
            return family
    opens = garment.zip_up != NONE or garment.button != NONE
    if garment.category in ("dress", "skirt") and not opens:
        return "closed"
    if garment.category in ("pants", "skirt"):
        return "below"
    return garment.subcategory if garment.category == ACCESSORY else NONE


def _cloths(garment: Garment) -> tuple[str, ...]:
    if garment.fabric == "cotton":
        return COTTONS.get(_family(garment), COTTONS[NONE])
    if garment.fabric == "corduroy/ribbed" and garment.subcategory in RIBBED:
        return RIBS
    return FABRICS[garment.fabric]


def _patterned(cloth: str, pattern: str) -> str:
    """Put the pattern after article and touch: a soft, striped cotton knit."""
    parts = re.match(rf"(an? )?((?:{'|'.join(TOUCHES)}),? )?(.*)", cloth)
    article, touch, rest = parts.groups(default="")
    if touch:
        return f"{article}{touch.strip(', ')}, {pattern} {rest}"
    if article:
        article = "an " if pattern[0] in "aeiou" else "a "
    return f"{article}{pattern} {rest}"


def _adjectives(garment: Garment, rng: np.random.Generator) -> list[str]:
    length = pick(rng, LENGTHS.get(garment.total_length, ("",)))
    if garment.total_length == "knee" and garment.category == ACCESSORY:
        length = "knee-high"
    elif garment.total_length == "thigh" and garment.category in ("dress", "skirt"):
        length = "short"
    words = [length, SHOULDERS.get(garment.shoulder)]
    if garment.sleeve_length == "sleeveless" and garment.subcategory not in SLEEVELESS:
        words.append("sleeveless")
    return [word for word in words if word]


def _closing(garment: Garment, rng: np.random.Generator) -> list[str]:
    """Return the fastening, and the neckline where it is spoken of.

    It is not where a collar or bare shoulders are.
    """
    phrases = []
    covered = garment.shoulder in SHOULDERS or "collar" in garment.details
    if garment.neckline != NONE and not covered:
        phrases.append(pick(rng, NECKLINES[garment.neckline]))
    table = CLOSURES if garment.category in ("top", "dress") else CLOSURES | ELSEWHERE
    for closure in (("zip_up", garment.zip_up), ("button", garment.button)):
        if closure in table:
            phrases.append(pick(rng, table[closure]))
    return phrases


def _details(garment: Garment, rng: np.random.Generator) -> list[str]:
    """Return everything sewn on, in a random order."""
    phrases = []
    for detail in garment.details:
        wordings = PLACED.get((garment.subcategory, detail), DETAILS[detail])
        phrases.append(pick(rng, wordings))
    if {"waist banding", "string"} <= set(garment.details):
        phrases = [phrase for phrase in phrases if "waist" not in phrase]
        phrases.append("an elasticated drawstring waist")
    if garment.subcategory == "slit skirt":
        phrases.append(pick(rng, ("a slit at the hem", "a high slit")))
    shuffled = [phrases[i] for i in rng.permutation(len(phrases))]
    return [phrase for phrase in shuffled if phrase]


def _unseen(garment: Garment, noun: str, rng: np.random.Generator) -> list[str]:
    """Return the fit, for what has one, and sentences about what no picture shows."""
    family = _family(garment)
    fibre = next((fibre for fibre in FIBRES if garment.fabric.startswith(fibre)), NONE)
    numbers = {
        "n": int(rng.integers(20, 51)),
        "m": int(rng.integers(80, 100)),
        "noun": noun,
    }
    slots = [
        (0.5 if garment.category != ACCESSORY else 0, FITS[garment.fit]),
        (0.65 if family in ("outer", "closed", "bag") else 0, LININGS),
        (0.5, SECRETS[family]),
        (0.5, FIBRES[fibre]),
    ]
    return [
        pick(rng, choices).format(**numbers)
        for share, choices in slots
        if rng.random() < share
    ]
