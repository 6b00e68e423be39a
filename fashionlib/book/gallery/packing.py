"""The gallery's data as its script reads it: a third of the size of named fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fashionlib.book.gallery.cards import Caption, Entry
from fashionlib.book.gallery.marks import Span


def packed(
    entries: Sequence[Entry], metrics: Sequence[str], errors: Sequence[str], base: str
) -> dict[str, Any]:
    """Return the entries as lists, and the names that their numbers stand for.

    An item is [id, category, picture, width, height, truth, captions]; lemmas,
    categories and errors are places in the lists of those names.
    """
    lemmas: dict[str, int] = {}
    categories: dict[str, int] = {}

    def pack_text(text: str, spans: Sequence[Span]) -> list[Any]:
        numbers = []  # start, length and lemma of each mark, in one list
        for start, end, lemma in spans:
            first, last = utf16_length(text[:start]), utf16_length(text[:end])
            numbers += [first, last - first, lemmas.setdefault(lemma, len(lemmas))]
        return [text, numbers]

    def pack_caption(caption: Caption) -> list[Any]:
        marked = pack_text(caption.text, caption.spans)
        return [*marked, caption.scores, [errors.index(one) for one in caption.errors]]

    items = []
    for entry in entries:
        category = categories.setdefault(entry.category, len(categories))
        truth = pack_text(entry.truth or "", entry.spans)
        captions = [pack_caption(caption) for caption in entry.captions]
        items.append([entry.item, category, *entry.picture, truth, captions])
    return {
        "systems": [caption.system for caption in entries[0].captions],
        "metrics": metrics,
        "errors": errors,
        "lemmas": list(lemmas),
        "categories": list(categories),
        "base": base,
        "items": items,
    }


def utf16_length(text: str) -> int:
    """Return the text's length as JavaScript counts it, in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
