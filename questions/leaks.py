"""Puzzles on splits: how much of the test captions training has already said."""

from __future__ import annotations

from statistics import fmean

import numpy as np
import pandas as pd

from fashionlib.data.items import CAPTION, PRODUCT, SPLIT, TEST, TRAIN, split_leaks
from fashionlib.data.overlap import closest
from questions.looks import WORDS, Look, captioned
from questions.question import Puzzle, Table


def leak(rng: np.random.Generator) -> Puzzle | None:
    """Draw seven articles in a split, and ask for the overlap with training.

    One or two of the three test articles are other colours of training's products.
    """
    first, second, third, fourth, new = (_uncoloured(captioned(rng)) for _ in range(5))
    known, similar = [first, second], third._replace(trait=new.trait)
    again = int(rng.integers(1, 3))
    train = [one.caption for one in (*known, third, fourth)]
    test = [one.caption for one in (*known[:again], *[similar, new][: 3 - again])]
    products = [*range(1, 5), *range(1, again + 1), *range(5, 8 - again)]
    texts = [*train, *test]
    if len(set(texts)) < 7 - again or any(
        len(text.split()) not in WORDS for text in texts
    ):
        return None
    split = pd.DataFrame(
        {CAPTION: texts, PRODUCT: products, SPLIT: [TRAIN] * 4 + [TEST] * 3}
    )
    verbatim = split_leaks(split)["caption stands in train"]
    value = float(closest(test, train)[1].mean())

    pairs = [[_shared(caption, text) for text in train] for caption in test]
    sizes = [len(set(caption.split())) for caption in test]
    best = [max(row) / size for row, size in zip(pairs, sizes, strict=True)]
    whole = [
        max(len(set(caption.split()) & set(text.split())) for text in train) / size
        for caption, size in zip(test, sizes, strict=True)
    ]
    union = [
        max(
            len(set(caption.split()) & set(text.split()))
            / len(set(caption.split()) | set(text.split()))
            for text in train
        )
        for caption in test
    ]
    every = [n / size for row, size in zip(pairs, sizes, strict=True) for n in row]
    rows = [
        (str(n), str(size), *map(str, row), f"{max(row)}/{size} = {share:.3f}")
        for n, (row, size, share) in enumerate(zip(pairs, sizes, best, strict=True), 5)
    ]
    copied = round(verbatim * 3)
    return Puzzle(
        given={"train": train, "test": test, "products": products},
        text=[
            "The articles of a drawn shop are split by article. All colours of a"
            " product share one caption.",
            Table(
                ("article", "product", "split", "caption"),
                [
                    (str(n), *map(str, row))
                    for n, row in enumerate(
                        zip(split[PRODUCT], split[SPLIT], texts, strict=True), 1
                    )
                ],
            ),
            "What is the mean overlap of the test captions with the closest training"
            " caption, with three decimals? The overlap with a training caption is the"
            " share of the test caption's distinct words that are among the training"
            " caption's first n words, where n is the number of words of the test"
            " caption.",
        ],
        value=value,
        mistakes={
            "This is the share of captions that stand in training word for"
            " word": verbatim,
            "The mean is over all pairs, not over the closest": fmean(every),
            "Shared words are divided by the words of both captions": fmean(union),
            "The whole training caption is searched, not its first n words": fmean(
                whole
            ),
            "The new products alone are compared": fmean(best[again:]),
        },
        steps=[
            f"Word for word {copied} of 3 test captions stand in training, a share of"
            f" {verbatim:.3f}. Their overlap is 1.",
            "Count the shared words with each training article, 1 to 4, and divide the"
            " largest count by the number of distinct words.",
            Table(("test", "distinct", "1", "2", "3", "4", "closest"), rows),
            f"Mean = ({' + '.join(f'{share:.3f}' for share in best)}) / 3"
            f" = {fmean(best):.3f}",
        ],
    )


def _uncoloured(look: Look) -> Look:
    return look._replace(adjectives=look.adjectives[1:])


def _shared(caption: str, text: str) -> int:
    words = caption.split()
    return len(set(words) & set(text.split()[: len(words)]))
