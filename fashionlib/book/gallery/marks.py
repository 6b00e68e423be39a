"""Which words of a caption are its attributes: a tagger's lemmas put on their words."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import NamedTuple

# An attribute is letters alone; `attributes.words` splits at hyphens too.
LETTERS = re.compile(r"[^\W\d_]+")
ALIKE = 0.25  # foot of feet; below, a lemma shares a letter with a stranger by chance

Span = tuple[int, int, str]  # start, end, lemma


class Piece(NamedTuple):
    """A part of a caption; a marked word has its kind (hit, missed …) and lemma."""

    text: str
    kind: str = ""
    lemma: str = ""


def pieces(
    caption: str, spans: Sequence[Span], shared: Collection[str], otherwise: str
) -> list[Piece]:
    """Cut a caption at its marks: "hit" for lemmas that are `shared`, else `otherwise`.

    An empty caption has no piece, and an empty span gives none.
    """
    parts, done = [], 0
    for start, end, lemma in spans:
        if end > start:
            kind = "hit" if lemma in shared else otherwise
            parts.append(Piece(caption[done:start]))
            parts.append(Piece(caption[start:end], kind, lemma))
            done = end
    return [*parts, Piece(caption[done:])] if caption else []


def spans(caption: str, lemmas: Sequence[str], pool: Collection[str]) -> list[Span]:
    """Return start, end and lemma of the caption's attributes, in its order.

    `lemmas` are the caption's attributes as `attributes.tagged` gives them: in the
    caption's order, with repeats; only those in `pool` count. A lemma unlike every word
    left for it ("good" of "better") gets an empty span at the end, so that no attribute
    is lost.
    """
    words = list(LETTERS.finditer(caption))
    places = aligned([word[0].lower() for word in words], lemmas)
    marked, unplaced = [], []
    for place, lemma in zip(places, lemmas, strict=True):
        if lemma not in pool:
            continue
        if place is None:
            unplaced.append((len(caption), len(caption), lemma))
        else:
            marked.append((*words[place].span(), lemma))
    return marked + unplaced


def aligned(forms: Sequence[str], lemmas: Sequence[str]) -> list[int | None]:
    """Return the place of each lemma's form, None where no form is like it.

    Of all pairings that keep both orders, the one with the highest sum of likenesses.
    """
    best = [[0.0] * (len(forms) + 1)]  # (lemmas + 1, forms + 1)
    for lemma in lemmas:
        above, row = best[-1], [0.0]
        for column, form in enumerate(forms):
            paired = above[column] + likeness(form, lemma)
            row.append(max(paired, above[column + 1], row[column]))
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
    """Return the share of the longer word that both begin with, 0 below `ALIKE`."""
    shortest, longest = sorted((len(form), len(lemma)))
    common = 0
    while common < shortest and form[common] == lemma[common]:
        common += 1
    return common / longest if common >= ALIKE * longest else 0.0
