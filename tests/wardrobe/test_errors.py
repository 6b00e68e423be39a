"""Faults of captions by type: planted ones are found, and true captions of every style
have none.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from samples import articles

from fashionlib.labelling.attribute_schema import DETAILS
from wardrobe import catalogue
from wardrobe.words import PHRASES, STYLES, errors, judge

ARTICLES = articles(600, 21)
CAPTIONS = {
    style: {
        item: write(*article, np.random.default_rng([9, int(item)]))
        for item, article in ARTICLES.items()
    }
    for style, write in STYLES.items()
}
TRUE = CAPTIONS["template"]
TRUTH = {item: judge.true(article) for item, article in ARTICLES.items()}
SHIRT = (
    replace(
        catalogue.garment("shirt", np.random.default_rng(0)),
        fabric="linen",
        pattern="stripe",
        sleeve_length="long",
        total_length="hip",
        fit="wide",
        tone="normal",
        details=("collar", "pocket"),
    ),
    "blue",
)


def found(
    caption: str, article: errors.Article = SHIRT, longest: int | None = None
) -> set[str]:
    row = errors.count({"a": caption}, {"a": article}, longest).loc["a"]
    return set(row.index[row])


def test_every_attribute_has_one_error_type() -> None:
    covered = [name for attributes in errors.TYPES.values() for name in attributes]
    assert sorted(covered) == sorted(PHRASES) and set(DETAILS) <= set(
        errors.TYPES["hallucination"]
    )


@pytest.mark.parametrize("style", sorted(STYLES))
def test_true_captions_have_no_error_and_full_precision(style: str) -> None:
    longest = max(len(caption.split()) for caption in CAPTIONS[style].values()) + 20
    table = errors.count(CAPTIONS[style], ARTICLES, longest)
    assert (
        table.shape == (len(ARTICLES), len(errors.ERRORS))
        and not table.to_numpy().any()
    ), table[table.any(axis=1)]
    right = judge.accuracy(CAPTIONS[style], TRUTH, CAPTIONS[style])
    assert (right[["precision", "recall", "f"]] == 1).all(axis=None) and (
        right.said >= 1
    ).all()


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        (
            (
                "A blue striped shirt made of linen with long sleeves, a collar and a"
                " pocket."
            ),
            set(),
        ),
        ("A shirt in a soft cotton weave.", {"material"}),
        ("Short-sleeved shirt in a linen blend.", {"size"}),
        ("Knee-length shirt in airy linen.", {"size"}),
        ("A red striped shirt.", {"colour"}),
        ("Slim fit shirt with a boat neck.", {"cut"}),
        ("Striped linen shirt with a hood.", {"hallucination"}),
        ("A dotted shirt with a collar.", {"hallucination"}),
        ("Blazer in slub linen.", {"look_alike"}),
        ("A wide skirt made of linen.", {"other_garment"}),
        ("Linen shirt. Linen shirt.", {"over_generation"}),
        (
            "linen shirt with a collar and a pocket and a pocket and a pocket",
            {"over_generation"},
        ),
        ("linen linen linen shirt", {"over_generation"}),
        (
            "a velvet dress with lace and no lace and a hood",
            {"material", "other_garment", "hallucination"},
        ),
        ("Shirt in linen with buttons. Concealed zip in one side.", set()),
        ("a photo of a blue shirt on a white background", set()),
        ("", set()),
        ("something else entirely", set()),
    ],
)
def test_planted_errors_by_hand(caption: str, expected: set[str]) -> None:
    assert found(caption) == expected


def test_length_counts_as_over_generation_above_the_longest_only() -> None:
    caption = "A blue striped shirt made of linen"
    assert found(caption, longest=7) == set() and found(caption, longest=6) == {
        "over_generation"
    }


def test_a_wider_name_is_no_error_and_a_sibling_is() -> None:
    cargo = (catalogue.garment("cargo pants", np.random.default_rng(1)), "khaki")
    assert found("Trousers.", cargo) == set() and found("Pants.", cargo) == set()
    assert found("Harem trousers.", cargo) == {"look_alike"} and found(
        "Mini skirt.", cargo
    ) == {"other_garment"}
    boots = (catalogue.garment("boots", np.random.default_rng(1)), "black")
    assert found("Trainers.", boots) == {"look_alike"} and found("A bag.", boots) == {
        "other_garment"
    }


def test_another_articles_caption_is_mostly_faulty() -> None:
    order = np.random.default_rng(0).permutation(len(ARTICLES))
    other = {item: TRUE[str(k)] for item, k in zip(ARTICLES, order, strict=True)}
    table = errors.count(other, ARTICLES)
    assert (table.drop(columns="over_generation").any(axis=1)).mean() > 0.98
    assert 0.6 < table.material.mean() < 0.95  # two articles may well be of one cloth
    assert judge.accuracy(other, TRUTH, TRUE).f.mean() < 0.4


def test_accuracy_by_hand() -> None:
    reference = {
        "a": "Striped shirt in linen with long sleeves and a collar."
    }  # 5 attributes
    captions = {
        "a": "Striped blouse in linen with a hood."
    }  # garment and hood wrong, pattern and fabric right
    truth = {"a": judge.true(SHIRT)}
    row = judge.accuracy(captions, truth, reference).loc["a"]
    assert row.tolist() == pytest.approx([4, 2, 5, 2, 2 / 4, 2 / 5, 2 * 2 / (4 + 5)])
    silent = judge.accuracy({"a": "lovely"}, truth, reference).loc["a"]
    assert silent[["precision", "recall", "f"]].tolist() == [0, 0, 0]


def test_agreement_of_claims_by_hand() -> None:
    reference = "Striped shirt in linen with long sleeves and a collar."  # 5 attributes
    assert judge.agreement(reference, reference) == 1
    caption = "Striped blouse in linen with a hood."  # 4, two of them the same
    assert judge.agreement(caption, reference) == 2 * 2 / (4 + 5)
