"""Drawn garments in few words: what is true of one, and what a captioner writes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fashionlib.labelling import templates
from fashionlib.labelling.attribute_schema import NONE
from fashionlib.labelling.grammar import a, pick
from wardrobe import catalogue
from wardrobe.words.plain import WORN

COLOURS = list(catalogue.SHADES)
WORDS = range(4, 10)  # that a caption may have


class Look(NamedTuple):
    """A garment in words; its colour is the first of the adjectives."""

    adjectives: tuple[str, ...]
    noun: str
    trait: str

    @property
    def name(self) -> str:
        """The garment without its trait."""
        return " ".join([*self.adjectives, self.noun])

    @property
    def caption(self) -> str:
        """The garment as a caption of tokens: lower case, no punctuation."""
        return a(self.name) + (self.trait and f" with {self.trait}")


def look(rng: np.random.Generator) -> Look:
    """Draw a garment of the wardrobe, and say up to four things that are true of it."""
    kind, colour = pick(rng, list(catalogue.KINDS)), pick(rng, COLOURS)
    garment = catalogue.garment(kind, rng)
    record, noun = garment.record(colour), WORN.get(kind, kind)
    adjectives = [colour]
    if garment.pattern != "solid":
        adjectives.append(templates.PATTERNS[garment.pattern])
    cloth = templates.fabric(record)
    if cloth.split()[-1] not in noun and rng.random() < 0.6:
        adjectives.append(cloth)
    traits = templates.sleeves(record) + templates.trims(record)
    if garment.neckline != NONE:
        traits.append(f"{a(garment.neckline)} neckline")
    return Look(tuple(adjectives), noun, pick(rng, traits or [""]))


def captioned(rng: np.random.Generator) -> Look:
    """Draw a garment whose caption has as many words as `WORDS` allows."""
    while True:
        drawn = look(rng)
        if len(drawn.caption.split()) in WORDS:
            return drawn


def different(count: int, rng: np.random.Generator) -> list[Look]:
    """Draw garments of which no two have one name."""
    drawn: dict[str, Look] = {}
    while len(drawn) < count:
        one = look(rng)
        drawn.setdefault(one.name, one)
    return list(drawn.values())


def slipped(true: Look, rng: np.random.Generator) -> Look:
    """Write of a garment as a weak captioner does.

    It may take another colour, leave out what comes last, say a word twice, and leave
    out or swap the trait.
    """
    words = list(true.adjectives)
    if rng.random() < 0.4:
        words[0] = pick(rng, COLOURS)
    if len(words) > 1 and rng.random() < 0.4:
        words.pop()
    if rng.random() < 0.6:
        place = int(rng.integers(len(words)))
        words.insert(place, words[place])
    trait = pick(rng, [true.trait, true.trait, "", look(rng).trait])
    return Look(tuple(words), true.noun, trait)
