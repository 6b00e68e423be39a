"""A text CNN that reads categories from captions, as FACAD's authors had one.

Paper A (section 2.2): they pretrained a 3-layer text CNN and didn't provide it. This is
Kim's (2014, "Convolutional neural networks for sentence classification"), small, with
word vectors learnt from the captions alone; sizes are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
import torch
from torch import Tensor, nn

from fashionlib.captioning.metrics import Classifier
from fashionlib.captioning.metrics.tokens import tokenise

WIDTHS, CHANNELS, LONGEST = (3, 4, 5), 64, 64  # words of a filter, filters, words read
EPOCHS, BATCH, RATE = 30, 32, 1e-3


class TextCnn(nn.Module):
    """Word vectors, filters of three widths, their maxima, one layer."""

    def __init__(self, words: int, categories: int) -> None:
        super().__init__()
        self.vectors = nn.Embedding(words + 1, CHANNELS, padding_idx=0)
        self.filters = nn.ModuleList(nn.Conv1d(CHANNELS, CHANNELS, w) for w in WIDTHS)
        self.last = nn.Sequential(
            nn.Dropout(0.5), nn.Linear(CHANNELS * len(WIDTHS), categories)
        )

    def forward(self, words: Tensor) -> Tensor:
        """Map word numbers (captions, LONGEST) to logits (captions, categories)."""
        vectors = self.vectors(words).transpose(1, 2)  # (captions, CHANNELS, LONGEST)
        maxima = [each(vectors).relu().amax(2) for each in self.filters]
        return self.last(torch.cat(maxima, 1))


def classifier(
    captions: Sequence[str], categories: Sequence[str], seed: int
) -> Classifier:
    """Learn to tell a caption's category; words that no caption had are not read."""
    known = sorted(set(categories))
    texts = [text.split() for text in tokenise(list(captions), "python")]
    number = {word: n for n, word in enumerate(sorted(set(chain(*texts))), 1)}

    def read(texts: Sequence[Sequence[str]]) -> Tensor:
        rows = np.zeros((len(texts), LONGEST), np.int64)
        for row, text in zip(rows, texts, strict=True):
            words = [number[word] for word in text if word in number][:LONGEST]
            row[: len(words)] = words
        return torch.from_numpy(rows)

    words, kinds = read(texts), torch.tensor([known.index(one) for one in categories])
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = TextCnn(len(number), len(known))
        optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
        for _ in range(EPOCHS):
            for rows in torch.randperm(len(words)).split(BATCH):
                loss = nn.functional.cross_entropy(model(words[rows]), kinds[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    model.eval()

    @torch.inference_mode()
    def label(captions: list[str]) -> list[str]:
        texts = [text.split() for text in tokenise(captions, "python")]
        return [known[row] for row in model(read(texts)).argmax(1).tolist()]

    return Classifier(label)
