"""Find which of many texts shares most words with a caption, by an inverted index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

if TYPE_CHECKING:  # a search starts without scipy
    from scipy import sparse

# a longer caption is refused: the index takes 4 bytes per text and word of the longest
# caption
MOST_WORDS = 1000


def closest(
    captions: Sequence[str], texts: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each caption, the row of the text that overlaps most and the overlap.

    The row is -1 where no text shares a word. Overlap, as in the code of Paper A: the
    share of the caption's distinct words that are among the first n words of the text,
    n the caption's length in words; lower case, split at blanks. Among equals the first
    text wins. ValueError for a caption of more than `MOST_WORDS` words.

    Rare words first: a text without the k rarest of a caption's m words shares at most
    m - k, so the search ends when that is less than the best found.
    """
    from scipy import sparse

    queries = [caption.lower().split() for caption in captions]
    width = max(map(len, queries), default=0)
    if width > MOST_WORDS:
        raise ValueError(
            f"a caption has {width} words, more than {MOST_WORDS}; a text that long is"
            " no caption"
        )
    numbers: dict[str, int] = {}
    words = _words(texts, width, numbers)  # (texts, width)
    rows, columns = np.nonzero(words)
    holders = sparse.csc_matrix(
        (np.ones(len(rows), dtype=bool), (rows, words[rows, columns])),
        shape=(len(texts), len(numbers) + 1),
    )
    frequency = np.diff(holders.indptr)  # (words + 1,)
    present = np.zeros(len(numbers) + 1, dtype=bool)  # the words of one caption
    rows, overlaps = np.full(len(queries), -1), np.zeros(len(queries))
    shown = tqdm(queries, desc="captions", leave=False, disable=None)
    for n, query in enumerate(shown):
        distinct = set(query)
        known = [numbers[word] for word in distinct if word in numbers]
        known = np.array(known, dtype=int)
        known = known[np.lexsort((known, frequency[known]))]
        present[known] = True
        rows[n], shared = _best(known, len(query), words, holders, present)
        present[known] = False
        overlaps[n] = shared / max(len(distinct), 1)
    return rows, overlaps


def _best(
    known: np.ndarray,
    length: int,
    words: np.ndarray,
    holders: sparse.csc_matrix,
    present: np.ndarray,
) -> tuple[int, int]:
    """Return the best text's row and number of shared words.

    `known` are the caption's words, the rarest first.
    """
    row, most = -1, 0
    for passed, word in enumerate(known):
        if len(known) - passed < most:
            break
        start, end = holders.indptr[word : word + 2]
        candidates = holders.indices[start:end]  # ascending
        shared = present[words[candidates, :length]].sum(axis=1)
        first = int(shared.argmax())
        more = shared[first] > most
        earlier = shared[first] == most > 0 and candidates[first] < row
        if more or earlier:
            row, most = int(candidates[first]), int(shared[first])
    return row, most


def _words(texts: Sequence[str], width: int, numbers: dict[str, int]) -> np.ndarray:
    """Return the first `width` words of each text as numbers from 1 on.

    0 stands after a text's end and where it repeats a word.
    """
    words = np.zeros((len(texts), width), dtype=np.int32)
    for row, text in zip(words, texts, strict=True):
        used = set()
        for place, word in enumerate(text.lower().split(maxsplit=width)[:width]):
            if word not in used:
                used.add(word)
                row[place] = numbers.setdefault(word, len(numbers) + 1)
    return words
