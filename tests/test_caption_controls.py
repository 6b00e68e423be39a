"""The forensics' two controls on captions that tell their category by one word."""

import numpy as np
import pandas as pd
import pytest

from benchmarks import controls
from fashionlib import features

KINDS = ("skirt", "shirt", "coat")


@pytest.fixture
def items(monkeypatch):
    """Sixty captions of three categories, each on a direction of its own."""
    category = [KINDS[row % 3] for row in range(60)]
    texts = [f"a {kind} number {row}" for row, kind in enumerate(category)]

    def sentences(captions, ids):
        rows = np.eye(3)[[KINDS.index(text.split()[1]) for text in captions]]
        return features.Features(list(ids), np.repeat(rows, 4, axis=1) / 2, {})

    monkeypatch.setattr(controls.encoders, "sentences", sentences)
    split = ["test" if row < 15 else "train" for row in range(60)]
    return pd.DataFrame(
        {"caption": texts, "category": category, "split": split, "product_id": texts},
        index=[f"{row:010d}" for row in range(60)],
    )


@pytest.mark.parametrize("dropout", [0.0, 0.9])
def test_a_reader_left_in_training_errs_by_its_dropout(items, monkeypatch, dropout):
    monkeypatch.setattr(controls, "DROPOUT", dropout)
    found = controls.left_in_training(items, draws=5)
    assert (found["captions"], found["categories"]) == (15, 3)
    assert found["evaluation mode"]["value"] == 1
    assert (found["training mode"]["value"] < 1) == (dropout > 0)
    assert (found["another category in two draws"] > 0) == (dropout > 0)


def test_chance_is_the_spread_of_its_draws(items):
    found = controls.chance(items, draws=3)
    assert found["low"] <= found["value"] <= found["high"]
    assert (found["draws"], found["captions"]) == (3, 15)
