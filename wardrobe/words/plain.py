"""Captions that say only what is seen: a pretraining corpus's, human annotators', and
Thesis B's templates.
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
COMMON = (
    "dot",
    "check",
    "stripe",
    "flower",
    "camouflage",
    "animal",
)  # patterns that everybody names
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
    """What the web says under a product photo: colour, garment, an obvious pattern, at
    most one trait. No full stop.
    """
    noun = COARSE.get(garment.subcategory, garment.subcategory.split()[-1])
    look = (
        f"{colour} {PATTERNS[garment.pattern]}" if garment.pattern in COMMON else colour
    )
    thing = f"a pair of {look} {noun}" if plural(noun) else a(f"{look} {noun}")
    traits = [words for detail, words in TRAITS.items() if detail in garment.details]
    traits += (
        [f"{garment.sleeve_length} sleeves"]
        if garment.sleeve_length in ("short", "long")
        else []
    )
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


def manual(garment: Garment, colour: str, rng: np.random.Generator) -> str:
    """Plain statements about what is seen, colour apart, as annotators make them:
    cloth, neckline, length, trims.
    """
    noun, cloth = (
        WORN.get(garment.subcategory, garment.subcategory),
        templates.fabric(garment),
    )
    look = listed([*templates.sleeves(garment), LOOKS[garment.pattern]])
    has, is_ = ("have", "are") if plural(noun) else ("has", "is")
    wears, wearing = (
        ("carries", "carrying") if noun in ("bag", "umbrella") else ("wears", "wearing")
    )
    sentences = [
        pick(
            rng,
            (
                f"The {noun} {has} {look}, and the fabric is {cloth}.",
                (
                    f"The person is {wearing} {a(noun)} with {look}. The fabric is"
                    f" {cloth}."
                ),
                (
                    f"This person {wears} {a(noun)}. The {noun} {is_} made of {cloth}"
                    f" and {has} {look}."
                ),
                (
                    f"The {noun} this person {wears} {has} {look}, and the fabric is"
                    f" {cloth}."
                ),
            ),
        )
    ]
    if garment.shoulder in ("off-shoulder", "one-shoulder"):
        sentences.append(f"It is {garment.shoulder}.")
    elif garment.neckline != NONE:
        shape = SHAPES.get(garment.neckline)
        found = [f"The neckline is {shape}."] if shape else []
        sentences.append(
            pick(rng, [*found, f"It has {a(shape or garment.neckline)} neckline."])
        )
    if garment.total_length != NONE and rng.random() < 0.8:
        length = (
            "cropped"
            if garment.total_length == "belly"
            else f"{garment.total_length}-length"
        )
        sentences.append(f"{'They are' if plural(noun) else 'It is'} {length}.")
    if found := templates.trims(garment.record(colour)):
        sentences.append(
            f"There {'is' if found[0].startswith('a') else 'are'} {listed(found)}."
        )
    return " ".join(sentences)


def template(garment: Garment, colour: str, rng: np.random.Generator) -> str:
    """Write all of Thesis B's attributes by a compact template of the category."""
    return templates.fill(garment.record(colour), rng)
