"""BLEU, CIDEr-D and ROUGE-L of tokenised captions, all items at once in numpy; equal to
pycocoevalcap's to rounding.

Papineni et al. 2002, Vedantam et al. 2015, Lin 2004, with the conventions of
pycocoevalcap: the closest reference's length, document frequencies over items, a
Gaussian length penalty, and the highest precision and recall of any reference.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

ORDERS = 4  # n-grams of 1 to 4 tokens
SIGMA = 6.0  # of CIDEr-D's length penalty, in tokens
BETA = 1.2  # ROUGE-L weighs recall BETA^2 times as much as precision


class Overlap(NamedTuple):
    """What `overlap` counts, one row an item."""

    # (items, 10): matches of 1- to 4-grams, totals of the same, length, closest length
    bleu_counts: np.ndarray
    cider: np.ndarray  # (items,), 0 to 10
    rouge: np.ndarray  # (items,), 0 to 1


class Grams(NamedTuple):
    """Distinct n-grams of each text, sorted by gram, then text."""

    gram: np.ndarray  # (entries,) 0, 1, 2, ...
    text: np.ndarray  # (entries,)
    count: np.ndarray  # (entries,)


def overlap(references: Sequence[Sequence[str]], captions: Sequence[str]) -> Overlap:
    """Counts and scores of `captions` (items,) against their `references` (items, one
    or more each).

    Texts are tokens with spaces between, as `tokens.tokenise` gives them. CIDEr's
    document frequencies are those of the items given; with one item its every weight is
    0.
    """
    items = len(captions)
    item = np.repeat(
        np.arange(items), [len(texts) for texts in references]
    )  # (references,) whose each one is
    texts = [*captions, *(text for texts in references for text in texts)]
    words = [text.split() for text in texts]
    lengths = np.array([len(row) for row in words])
    length, reference_length = lengths[:items], lengths[items:]
    matches, similarity = np.zeros((items, ORDERS)), np.zeros(len(item))
    for order, grams in enumerate(_grams(words, lengths)):
        matches[:, order], cosine = _match(grams, items, item)
        similarity += cosine
    bigrams = np.maximum(
        lengths - 1, 0
    )  # CIDEr-D's lengths, in pycocoevalcap, are numbers of bigrams
    similarity *= np.exp(
        -((bigrams[:items][item] - bigrams[items:]) ** 2) / (2 * SIGMA**2)
    )
    cider = (
        10
        / ORDERS
        * np.bincount(item, similarity, items)
        / np.bincount(item, minlength=items)
    )
    nearest = np.lexsort(
        [reference_length, np.abs(reference_length - length[item]), item]
    )
    closest = reference_length[
        nearest[np.searchsorted(item[nearest], np.arange(items))]
    ]
    totals = np.maximum(length[:, None] - np.arange(ORDERS), 0)
    return Overlap(
        np.column_stack([matches, totals, length, closest]),
        cider,
        rouge_l(references, captions),
    )


def _grams(words: list[list[str]], lengths: np.ndarray) -> Iterator[Grams]:
    """The texts' n-grams, order by order."""
    known: dict[str, int] = {}
    ids = np.array(
        [known.setdefault(word, len(known)) for row in words for word in row], np.int64
    )  # (tokens,)
    text = np.repeat(np.arange(len(words)), lengths)
    left = np.repeat(np.cumsum(lengths), lengths) - np.arange(
        len(ids)
    )  # tokens to the text's end
    gram, start = (
        np.zeros(len(ids), np.int64),
        np.arange(len(ids)),
    )  # where a gram of this order starts
    for order in range(ORDERS):
        start = start[left[start] > order]
        key = (gram[start] * len(known) + ids[start + order]) * len(words) + text[start]
        sorting = np.argsort(key)
        key = key[sorting]
        first = np.concatenate([[True], key[1:] != key[:-1]])[: len(key)]
        number = np.cumsum(np.diff(key // len(words), prepend=-1) != 0) - 1
        gram[start[sorting]] = number
        yield Grams(
            number[first],
            key[first] % len(words),
            np.diff(np.flatnonzero(first), append=len(key)),
        )


def _match(grams: Grams, items: int, item: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Clipped matches (items,) of the captions' n-grams, and CIDEr's cosine
    (references,) before the length penalty.
    """
    mine = grams.text < items
    gram, caption, count = (values[mine] for values in grams)
    of_gram, reference, of_count = (values[~mine] for values in grams)
    reference = reference - items
    place = (
        of_gram * items + item[reference]
    )  # (entries of references,) rising: by gram, then item
    distinct = np.diff(place, prepend=-1) != 0
    seen_in = np.bincount(
        of_gram[distinct], minlength=int(grams.gram[-1]) + 1 if len(grams.gram) else 0
    )
    weight = math.log(items) - np.log(np.maximum(seen_in, 1))  # (grams,)
    value, of_value = count * weight[gram], of_count * weight[of_gram]
    where = np.minimum(
        np.searchsorted(gram * items + caption, place), max(len(gram) - 1, 0)
    )
    both = (
        np.flatnonzero((gram * items + caption)[where] == place)
        if len(gram)
        else np.zeros(0, int)
    )
    found, reference_found = where[both], reference[both]
    most = np.zeros(len(gram))
    np.maximum.at(most, found, of_count[both])
    shared = np.bincount(
        reference_found,
        np.minimum(value[found], of_value[both]) * of_value[both],
        len(item),
    )
    norm = np.sqrt(
        np.bincount(caption, value**2, items)[item]
        * np.bincount(reference, of_value**2, len(item))
    )
    return np.bincount(caption, np.minimum(count, most), items), shared / np.where(
        norm > 0, norm, 1
    )


def rouge_l(
    references: Sequence[Sequence[str]], captions: Sequence[str], beta: float = BETA
) -> np.ndarray:
    """ROUGE-L (items,) of tokenised texts; recall weighs beta^2 times as much as
    precision.

    1.2 is pycocoevalcap's; 1, the F1, is Thesis B's equation 4.5 and the package
    rouge-score's. An empty text is one empty token, as in pycocoevalcap.
    """
    scores = np.zeros(len(captions))
    for row, (texts, caption) in enumerate(zip(references, captions, strict=True)):
        words = caption.split(" ")
        precision = recall = 0.0
        for text in texts:
            true = text.split(" ")
            common = _common(true, words)
            precision, recall = (
                max(precision, common / len(words)),
                max(recall, common / len(true)),
            )
        if precision and recall:
            scores[row] = (
                (1 + beta**2) * precision * recall / (recall + beta**2 * precision)
            )
    return scores


def _common(one: list[str], other: list[str]) -> int:
    """Length of the longest common subsequence, a row of the usual table as the bits of
    one number (Hyyrö 2004).
    """
    places: dict[str, int] = {}
    for place, word in enumerate(one):
        places[word] = places.get(word, 0) | 1 << place
    free = (1 << len(one)) - 1  # a bit is 0 where the table rises
    for word in other:
        hit = free & places.get(word, 0)
        free = (free + hit) | (free - hit)
    return len(one) - (free & (1 << len(one)) - 1).bit_count()
