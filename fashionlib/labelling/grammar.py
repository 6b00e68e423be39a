"""The little English that a written caption needs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def pick(rng: np.random.Generator, choices: Sequence[str]) -> str:
    """Return one of the choices, each as likely as the others."""
    return choices[int(rng.integers(len(choices)))]


def plural(noun: str) -> bool:
    """Return whether the noun takes "are": trousers and socks do, a dress doesn't."""
    return noun.endswith("s") and not noun.endswith("ss")


def a(phrase: str) -> str:
    """Put "a" or "an" before a phrase that ends in its noun; a plural takes neither."""
    if plural(phrase):
        return phrase
    vowel = phrase[0].lower() in "aeiou" and not phrase.startswith("one")
    return f"{'an' if vowel else 'a'} {phrase}"


def listed(phrases: Sequence[str]) -> str:
    """Join phrases: one, "one and two", or "one, two and three"; at least one."""
    if len(phrases) == 1:
        return phrases[0]
    return f"{', '.join(phrases[:-1])} and {phrases[-1]}"


def sentence(text: str) -> str:
    """Return the text with a capital at its start and a full stop."""
    return text[0].upper() + text[1:] + "."
