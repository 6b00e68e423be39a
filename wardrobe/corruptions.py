"""Captions spoilt in known ways, for asking metrics whether they notice.

A caption with a fault is the caption of a changed garment, drawn in the same style with
the same `Steady` generator: what was changed is said otherwise, and most of the rest
stays word for word.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from fashionlib.labelling.attribute_schema import ATTRIBUTES, DETAILS, NONE
from fashionlib.labelling.grammar import a, listed, sentence
from fashionlib.labelling.templates import TRIMS
from wardrobe.catalogue import ACCESSORY, CATEGORY_OF, FITS, KINDS, Garment
from wardrobe.words import PHRASES, STYLES, errors, tailor
from wardrobe.words.errors import NAMES, Article, claims, family, true

Seed = tuple[int, ...]
SPARED = 6  # words: a fabric's name and the source of its fibres
LIES = (
    "garment",
    "fabric",
    "pattern",
    "sleeve_length",
    "total_length",
    "neckline",
    "shoulder",
    "fit",
    "zip_up",
    "button",
    "colour",
)
FACTS = [
    said
    for group in (
        tailor.FITS,
        tailor.FIBRES,
        tailor.SECRETS,
        {"lining": tailor.LININGS},
    )
    for choices in group.values()
    for said in choices
]
FACT = re.compile(
    "|".join(
        re.sub(r"\\{\w+\\}", ".+", re.escape(fact))
        for text in FACTS
        for fact in re.split(r"(?<=\.) ", text)
    )
)


class Steady(np.random.Generator):
    """A generator whose choices cost one draw each, however many there are to choose
    from.

    Two texts that make as many choices then make the same ones, though one chooses
    among five fabrics and the other among three. Choices, chances and orders come from
    streams of their own.
    """

    def __init__(self, seed: Seed) -> None:
        super().__init__(np.random.PCG64([*seed, 0]))
        self._choices, self._orders = (
            np.random.default_rng([*seed, stream]) for stream in (1, 2)
        )

    def integers(self, low: int, high: int | None = None) -> int:
        """One integer from `low` (0 where only one bound is given) to the bound, which
        is left out.
        """
        low, high = (0, low) if high is None else (low, high)
        return low + int(self._choices.random() * (high - low))

    def permutation(self, count: int) -> np.ndarray:
        """The numbers below `count`, shuffled."""
        return np.random.default_rng(int(self._orders.integers(2**63))).permutation(
            count
        )


def caption(article: Article, seed: Seed, style: str = "tailor") -> str:
    """The article's true caption in one of `words.STYLES`; another seed gives another
    wording.
    """
    return STYLES[style](*article, Steady(seed))


def parted(text: str) -> tuple[str, str]:
    """A tailor's caption in two: what a picture shows, and its sentences on fit,
    linings, fibres and other secrets.

    Captions of other styles have no such sentences, and an empty second part.
    """
    parts: tuple[list[str], list[str]] = ([], [])
    for said in re.split(r"(?<=\.) ", text):
        parts[bool(FACT.fullmatch(said))].append(said)
    return " ".join(parts[0]), " ".join(parts[1])


def crossed(text: str, other: str) -> str:
    """What a picture shows as the text says it, then what none shows as the other says
    it.
    """
    return f"{parted(text)[0]} {parted(other)[1]}".strip()


def others(article: Article, attribute: str) -> list[Article]:
    """The article with each other value of the attribute (of `LIES`, or "category"), in
    the schema's order.

    Only values whose words share nothing with what may truly be said; none where the
    article has no such thing. "garment" gives look-alikes of the same family, whose cut
    stays its own, and "category" garments of another, without what their kind can't
    have: boots have no sleeves.
    """
    garment, colour = article
    if attribute == "colour":
        return [(garment, other) for other in ATTRIBUTES["colour"] if other != colour]
    if attribute in ("garment", "category"):
        own, kin = NAMES[garment.subcategory], family(garment.subcategory)
        kinds = [
            kind
            for kind in KINDS
            if (family(kind) == kin) == (attribute == "garment")
            and not NAMES[kind] & own
        ]
        named = [
            replace(
                garment, subcategory=kind, category=CATEGORY_OF.get(kind, ACCESSORY)
            )
            for kind in kinds
        ]
        return [
            (_possible(other) if attribute == "category" else other, colour)
            for other in named
        ]
    if garment[attribute] == NONE:
        return []
    values = FITS if attribute == "fit" else ATTRIBUTES[attribute]
    words, held = PHRASES[attribute], true(article)[attribute]
    return [
        (replace(garment, **{attribute: value}), colour)
        for value in values
        if not words.get(value, held) & held
    ]


def _possible(garment: Garment) -> Garment:
    """The garment without what its kind can't have; its cloth and pattern stay."""
    kind = KINDS[garment.subcategory]
    allowed = {
        "total_length": kind.lengths,
        "sleeve_length": kind.sleeves,
        "neckline": kind.necklines,
        "shoulder": kind.shoulders,
        "zip_up": [zip_ for zip_, _ in kind.closures],
        "button": [button for _, button in kind.closures],
    }
    cut = {
        name: garment[name] if garment[name] in values else NONE
        for name, values in allowed.items()
    }
    return replace(
        garment,
        **cut,
        details=tuple(d for d in garment.details if d in kind.has | kind.may),
    )


def ladder(
    article: Article,
    seed: Seed,
    style: str = "tailor",
    most: int = 4,
    lies: Iterable[str] = LIES,
) -> list[str]:
    """The true caption, then the caption with one wrong attribute, with two, up to
    `most`: each step adds a fault.

    Only attributes that the caption speaks of are told wrongly, in a random order, so a
    silent one ends sooner.
    """
    rng = np.random.default_rng([*seed, 3])
    told, now, names = [caption(article, seed, style)], article, sorted(lies)
    for attribute in (names[i] for i in rng.permutation(len(names))):
        if len(told) > most:
            break
        if found := next(_told(article, now, attribute, seed, style, rng), None):
            now, text = found
            told.append(text)
    return told


def _told(
    article: Article,
    now: Article,
    attribute: str,
    seed: Seed,
    style: str,
    rng: np.random.Generator,
) -> Iterator[tuple[Article, str]]:
    """The article as told so far with another value, and its caption, where that adds
    just this one faulty attribute.

    In a random order, but first those that lose at most `SPARED` words of the caption
    before, then those that lose at most twice as many; garments of another family,
    whose caption may lose much, one word by one.
    """
    text, name = (
        caption(now, seed, style),
        "garment" if attribute == "category" else attribute,
    )
    before, values = (
        errors.faults(text, article).keys(),
        others(now, attribute) if claims(text)[name] else [],
    )
    drawn = [
        (values[place], caption(values[place], seed, style))
        for place in rng.permutation(len(values))
    ]
    alike = 1 if attribute == "category" else SPARED + 1
    for value, changed in sorted(drawn, key=lambda pair: _lost(text, pair[1]) // alike):
        if errors.faults(changed, article).keys() == before | {name}:
            yield value, changed


def _lost(text: str, changed: str) -> int:
    """How many words of the text the changed one lacks."""
    return (Counter(text.lower().split()) - Counter(changed.lower().split())).total()


def _lie(*lies: str, count: int = 1) -> Callable[[Article, Seed, str], str]:
    def tell(article: Article, seed: Seed, style: str = "tailor") -> str:
        told = ladder(article, seed, style, count, lies)
        return told[count] if len(told) > count else told[0]

    return tell


def added(article: Article, seed: Seed, style: str = "tailor", count: int = 2) -> str:
    """The true caption and, behind its first sentence, `count` details that the article
    doesn't have.
    """
    text, allowed = caption(article, seed, style), true(article)
    absent = [detail for detail in DETAILS if not allowed[detail]]
    order = np.random.default_rng([*seed, 5]).permutation(len(absent))[:count]
    phrases = [TRIMS[absent[place]] for place in sorted(order)]
    first, stop, rest = text.partition(". ")
    if not text.endswith("."):
        return f"{text} with {' and '.join(phrases)}"
    extra = sentence(re.sub("^an? ", "", listed(phrases)))
    return f"{first}. {extra} {rest}" if stop else f"{text} {extra}"


def dropped(article: Article, seed: Seed, style: str = "tailor") -> str:
    """The caption of the article without pattern, fastening and details: true, but for
    a "plain", and shorter.

    What no picture shows stays, and the neckline that a collar covered is not said
    instead.
    """
    garment, colour = article
    neckline = NONE if "collar" in garment.details else garment.neckline
    bare = replace(
        garment,
        zip_up=NONE,
        button=NONE,
        details=(),
        pattern="solid",
        neckline=neckline,
    )
    return crossed(caption((bare, colour), seed, style), caption(article, seed, style))


def shuffled(article: Article, seed: Seed, style: str = "tailor") -> str:
    """The true caption's words in a random order, its last sign at the end."""
    words = caption(article, seed, style).split()
    return " ".join(
        words[place]
        for place in np.random.default_rng([*seed, 6]).permutation(len(words))
    )


def repeated(article: Article, seed: Seed, style: str = "tailor") -> str:
    """The true caption with its last sentence three times."""
    text = caption(article, seed, style)
    return " ".join([text, *[re.split(r"(?<=\.) ", text)[-1]] * 2])


def named(article: Article, seed: Seed, style: str = "tailor") -> str:
    """Only what it is, as the true caption calls it: "A dress." """
    (name,) = claims(caption(article, seed, style))["garment"]
    return sentence(a(name))


def coloured(text: str, colour: str) -> str:
    """The text with a colour before its first word: "Navy dress in ..."."""
    return f"{colour.capitalize()} {text[0].lower()}{text[1:]}"


# name -> (article, seed, style) to a caption with that fault; the true caption itself
# where it can't have it, because
# it doesn't speak of the attribute.
CORRUPTIONS: Mapping[str, Callable[[Article, Seed, str], str]] = {
    "wrong colour": _lie("colour"),
    "wrong fabric": _lie("fabric"),
    "wrong pattern": _lie("pattern"),
    "wrong length": _lie("sleeve_length", "total_length"),
    "wrong neckline": _lie("neckline"),
    "look-alike": _lie("garment"),
    "other garment": _lie("category"),
    "three lies": _lie(*LIES, count=3),
    "added details": added,
    "dropped details": dropped,
    "shuffled words": shuffled,
    "repeated": repeated,
    "name only": named,
}
