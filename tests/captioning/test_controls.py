"""What a captioner is compared with, and what it may copy."""

import numpy as np
import pandas as pd
import pytest

from fashionlib.captioning import controls, copying, experiments, rerank, training
from fashionlib.features import Features


def test_a_caption_names_a_value_as_a_word_or_as_a_part():
    captions = ["A RED dress", "an embroidered dress", "dresses, red"]
    assert controls.names_value(captions, ["Red"] * 3).tolist() == [True, False, True]
    parts = controls.names_value(captions, ["Red", "red", "dress"], whole=False)
    assert parts.all()


CATALOGUE = pd.DataFrame(
    {
        "product_id": list("AABBCDE"),
        "caption": ["a", "b", "held", "c", "held", "d", None],
        "category": ["hat", "hat", "sock", "sock", "hat", "hat", "hat"],
        "split": ["train", "train", "test", None, None, None, None],
    },
    index=[f"item {n}" for n in range(7)],
)


def test_plain_sentences_give_nothing_away():
    """Left out: the held-out product's "c", the held-out caption, the training ones."""
    split = CATALOGUE.dropna(subset=["split"])
    assert copying.plain_sentences(CATALOGUE, split) == ["d"]


def test_copies_are_of_the_nearest_training_photos():
    space = Features(["x", "y", "z"], np.array([[1.0, 0.0], [0.0, 1.0], [0.9, 0.1]]))
    train = pd.DataFrame({"caption": ["one", "two"]}, index=["x", "y"])
    assert copying.near(space, train, ["z"], k=2) == [["one", "two"]]
    rows = copying.standardised(space, ["x", "y"]).rows(["x", "y"])
    np.testing.assert_allclose(rows, [[1, -1], [-1, 1]], rtol=1e-5)


def test_the_commonest_caption_of_a_category():
    train = CATALOGUE.iloc[[0, 1, 1]]
    categories = pd.Series(["hat", "boot"])
    assert copying.commonest(train, categories) == ["b", "b"]


def test_every_system_has_a_caption_an_item():
    copied = {
        space: [["a red hat", "a hat", "socks", "a hat", "a hat"]] * 2
        for space in (copying.POOLED, copying.STANDARDISED, copying.EYES)
    }
    own = [["a red hat", "a hat"], ["socks", "red socks"]]
    measure = rerank.cider(["a red hat", "socks", "a hat"])
    table = copying.systems(measure, own, copied, [(0, 0.0), (5, 0.5)], list("xy"))
    assert table.shape == (2, 2 * 3 + 2 + 2) and table.notna().all(axis=None)
    assert table["captioner, greedy"].to_dict() == {"x": "a red hat", "y": "socks"}
    assert (table["consensus of five copies, pooled"] == "a hat").all()
    assert table["(0, 0.0)"].tolist() == rerank.consensus(measure, own)


def test_runs_are_compared_by_their_own_and_another_picture():
    items = pd.DataFrame(
        {
            "caption": [
                "a red hat with a brim",
                "blue socks of wool",
                "a long green coat",
            ],
            "category": ["Hat", "Sock", "Coat"],
        },
        index=list("xyz"),
    )
    own = items.caption.tolist()
    captions = experiments.Captions(
        own, own[1:] + own[:1], np.array([True, False, False])
    )
    [row] = experiments.compare({"copied": captions}, items).to_dict("records")
    assert row["CIDEr"] == pytest.approx(10) and row["CIDEr, another picture"] < 1
    assert row["category"] == 1 and row["cut"] == pytest.approx(1 / 3)
    assert row["words"] == pytest.approx((6 + 4 + 4) / 3)


def test_recipes_stand_side_by_side_with_their_sources():
    table = training.recipes_table()
    assert (
        table.loc["thesis_b", "rank"] == "8"
        and table.loc["paper_a", "rate"] == "0.0001"
    )
    assert table["rank"].isna().tolist() == [
        training.recipe(name, 1).lora is None for name in table.index
    ]
