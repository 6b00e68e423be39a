"""Captions that say only what is seen.

A pretraining corpus's, human annotators', and templates as Thesis B uses.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fashionlib.labelling import templates
from fashionlib.labelling.attribute_schema import NONE
from fashionlib.labelling.grammar import a, listed, pick, plural
from fashionlib.labelling.templates import PATTERNS
from wardrobe.catalogue import Garment

COARSE: Mapping[str, str] = {
    "t-shirt": "shirt",
    "blouse": "shirt",
    "sleeveless": "tank top",
    "cardigan": "sweater",
    "sweatshirt": "hoodie",
    "blazer": "jacket",
    "slacks": "pants",
    "sweatpants": "pants",
    "bermuda pants": "shorts",
    "beanie": "hat",
    "overall pants": "overalls",
}
# patterns that everybody names
COMMON = ("dot", "check", "stripe", "flower", "camouflage", "animal")
TRAITS: Mapping[str, str] = {
    "hood": "a hood",
    "ruffle": "ruffles",
    "collar": "a collar",
    "lace": "lace",
}
SCENES = (
    "{thing} on a white background",
    "a photo of {thing} on white",
    "{thing} isolated on a white background",
    "a picture of {thing} on white",
    "{thing} seen from the front",
    "{thing} against a white background",
    "a product photo of {thing}",
)


def generic(garment: Garment, colour: str, rng: np.random.Generator) -> str:
    """Return what the web says under a product photo, without a full stop.

    Colour, garment, an obvious pattern, at most one trait.
    """
    noun = COARSE.get(garment.subcategory, garment.subcategory.split()[-1])
    look = colour
    if garment.pattern in COMMON:
        look += f" {PATTERNS[garment.pattern]}"
    thing = f"a pair of {look} {noun}" if plural(noun) else a(f"{look} {noun}")
    traits = [words for detail, words in TRAITS.items() if detail in garment.details]
    if garment.sleeve_length in ("short", "long"):
        traits.append(f"{garment.sleeve_length} sleeves")
    if traits and rng.random() < 0.4:
        thing += f" with {pick(rng, traits)}"
    return pick(rng, SCENES).format(thing=thing)


WORN: Mapping[str, str] = {
    "sleeveless": "sleeveless top",
    "overall dress": "pinafore dress",
    "overall pants": "overalls",
    "boots cut pants": "bootcut pants",
    "anorak jacket": "anorak",
    "flare skirt": "flared skirt",
}
LOOKS: Mapping[str, str] = {
    "solid": "no pattern",
    "dot": "dots",
    "washed": "a washed look",
    "check": "plaid patterns",
    "cable": "cable patterns",
    "stripe": "stripes",
    "lettering": "printed lettering",
    "graphic": "a graphic print",
    "pattern/jacquard": "jacquard patterns",
    "argyle": "argyle patterns",
    "camouflage": "camouflage patterns",
    "flower": "floral patterns",
    "checkerboard": "a checkerboard pattern",
    "animal": "an animal print",
    "other": "colour block patterns",
}
SHAPES: Mapping[str, str] = {
    "round": "round",
    "square": "square",
    "v-line": "v-shaped",
    "boat": "boat-shaped",
}


OPENINGS = (
    "The {noun} {has} {look}, and the fabric is {cloth}.",
    "The person is {wearing} {a_noun} with {look}. The fabric is {cloth}.",
    "This person {wears} {a_noun}. The {noun} {is_} made of {cloth} and {has} {look}.",
    "The {noun} this person {wears} {has} {look}, and the fabric is {cloth}.",
)


def manual(garment: Garment, colour: str, rng: np.random.Generator) -> str:
    """Return plain statements about what is seen, as annotators make them.

    Cloth, neckline, length and trims; never the colour.
    """
    noun = WORN.get(garment.subcategory, garment.subcategory)
    cloth = templates.fabric(garment)
    look = listed([*templates.sleeves(garment), LOOKS[garment.pattern]])
    has, is_ = ("have", "are") if plural(noun) else ("has", "is")
    wears, wearing = "wears", "wearing"
    if noun in ("bag", "umbrella"):
        wears, wearing = "carries", "carrying"
    opening = pick(rng, OPENINGS).format(
        noun=noun,
        a_noun=a(noun),
        look=look,
        cloth=cloth,
        has=has,
        is_=is_,
        wears=wears,
        wearing=wearing,
    )
    sentences = [opening]
    if garment.shoulder in ("off-shoulder", "one-shoulder"):
        sentences.append(f"It is {garment.shoulder}.")
    elif garment.neckline != NONE:
        shape = SHAPES.get(garment.neckline)
        wordings = [f"The neckline is {shape}."] if shape else []
        wordings.append(f"It has {a(shape or garment.neckline)} neckline.")
        sentences.append(pick(rng, wordings))
    if garment.total_length != NONE and rng.random() < 0.8:
        cropped = garment.total_length == "belly"
        length = "cropped" if cropped else f"{garment.total_length}-length"
        sentences.append(f"{'They are' if plural(noun) else 'It is'} {length}.")
    if trims := templates.trims(garment.record(colour)):
        are = "is" if trims[0].startswith("a") else "are"
        sentences.append(f"There {are} {listed(trims)}.")
    return " ".join(sentences)


def template(garment: Garment, colour: str, rng: np.random.Generator) -> str:
    """Write all of Thesis B's attributes by a compact template of ours."""
    return templates.fill(garment.record(colour), rng)
