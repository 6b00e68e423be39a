"""Compare caption scores with pycocoevalcap: time of each metric, and the values.

Both sides are in one run. Each true caption's other side is itself with words dropped
and replaced. The sides alternate; times are medians of `--rounds` rounds in CPU seconds
of this process and its children, and in seconds of the wall. METEOR is timed with a new
cache folder (the paraphrases have to be cut first) and with a filled one.

    # 10,000 pairs made of the wardrobe's captions
    python benchmarks/scores.py
    # of your own, one caption a line
    python benchmarks/scores.py --captions texts.txt
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import wardrobe
from fashionlib.captioning.metrics import java, meteor, spice, tokens
from fashionlib.captioning.metrics.overlap import bleu, measure
from fashionlib.data import provenance
from wardrobe.words import STYLES


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--captions",
        type=Path,
        help="a text file with a caption a line (else the wardrobe's)",
    )
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--spice",
        type=int,
        default=500,
        help="pairs for SPICE-py, which parses (default 500)",
    )
    args = parser.parse_args()
    os.environ["PATH"] = (  # pycocoevalcap calls `java`
        f"{Path(java.runtime()).parent}{os.pathsep}{os.environ['PATH']}"
    )
    texts = (
        args.captions.read_text("utf-8").splitlines()
        if args.captions
        else drawn(args.pairs)
    )
    texts = [text for text in texts if text.strip()][: args.pairs]
    result = {"pairs": len(texts), "distinct": len(set(texts)), "rounds": args.rounds}
    result |= tokenisers(texts, args.rounds)
    true, said = pairs(texts)
    result["words"] = {
        "a caption": np.mean([len(text.split()) for text in true]),
        "different": len({word for text in true for word in text.split()}),
    }
    result |= overlaps(true, said, args.rounds) | meteors(true, said, args.rounds)
    result |= spices(texts[: args.spice], said[: args.spice])
    result |= {"hardware": provenance.hardware(), "versions": provenance.versions()}
    json.dump(result, sys.stdout, indent=1, default=float)


def drawn(count: int) -> list[str]:
    """Captions of the wardrobe in H&M's style and FACAD's."""
    rows = wardrobe.articles(count // 2, seed=7).to_dict("records")
    return [
        STYLES[style](
            wardrobe.garment_of(row), row["colour"], np.random.default_rng([n, 7])
        )
        for n, row in enumerate(rows)
        for style in ("tailor", "enchanting")
    ]


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


def timed(call: Callable[[], Any]) -> tuple[Any, float, float]:
    """Return what the call returns, its CPU seconds and its seconds.

    Children that have ended are included.
    """

    def spent() -> float:
        used = [
            resource.getrusage(who)
            for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        ]
        return sum(one.ru_utime + one.ru_stime for one in used)

    gc.collect()
    before, began = spent(), time.perf_counter()
    found = call()
    return found, spent() - before, time.perf_counter() - began


def compared(
    name: str,
    ours: Callable[[], Any],
    theirs: Callable[[], Any],
    rounds: int,
    differ: Callable[[Any, Any], dict[str, float]],
) -> dict[str, Any]:
    """Medians of both sides and their ratios."""
    times, answers = [], None
    for _ in range(rounds):
        mine, other = timed(ours), timed(theirs)
        answers = mine[0], other[0]
        times.append([*mine[1:], *other[1:]])
        sys.stderr.write(f"{name}: {np.round(times[-1], 2).tolist()}\n")
    cpu, wall, their_cpu, their_wall = np.median(times, axis=0).tolist()
    return {
        name: {
            "ours": {"cpu s": cpu, "s": wall},
            "pycocoevalcap": {"cpu s": their_cpu, "s": their_wall},
            "times as fast": {"cpu": their_cpu / cpu, "wall": their_wall / wall},
            **differ(*answers),
        }
    }


def overlaps(true: list[str], said: list[str], rounds: int) -> dict[str, Any]:
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    truth = {n: [text] for n, text in enumerate(true)}
    result = {n: [text] for n, text in enumerate(said)}

    def ours() -> tuple:
        counts, cider, rouge = measure([[text] for text in true], said)
        return bleu(counts).T, cider, rouge

    def theirs() -> tuple:
        bleus = Bleu(4).compute_score(truth, result, verbose=0)[1]
        return (
            np.array(bleus),
            Cider().compute_score(truth, result)[1],
            Rouge().compute_score(truth, result)[1],
        )

    def differ(mine: tuple, other: tuple) -> dict[str, float]:
        names = ("BLEU", "CIDEr", "ROUGE-L")
        return {
            f"largest difference, {name}": float(np.abs(a - b).max())
            for name, a, b in zip(names, mine, other, strict=True)
        }

    return compared("BLEU-1 to 4, CIDEr, ROUGE-L", ours, theirs, rounds, differ)


def meteors(true: list[str], said: list[str], rounds: int) -> dict[str, Any]:
    from pycocoevalcap.meteor.meteor import Meteor

    references = [[text] for text in true]

    def theirs() -> list[float]:
        official = Meteor()
        found = official.compute_score(
            dict(enumerate(references)), {n: [text] for n, text in enumerate(said)}
        )[1]
        official.meteor_p.stdin.close()
        official.meteor_p.kill()
        official.meteor_p.wait()
        return found

    def ours() -> np.ndarray:
        return meteor.score(references, said).per_item

    with tempfile.TemporaryDirectory() as folder:
        os.environ["FASHIONLIB_CACHE"] = folder
        _, cpu, wall = timed(ours)
        found = compared(
            "METEOR",
            ours,
            theirs,
            rounds,
            lambda mine, other: {
                "largest difference": float(np.abs(mine - np.array(other)).max())
            },
        )
    found["METEOR"]["ours, paraphrases cut anew"] = {"cpu s": cpu, "s": wall}
    return found


def tokenisers(texts: list[str], rounds: int) -> dict[str, Any]:
    """Compare the Python tokeniser with the jar: how many texts are tokenised alike."""
    ptb, python = tokens.tokenise(texts), tokens.tokenise(texts, "python")
    alike = sum(one == other for one, other in zip(ptb, python, strict=True))
    cpu = {
        f"cpu s, {name}": np.median(
            [
                timed(lambda name=name: tokens.tokenise(texts, name))[1]
                for _ in range(rounds)
            ]
        )
        for name in tokens.TOKENISERS
    }
    return {"tokenisers": {"alike": alike / len(texts), **cpu}}


def spices(texts: list[str], said: list[str]) -> dict[str, Any]:
    """SPICE-py's speed with an empty cache of parses and with a full one."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FASHIONLIB_CACHE"] = folder
        call = lambda: spice.score([[text] for text in texts], said)  # noqa: E731
        (_, cold, _), (_, cached, _) = timed(call), timed(call)
    return {
        "SPICE-py": {
            "captions": 2 * len(texts),
            "cpu s": cold,
            "cpu s, parses cached": cached,
        }
    }


if __name__ == "__main__":
    main()
