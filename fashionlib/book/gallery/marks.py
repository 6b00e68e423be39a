"""Which words of a caption are its attributes: the lemmas that a tagger gave, in order,
put back on their words.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache

LETTERS = re.compile(
    r"[^\W\d_]+"
)  # an attribute is letters alone; `attributes.words` splits at hyphens too
ALIKE = 0.25  # foot of feet; below, a lemma shares a letter with a stranger by chance

Span = tuple[int, int, str]  # start, end, lemma


def spans(caption: str, lemmas: Sequence[str], pool: Collection[str]) -> list[Span]:
    """Start, end and lemma of each word of `caption` that is an attribute of the pool,
    in order.

    `lemmas` are the caption's attributes as `attributes.tagged` gives them: in the
    caption's order, with repeats. A lemma unlike every word left for it ("good" of
    "better") gets an empty span at the end, so that no attribute is lost.
    """
    found = list(LETTERS.finditer(caption))
    places = aligned([word[0].lower() for word in found], lemmas)
    known = [
        (place, lemma)
        for place, lemma in zip(places, lemmas, strict=True)
        if lemma in pool
    ]
    words = [
        (*found[place].span(), lemma) for place, lemma in known if place is not None
    ]
    return words + [
        (len(caption), len(caption), lemma) for place, lemma in known if place is None
    ]


def aligned(forms: Sequence[str], lemmas: Sequence[str]) -> list[int | None]:
    """The place of each lemma's form, or None: of all pairings that keep both orders,
    the one most alike in sum.
    """
    best = [[0.0] * (len(forms) + 1)]  # (lemmas + 1, forms + 1)
    for lemma in lemmas:
        above, row = best[-1], [0.0]
        for column, form in enumerate(forms):
            row.append(
                max(
                    above[column] + likeness(form, lemma),
                    above[column + 1],
                    row[column],
                )
            )
        best.append(row)
    places: list[int | None] = [None] * len(lemmas)
    row, column = len(lemmas), len(forms)
    while row and column:
        alike = likeness(forms[column - 1], lemmas[row - 1])
        if alike and best[row][column] == best[row - 1][column - 1] + alike:
            row, column = row - 1, column - 1
            places[row] = column
        elif best[row][column] == best[row - 1][column]:
            row -= 1
        else:
            column -= 1
    return places


@lru_cache(maxsize=1 << 16)
def likeness(form: str, lemma: str) -> float:
    """The share of the longer word that both begin with, or 0 below `ALIKE`."""
    longest = max(len(form), len(lemma))
    common = next(
        (n for n, (a, b) in enumerate(zip(form, lemma, strict=False)) if a != b),
        min(len(form), len(lemma)),
    )
    return common / longest if common >= ALIKE * longest else 0.0
