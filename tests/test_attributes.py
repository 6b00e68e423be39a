import math

import pytest

from fashionlib import attributes


def test_shared_words_outside_the_pool_make_the_published_precision_two():
    generated, reference, pool = [["red", "dress"]], [["red", "dress"]], ["dress"]
    assert attributes.as_published(generated, reference, pool)["precision"].tolist() == [2 / 1]
    clean = attributes.precision_recall(generated, reference, pool)
    assert clean["precision"].tolist() == [1.0] and clean["recall"].tolist() == [1.0]


def test_precision_and_recall_by_hand():
    pool = ["blue", "dress", "jersey", "sleeve", "top"]
    generated = [["blue", "top", "sleeve", "sleeve", "zebra"]]
    reference = [["top", "sleeve", "jersey", "blue", "dress"]]
    row = attributes.precision_recall(generated, reference, pool).iloc[0]
    assert (row["precision"], row["recall"]) == (3 / 3, 3 / 5)
    row = attributes.precision_recall(reference, generated, pool).iloc[0]
    assert (row["precision"], row["recall"]) == (3 / 5, 3 / 3)


def test_an_empty_reference_is_not_a_number_and_one_attribute_as_published():
    generated, reference, pool = [["dress"], []], [[], []], ["dress"]
    clean = attributes.precision_recall(generated, reference, pool)
    assert clean[["precision", "recall"]].isna().all(axis=None)
    published = attributes.as_published(generated, reference, pool)
    assert published["recall"].tolist() == [0 / 1, 1 / 1]  # "" finds ""
    assert published["precision"].tolist() == [0.0, 0.0]


def test_macro_counts_what_it_leaves_out():
    rows = attributes.precision_recall(
        [["dress"], [], ["top"]], [["dress", "top"], ["top"], ["zebra"]], ["dress", "top"]
    )
    assert attributes.macro(rows) == {
        "precision": (1 / 1 + 0) / 2, "recall": (1 / 2 + 0) / 2, "items": 2, "skipped": 1, "empty": 1
    }  # fmt: skip
    assert math.isnan(rows["precision"].iloc[2])


def test_lists_of_other_lengths_are_refused():
    for convention in (attributes.precision_recall, attributes.as_published):
        with pytest.raises(ValueError, match="2 generated captions for 1 references"):
            convention([[], []], [[]], [])


def test_the_pool_counts_occurrences():
    assert attributes.pool([["b", "a"], ["b", "b"], ["a", "c"]], minimum=2) == ("a", "b")
    assert attributes.pool([["b"] * 10], minimum=10) == ("b",)


def test_tagging_lowers_splits_hyphens_and_keeps_order_and_repeats():
    captions = ["Shorts in soft jersey with rubber soles", "A T-shirt in soft jersey", "", "a t shirt in soft jersey"]
    rows = attributes.tagged(captions)
    assert {"shorts", "sole", "soft", "jersey"} <= set(rows[0])
    assert {"soft", "jersey", "shirt"} <= set(rows[1]) and "with" not in rows[0]
    assert rows[2] == [] and rows[1] == rows[3] and rows[1] is not rows[3]
    assert rows == attributes.tagged(captions)
    assert rows[:1] == attributes.tagged(captions[:1])  # the batch does not matter
    assert "short" in attributes.tagged(captions[:1], lemmas={})[0]


def test_equal_captions_are_tagged_once(monkeypatch):
    seen = []
    monkeypatch.setattr(attributes, "_spacy", lambda texts: seen.extend(texts) or [[("x", "x", "NOUN")]] * len(texts))
    assert attributes.tagged(["A-line", "a line", "A  line\n"] * 5) == [["x"]] * 15
    assert seen == ["a line"]


def test_missing_taggers_say_the_next_step(monkeypatch, tmp_path):
    pytest.importorskip("stanza")
    monkeypatch.setenv("STANZA_RESOURCES_DIR", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"stanza\.download"):
        attributes.tagged(["a dress"], "stanza")
    monkeypatch.setattr(attributes, "SPACY_MODEL", "no_such_model")
    with pytest.raises(FileNotFoundError, match="pip install no_such_model"):
        attributes.tagged(["a dress"])
    with pytest.raises(ValueError, match="known: spacy, stanza"):
        attributes.tagged(["a dress"], "nltk")
