"""The little English that every caption style needs: a choice, an article, a list, a
sentence.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def pick(rng: np.random.Generator, choices: Sequence[str]) -> str:
    """One of the choices, each as likely as the others."""
    return choices[int(rng.integers(len(choices)))]


def plural(noun: str) -> bool:
    """Whether the noun takes "are": trousers and socks, but not a dress."""
    return noun.endswith("s") and not noun.endswith("ss")


def a(phrase: str) -> str:
    """The phrase, which ends in its noun, after the indefinite article; a plural takes
    none.
    """
    if plural(phrase):
        return phrase
    return (
        f"{'an' if phrase[0].lower() in 'aeiou' and not phrase.startswith('one') else 'a'}"
        f" {phrase}"
    )


def listed(phrases: Sequence[str]) -> str:
    """One, "one and two", or "one, two and three"; at least one phrase."""
    return " and ".join(
        [", ".join(phrases[:-1]), phrases[-1]] if len(phrases) > 1 else phrases
    )


def sentence(text: str) -> str:
    """The text with a capital at its start and a full stop."""
    return text[0].upper() + text[1:] + "."
