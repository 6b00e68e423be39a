"""Captions that sell, as FACAD's: one flowing sentence in lower case.

Part of it is about what no picture shows. Designers, occasions, feelings and
inspirations are made up at random; what is said of the garment itself is true.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fashionlib.labelling.attribute_schema import NONE
from fashionlib.labelling.grammar import a, listed, pick, plural
from fashionlib.labelling.templates import PATTERNS, RIBBED, TONES
from wardrobe.catalogue import Garment
from wardrobe.words.phrases import unseen

NOUNS: Mapping[str, str] = {
    "t-shirt": "tee",
    "sleeveless": "tank",
    "sweatshirt": "sweatshirt",
    "anorak jacket": "anorak",
    "down jacket": "puffer jacket",
    "overall dress": "pinafore dress",
    "slacks": "trousers",
    "boots cut pants": "bootcut pants",
    "overall pants": "overalls",
    "bermuda pants": "bermuda shorts",
    "flare skirt": "flared skirt",
}
CLOTHS: Mapping[str, tuple[str, ...]] = {
    "cotton": ("cotton",),
    "cotton knit": ("cotton knit",),
    "cotton woven/tweed": ("cotton tweed",),
    "corduroy/ribbed": ("corduroy",),
    "wool knit": ("wool knit", "wool"),
    "wool woven/tweed": ("wool tweed", "tweed"),
    "polyester/nylon": ("nylon",),
    "silk/chiffon": ("chiffon", "silk"),
    "velvet/velveteen": ("velvet",),
    "fur": ("faux fur",),
    "down": ("padded",),
}
NECKLINES: Mapping[str, tuple[str, ...]] = {
    "round": ("a round neckline",),
    "square": ("a square neckline",),
    "v-line": ("a v neck", "a v neckline"),
    "sweetheart": ("a sweetheart neckline",),
    "slit": ("a slit neckline",),
    "halter": ("a halter neckline",),
    "turtle": ("a turtleneck",),
    "boat": ("a boat neck",),
}
SHOULDERS = {
    "off-shoulder": "an off the shoulder neckline",
    "one-shoulder": "a one shoulder neckline",
}
DETAILS: Mapping[str, tuple[str, ...]] = {
    "pocket": ("handy pockets", "pockets for essentials"),
    "hood": ("a cosy hood",),
    "collar": ("a collar",),
    "see-through": ("a sheer overlay",),
    "waist banding": ("an elasticated waist",),
    "string": ("a drawstring",),
    "ribbon": ("a ribbon bow", "a pretty bow"),
    "ruffle": ("swishy ruffles", "romantic ruffles", "a ruffle trim"),
    "lace": ("delicate lace", "a lace trim"),
    "pintuck": ("pintucks",),
}
KIND_DETAILS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("t-shirt", "pocket"): ("a handy pocket",),
    ("shirt", "pocket"): ("a handy pocket",),
    ("bag", "pocket"): ("a handy pocket",),
    ("boots", "string"): ("laces",),
    ("sneakers", "string"): ("laces",),
    ("pleated skirt", "pintuck"): ("swishy pleats",),
    ("slacks", "pintuck"): ("pressed creases",),
}

# What no picture shows. {s} ends the verb of a garment that is one thing, {f} that of a
# single feature.
DESIGNERS = (
    "ines valloire",
    "otto lindqvar",
    "maison verrelle",
    "odile tamsin",
    "studio kareva",
    "marlo quillon",
    "casa belunara",
    "atelier morvik",
    "tessaly brandt",
    "house of orlaine",
)
MOODS = (
    "effortless",
    "dreamy",
    "timeless",
    "easygoing",
    "irresistible",
    "polished",
    "charming",
    "nostalgic",
    "playful",
    "spirited",
    "unforgettable",
    "luxurious",
    "radiant",
    "modern",
    "graceful",
    "daring",
)
SPIRITS = (
    "retro charm",
    "bohemian ease",
    "easy elegance",
    "weekend spirit",
    "downtown attitude",
    "vintage romance",
    "quiet confidence",
    "sporty energy",
    "understated drama",
    "boardroom polish",
)
FEELINGS = (
    "you will wear everywhere",
    "you will reach for again and again",
    "that feel{s} like a daydream",
    "that turn{s} every errand into an occasion",
    "that earn{s} compliments wherever you go",
    "that promise{s} all day comfort",
    "you will never want to take off",
    "that bring{s} instant polish to anything you own",
)
ANYTIME = (
    "from desk to dinner",
    "for lazy sunday mornings",
    "for gallery openings and garden parties",
    "for date night and dancing until dawn",
    "wherever your travels take you",
    "for every day of the week",
    "for concerts and late suppers",
    "season after season",
)
WARM = (
    "all summer long",
    "for long weekends by the sea",
    "on the first warm days of spring",
    "for beach walks and rooftop parties",
)
COLD = (
    "when the first snow falls",
    "on crisp autumn evenings",
    "all winter long",
    "for holiday parties and fireside drinks",
)
INSPIRATIONS = (
    "riviera postcards",
    "old film stars",
    "vintage love letters",
    "the jazz clubs of another age",
    "ballet rehearsals",
    "desert journeys",
    "childhood gardens",
    "a forgotten novel",
)
FINISHES = (
    "artisan stitching",
    "a perfect fit",
    "the softest touch",
    "expert craftsmanship",
    "a thoughtful finish",
)
COLD_CLOTHS = (
    "wool knit",
    "wool woven/tweed",
    "fleece",
    "fur",
    "down",
    "velvet/velveteen",
    "corduroy/ribbed",
    "leather",
    "suede",
)
UNSEEN = unseen(
    DESIGNERS
    + MOODS
    + SPIRITS
    + FEELINGS
    + ANYTIME
    + WARM
    + COLD
    + INSPIRATIONS
    + FINISHES
)
SENTENCES = (
    "{a_mood_item} with {features} to wear {occasion}",
    "{features} lend{f} {spirit} to {a_item} {feeling}",
    (
        "designed by {designer} {this} {mood} {item} pair{s} {features} with {spirit}"
        " {occasion}"
    ),
    "treat yourself to {a_item} with {features} and feel {mood} {occasion}",
    (
        "inspired by {inspiration} {this} {item} from {designer} bring{s} {spirit} to"
        " your wardrobe with {features}"
    ),
    "{features} meet{f} {spirit} in {a_mood_item} from {designer} {feeling}",
    (
        "{designer} finishes {a_mood_item} with {features} and {spirit} to enjoy"
        " {occasion}"
    ),
    (
        "{this} {item} {is} {mood} and {mood2} with {features} that make{f} it easy to"
        " dress well {occasion}"
    ),
    (
        "you will live in {this} {mood} {item} styled with {features} and destined to"
        " be a favourite {occasion}"
    ),
)


def caption(garment: Garment, colour: str, rng: np.random.Generator) -> str:
    """Return one sentence of letters and spaces, without punctuation.

    It names the garment, one or two of its features, and what a seller adds.
    """
    noun = NOUNS.get(garment.subcategory, garment.subcategory).replace("-", " ")
    item = " ".join([*_looks(garment, colour, rng), noun])
    features = _features(garment, rng) or [pick(rng, FINISHES)]
    first = int(rng.integers(len(MOODS)))
    mood, mood2 = MOODS[first], MOODS[first - 1 - int(rng.integers(len(MOODS) - 1))]
    many = plural(noun)
    return pick(rng, SENTENCES).format(
        item=item,
        a_item=a(item),
        a_mood_item=a(f"{mood} {item}"),
        mood=mood,
        mood2=mood2,
        features=listed(features).replace(",", ""),
        f="" if len(features) > 1 or plural(features[0]) else "s",
        spirit=pick(rng, SPIRITS),
        designer=pick(rng, DESIGNERS),
        inspiration=pick(rng, INSPIRATIONS),
        occasion=pick(rng, ANYTIME + (COLD if garment.fabric in COLD_CLOTHS else WARM)),
        feeling=pick(rng, FEELINGS).format(s="" if many else "s"),
        s="" if many else "s",
        this="these" if many else "this",
        **{"is": "are" if many else "is"},
    )


def _looks(garment: Garment, colour: str, rng: np.random.Generator) -> list[str]:
    """Return words before the noun.

    Colour in two captions of five, pattern and cloth in most.
    """
    words = [f"{TONES[garment.tone]} {colour}".strip()] if rng.random() < 0.4 else []
    if garment.pattern != "solid" and rng.random() < 0.8:
        words.append(PATTERNS[garment.pattern].replace("-", " "))
    if rng.random() < 0.7:
        ribbed = garment.fabric == "corduroy/ribbed" and garment.subcategory in RIBBED
        cloths = CLOTHS.get(garment.fabric, (garment.fabric,))
        words.append("ribbed" if ribbed else pick(rng, cloths))
    return words


def _features(garment: Garment, rng: np.random.Generator) -> list[str]:
    """Return one or two of what the garment has, in a random order."""
    features = []
    for detail in garment.details:
        wordings = KIND_DETAILS.get((garment.subcategory, detail), DETAILS[detail])
        features.append(pick(rng, wordings))
    if garment.shoulder in SHOULDERS:
        features.append(SHOULDERS[garment.shoulder])
    elif garment.neckline != NONE and "collar" not in garment.details:
        features.append(pick(rng, NECKLINES[garment.neckline]))
    if garment.sleeve_length in ("short", "long"):
        features.append(f"{garment.sleeve_length} sleeves")
    if garment.zip_up != NONE:
        half = garment.zip_up == "half" and garment.category == "top"
        features.append("a half zip" if half else "a zip")
    elif garment.button != NONE and garment.category in ("top", "dress"):
        features.append("a row of buttons")
    order = rng.permutation(len(features))
    return [features[i] for i in order[: int(rng.integers(1, 3))]]
