"""Spoilt captions: the planted fault is in them, no other is, and the rest stays."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from samples import articles

from wardrobe import catalogue, corruptions
from wardrobe.corruptions import CORRUPTIONS
from wardrobe.words import STYLES, errors, judge

ARTICLES = articles(90, 31)
TRUE = {
    style: {
        item: corruptions.caption(article, (1, int(item)), style)
        for item, article in ARTICLES.items()
    }
    for style in ("tailor", "template", "enchanting")
}
TRUTH = {item: judge.true(article) for item, article in ARTICLES.items()}
PLANTED = {  # corruption -> the only error type that it may bring
    "wrong colour": "colour",
    "wrong fabric": "material",
    "wrong pattern": "hallucination",
    "wrong length": "size",
    "wrong neckline": "cut",
    "look-alike": "look_alike",
    "other garment": "other_garment",
    "added details": "hallucination",
    "repeated": "over_generation",
}


@cache
def spoilt(name: str, style: str) -> dict[str, str]:
    """The captions that the corruption changed."""
    made = {
        item: CORRUPTIONS[name](article, (1, int(item)), style)
        for item, article in ARTICLES.items()
    }
    return {item: text for item, text in made.items() if text != TRUE[style][item]}


def lost(before: str, after: str) -> int:
    return (Counter(before.lower().split()) - Counter(after.lower().split())).total()


@pytest.mark.parametrize("style", sorted(TRUE))
@pytest.mark.parametrize("name", sorted(PLANTED))
def test_the_planted_fault_is_found_and_no_other(name: str, style: str) -> None:
    captions = spoilt(name, style)
    table = errors.count(captions, ARTICLES)
    silent = (
        name == "wrong colour" and style == "tailor"
    )  # whose captions name no colour
    assert bool(captions) != silent, name
    assert (
        table[PLANTED[name]].all()
        and not table.drop(columns=PLANTED[name]).to_numpy().any()
    )


@pytest.mark.parametrize("name", sorted(set(PLANTED) - {"added details", "repeated"}))
def test_little_else_changes(name: str) -> None:
    for style, most in (("tailor", 6), ("template", 5)):
        before = own_cut(style) if name == "other garment" else TRUE[style]
        changes = [
            lost(before[item], text) for item, text in spoilt(name, style).items()
        ]
        assert not changes or (
            min(changes) > 0 and np.median(changes) <= most and np.mean(changes) < most
        ), name


def own_cut(style: str) -> dict[str, str]:
    """Each article's caption without what the other garment told of it can't have: no
    sleeves, if that is boots.
    """
    found = {}
    for item, text in spoilt("other garment", style).items():
        (garment, colour), seed = ARTICLES[item], (1, int(item))
        for other, _ in corruptions.others(ARTICLES[item], "category"):
            if corruptions.caption((other, colour), seed, style) == text:
                own = replace(
                    other, subcategory=garment.subcategory, category=garment.category
                )
                found[item] = corruptions.caption((own, colour), seed, style)
    return found


def test_a_steady_generator_makes_the_same_choices_among_more() -> None:
    few, many = corruptions.Steady((4,)), corruptions.Steady((4,))
    first = [
        few.integers(3),
        few.random(),
        *few.permutation(4),
        few.integers(10, 20),
        few.random(),
    ]
    many.integers(50)
    second = [
        None,
        many.random(),
        *many.permutation(4),
        many.integers(10, 20),
        many.random(),
    ]
    assert first[1:] == second[1:] and 10 <= first[-2] < 20
    drawn = np.array([corruptions.Steady((5, n)).integers(4) for n in range(2000)])
    assert drawn.min() == 0 and drawn.max() == 3 and np.bincount(drawn).min() > 420


def test_each_rung_of_a_ladder_adds_one_wrong_attribute() -> None:
    heights = Counter()
    for item, article in ARTICLES.items():
        rungs = corruptions.ladder(article, (1, int(item)), most=4)
        heights[len(rungs)] += 1
        assert rungs[0] == TRUE["tailor"][item]
        wrong = [set(judge.faults(text, article)) for text in rungs]
        assert [len(found) for found in wrong] == list(range(len(rungs)))
        assert all(low < high for low, high in pairwise(wrong))
    assert max(heights) == 5 and heights[5] > 0.5 * len(ARTICLES)


def test_three_lies_are_three_or_none() -> None:
    captions = spoilt("three lies", "template")
    assert len(captions) > 0.9 * len(ARTICLES)
    assert {
        len(judge.faults(text, ARTICLES[item])) for item, text in captions.items()
    } == {3}


def test_a_text_is_parted_into_what_a_picture_shows_and_the_rest() -> None:
    text = (
        "Dress in velvet with a bow. Long sleeves and ruffles. Relaxed fit with plenty"
        " of room. Lined. Inner compartment. Width 31 cm. The wool in the dress is"
        " certified."
    )
    seen, rest = corruptions.parted(text)
    assert (
        seen == "Dress in velvet with a bow. Long sleeves and ruffles."
        and f"{seen} {rest}" == text
    )
    for item, text in TRUE["tailor"].items():
        seen, rest = corruptions.parted(text)
        assert (
            seen
            and f"{seen} {rest}".strip() == text
            and corruptions.parted(rest) == ("", rest)
        ), item
    assert (
        np.mean([bool(corruptions.parted(text)[1]) for text in TRUE["tailor"].values()])
        > 0.7
    )
    assert all(
        corruptions.parted(text) == (text, "") for text in TRUE["template"].values()
    )


def test_crossed_captions_are_true_and_share_the_unseen() -> None:
    other = {
        item: corruptions.caption(article, (2, int(item)))
        for item, article in ARTICLES.items()
    }
    crossed = {
        item: corruptions.crossed(other[item], TRUE["tailor"][item])
        for item in ARTICLES
    }
    assert not errors.count(crossed, ARTICLES).to_numpy().any()
    for item, text in crossed.items():
        assert corruptions.parted(text) == (
            corruptions.parted(other[item])[0],
            corruptions.parted(TRUE["tailor"][item])[1],
        )


def test_another_garment_has_nothing_that_its_kind_cannot_have() -> None:
    for article in ARTICLES.values():
        for garment, _ in corruptions.others(article, "category"):
            kind = catalogue.KINDS[garment.subcategory]
            assert garment.sleeve_length in (*kind.sleeves, catalogue.NONE)
            assert garment.neckline in (*kind.necklines, catalogue.NONE)
            assert garment.total_length in (*kind.lengths, catalogue.NONE)
            assert set(garment.details) <= kind.has | kind.may
    jacket = next(a for a in ARTICLES.values() if a[0].subcategory == "jacket")
    boots = next(
        g for g, _ in corruptions.others(jacket, "category") if g.subcategory == "boots"
    )
    assert (boots.sleeve_length, boots.neckline, boots.fabric) == (
        "none",
        "none",
        jacket[0].fabric,
    )


def test_dropped_details_add_no_word() -> None:
    def words(text: str) -> set[str]:
        return set(re.findall(r"\w+", text.lower()))

    captions = spoilt("dropped details", "tailor")
    gained = [
        len(words(text) - words(TRUE["tailor"][item]))
        for item, text in captions.items()
    ]
    assert np.mean(gained) < 0.5 and np.mean(np.array(gained) == 0) > 0.8


def test_what_is_dropped_shuffled_or_left_is_true() -> None:
    before = judge.accuracy(TRUE["tailor"], TRUTH, TRUE["tailor"])
    for name in ("dropped details", "name only"):
        captions = spoilt(name, "tailor")
        right = judge.accuracy(captions, TRUTH, TRUE["tailor"])
        assert (right.precision == 1).all() and (
            right.said <= before.loc[right.index].said
        ).all()
        assert right.recall.mean() < 0.8
    assert all(
        sorted(text.split()) == sorted(TRUE["tailor"][item].split())
        for item, text in spoilt("shuffled words", "tailor").items()
    )
    assert (
        judge.accuracy(spoilt("name only", "tailor"), TRUTH, TRUE["tailor"]).said.max()
        == 2
    )  # a puffer jacket


def test_added_details_keep_every_word() -> None:
    for style in TRUE:
        assert all(
            lost(TRUE[style][item], text) == 0
            for item, text in spoilt("added details", style).items()
        )
    one, two, three = (
        corruptions.added(ARTICLES["0"], (1, 0), count=n) for n in (1, 2, 3)
    )
    faults = [len(judge.faults(text, ARTICLES["0"])) for text in (one, two, three)]
    assert faults == [1, 2, 3]


@pytest.mark.parametrize("style", sorted(STYLES))
def test_another_seed_is_another_wording_of_the_same_truth(style: str) -> None:
    first, other = (
        {
            item: corruptions.caption(article, (n, int(item)), style)
            for item, article in ARTICLES.items()
        }
        for n in (1, 2)
    )
    assert np.mean([first[item] != other[item] for item in ARTICLES]) > 0.5
    assert not errors.count(other, ARTICLES).to_numpy().any()


def test_a_colour_stands_before_the_first_word() -> None:
    assert (
        corruptions.coloured("Dress in velvet. Lined.", "navy")
        == "Navy dress in velvet. Lined."
    )


def test_the_same_seed_gives_the_same_captions() -> None:
    for name, corrupt in CORRUPTIONS.items():
        for item in ("0", "7", "50"):
            twice = [corrupt(ARTICLES[item], (8, 1), "tailor") for _ in range(2)]
            assert twice[0] == twice[1], name


def test_captions_of_many_articles_are_those_of_each() -> None:
    texts = corruptions.captions(ARTICLES, (1, 2), "tailor")
    lies = corruptions.captions(
        ARTICLES, (1, 2), "tailor", corruptions.CORRUPTIONS["repeated"]
    )
    item = list(ARTICLES)[3]
    assert texts[item] == corruptions.caption(ARTICLES[item], (1, 2, 3), "tailor")
    assert lies[item].startswith(texts[item]) and lies.keys() == texts.keys()
