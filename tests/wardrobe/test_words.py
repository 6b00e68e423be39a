"""Captions of the wardrobe: true, silent where they must be, and of the length of the
data they stand for.
"""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pytest
from samples import articles

from fashionlib.labelling.attribute_schema import ATTRIBUTES, DETAILS
from wardrobe import catalogue
from wardrobe.words import (
    PHRASES,
    STYLES,
    UNSEEN,
    in_all_styles,
    invisible_lemmas,
    judge,
    true_phrases,
)

COLOURS = list(catalogue.SHADES)


ARTICLES = list(articles(900, 11).values())
CAPTIONS = {
    name: [
        style(garment, colour, np.random.default_rng([5, i]))
        for i, (garment, colour) in enumerate(ARTICLES)
    ]
    for name, style in STYLES.items()
}
every_style = pytest.mark.parametrize("style", sorted(STYLES))


def words(caption: str) -> list[str]:
    return re.findall(r"[a-z]+", caption.lower())


@cache
def seen(caption: str) -> str:
    """The caption's words about what is seen of the garment, a space about each."""
    text = f" {' '.join(words(caption))} "
    return re.sub(" concealed zip | (on|against) (a )?white (background )?", " ", text)


def says(caption: str, phrase: str) -> bool:
    return f" {phrase} " in seen(caption)


@every_style
def test_a_caption_claims_nothing_that_the_article_lacks(style: str) -> None:
    phrases = {
        name: frozenset().union(*values.values()) for name, values in PHRASES.items()
    }
    for (garment, colour), caption in zip(ARTICLES, CAPTIONS[style], strict=True):
        true = true_phrases(garment, colour)
        for attribute in PHRASES:
            wrong = [
                p for p in phrases[attribute] - true[attribute] if says(caption, p)
            ]
            assert not wrong, f"{caption!r} says {wrong} of {garment}"


PROMISED = {  # what each style says of every article that has it
    "generic": {"colour"},
    "tailor": {"fabric", "zip_up", "button", "shoulder", *DETAILS},
    "enchanting": set(),
    "manual": {
        "sleeve_length",
        "fabric",
        "pattern",
        "zip_up",
        "button",
        "shoulder",
        *DETAILS,
    },
    "template": {*ATTRIBUTES, *DETAILS},
}


@every_style
def test_a_caption_says_what_its_style_promises(style: str) -> None:
    for (garment, colour), caption in zip(ARTICLES, CAPTIONS[style], strict=True):
        for attribute, phrases in true_phrases(garment, colour).items():
            if attribute in PROMISED[style] and phrases:
                assert any(says(caption, p) for p in phrases), (
                    f"{caption!r} hides {attribute} of {garment}"
                )


def test_the_neckline_is_said_unless_a_collar_or_bare_shoulders_are() -> None:
    for name in ("tailor", "manual"):
        for (garment, colour), caption in zip(ARTICLES, CAPTIONS[name], strict=True):
            true = true_phrases(garment, colour)
            shown = [
                true["shoulder"],
                true["collar"] if name == "tailor" else frozenset(),
                true["neckline"],
            ]
            shown = next(filter(None, shown), frozenset())
            assert not shown or any(says(caption, p) for p in shown), caption


def test_the_tailor_is_silent_about_colour_and_the_same_for_all() -> None:
    for i, (garment, _) in enumerate(ARTICLES[:300]):
        texts = {
            STYLES["tailor"](garment, colour, np.random.default_rng(i))
            for colour in COLOURS
        }
        assert len(texts) == 1 and not set(words(texts.pop())) & {
            *COLOURS,
            "vivid",
            "pastel",
        }


def test_the_template_names_the_subcategory_and_the_colour() -> None:
    for (garment, colour), caption in zip(ARTICLES, CAPTIONS["template"], strict=True):
        assert garment.subcategory in caption.lower() and colour in words(caption)


def test_enchanting_captions_are_lower_case_letters_and_spaces() -> None:
    assert all(
        re.fullmatch("[a-z]+( [a-z]+)*", caption) for caption in CAPTIONS["enchanting"]
    )
    coloured = np.mean(
        [
            colour in words(c)
            for (_, colour), c in zip(ARTICLES, CAPTIONS["enchanting"], strict=True)
        ]
    )
    assert 0.3 < coloured < 0.5


@pytest.mark.parametrize(
    ("style", "least", "most"),
    [
        ("generic", 8, 10),
        ("tailor", 20, 24),
        ("enchanting", 20, 22),
        ("manual", 20, 30),
        ("template", 15.5, 18.5),
    ],
)
def test_mean_length_is_that_of_the_data_it_stands_for(
    style: str, least: float, most: float
) -> None:
    assert least < np.mean([len(caption.split()) for caption in CAPTIONS[style]]) < most


@every_style
def test_the_english_is_clean(style: str) -> None:
    articles, spaces = r"\ba (?!one)[aeiou]|\ban [^aeiou]", r"  |^ | $| [,.]|,,|\.\."
    wrong = re.compile(
        rf"{articles}|{spaces}|\b(\w+) \1\b|[{{}}_/]|\bnone\b", re.IGNORECASE
    )
    ending = "" if style in ("generic", "enchanting") else "."
    for caption in CAPTIONS[style]:
        assert not wrong.search(caption), f"{wrong.search(caption)} in {caption!r}"
        assert caption.endswith(ending) and (
            not ending or re.fullmatch(r"([A-Z0-9][^.]*\.( |$))+", caption)
        ), caption


@every_style
def test_the_same_generator_gives_the_same_text(style: str) -> None:
    garment, colour = ARTICLES[0]
    twice = [
        [STYLES[style](garment, colour, np.random.default_rng(s)) for s in range(20)]
        for _ in range(2)
    ]
    assert twice[0] == twice[1] and len(set(twice[0])) > 2


def test_most_texts_are_distinct() -> None:
    for style in ("tailor", "enchanting", "template"):
        assert len(set(CAPTIONS[style])) > 0.95 * len(ARTICLES)


def test_unseen_words_are_said_by_their_style_only_beside_what_is_seen() -> None:
    visible = {
        word
        for values in PHRASES.values()
        for phrases in values.values()
        for p in phrases
        for word in p.split()
    }
    for style, unseen in UNSEEN.items():
        used = set().union(*(words(caption) for caption in CAPTIONS[style]))
        assert not unseen & visible and len(unseen & used) >= 0.9 * len(unseen)
    has = {
        s: np.mean([bool(UNSEEN[s] & set(words(c))) for c in CAPTIONS[s]])
        for s in STYLES
    }
    assert has["enchanting"] == 1 and 0.6 < has["tailor"] < 0.95
    assert has["generic"] == has["manual"] == has["template"] == 0
    openings = set().union(
        *(words(caption.split(".")[0]) for caption in CAPTIONS["tailor"])
    )
    assert UNSEEN["tailor"] & openings == {"stretch", "blend"}


def test_captions_are_judged_by_hand() -> None:
    truth = {
        "a": {"colour": frozenset({"red"}), "neckline": frozenset({"v neck"})},
        "b": {"colour": frozenset({"blue"}), "neckline": frozenset()},
        "c": {"colour": frozenset({"red"}), "neckline": frozenset({"boat"})},
    }
    truth = {
        item: dict.fromkeys(PHRASES, frozenset()) | known
        for item, known in truth.items()
    }
    references = {
        "a": "A red V-neck top",
        "b": "Blue jeans",
        "c": "A red top, boat neckline",
    }
    captions = {
        "a": "a red top with a V-neck",
        "b": "red and blue, boat",
        "c": "a wine-red hat",
    }
    table = judge.accuracy_by_attribute(captions, truth, references)
    assert table.loc["colour"].tolist() == [
        3,
        pytest.approx(2 / 3),
        pytest.approx(2 / 3),
    ]  # b says a false one too
    assert table.loc["neckline"].tolist() == [
        2,
        0.5,
        0.5,
    ]  # c's is asked for and not said, b's is said and not asked
    assert table.loc["hood"].isna().tolist() == [False, True, True]


def test_true_captions_are_judged_true() -> None:
    articles = {str(i): article for i, article in enumerate(ARTICLES)}
    truth = {
        item: true_phrases(garment, colour)
        for item, (garment, colour) in articles.items()
    }
    captions = dict(zip(articles, CAPTIONS["template"], strict=True))
    table = judge.accuracy_by_attribute(captions, truth, captions)
    assert (table.right.dropna() > 0.98).all() and table.said["colour"] == len(ARTICLES)


def test_invisible_lemmas_say_nothing_that_is_drawn() -> None:
    def tagged(texts: list[str]) -> list[list[str]]:
        return [text.split() for text in texts]

    lemmas = invisible_lemmas("tailor", tagged)
    assert "lined" in lemmas or "lining" in lemmas
    drawn = {p for kinds in PHRASES.values() for said in kinds.values() for p in said}
    assert not lemmas & {word for phrase in drawn for word in phrase.split()}
    assert invisible_lemmas("generic", tagged) == set()


def test_a_garment_in_all_styles() -> None:
    garment, colour = ARTICLES[0]
    texts = in_all_styles(garment, colour, 5)
    assert list(texts) == list(STYLES)
    rng = np.random.default_rng(5)
    assert texts["manual"] == STYLES["manual"](garment, colour, rng)
