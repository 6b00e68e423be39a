"""Compare caption scores with pycocoevalcap: time of each metric, and the values.

Each true caption's other side is itself with words dropped and replaced. METEOR is also
timed with a new cache folder, where the paraphrases have to be cut first.

    # 10,000 pairs made of the wardrobe's captions
    python -m benchmarks.scores
    # of your own, one caption a line
    python -m benchmarks "scores --captions path/to/texts.txt"
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.meteor.meteor import Meteor
from pycocoevalcap.rouge.rouge import Rouge

from benchmarks.measuring import Figure, alternating, options, report, timed, version
from benchmarks.texts import captions
from fashionlib.captioning.metrics import java, meteor, spice, tokens
from fashionlib.captioning.metrics.overlap import bleu, measure


def main() -> None:
    given = options(__doc__, captions="", pairs=10_000, rounds=3, spice=500)
    runtime = Path(java.runtime()).parent
    os.environ["PATH"] = f"{runtime}{os.pathsep}{os.environ['PATH']}"  # for the peer
    texts = captions(given.captions, given.pairs)
    alike, figures = tokenisers(texts, given.rounds)
    true, said = pairs(texts)
    figures[:0] = [
        *overlaps(true, said, given.rounds),
        *meteors(true, said, given.rounds),
    ]
    figures += spices(texts[: given.spice], said[: given.spice])
    values = {
        "distinct": len(set(texts)),
        "words a caption": np.mean([len(text.split()) for text in true]),
        "different words": len({word for text in true for word in text.split()}),
        "tokenised alike": alike,
    }
    report(figures, values)


def pairs(texts: list[str]) -> tuple[list[str], list[str]]:
    """Return tokenised texts, and each with words left out (15 %) and replaced (20 %).

    The new words are another text's.
    """
    true, rng = tokens.tokenise(texts), np.random.default_rng(0)
    words = np.array([word for text in true for word in text.split()])
    said = []
    for text in true:
        kept = [word for word in text.split() if rng.random() > 0.15]
        said.append(
            " ".join(rng.choice(words) if rng.random() < 0.2 else word for word in kept)
        )
    return true, said


def beside_peer(
    what: str, ours: Any, theirs: Any, rounds: int, goal: float
) -> list[Figure]:
    """Return a figure of both sides, which give arrays of the same shape."""
    ways = {"ours": ours, "pycocoevalcap": theirs}
    found, seconds = alternating(ways, rounds)
    gap = np.abs(found["ours"] - found["pycocoevalcap"]).max()
    peer, note = version("pycocoevalcap"), f"largest difference of an item {gap:.0e}"
    cost = seconds["ours"], "s", peer, seconds["pycocoevalcap"]
    return [Figure(what, *cost, goal, note)]


def overlaps(true: list[str], said: list[str], rounds: int) -> list[Figure]:
    truth = {n: [text] for n, text in enumerate(true)}
    result = {n: [text] for n, text in enumerate(said)}

    def ours() -> np.ndarray:
        counts, cider, rouge = measure([[text] for text in true], said)
        return np.vstack([bleu(counts).T, cider, rouge])  # (metrics, items)

    def theirs() -> np.ndarray:
        bleus = Bleu(4).compute_score(truth, result, verbose=0)[1]
        cider = Cider().compute_score(truth, result)[1]
        return np.vstack([bleus, cider, Rouge().compute_score(truth, result)[1]])

    what = f"BLEU-1 to 4, CIDEr and ROUGE-L of {len(said):,} pairs"
    return beside_peer(what, ours, theirs, rounds, goal=15)


def meteors(true: list[str], said: list[str], rounds: int) -> list[Figure]:
    references = [[text] for text in true]
    truth = dict(enumerate(references))
    result = {n: [text] for n, text in enumerate(said)}

    def theirs() -> np.ndarray:
        official = Meteor()
        found = official.compute_score(truth, result)[1]
        official.meteor_p.stdin.close()
        official.meteor_p.kill()
        official.meteor_p.wait()
        return np.array(found)

    def ours() -> np.ndarray:
        return meteor.score(references, said).per_item

    with tempfile.TemporaryDirectory() as folder:
        os.environ["FASHIONLIB_CACHE"] = folder
        _, first = timed(ours)
        what = f"METEOR of {len(said):,} pairs"
        figures = beside_peer(what, ours, theirs, rounds, goal=2)
    return [*figures, Figure("the same, its paraphrases cut anew", first)]


def tokenisers(texts: list[str], rounds: int) -> tuple[float, list[Figure]]:
    """Compare the Python tokeniser with the jar's: the share of texts cut alike."""
    ways = {
        name: lambda name=name: tokens.tokenise(texts, name)
        for name in tokens.TOKENISERS
    }
    found, seconds = alternating(ways, rounds)
    ptb, python = tokens.TOKENISERS
    pairs = zip(found[ptb], found[python], strict=True)
    alike = sum(one == other for one, other in pairs) / len(texts)
    what, note = f"{len(texts):,} captions tokenised", f"{alike:.1%} alike"
    figure = Figure(what, seconds[python], "s", "the jar", seconds[ptb], note=note)
    return alike, [figure]


def spices(texts: list[str], said: list[str]) -> list[Figure]:
    """SPICE-py's speed with an empty cache of parses and with a full one."""
    references = [[text] for text in texts]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FASHIONLIB_CACHE"] = folder
        first, cached = (timed(lambda: spice.score(references, said)) for _ in range(2))
    what = f"SPICE-py of {len(said):,} pairs"
    return [Figure(what, first[1]), Figure(f"{what}, parses cached", cached[1])]


if __name__ == "__main__":
    main()
