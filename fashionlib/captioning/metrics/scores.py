"""Scores of systems' captions against the same references: one row per item first.

Corpus values follow from statistics that are summed over items.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from fashionlib.captioning.metrics import java, meteor, overlap, spice
from fashionlib.captioning.metrics.tokens import TOKENISERS, tokenise

BLEU = tuple(f"BLEU-{order}" for order in range(1, overlap.ORDERS + 1))
# These need neither Java nor a parser, and take seconds for ten thousand items.
OVERLAP = (*BLEU, "ROUGE-L", "CIDEr")
METRICS = (*BLEU, "METEOR", "ROUGE-L", "CIDEr", spice.NAME)
MOST_CHARACTERS = 20_000  # METEOR's memory grows with the square of a text's length
log = logging.getLogger(__name__)


class Sums(NamedTuple):
    """Statistics that add up over items, and the corpus value that their sum gives."""

    rows: pd.DataFrame  # (items, k), index item_id
    value: Callable[[np.ndarray], np.ndarray]  # of summed rows: (..., k) -> (...,)


@dataclass(frozen=True)
class Scores:
    """One system's scores, and the statistics from which corpus values follow.

    `missing` tells of each metric that was asked for and can't be had here what it
    needs, `notes` of a metric what its values don't say. `attributes` are the captions'
    lemmas, where `add_meaning` tagged them.
    """

    per_item: pd.DataFrame  # index item_id, a column a metric
    sums: dict[str, Sums]
    captions: pd.Series  # index item_id
    tokeniser: str  # its label
    missing: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    attributes: pd.Series | None = None  # index item_id

    @cached_property
    def corpus(self) -> dict[str, float]:
        """Corpus value of each metric."""
        return {
            metric: float(value(rows.to_numpy().sum(axis=0)))
            for metric, (rows, value) in self.sums.items()
        }

    @property
    def rows(self) -> pd.DataFrame:
        """One row an item: its metrics, the caption and, where known, attributes."""
        rows = self.per_item.assign(caption=self.captions)
        if self.attributes is None:
            return rows
        return rows.assign(attributes=self.attributes)

    def parts(self, labels: pd.Series) -> pd.DataFrame:
        """Corpus values of the items of each label (index item_id): a row a label.

        CIDEr's word weights stay those of all items.
        """
        parts = {}
        for metric, (rows, value) in self.sums.items():
            summed = rows.groupby(labels).sum()  # (labels, k)
            parts[metric] = pd.Series(value(summed.to_numpy()), summed.index)
        return pd.DataFrame(parts)

    def plus(self, columns: pd.DataFrame) -> Scores:
        """Add metrics of the same items; a corpus value is the mean without NaN."""
        if not self.per_item.index.equals(columns.index):
            raise ValueError(
                f"{len(columns)} rows for {len(self.per_item)} items, in this order;"
                " join them by item_id"
            )
        means = {name: _mean(values)[1] for name, values in columns.items()}
        joined = self.per_item.join(columns)
        return replace(self, per_item=joined, sums=self.sums | means)


def rows(scores: Mapping[str, Scores]) -> pd.DataFrame:
    """Join the systems' rows: index (system, item_id); see `Scores.rows`."""
    each = {name: one.rows for name, one in scores.items()}
    return pd.concat(each, names=["system", "item_id"])


def lengths(scores: Mapping[str, Scores]) -> pd.DataFrame:
    """Return how long captions are, a row a system, and what that costs in BLEU.

    Columns: words (of the average caption, as BLEU counts them), of the references' (a
    fraction), brevity penalty (which BLEU is multiplied by where captions are shorter;
    Papineni et al. 2002), BLEU-4 and, divided by its penalty, without the penalty.
    """
    rows = {}
    for name, one in scores.items():
        sums, bleu = one.sums["BLEU-4"].rows.sum(), one.corpus["BLEU-4"]
        ratio = sums["length"] / sums["reference length"]
        penalty = np.exp(min(0, 1 - 1 / ratio)) if ratio else 0.0
        rows[name] = {
            "words": sums["length"] / len(one.captions),
            "of the references'": ratio,
            "brevity penalty": penalty,
            "BLEU-4": bleu,
            "without the penalty": bleu / penalty if penalty else np.nan,
        }
    return pd.DataFrame(rows).T


def score(
    references: dict[str, list[str]],
    captions: dict[str, str],
    metrics: Sequence[str] = METRICS,
    tokeniser: str | None = None,
) -> Scores:
    """Score one system's captions; see `score_many`."""
    systems = {"captions": captions}
    return score_many(references, systems, metrics, tokeniser)["captions"]


def score_many(
    references: dict[str, list[str]],
    systems: dict[str, dict[str, str]],
    metrics: Sequence[str] = METRICS,
    tokeniser: str | None = None,
) -> dict[str, Scores]:
    """Score each system's captions (item -> caption) against the same references.

    Rows come in the references' order. BLEU, METEOR, ROUGE-L and SPICE-py are
    fractions, CIDEr (pycocoevalcap's, CIDEr-D) has its own scale of 0 to 10; all but
    SPICE-py equal pycocoevalcap's. All texts are tokenised in one Java start ("ptb") or
    in Python; None takes what the machine has. A metric that can't be computed here (no
    Java, no spaCy model) is missing in every table, and a warning says what to install.
    Line ends count as spaces. A caption may be empty: it scores 0 in every metric.
    Where every n-gram stands in every item's references, as with a single item, CIDEr
    is 0 (every idf is 0): a warning and the notes say so.

    ValueError for an unknown metric, where ids differ, a text is no string, or an item
    has no reference with a character in it.
    """
    if unknown := [metric for metric in metrics if metric not in METRICS]:
        raise ValueError(f"unknown metric {unknown[0]!r}; known: {', '.join(METRICS)}")
    items = _check_references(references)
    for name, captions in systems.items():
        _check_captions(name, captions, items)
    tokeniser = tokeniser or _tokeniser()
    raw = [references[item] for item in items]
    captions = [[system[item] for item in items] for system in systems.values()]
    texts = [text for one in (*raw, *captions) for text in one]
    tokens = iter(tokenise(texts, tokeniser))
    tokenised = [[next(tokens) for _ in one] for one in raw]
    hypotheses = [[next(tokens) for _ in one] for one in captions]

    notes = {}
    grams = _grams(tokenised[0])
    if "CIDEr" in metrics and all(_grams(texts) == grams for texts in tokenised):
        notes["CIDEr"] = (
            "0 whatever the captions are: every word stands in the references of every"
            f" item ({len(items)}), so its weight is 0"
        )
        log.warning("CIDEr is %s", notes["CIDEr"])

    index = pd.Index(items, name="item_id")
    columns = [_overlap(tokenised, one, index) for one in hypotheses]
    missing = {}
    for metric, measure in (
        ("METEOR", lambda: meteor.score_many(tokenised, hypotheses)),
        (spice.NAME, lambda: spice.score_many(raw, captions)),
    ):
        if metric not in metrics or not systems:
            continue
        try:
            measured = [_column(one, index) for one in measure()]
        except (FileNotFoundError, ModuleNotFoundError) as absent:
            log.warning("%s is left out: %s", metric, absent)
            missing[metric] = str(absent)
            measured = [_mean(pd.Series(np.nan, index))] * len(systems)
        for column, one in zip(columns, measured, strict=True):
            column[metric] = one
    return {
        name: Scores(
            pd.DataFrame({metric: column[metric][0] for metric in metrics}),
            {metric: column[metric][1] for metric in metrics},
            pd.Series(texts, index),
            TOKENISERS[tokeniser],
            missing,
            notes,
        )
        for name, column, texts in zip(systems, columns, captions, strict=True)
    }


Column = tuple[pd.Series, Sums]  # a metric's values (items,), and what adds up


def _overlap(
    references: list[list[str]], captions: list[str], index: pd.Index
) -> dict[str, Column]:
    """Measure the metrics of OVERLAP of one system's tokenised captions."""
    counts, cider, rouge = overlap.measure(references, captions)
    # pycocoevalcap's is 1 where neither the caption nor its reference has a token
    rouge[[not caption.strip() for caption in captions]] = 0
    rows = pd.DataFrame(counts, index, overlap.BLEU_COUNTS)
    columns = {
        "ROUGE-L": _mean(pd.Series(rouge, index)),
        "CIDEr": _mean(pd.Series(cider, index)),
    }
    for order, metric in enumerate(BLEU):
        sums = Sums(rows, partial(_bleu, order=order))
        columns[metric] = pd.Series(sums.value(counts), index), sums
    return columns


def _grams(texts: Sequence[str]) -> set[tuple[str, ...]]:
    """Return the n-grams of tokenised texts that CIDEr counts."""
    return {
        tuple(words[start : start + order])
        for words in map(str.split, texts)
        for order in range(1, overlap.ORDERS + 1)
        for start in range(len(words) - order + 1)
    }


def _column(measured: meteor.Meteor | spice.Spice, index: pd.Index) -> Column:
    values = pd.Series(measured.per_item, index)
    if isinstance(measured, spice.Spice):
        return _mean(values)
    rows = pd.DataFrame(measured.statistics, index, meteor.STATISTICS)
    return values, Sums(rows, meteor.from_statistics)


def _mean(values: pd.Series) -> Column:
    """Give the values with the statistics of their mean, without those missing."""
    rows = pd.DataFrame({"total": values.fillna(0.0), "count": values.notna()})
    return values, Sums(rows.astype(float), _ratio)


def _ratio(sums: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):  # no item has a value: no mean
        return sums[..., 0] / sums[..., 1]


def _bleu(counts: np.ndarray, order: int) -> np.ndarray:
    return overlap.bleu(counts)[..., order]


def _tokeniser() -> str:
    try:
        java.runtime(), java.jar_folder("tokenizer")
    except FileNotFoundError as absent:
        log.warning("tokenised in Python, nearly as PTB does: %s", absent)
        return "python"
    return "ptb"


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


def _check_captions(name: str, captions: dict[str, str], items: list[str]) -> None:
    check_ids(name, captions, items)
    for item, text in captions.items():
        fault = ""
        if not isinstance(text, str):
            fault = f"found {text!r:.60}, expected a string"
        elif len(text) > MOST_CHARACTERS:
            fault = (
                f"{len(text):,} characters, more than {MOST_CHARACTERS:,};"
                " did the captioner not stop? Cut it"
            )
        if fault:
            raise ValueError(f"{name}, caption of {item!r}: {fault}")


def check_ids(
    name: str,
    given: Collection[str],
    items: Collection[str],
    whole: bool = True,
    step: str = "",
) -> None:
    """Raise ValueError where an item has nothing in `given`, naming examples.

    With `whole` also where something is given that is no item's. `step` is the next.
    """
    missing = sorted(set(items) - set(given))
    extra = sorted(set(given) - set(items)) if whole else []
    if not missing and not extra:
        return
    surplus = f"; without reference {len(extra)}: {extra[:3]}" if whole else ""
    bare = [{item.lstrip("0") for item in some} for some in (missing, extra)]
    if bare[0] & bare[1]:
        surplus += "; they differ by leading zeros: write ids as text"
    raise ValueError(
        f"{name}: {len(given)} for {len(items)} items with references; missing"
        f" {len(missing)}: {missing[:3]}{surplus}{step and '; '}{step}"
    )
