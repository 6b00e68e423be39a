"""Time the search for each caption's metadata item at FACAD's scale.

`readers.overlap` stands against comparing all with all. Texts are made up: word
frequencies by Zipf's law over FACAD's 15.8K words, descriptions of about 21 words; each
caption is a description of which a tenth of the words is lost or replaced. The naive
definition runs on a few captions, which must get the same answers, and is scaled up to
all.

    python -m benchmarks.facad_attributes [--items 130000] [--captions 100000]
                                          [--naive 20]
"""

import numpy as np

from benchmarks.measuring import Figure, options, report, timed
from fashionlib.data import overlap

VOCABULARY, LENGTH = 15_800, 21


def naive(caption: str, texts: list[str]) -> tuple[int, float]:
    """Find items by the definition of `overlap.closest`, word for word."""
    wanted, length, best = set(caption.lower().split()), len(caption.split()), (-1, 0.0)
    for row, text in enumerate(texts):
        share = len(wanted & set(text.lower().split()[:length])) / len(wanted)
        if share > best[1]:
            best = row, share
    return best


def made_up(items: int, captions: int, seed: int = 0) -> tuple[list[str], list[str]]:
    """Captions, and the descriptions they were taken from."""
    rng = np.random.default_rng(seed)
    chances = 1 / np.arange(1, VOCABULARY + 1)
    lengths = np.clip(rng.normal(LENGTH, 6, items).round(), 5, 45).astype(int)
    ids = rng.choice(VOCABULARY, lengths.sum(), p=chances / chances.sum())
    texts = [
        " ".join(f"w{i}" for i in said) for said in np.split(ids, lengths.cumsum()[:-1])
    ]
    taken = []
    for row in rng.integers(0, items, captions):
        said = texts[row].split()[:30]
        kept = [
            f"w{rng.integers(VOCABULARY)}" if rng.random() < 0.05 else w
            for w in said
            if rng.random() > 0.05
        ]
        taken.append(" ".join(kept or said))
    return taken, texts


def main() -> None:
    given = options(__doc__, items=130_000, captions=100_000, naive=20)
    captions, texts = made_up(given.items, given.captions)
    (rows, shares), indexed = timed(lambda: overlap.closest(captions, texts))
    few = captions[: given.naive]
    expected, compared = timed(lambda: [naive(caption, texts) for caption in few])
    same = [
        (int(r), float(s)) == e for r, s, e in zip(rows, shares, expected, strict=False)
    ]
    figure = Figure(
        f"each of {len(captions):,} captions to its item among {len(texts):,}",
        indexed,
        peer="all with all, scaled up",
        theirs=compared * len(captions) / given.naive,
        note=f"{sum(same)} of {given.naive} answers compared are the same",
    )
    report([figure], {"mean overlap": shares.mean()})


if __name__ == "__main__":
    main()
