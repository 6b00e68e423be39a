"""Scores of systems' captions against the same references: one row per item first,
corpus values from summed counts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from fashionlib.captioning.metrics import java, meteor, spice
from fashionlib.captioning.metrics.overlap import ORDERS, measure
from fashionlib.captioning.metrics.tokens import TOKENISERS, tokenise

BLEU = tuple(f"BLEU-{order}" for order in range(1, ORDERS + 1))
OVERLAP = (
    *BLEU,
    "ROUGE-L",
    "CIDEr",
)  # what needs neither Java nor a parser, and takes a second for ten thousand items
METRICS = (*BLEU, "METEOR", "ROUGE-L", "CIDEr", spice.NAME)
# of a caption; METEOR's memory grows with the square of a text that repeats itself
MOST_CHARACTERS = 20_000
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scores:
    """One system's scores, and of each metric what adds up over items, from which any
    resample's corpus value follows.

    `sums[metric]` is (items, k); its sum over items (k,) and `corpus_value` give the
    corpus value. `missing` says of each metric that was asked for and can't be had here
    what it needs.
    """

    per_item: pd.DataFrame  # index item_id, a column a metric
    sums: dict[str, np.ndarray]
    tokeniser: str  # its label
    missing: dict[str, str] = field(default_factory=dict)

    @cached_property
    def corpus(self) -> dict[str, float]:
        """Metric -> corpus value."""
        return {
            metric: float(corpus_value(metric, rows.sum(axis=0)))
            for metric, rows in self.sums.items()
        }

    def plus(self, columns: pd.DataFrame) -> Scores:
        """With further metrics of the same items, whose corpus value is the mean of
        those that are not missing.
        """
        if not self.per_item.index.equals(columns.index):
            raise ValueError(
                f"{len(columns)} rows for {len(self.per_item)} items, in this order;"
                " join them by item_id"
            )
        means = {name: mean_sums(columns[name].to_numpy(float)) for name in columns}
        return replace(
            self, per_item=self.per_item.join(columns), sums=self.sums | means
        )


def mean_sums(values: np.ndarray) -> np.ndarray:
    """(items, 2) whose sums give the mean of the values that are not missing."""
    return np.column_stack([np.nan_to_num(values), np.isfinite(values)])


def corpus_bleu(counts: np.ndarray) -> np.ndarray:
    """BLEU-1..4 (..., 4) of summed counts (..., 10), with pycocoevalcap's guards
    against division by zero.
    """
    tiny, small = 1e-15, 1e-9
    counts = np.asarray(counts, float)
    products = np.cumprod(
        (counts[..., :4] + tiny) / (counts[..., 4:8] + small), axis=-1
    )
    ratio = (counts[..., 8] + tiny) / (counts[..., 9] + small)
    brevity = np.exp(np.minimum(0.0, 1 - 1 / ratio))
    return products ** (1 / np.arange(1, 5)) * brevity[..., None]


def corpus_value(metric: str, sums: np.ndarray) -> np.ndarray:
    """Corpus value (...,) of a metric's sums (..., k)."""
    if metric in BLEU:
        return corpus_bleu(sums)[..., BLEU.index(metric)]
    if metric == "METEOR" and sums.shape[-1] == meteor.FIELDS:
        return meteor.from_statistics(sums)
    with np.errstate(invalid="ignore"):  # no item has a value: no mean
        return sums[..., 0] / sums[..., 1]


def score(
    references: dict[str, list[str]],
    captions: dict[str, str],
    metrics: Sequence[str] = METRICS,
    tokeniser: str | None = None,
) -> Scores:
    """Scores of one system's captions; see `score_many`."""
    return score_many(references, {"captions": captions}, metrics, tokeniser)[
        "captions"
    ]


def score_many(
    references: dict[str, list[str]],
    systems: dict[str, dict[str, str]],
    metrics: Sequence[str] = METRICS,
    tokeniser: str | None = None,
) -> dict[str, Scores]:
    """Scores of each system's captions (item -> caption) against the same references,
    in the references' order.

    BLEU, METEOR, ROUGE-L, SPICE-py are fractions, CIDEr (pycocoevalcap's, CIDEr-D) has
    its own scale of 0 to 10; all but SPICE-py equal pycocoevalcap's. All texts are
    tokenised in one Java start ("ptb") or in Python; None takes what the machine has. A
    metric that can't be computed here (no Java, no spaCy model) is missing in every
    table and a warning says what to install. Line ends count as spaces. A caption may
    be empty: it scores 0 in every metric. A single item makes CIDEr meaningless (every
    idf is 0): a warning says so. ValueError for an unknown metric, where ids differ, a
    text is no string, or an item has no reference with a character in it.
    """
    if unknown := [metric for metric in metrics if metric not in METRICS]:
        raise ValueError(f"unknown metric {unknown[0]!r}; known: {', '.join(METRICS)}")
    ids = _check_references(references)
    for name, captions in systems.items():
        _check_captions(name, captions, ids)
    if len(ids) == 1 and "CIDEr" in metrics:
        log.warning(
            "CIDEr of a single item is meaningless: each word is in every item, so its"
            " weight is 0"
        )
    tokeniser = tokeniser or _tokeniser()
    raw = [references[item] for item in ids]
    said = [[captions[item] for item in ids] for captions in systems.values()]
    tokens = iter(
        tokenise([text for texts in (*raw, *said) for text in texts], tokeniser)
    )
    tokenised = [[next(tokens) for _ in texts] for texts in raw]
    hypotheses = [[next(tokens) for _ in ids] for _ in systems]
    tables = [_overlap(tokenised, captions) for captions in hypotheses]
    missing = {}
    for metric, score_all in (
        ("METEOR", lambda: meteor.score_many(tokenised, hypotheses)),
        (spice.NAME, lambda: spice.score_many(raw, said)),
    ):
        if metric in metrics and systems:
            missing |= _add(tables, metric, score_all)
    index = pd.Index(ids, name="item_id")
    found = {}
    for name, captions, table in zip(systems, hypotheses, tables, strict=True):
        values = pd.DataFrame(
            {m: table[m][0] if m in table else np.nan for m in metrics},
            index,
            dtype=float,
        )
        sums = {
            m: table[m][1] if m in table else np.full((len(ids), 2), np.nan)
            for m in metrics
        }
        # pycocoevalcap's ROUGE-L of an empty caption is 1 where its reference has no
        # token either.
        empty = np.array([not caption.strip() for caption in captions])
        values.loc[empty] = values.loc[empty].where(values.loc[empty].isna(), 0.0)
        if "ROUGE-L" in sums:
            sums["ROUGE-L"] = mean_sums(values["ROUGE-L"].to_numpy())
        found[name] = Scores(values, sums, TOKENISERS[tokeniser], missing)
    return found


def _tokeniser() -> str:
    try:
        java.runtime(), java.jar_folder("tokenizer")
    except FileNotFoundError as absent:
        log.warning("tokenised in Python, nearly as PTB does: %s", absent)
        return "python"
    return "ptb"


def _overlap(
    references: list[list[str]], captions: list[str]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Per metric its values per item (items,) and what adds up (items, k)."""
    counts, cider, rouge = measure(references, captions)
    bleu = {
        metric: (column, counts)
        for metric, column in zip(BLEU, corpus_bleu(counts).T, strict=True)
    }
    return bleu | {
        "ROUGE-L": (rouge, mean_sums(rouge)),
        "CIDEr": (cider, mean_sums(cider)),
    }


def _add(
    tables: list[dict], metric: str, measure: Callable[[], list]
) -> dict[str, str]:
    """Put the metric into each system's table; where it can't be had, warn and return
    what it needs.
    """
    try:
        measured = measure()
    except (FileNotFoundError, ModuleNotFoundError) as absent:
        log.warning("%s is left out: %s", metric, absent)
        return {metric: str(absent)}
    for table, one in zip(tables, measured, strict=True):
        table[metric] = (
            one.per_item,
            (
                one.statistics
                if isinstance(one, meteor.Meteor)
                else mean_sums(one.per_item)
            ),
        )
    return {}


def _check_references(references: dict[str, list[str]]) -> list[str]:
    if not references:
        raise ValueError("0 items to score: references are empty")
    for item, texts in references.items():
        if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
            raise ValueError(
                f"references of {item!r}: found {texts!r:.60}, expected a list of"
                " strings"
            )
        if not any(text.strip() for text in texts):
            raise ValueError(
                f"references of {item!r}: {len(texts)} and none with a word. Leave the"
                " item out"
            )
    return list(references)


def _check_captions(name: str, captions: dict[str, str], ids: list[str]) -> None:
    check_ids(name, captions, ids)
    for item, text in captions.items():
        if not isinstance(text, str):
            raise ValueError(
                f"{name}, caption of {item!r}: found {text!r:.60}, expected a string"
            )
        if len(text) > MOST_CHARACTERS:
            told = f"{len(text):,} characters, more than {MOST_CHARACTERS:,}"
            raise ValueError(
                f"{name}, caption of {item!r}: {told}; did the captioner not stop?"
                " Cut it"
            )


def check_ids(
    name: str, found: Collection[str], ids: Collection[str], whole: bool = True
) -> None:
    """ValueError, with counts and examples, where an id has nothing in `found` or,
    `whole`, the other way round.
    """
    missing, extra = sorted(set(ids) - set(found)), sorted(set(found) - set(ids))
    if not missing and not (extra and whole):
        return
    short = {item.lstrip("0") for item in missing}
    zeros = (
        "; they differ by leading zeros: write ids as text"
        if short & {item.lstrip("0") for item in extra}
        else ""
    )
    surplus = f"; without reference {len(extra)}: {extra[:3]}" if whole else ""
    raise ValueError(
        f"{name}: {len(found)} for {len(ids)} items with references; missing"
        f" {len(missing)}: {missing[:3]}{surplus}{zeros}"
    )
