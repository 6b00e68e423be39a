"""Score H&M's captions without a model, and with a reader that is left in training.

Two questions of the forensics. What does a random training caption score on the *whole*
catalogue, photo or not (Paper A, Table 3, has CIDEr 7.0 before fine-tuning)? And what
does dropout do to category accuracy where it stays on while scoring? As in the code as
published, a dropout of one half stands before the reader's last layer, and is trained
with; ours is that layer alone, on sentence embeddings, not a BERT. It reads the true
test captions, once in evaluation mode and a hundred times in training mode.

    # a link or a folder in H&M's layout, _run/hm-week, or another that is named
    python -m benchmarks.controls [FOLDER] [--draws 100]
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from benchmarks.measuring import ROOT, Figure, report, timed
from fashionlib import stats
from fashionlib.captioning import metrics
from fashionlib.data.items import split_items
from fashionlib.data.readers import hm
from fashionlib.features import encoders

SEED = 42
DROPOUT, EPOCHS, BATCH, RATE = 0.5, 30, 64, 1e-3


def chance(items: pd.DataFrame, draws: int) -> dict[str, Any]:
    """Return the mean, lowest and highest CIDEr of random training captions."""
    train, test = (items[items.split == name] for name in ("train", "test"))
    truth = {item: [text] for item, text in test.caption.items()}
    found = []
    for seed in range(draws):
        said = train.caption.sample(len(test), replace=True, random_state=seed)
        given = dict(zip(truth, said, strict=True))
        found.append(metrics.score(truth, given, ["CIDEr"]).corpus["CIDEr"])
    ends = {"value": np.mean(found), "low": min(found), "high": max(found)}
    return ends | {"draws": draws, "captions": len(test)}


def trained(texts: torch.Tensor, kinds: torch.Tensor, classes: int) -> torch.nn.Module:
    """Train a layer behind dropout to tell the category of each text, (texts, dim)."""
    torch.manual_seed(SEED)
    last = torch.nn.Linear(texts.shape[1], classes)
    reader = torch.nn.Sequential(torch.nn.Dropout(DROPOUT), last)
    optimizer = torch.optim.Adam(reader.parameters(), lr=RATE)
    for _ in range(EPOCHS):
        for part in torch.randperm(len(texts)).split(BATCH):
            loss = torch.nn.functional.cross_entropy(reader(texts[part]), kinds[part])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return reader


def left_in_training(items: pd.DataFrame, draws: int) -> dict[str, Any]:
    """Return the reader's accuracy on true test captions, with dropout off and on."""
    distinct = pd.Index(items.caption.unique())
    embedded = encoders.sentences(distinct, distinct).matrix
    texts = torch.from_numpy(embedded[distinct.get_indexer(items.caption)]).float()
    texts = texts * texts.shape[1] ** 0.5  # columns of about one, as a BERT's
    codes, names = pd.factorize(items.category)
    kinds = torch.from_numpy(codes)
    learns, asked = (np.array(items.split == name) for name in ("train", "test"))
    reader = trained(texts[learns], kinds[learns], len(names))
    products = items.product_id[asked]

    def read() -> np.ndarray:
        with torch.inference_mode():
            return reader(texts[asked]).argmax(1).numpy()

    drawn = np.array([read() for _ in range(draws)])  # (draws, test)
    right = drawn == codes[asked]
    reader.eval()
    off = (read() == codes[asked]).astype(float)
    shares = right.mean(axis=1)
    on = {"value": shares.mean(), "low": shares.min(), "high": shares.max()}
    return {
        "captions": int(asked.sum()),
        "categories": len(names),
        "evaluation mode": dict(
            zip(stats.ENDS, stats.mean(off, SEED, clusters=products).ends, strict=True)
        ),
        "training mode": on,
        "draws": draws,
        "another category in two draws": (drawn[0] != drawn[1]).mean(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "_run/hm-week")
    parser.add_argument("--draws", type=int, default=100)
    given = parser.parse_args()
    captioned, _ = hm.filter_captioned(hm.items(given.folder), images=False)
    parts = {"all captioned": captioned, "with photo": captioned.dropna(subset="image")}
    sets = {
        name: split_items(some.reset_index(drop=True), by="article", seed=SEED)
        for name, some in parts.items()
    }
    sets = {name: some.set_index("item_id") for name, some in sets.items()}
    found = {name: chance(some, 5) for name, some in sets.items()}
    dropout, took = timed(lambda: left_in_training(sets["with photo"], given.draws))
    what = f"a reader trained, and {given.draws} readings of the test captions"
    report([Figure(what, took)], {"chance": found, "dropout": dropout})


if __name__ == "__main__":
    main()
