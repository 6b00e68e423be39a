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
from wardrobe.words import PHRASES, STYLES, tailor
from wardrobe.words.errors import family
from wardrobe.words.judge import NAMES, Article, claims, faults, true

Seed = tuple[int, ...]
SENTENCE_END = re.compile(r"(?<=\.) ")
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


def _fact_pattern() -> re.Pattern[str]:
    """Return what matches one of the tailor's sentences about what no picture shows."""
    texts = list(tailor.LININGS)
    for table in (tailor.FITS, tailor.FIBRES, tailor.SECRETS):
        for choices in table.values():
            texts += choices
    facts = SENTENCE_END.split(" ".join(texts))
    # a slot such as {n} stands for any words
    patterns = [re.sub(r"\\{\w+\\}", ".+", re.escape(fact)) for fact in facts]
    return re.compile("|".join(patterns))


FACT = _fact_pattern()


class Steady(np.random.Generator):
    """A generator whose choices cost one draw each, among however many.

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
        """Return one integer from `low` up to, but not including, `high`.

        Where only one bound is given, it is `high` and `low` is 0.
        """
        low, high = (0, low) if high is None else (low, high)
        return low + int(self._choices.random() * (high - low))

    def permutation(self, count: int) -> np.ndarray:
        """Return the numbers below `count`, shuffled."""
        return np.random.default_rng(int(self._orders.integers(2**63))).permutation(
            count
        )


def caption(article: Article, seed: Seed, style: str = "tailor") -> str:
    """Return the article's true caption in one of `words.STYLES`.

    Another seed gives another wording.
    """
    return STYLES[style](*article, Steady(seed))


def parted(text: str) -> tuple[str, str]:
    """Split a tailor's caption in two: what a picture shows, and what none shows.

    The second part has sentences on fit, linings, fibres and other secrets. Captions of
    other styles have no such sentences, and an empty second part.
    """
    parts: tuple[list[str], list[str]] = ([], [])
    for words in SENTENCE_END.split(text):
        parts[bool(FACT.fullmatch(words))].append(words)
    return " ".join(parts[0]), " ".join(parts[1])


def crossed(text: str, other: str) -> str:
    """Join what a picture shows, as the text says it, to the other's unseen facts."""
    return f"{parted(text)[0]} {parted(other)[1]}".strip()


def others(article: Article, attribute: str) -> list[Article]:
    """Return the article with each other value of the attribute, in the schema's order.

    The attribute is one of `LIES`, or "category". Only values whose words share nothing
    with what may truly be said; none where the article has no such thing. "garment"
    gives look-alikes of the same family, whose cut stays its own, and "category"
    garments of another, without what their kind can't have: boots have no sleeves.
    """
    garment, colour = article
    if attribute == "colour":
        return [(garment, other) for other in ATTRIBUTES["colour"] if other != colour]
    if attribute in ("garment", "category"):
        own, kin = NAMES[garment.subcategory], family(garment.subcategory)
        look_alike = attribute == "garment"
        articles = []
        for kind in KINDS:
            if (family(kind) == kin) != look_alike or NAMES[kind] & own:
                continue
            category = CATEGORY_OF.get(kind, ACCESSORY)
            other = replace(garment, subcategory=kind, category=category)
            articles.append((other if look_alike else _possible(other), colour))
        return articles
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
    """Return the garment without what its kind can't have.

    Its cloth and pattern stay.
    """
    kind = KINDS[garment.subcategory]
    allowed = {
        "total_length": kind.lengths,
        "sleeve_length": kind.sleeves,
        "neckline": kind.necklines,
        "shoulder": kind.shoulders,
        "zip_up": [zip_ for zip_, _ in kind.closures],
        "button": [button for _, button in kind.closures],
    }
    missing = {
        name: NONE for name, values in allowed.items() if garment[name] not in values
    }
    details = tuple(d for d in garment.details if d in kind.has | kind.may)
    return replace(garment, **missing, details=details)


def ladder(
    article: Article,
    seed: Seed,
    style: str = "tailor",
    most: int = 4,
    lies: Iterable[str] = LIES,
) -> list[str]:
    """Return the true caption, then captions with one wrong attribute, two, and so on.

    There are at most `most`; each step adds a fault. Only attributes that the caption
    speaks of are changed, in a random order, so a silent one ends sooner.
    """
    rng = np.random.default_rng([*seed, 3])
    captions, now, names = [caption(article, seed, style)], article, sorted(lies)
    for place in rng.permutation(len(names)):
        if len(captions) > most:
            break
        lies_of = _changed(article, now, names[place], seed, style, rng)
        if changed := next(lies_of, None):
            now, text = changed
            captions.append(text)
    return captions


def _changed(
    article: Article,
    now: Article,
    attribute: str,
    seed: Seed,
    style: str,
    rng: np.random.Generator,
) -> Iterator[tuple[Article, str]]:
    """Yield the article with another value of the attribute, and its caption.

    Only those that add just this one faulty attribute to `now`. They come in a random
    order, but first those that lose at most `SPARED` words of the caption before, then
    those that lose at most twice as many; garments of another family, whose caption may
    lose much, one word by one.
    """
    text = caption(now, seed, style)
    name = "garment" if attribute == "category" else attribute
    before = faults(text, article).keys()
    values = others(now, attribute) if claims(text)[name] else []
    shuffled_values = [values[place] for place in rng.permutation(len(values))]
    changed = [(value, caption(value, seed, style)) for value in shuffled_values]
    alike = 1 if attribute == "category" else SPARED + 1
    changed.sort(key=lambda pair: _lost(text, pair[1]) // alike)
    for value, other in changed:
        if faults(other, article).keys() == before | {name}:
            yield value, other


def _lost(text: str, changed: str) -> int:
    """Return how many words of the text the changed one lacks."""
    return (Counter(text.lower().split()) - Counter(changed.lower().split())).total()


def _lie(*lies: str, count: int = 1) -> Callable[[Article, Seed, str], str]:
    def tell(article: Article, seed: Seed, style: str = "tailor") -> str:
        captions = ladder(article, seed, style, count, lies)
        return captions[count] if len(captions) > count else captions[0]

    return tell


def added(article: Article, seed: Seed, style: str = "tailor", count: int = 2) -> str:
    """Return the true caption and `count` details that the article doesn't have.

    They stand behind its first sentence.
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
    """Return the caption of the article without pattern, fastening and details.

    It is true, but for a "plain", and shorter. What no picture shows stays, and the
    neckline that a collar covered is not said instead.
    """
    garment, colour = article
    neckline = NONE if "collar" in garment.details else garment.neckline
    nothing = {"zip_up": NONE, "button": NONE, "details": (), "pattern": "solid"}
    bare = replace(garment, **nothing, neckline=neckline)
    return crossed(caption((bare, colour), seed, style), caption(article, seed, style))


def shuffled(article: Article, seed: Seed, style: str = "tailor") -> str:
    """Return the true caption's words in a random order."""
    words = caption(article, seed, style).split()
    order = np.random.default_rng([*seed, 6]).permutation(len(words))
    return " ".join(words[place] for place in order)


def repeated(article: Article, seed: Seed, style: str = "tailor") -> str:
    """Return the true caption with its last sentence three times."""
    text = caption(article, seed, style)
    last = SENTENCE_END.split(text)[-1]
    return f"{text} {last} {last}"


def named(article: Article, seed: Seed, style: str = "tailor") -> str:
    """Return only what it is, as the true caption calls it, such as "A dress."."""
    (name,) = claims(caption(article, seed, style))["garment"]
    return sentence(a(name))


def coloured(text: str, colour: str) -> str:
    """Return the text with a colour before its first word: "Navy dress in ..."."""
    return f"{colour.capitalize()} {text[0].lower()}{text[1:]}"


# name -> (article, seed, style) to a caption with that fault; the true caption itself
# where it can't have it, because it doesn't speak of the attribute.
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


def captions(
    articles: Mapping[str, Article],
    seed: Seed,
    style: str = "tailor",
    write: Callable[[Article, Seed, str], str] = caption,
) -> dict[str, str]:
    """Caption each article; the n-th draws from `seed` and n.

    `write` is `caption`, for true ones, or one of `CORRUPTIONS`.
    """
    return {
        item: write(article, (*seed, n), style)
        for n, (item, article) in enumerate(articles.items())
    }
