"""The caption that a group of captions agrees on most, under CIDEr-D between single
captions.

Copying the consensus of the nearest photos' captions is Devlin et al. (2015),
"Exploring nearest neighbor approaches for image captioning"; choosing among a model's
own samples so is minimum Bayes risk decoding.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

ORDERS = 4  # n-grams of 1 to 4 words
SIGMA = 6.0  # words: CIDEr-D's penalty on a difference in length
WORD = re.compile(r"[^\W_](?:[\w'/-]*[^\W_])?")


@dataclass(frozen=True)
class _Vector:
    """Tf-idf of a caption's n-grams, one mapping and one Euclidean norm per order, and
    its number of words.
    """

    weights: list[dict[tuple[str, ...], float]]
    norms: list[float]
    words: int


@dataclass(frozen=True)
class Cider:
    """CIDEr-D of one caption against one other (Vedantam et al. 2015), on CIDEr's scale
    of 0 to 10.

    Document frequencies come from the captions it was made of, one document each: give
    training captions only. Words are lower-cased runs of letters and digits, so that no
    Java is needed; pycocoevalcap's tokens differ in rare cases.
    """

    documents: int
    frequencies: Mapping[tuple[str, ...], int] = field(repr=False)

    def __post_init__(self) -> None:
        if self.documents < 2:
            raise ValueError(
                f"{self.documents} captions give no document frequencies; give at"
                " least 2"
            )
        object.__setattr__(self, "vector", lru_cache(maxsize=200_000)(self._vector))

    def __call__(self, caption: str, reference: str) -> float:
        a, b = self.vector(caption), self.vector(reference)
        total = 0.0
        for ours, theirs, norm_a, norm_b in zip(
            a.weights, b.weights, a.norms, b.norms, strict=True
        ):
            few, many = (ours, theirs) if len(ours) < len(theirs) else (theirs, ours)
            clipped = sum(
                min(ours[gram], theirs[gram]) * theirs[gram]
                for gram in few
                if gram in many
            )
            total += clipped / (norm_a * norm_b) if clipped else 0.0
        return (
            10 * total / ORDERS * math.exp(-((a.words - b.words) ** 2) / (2 * SIGMA**2))
        )

    def _vector(self, caption: str) -> _Vector:
        grams = ngrams(caption)
        weights = [
            {
                gram: (
                    count
                    * math.log(self.documents / max(1, self.frequencies.get(gram, 0)))
                )
                for gram, count in order.items()
            }
            for order in grams
        ]
        norms = [
            math.sqrt(sum(weight * weight for weight in order.values()))
            for order in weights
        ]
        return _Vector(weights, norms, sum(grams[0].values()))


def cider(captions: Iterable[str]) -> Cider:
    """The measure whose document frequencies are those of `captions`. ValueError for
    fewer than two.
    """
    frequencies: Counter[tuple[str, ...]] = Counter()
    texts = list(captions)
    for caption in texts:
        for order in ngrams(caption):
            frequencies.update(order.keys())
    return Cider(len(texts), frequencies)


def ngrams(caption: str) -> list[Counter[tuple[str, ...]]]:
    """How often each n-gram occurs in a caption: one counter per order, 1 to 4."""
    words = WORD.findall(caption.lower())
    return [
        Counter(zip(*(words[k:] for k in range(n)), strict=False))
        for n in range(1, ORDERS + 1)
    ]


def similarities(
    measure: Cider, candidates: Sequence[str], support: Sequence[str]
) -> np.ndarray:
    """The measure of each candidate against each supporting caption: (candidates,
    support).
    """
    return np.array(
        [[measure(candidate, other) for other in support] for candidate in candidates]
    ).reshape(len(candidates), len(support))


def consensus(measure: Cider, captions: Sequence[str]) -> str:
    """The caption with the highest mean similarity to all of them, their medoid; the
    first of equals.

    ValueError for no caption.
    """
    if not captions:
        raise ValueError("0 captions have no consensus; give at least 1")
    return captions[int(np.argmax(similarities(measure, captions, captions).mean(1)))]
