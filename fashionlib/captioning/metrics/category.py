"""Category accuracy: whether a caption still says what the item is.

A classifier that learned from training captions is asked. Paper A fine-tuned BERT,
which is right in 94.7 % (H&M) and 90.3 % (FACAD) of true test captions (section 2.2):
that is the ceiling of the score. Its code scored with dropout on, put a ReLU before the
cross-entropy and joined labels by place; here a BERT scores in evaluation mode, on
plain logits, joined by item_id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

TOKENS = 128  # a caption's beginning; H&M's longest has fewer than 100 words
BATCH = 32
RATE = 5e-5  # of a BERT that is fine-tuned, the usual one
ROUNDS = 4
PENALTY = 30  # inverse strength of the linear classifier's, scikit-learn's C


@dataclass(frozen=True)
class Classifier:
    """A classifier of captions; made by `category_classifier`."""

    label: Callable[[list[str]], Iterable[str]]  # the category of each caption

    def predict(self, captions: Sequence[str]) -> np.ndarray:
        """Predict the category (captions,) of each caption, an empty one's too."""
        # equal captions are read once; batches alike in length need little padding
        distinct = sorted(dict.fromkeys(captions), key=len)
        labels = dict(zip(distinct, self.label(distinct), strict=True))
        return np.array([labels[caption] for caption in captions])


def category_classifier(
    captions: Sequence[str], categories: Sequence[str], seed: int, base: str = ""
) -> Classifier:
    """Learn from captions to tell a caption's category.

    Without a `base`, a logistic regression reads the sentence embeddings of
    all-MiniLM-L6-v2 (`encoders.sentences`). With one, the hub name or folder of a BERT,
    all of that is fine-tuned, as Paper A does. Train it on training captions, and print
    its accuracy on the *true* test captions beside any score. Each distinct pair of
    caption and category is one example. The same arguments give the same classifier on
    one machine.

    ValueError where lengths differ or there are fewer than two categories,
    FileNotFoundError without MiniLM's weights.
    """
    if len(captions) != len(categories) or len(set(categories)) < 2:
        raise ValueError(
            f"{len(captions)} captions for {len(categories)} labels of"
            f" {len(set(categories))} categories; expected as many labels as captions,"
            " of 2 categories or more"
        )
    pairs = dict.fromkeys(zip(captions, categories, strict=True))
    texts, kinds = zip(*sorted(pairs, key=lambda pair: len(pair[0])), strict=True)
    label = _tuned(texts, kinds, seed, base) if base else _linear(texts, kinds)
    return Classifier(label)


def _linear(
    texts: Sequence[str], kinds: Sequence[str]
) -> Callable[[list[str]], Iterable[str]]:
    from sklearn.linear_model import LogisticRegression

    from fashionlib.features import encoders

    def embedded(captions: Sequence[str]) -> np.ndarray:
        rows = [str(row) for row in range(len(captions))]
        return encoders.sentences(captions, rows).matrix

    model = LogisticRegression(C=PENALTY, max_iter=1000).fit(embedded(texts), kinds)
    return lambda captions: model.predict(embedded(captions))


def _tuned(
    texts: Sequence[str], kinds: Sequence[str], seed: int, base: str
) -> Callable[[list[str]], Iterable[str]]:
    """Fine-tune a BERT: AdamW, warm-up over a tenth of the steps, then down to 0."""
    import torch
    from transformers import (
        AutoModelForSequenceClassification,
        AutoTokenizer,
        get_linear_schedule_with_warmup,
    )

    known = sorted(set(kinds))
    tokenizer = AutoTokenizer.from_pretrained(base)
    starts = range(0, len(texts), BATCH)
    steps, rng = ROUNDS * len(starts), np.random.default_rng(seed)
    orders = [rng.permutation(starts) for _ in range(ROUNDS)]

    def batch(captions: Sequence[str]) -> Any:
        reads = {"padding": True, "truncation": True, "max_length": TOKENS}
        tokens = tokenizer(list(captions), return_tensors="pt", **reads)
        return tokens.to(model.device)

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = AutoModelForSequenceClassification.from_pretrained(
            base, num_labels=len(known), use_safetensors=True, dtype=torch.float32
        ).to("cuda" if torch.cuda.is_available() else "cpu")
        optimizer = torch.optim.AdamW(model.parameters(), lr=RATE)
        schedule = get_linear_schedule_with_warmup(optimizer, steps // 10, steps)
        model.train()
        for start in tqdm(np.concatenate(orders), "category classifier", disable=None):
            part = slice(start, start + BATCH)
            labels = torch.tensor([known.index(kind) for kind in kinds[part]])
            loss = model(**batch(texts[part]), labels=labels.to(model.device)).loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    model.eval()

    def label(captions: list[str]) -> Iterator[str]:
        for start in range(0, len(captions), BATCH):
            with torch.inference_mode():
                logits = model(**batch(captions[start : start + BATCH])).logits
            yield from (known[row] for row in logits.argmax(dim=1).tolist())

    return label


def category_hits(
    classifier: Classifier, captions: Mapping[str, str], categories: pd.Series
) -> pd.Series:
    """Return whether each caption's predicted category is its item's, joined by id.

    A bool a caption, index item_id. `categories`: item_id -> true category. An empty
    caption is never right. ValueError for an id without a category.
    """
    ids = pd.Index(captions, name="item_id")
    missing = ids.difference(categories.dropna().index)
    if len(missing):
        raise ValueError(
            f"category known for {len(ids) - len(missing)} of {len(ids)} captions;"
            f" missing: {list(missing[:3])}"
        )
    true = categories[~categories.index.duplicated()].loc[ids].to_numpy()
    texts = list(captions.values())
    filled = np.array([bool(text.strip()) for text in texts])
    hits = filled & (classifier.predict(texts) == true)
    return pd.Series(hits, ids, bool, "hit")
