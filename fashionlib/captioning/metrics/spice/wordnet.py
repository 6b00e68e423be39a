"""WordNet 3.0's synsets of a word or phrase, as METEOR 1.5 packs them.

SPICE (Anderson et al. 2016, section 3.2) calls two words synonyms where their synsets
meet, and METEOR's tables are the ones that it reads. No download: pycocoevalcap's
METEOR jar is a zip file, and the tables in it are text.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from functools import cache

from fashionlib.captioning.metrics.java import jar_folder

JAR = "meteor-1.5.jar"
# WordNet's rules of detachment (morphy), in the order in which METEOR tries them: an
# ending, and what takes its place.
ENDINGS = (
    ("s", ""),
    ("ses", "s"),
    ("xes", "x"),
    ("zes", "z"),
    ("ches", "ch"),
    ("shes", "sh"),
    ("men", "man"),
    ("ies", "y"),
    ("s", ""),
    ("ies", "y"),
    ("es", "e"),
    ("es", ""),
    ("ed", "e"),
    ("ed", ""),
    ("ing", "e"),
    ("ing", ""),
    ("er", ""),
    ("est", ""),
    ("er", "e"),
    ("est", "e"),
)
NONE: frozenset[str] = frozenset()


def _pairs(name: str) -> Iterator[tuple[str, list[str]]]:
    """Read each word of the jar's table with the fields on the line below it."""
    path = jar_folder("meteor") / JAR
    if not path.is_file():
        raise FileNotFoundError(f"no {path}. Next step: pip install pycocoevalcap==1.2")
    with zipfile.ZipFile(path) as jar:
        lines = jar.read(f"synonym/english.{name}").decode("utf-8").splitlines()
    return zip(lines[::2], map(str.split, lines[1::2]), strict=True)


@cache
def _synsets() -> dict[str, frozenset[str]]:
    """Read the synset numbers of 147,306 words, a phrase joined by "_"."""
    return {word: frozenset(numbers) for word, numbers in _pairs("synsets")}


@cache
def _bases() -> dict[str, list[str]]:
    """Read the base forms of each irregular form: went -> go."""
    bases: dict[str, list[str]] = {}
    for base, forms in _pairs("exceptions"):
        for form in forms:
            bases.setdefault(form, []).append(base)
    return bases


def base(word: str) -> str:
    """Return the base form of a regular form, by WordNet's endings.

    The word itself where WordNet has none.
    """
    known = _synsets()
    if word.endswith(("ful", "ss")) or len(word) <= 2:  # colourful is no form of colour
        return word
    for ending, new in ENDINGS:
        form = word.removesuffix(ending) + new
        if word.endswith(ending) and form in known:
            return form
    return word


def lemma(form: str) -> str:
    """Return the base form of a lower-case plural or verb form: worn -> wear.

    Irregular forms are looked up first.
    """
    return _bases().get(form, [base(form)])[0]


@cache
def synsets(phrase: str) -> frozenset[str]:
    """Return the synset numbers of a lower-case word or phrase and its base forms.

    None where it is unknown. FileNotFoundError with the next step where METEOR's jar is
    missing.
    """
    word = phrase.strip().lower().replace(" ", "_")
    bases = _bases().get(word, [base(word)])
    return NONE.union(*(_synsets().get(form, NONE) for form in (word, *bases)))
