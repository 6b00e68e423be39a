"""WordNet 3.0's synsets of a word or phrase, as METEOR 1.5 packs them: the tables lie
in pycocoevalcap's METEOR jar.

SPICE (Anderson et al. 2016, section 3.2) calls two words synonyms where their synsets
meet, and METEOR's tables are the ones that it reads. No download: the jar is a zip
file, and the tables are text.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from functools import cache

from fashionlib.captioning.metrics.java import jar_folder

JAR = "meteor-1.5.jar"
# WordNet's rules of detachment (morphy), in the order in which METEOR tries them:
# ending, what takes its place.
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
    """Each word of the jar's table with the fields on the line below it.
    FileNotFoundError without the jar.
    """
    path = jar_folder("meteor") / JAR
    if not path.is_file():
        raise FileNotFoundError(f"no {path}. Next step: pip install pycocoevalcap==1.2")
    with zipfile.ZipFile(path) as jar:
        lines = jar.read(f"synonym/english.{name}").decode("utf-8").splitlines()
    return zip(lines[::2], map(str.split, lines[1::2]), strict=True)


@cache
def _synsets() -> dict[str, frozenset[str]]:
    """Synset numbers of each word that WordNet has, words of a phrase joined by "_"
    (147,306 entries).
    """
    return {word: frozenset(numbers) for word, numbers in _pairs("synsets")}


@cache
def _bases() -> dict[str, list[str]]:
    """Base forms of each irregular form: went -> go."""
    found: dict[str, list[str]] = {}
    for base, forms in _pairs("exceptions"):
        for form in forms:
            found.setdefault(form, []).append(base)
    return found


def base(word: str) -> str:
    """The base form that WordNet's endings give a regular form, where WordNet has it;
    else the word itself.
    """
    known = _synsets()
    if word.endswith(("ful", "ss")) or len(word) <= 2:  # colourful is no form of colour
        return word
    bases = (
        word[: -len(ending)] + new for ending, new in ENDINGS if word.endswith(ending)
    )
    return next((found for found in bases if found in known), word)


def lemma(form: str) -> str:
    """The base form of a lower-case plural or verb form, an irregular one first: women
    -> woman, worn -> wear.
    """
    return _bases().get(form, [base(form)])[0]


@cache
def synsets(phrase: str) -> frozenset[str]:
    """Synset numbers of a lower-case word or phrase: its own and those of its base
    forms; none where it is unknown.

    FileNotFoundError with the next step where METEOR's jar is missing.
    """
    word = phrase.strip().lower().replace(" ", "_")
    bases = _bases().get(word, [base(word)])
    return NONE.union(*(_synsets().get(form, NONE) for form in (word, *bases)))
