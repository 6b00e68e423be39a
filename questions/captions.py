"""Puzzles on captions: BLEU-2, CIDEr-D, and attribute precision and recall."""

from __future__ import annotations

from collections import Counter
from math import exp, log, sqrt

import numpy as np

from fashionlib.captioning.metrics import attributes as metric
from fashionlib.captioning.metrics import overlap
from questions.looks import COLOURS, WORDS, captioned, different, slipped
from questions.question import Puzzle, Table

PLAIN = frozenset({"a", "an", "and", "at", "down", "in", "no", "of", "the", "with"})
Grams = Counter[str]


def grams(caption: str, order: int) -> Grams:
    """Count the runs of `order` words."""
    words = caption.split()
    starts = range(len(words) - order + 1)
    return Counter(" ".join(words[start : start + order]) for start in starts)


def bleu(rng: np.random.Generator) -> Puzzle | None:
    """Draw a reference and a caption, and ask for BLEU-2.

    None where the caption isn't shorter, or no pair of its words counts.
    """
    true = captioned(rng)
    reference, caption = true.caption, slipped(true, rng).caption
    written, expected = len(caption.split()), len(reference.split())
    rows, said, kept, loose = [], [], [], []  # the last three by order
    for order in (1, 2):
        own, other = grams(caption, order), grams(reference, order)
        said.append(own.total())
        kept.append((own & other).total())
        loose.append(sum(n for gram, n in own.items() if gram in other))
        rows += [
            (gram, str(n), str(other[gram]), str(min(n, other[gram])))
            for gram, n in own.items()
        ]
    if written not in WORDS or written >= expected or not kept[1]:
        return None
    counts = overlap.measure([[reference]], [caption]).bleu_counts
    value = float(overlap.bleu(counts)[0, 1])

    brevity = exp(1 - expected / written)
    one, two = kept[0] / said[0], kept[1] / said[1]
    by_hand = brevity * sqrt(one * two)
    return Puzzle(
        given={"reference": reference, "caption": caption},
        text=[
            "A drawn garment has the reference; a captioner wrote the caption.",
            Table(("text", "words"), [("reference", reference), ("caption", caption)]),
            "What is the caption's BLEU-2, with three decimals? BLEU-2 is the geometric"
            " mean of the clipped precisions of single words and of pairs, times the"
            " brevity penalty.",
        ],
        value=value,
        mistakes={
            "The counts are not clipped: a word said twice counts twice": brevity
            * sqrt(loose[0] / said[0] * loose[1] / said[1]),
            "The brevity penalty is missing": sqrt(one * two),
            "The arithmetic mean stands in place of the geometric one": brevity
            * (one + two)
            / 2,
            "This is BLEU-1: the pairs are missing": brevity * one,
            "The root is missing": brevity * one * two,
            "The precisions are of the reference's words, so this is recall": brevity
            * sqrt(kept[0] / expected * kept[1] / (expected - 1)),
        },
        steps=[
            "Count each word and each pair of the caption; each counts at most as often"
            " as the reference has it.",
            Table(("n-gram", "caption", "reference", "clipped"), rows),
            f"Words: {kept[0]} of {said[0]}, so p1 = {one:.3f}. Pairs: {kept[1]} of"
            f" {said[1]}, so p2 = {two:.3f}.",
            f"The caption has {written} words, the reference {expected}: the brevity"
            f" penalty is exp(1 − {expected}/{written}) = {brevity:.3f}.",
            f"BLEU-2 = {brevity:.3f} × √({one:.3f} × {two:.3f}) = {by_hand:.3f}",
        ],
    )


def cider(rng: np.random.Generator) -> Puzzle | None:
    """Draw three references and a caption of the first, and ask for CIDEr-D."""
    shown = different(3, rng)
    references = [one.caption for one in shown]
    caption = slipped(shown[0], rng).caption
    if any(len(text.split()) not in WORDS for text in [*references, caption]):
        return None
    measure = overlap.Cider([[text] for text in references], [caption])
    mine, true = ([counts[[row]] for counts in measure.counts[:2]] for row in (3, 0))
    value = float(measure.compare(mine, true)[0])

    rows, cosines, loose, unweighted = [], [], [], []
    for order in (1, 2):
        own, other = grams(caption, order), grams(references[0], order)
        holders = Counter(gram for text in references for gram in grams(text, order))
        weights = {gram: log(3 / max(1, holders[gram])) for gram in own | other}
        ones = dict.fromkeys(weights, 1.0)
        cosines.append(_cosine(own, other, weights))
        loose.append(_cosine(own, other, weights, clipped=False))
        unweighted.append(_cosine(own, other, ones))
        rows += [
            (
                gram,
                str(holders[gram]),
                f"{weight:.3f}",
                f"{own[gram] * weight:.3f}",
                f"{other[gram] * weight:.3f}",
            )
            for gram, weight in weights.items()
        ]
    if not all(cosines):
        return None
    pairs = [len(text.split()) - 1 for text in (caption, references[0])]
    gap = pairs[0] - pairs[1]
    penalty = exp(-(gap**2) / 72)

    def scaled(two: list[float], factor: float = penalty) -> float:
        return 10 * sum(two) / 2 * factor

    return Puzzle(
        given={"references": references, "caption": caption},
        text=[
            "Three drawn garments have one reference each. A captioner wrote of the"
            " first garment.",
            Table(
                ("text", "words"),
                [(f"reference {n}", text) for n, text in enumerate(references, 1)]
                + [("caption", caption)],
            ),
            "What is the caption's CIDEr-D over words and pairs, with three decimals?"
            " (The book's goes on to runs of four words; the steps are the same.) The"
            " three references are all the documents, the weight of an n-gram is"
            " ln(3 / documents that have it), and an n-gram that none has counts as in"
            " one. The scale ends at 10, and the length penalty is"
            " exp(−gap² / 72), where gap is the difference in pairs.",
        ],
        value=value,
        mistakes={
            "The weights are missing: common words count as much as rare ones": scaled(
                unweighted
            ),
            "The caption's weights are not clipped: this is CIDEr, not CIDEr-D": scaled(
                loose
            ),
            "The length penalty is missing": scaled(cosines, 1.0),
            "The pairs are missing": 10 * cosines[0] * penalty,
            "The words are missing": 10 * cosines[1] * penalty,
        },
        steps=[
            "Count in how many references each n-gram stands, and weigh the counts of"
            " the caption and of its own reference. (The base of the logarithm"
            " cancels in the cosine.)",
            Table(
                ("n-gram", "references", "weight", "caption", "reference 1"),
                rows,
            ),
            "Clipped cosine: for each n-gram the smaller of the two values times the"
            " reference's, summed, over the product of both lengths. Words:"
            f" {cosines[0]:.3f}. Pairs: {cosines[1]:.3f}.",
            f"The caption has {pairs[0]} pairs, its reference {pairs[1]}: the length"
            f" penalty is exp(−{abs(gap)}² / 72) = {penalty:.3f}.",
            f"CIDEr-D = 10 × ({cosines[0]:.3f} + {cosines[1]:.3f}) / 2 × {penalty:.3f}"
            f" = {scaled(cosines):.3f}",
        ],
    )


def _cosine(
    own: Grams, other: Grams, weights: dict[str, float], clipped: bool = True
) -> float:
    """Return the cosine of two weighted counts, by hand."""
    mine = {gram: own[gram] * weight for gram, weight in weights.items()}
    true = {gram: other[gram] * weight for gram, weight in weights.items()}
    shared = sum(
        (min(mine[gram], true[gram]) if clipped else mine[gram]) * true[gram]
        for gram in weights
    )
    lengths = [sqrt(sum(x * x for x in one.values())) for one in (mine, true)]
    return shared / (lengths[0] * lengths[1]) if all(lengths) else 0.0


def attributes(rng: np.random.Generator) -> Puzzle | None:
    """Draw captions of two garments, and ask for attribute precision or recall."""
    true = [captioned(rng) for _ in range(2)]
    texts = [(slipped(one, rng).caption, one.caption) for one in true]
    said, named = ([text.split() for text in side] for side in zip(*texts, strict=True))
    words = sorted(set().union(*said, *named) - PLAIN)
    pool = [word for word in words if rng.random() < 0.8]
    pool = sorted({*pool, *rng.choice(COLOURS, 2).tolist()})
    asked = ("precision", "recall")[int(rng.integers(2))]
    scored = metric.precision_recall(said, named, pool)
    if (scored[["generated", "reference"]] == 0).any(axis=None):
        return None
    macro = metric.macro(scored)
    other = "recall" if asked == "precision" else "precision"
    side = "generated" if asked == "precision" else "reference"
    everything = metric.precision_recall(said, named, set().union(*said, *named))

    rows, shares = [], []
    for n, (own, expected) in enumerate(zip(said, named, strict=True), 1):
        a, b = set(own) & set(pool), set(expected) & set(pool)
        of = a if asked == "precision" else b
        shares.append(len(a & b) / len(of))
        lists = [", ".join(sorted(one)) or "none" for one in (a, b, a & b)]
        rows.append((str(n), *lists, f"{len(a & b)}/{len(of)} = {shares[-1]:.3f}"))
    sides = ["caption", "reference"]
    if asked == "recall":
        sides.reverse()
    return Puzzle(
        given={"captions": said, "references": named, "pool": pool, "asked": asked},
        text=[
            "Two drawn garments, their references, and what a captioner wrote:",
            Table(
                ("garment", "reference", "caption"),
                [(str(n), ref, cap) for n, (cap, ref) in enumerate(texts, 1)],
            ),
            f"The pool of attributes is: {', '.join(pool)}. (Each word is its own"
            " lemma here.)",
            f"What is the attribute {asked}, the mean over both garments, with three"
            f" decimals? Of the pool's words in the {sides[0]}, it is the share that"
            f" the {sides[1]} has too.",
        ],
        value=macro[asked],
        mistakes={
            f"This is {other}": macro[other],
            "The counts of both garments are added before dividing": float(
                scored["shared"].sum() / scored[side].sum()
            ),
            "Every word counts, not those of the pool alone": metric.macro(everything)[
                asked
            ],
            "Shared words are divided by all that either text names": float(
                (
                    scored.shared
                    / (scored.generated + scored.reference - scored.shared)
                ).mean()
            ),
        },
        steps=[
            "List the pool's words that each text names, once each.",
            Table(("garment", "caption", "reference", "both", asked), rows),
            f"Mean = ({shares[0]:.3f} + {shares[1]:.3f}) / 2 = {sum(shares) / 2:.3f}",
        ],
    )
