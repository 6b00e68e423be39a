"""BLEU's counts, CIDEr-D and ROUGE-L of tokenised captions, equal to pycocoevalcap's.

Papineni et al. 2002, Vedantam et al. 2015, Lin 2004, with the conventions of
pycocoevalcap: the closest reference's length, document frequencies over items, a
Gaussian length penalty, and the highest precision and recall of any reference. Texts
are tokens with spaces between, as `tokens.tokenise` gives them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import count
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

ORDERS = 4  # n-grams of 1 to 4 tokens
SIGMA = 6.0  # of CIDEr-D's length penalty, in bigrams
BETA = 1.2  # ROUGE-L weighs recall BETA^2 times as much as precision
BLEU_COUNTS = (  # of an item; they add up over items
    *(f"matched {order}-grams" for order in range(1, ORDERS + 1)),
    *(f"{order}-grams" for order in range(1, ORDERS + 1)),
    "length",
    "reference length",
)


class Overlap(NamedTuple):
    """What `measure` gives, one row an item."""

    bleu_counts: np.ndarray  # (items, 10): BLEU_COUNTS
    cider: np.ndarray  # (items,), 0 to 10
    rouge: np.ndarray  # (items,), 0 to 1


class Cider:
    """CIDEr-D between texts (Vedantam et al. 2015), on its scale of 0 to 10.

    The document frequencies are those of `documents`, each of one text or more: the
    references of the items to score, or training captions to choose captions by.
    `counts` are those of the documents' texts and then of `others`.
    """

    def __init__(
        self, documents: Sequence[Sequence[str]], others: Sequence[str] = ()
    ) -> None:
        self.words: dict[str, int] = defaultdict(count().__next__)  # their numbers
        # Of each order the n-grams, sorted, as numbers: an n-gram is the number of the
        # (n - 1)-gram that it starts with, and of its last word.
        self.known = [np.empty(0, np.int64)] * ORDERS
        self.rarest = np.log(len(documents))  # the weight of an unknown n-gram
        texts = [text for document in documents for text in document]
        self.counts = self.count([*texts, *others])
        ends = np.cumsum([0, *map(len, documents)])
        members = csr_array((np.ones(len(texts)), np.arange(len(texts)), ends))
        self.weights = []  # of each order (n-grams,)
        for counts in self.counts:
            in_document = members @ counts[: len(texts)]  # (documents, n-grams)
            frequency = np.bincount(in_document.indices, minlength=counts.shape[1])
            self.weights.append(self.rarest - np.log(np.maximum(frequency, 1)))

    def count(self, texts: Sequence[str]) -> list[csr_array]:
        """Count the n-grams of each text: of each order (texts, n-grams).

        The columns of n-grams that no document has hold for this call alone.
        """
        lengths = np.array([len(text.split()) for text in texts], np.int64)
        words = " ".join(
            texts
        ).split()  # one list: many keep the garbage collector busy
        ids = np.fromiter(map(self.words.__getitem__, words), np.int64)  # (tokens,)
        text = np.repeat(np.arange(len(texts)), lengths)  # (tokens,)
        left = np.repeat(np.cumsum(lengths), lengths) - np.arange(len(ids))
        start = np.arange(len(ids))  # of the n-grams of this order, in `ids`
        gram, columns = ids.copy(), len(self.words)
        counts = []
        for order in range(ORDERS):
            if order:
                start = start[left[start] > order]  # tokens to the text's end
                key = gram[start] << 32 | ids[start + order]
                gram[start], columns = self._columns(order, key)
            ends = np.bincount(text[start] + 1, minlength=len(texts) + 1).cumsum()
            parts = (np.ones(len(start)), gram[start], ends)
            counts.append(csr_array(parts, shape=(len(texts), columns)))
            counts[-1].sum_duplicates()
        return counts

    def _columns(self, order: int, key: np.ndarray) -> tuple[np.ndarray, int]:
        """Give the column of each n-gram, and how many there are."""
        known = self.known[order]
        if not len(known):
            self.known[order], columns = np.unique(key, return_inverse=True)
            return columns, len(self.known[order])
        columns = np.minimum(np.searchsorted(known, key), len(known) - 1)
        new = known[columns] != key
        others, place = np.unique(key[new], return_inverse=True)
        columns[new] = len(known) + place
        return columns, len(known) + len(others)

    def compare(
        self, captions: list[csr_array], references: list[csr_array]
    ) -> np.ndarray:
        """Score each row of the captions' counts against the references' same row."""
        cosines = [
            _clipped_cosine(self._weigh(mine, order), self._weigh(theirs, order))
            for order, (mine, theirs) in enumerate(
                zip(captions, references, strict=True)
            )
        ]
        # pycocoevalcap's length of a text is its number of bigrams
        gap = captions[1].sum(axis=1) - references[1].sum(axis=1)
        return 10 * np.mean(cosines, axis=0) * np.exp(-(gap**2) / (2 * SIGMA**2))

    def _weigh(self, counts: csr_array, order: int) -> csr_array:
        """Give the tf-idf of counts; an n-gram of no document counts as of one."""
        weights = np.full(counts.shape[1], self.rarest)
        weights[: len(self.weights[order])] = self.weights[order]
        values = counts.data * weights[counts.indices]
        return csr_array((values, counts.indices, counts.indptr), shape=counts.shape)


def measure(references: Sequence[Sequence[str]], captions: Sequence[str]) -> Overlap:
    """Measure `captions` (items,) against `references` (items, one or more each).

    CIDEr's document frequencies are those of the items given; with one item its every
    weight is 0.
    """
    items = len(captions)
    each = [len(texts) for texts in references]
    item = np.repeat(np.arange(items), each)  # (references,) whose each one is
    cider = Cider(references, captions)
    theirs = [counts[: len(item)] for counts in cider.counts]
    mine = [counts[len(item) :] for counts in cider.counts]

    similarity = cider.compare([order[item] for order in mine], theirs)
    totals = np.column_stack([order.sum(axis=1) for order in mine])  # (items, 4)
    length, reference_length = totals[:, 0], theirs[0].sum(axis=1)
    matches = [
        own.minimum(_most(other, item, items)).sum(axis=1)
        for own, other in zip(mine, theirs, strict=True)
    ]
    # the reference of the closest length; of two as close, the shorter one
    far = np.abs(reference_length - length[item])
    nearest = np.lexsort([reference_length, far, item])
    first = nearest[np.cumsum([0, *each])[:-1]]
    return Overlap(
        np.column_stack([*matches, totals, length, reference_length[first]]),
        np.bincount(item, similarity, items) / each,
        rouge_l(references, captions),
    )


def bleu(counts: np.ndarray) -> np.ndarray:
    """Return BLEU-1..4 (..., 4) of summed counts (..., 10), BLEU_COUNTS.

    The guards against division by zero are pycocoevalcap's.
    """
    tiny, small = 1e-15, 1e-9
    counts = np.asarray(counts, float)
    matched, total = counts[..., :ORDERS], counts[..., ORDERS : 2 * ORDERS]
    products = np.cumprod((matched + tiny) / (total + small), axis=-1)
    ratio = (counts[..., -2] + tiny) / (counts[..., -1] + small)
    brevity = np.exp(np.minimum(0.0, 1 - 1 / ratio))
    return products ** (1 / np.arange(1, ORDERS + 1)) * brevity[..., None]


def _clipped_cosine(captions: csr_array, references: csr_array) -> np.ndarray:
    """Give CIDEr-D's cosine of each pair of rows, the caption's weights clipped."""
    shared = captions.minimum(references).multiply(references).sum(axis=1)
    norms = (captions.power(2).sum(axis=1) * references.power(2).sum(axis=1)) ** 0.5
    return np.divide(shared, norms, out=np.zeros(len(norms)), where=norms > 0)


def _most(counts: csr_array, item: np.ndarray, items: int) -> csr_array:
    """Give the highest count (items, n-grams) in any reference of an item."""
    place = np.arange(len(item)) - np.searchsorted(item, item)  # among the item's own
    most = csr_array((items, counts.shape[1]))
    for n in range(place.max(initial=-1) + 1):
        one = counts[place == n]
        ends = np.searchsorted(item[place == n], np.arange(items + 1))
        rows = csr_array((one.data, one.indices, one.indptr[ends]), shape=most.shape)
        most = most.maximum(rows)
    return most


def rouge_l(
    references: Sequence[Sequence[str]], captions: Sequence[str], beta: float = BETA
) -> np.ndarray:
    """Score ROUGE-L (items,); recall weighs beta^2 times as much as precision.

    1.2 is pycocoevalcap's; 1, the F1, is Thesis B's equation 4.5 and the package
    rouge-score's. An empty text is one empty token, as in pycocoevalcap.
    """
    scores = np.zeros(len(captions))
    for row, (texts, caption) in enumerate(zip(references, captions, strict=True)):
        words = caption.split(" ")
        precision = recall = 0.0
        for text in texts:
            true = text.split(" ")
            common = _longest_common(true, words)
            precision = max(precision, common / len(words))
            recall = max(recall, common / len(true))
        if precision and recall:
            both = (1 + beta**2) * precision * recall
            scores[row] = both / (recall + beta**2 * precision)
    return scores


def _longest_common(one: list[str], other: list[str]) -> int:
    """Give the length of the longest common subsequence.

    A row of the usual table is held as the bits of one number (Hyyrö 2004).
    """
    places: dict[str, int] = {}
    for place, word in enumerate(one):
        places[word] = places.get(word, 0) | 1 << place
    free = (1 << len(one)) - 1  # a bit is 0 where the table rises
    for word in other:
        hit = free & places.get(word, 0)
        free = (free + hit) | (free - hit)
    return len(one) - (free & (1 << len(one)) - 1).bit_count()
