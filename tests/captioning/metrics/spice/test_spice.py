"""SPICE-py from captions to scores; its cache of parses; tuples of captions, derived by
hand.
"""

import numpy as np
import pytest

from fashionlib.captioning.metrics import spice
from fashionlib.captioning.metrics.spice import cache, tuples

pytest.importorskip("spacy")
pytest.importorskip("pycocoevalcap")
pytest.importorskip(tuples.MODEL)


def fact(line: str) -> tuple[str, ...]:
    """dress | dress:red | dress -with-> belt"""
    if "->" in line:
        subject, predicate, other = line.replace("->", "-").split("-")
        return subject.strip(), other.strip(), predicate.strip()
    return tuple(part.strip() for part in line.split(":"))


# A caption, and what it says by SPICE's rules; nouns in a compound get no tuple of
# their own. Checked once, like the
# parses made by hand below, against the official rule classes, given each sentence's
# universal dependencies.
GOLDEN = {
    "A red dress": "dress, dress:red",
    "Short, fitted dress": "dress, dress:short, dress:fit",
    "A dress with long sleeves": "dress, sleeve, sleeve:long, dress -with-> sleeve",
    "A blouse with a round neckline and long sleeves": (
        "blouse, neckline, sleeve, neckline:round, sleeve:long, blouse -with->"
        " neckline, blouse -with-> sleeve"
    ),
    "Dress in a soft cotton weave": (
        "dress, weave:soft, weave:cotton, dress -in-> weave"
    ),
    "a cotton dress": "dress:cotton",
    "A pair of black jeans": "jean, pair, jean:black, jean:a",
    "A set of three earrings": "earring, set, earring:three, set -of-> earring",
    "Two women in matching dresses": (
        "woman, woman:two, dress, dress:match, woman -in-> dress"
    ),
    "a dress with one pocket": "dress, pocket, dress -with-> pocket",
    "A woman is wearing a hat.": "woman, hat, woman -wear-> hat",
    "A woman wearing a hat": "woman, hat, woman -wear-> hat",
    "A dress worn by a woman": "dress, woman, dress -wear by-> woman",
    "The dress was designed by a tailor.": "dress, tailor, tailor -design-> dress",
    "A dress made of silk": "dress, silk, dress -make of-> silk",
    "A dress made of silk and lined with satin": (
        "dress, silk, satin, dress -make of-> silk, dress -line with-> satin"
    ),
    "The shirt has buttons.": "shirt, button, shirt -have-> button",
    "The top has a hood and is lined with fleece.": (
        "top, hood, fleece, top -have-> hood"
    ),
    "The woman is smiling.": "woman, woman:smile",
    "The skirt is long and pleated.": "skirt, skirt:long, skirt:pleated",
    "The girl is in a garden.": "girl, garden, girl -in-> garden",
    "The model's shirt": "model, shirt, model -have-> shirt",
    "A dress with a belt at its waist.": (
        "dress, belt, waist, dress -with-> belt, dress -have-> waist, belt -at-> waist"
    ),
    "a dress with pockets that are trimmed with lace": (
        "dress, pocket, lace, dress -with-> pocket"
    ),
    "a dress that has pockets": "dress, pocket, dress -have-> pocket",
    "a dress with pockets trimmed with lace": (
        "dress, pocket, lace, dress -with-> pocket, pocket -trim with-> lace"
    ),
    "The dress is lined.": "dress",
    "a dress with lots of buttons": (
        "dress, button, lot, button:lot, dress -with-> button"
    ),
    "a woman in a pair of jeans": "woman, jean, pair, jean:a, woman -in-> jean",
    "A coat that a man wears": "coat, man, man -wear-> coat",
    "boots in front of a mirror": "boot, front, mirror, boot -in front of-> mirror",
    "shoes next to a bag": "shoe, bag, shoe -next to-> bag",
    "She is wearing a hat.": "hat",
    "": "",
    "  ...  ": "",
}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FASHIONLIB_CACHE", str(tmp_path))


@pytest.fixture(scope="module")
def extracted() -> dict[str, set[tuple[str, ...]]]:
    return {
        caption: set(found)
        for caption, found in zip(GOLDEN, tuples.extract_all(GOLDEN), strict=True)
    }


@pytest.mark.parametrize("caption", GOLDEN)
def test_golden(caption, extracted):
    assert extracted[caption] == {
        fact(line) for line in GOLDEN[caption].split(",") if line
    }


def test_hyphenated_words_stay_whole():
    found = set(next(tuples.extract_all(["A V-neck T-shirt with hard-wearing seams"])))
    assert found == {
        ("t-shirt", "v-neck"),
        ("seam",),
        ("seam", "hard-wearing"),
        ("t-shirt", "seam", "with"),
    }


def test_capitals_spaces_and_half_characters_change_nothing():
    texts = [
        "Top with a RED belt",
        "top  with\na red\u2028belt",
        "top with a red belt \ud83d",
    ]
    one, two, three = map(set, tuples.extract_all(texts))
    assert (
        one
        == two
        == three
        == {("top",), ("belt",), ("belt", "red"), ("top", "belt", "with")}
    )


@pytest.mark.parametrize(
    ("words", "tags", "labels", "heads", "said"),
    [
        # what the parser rarely gets right in one piece, on parses made by hand
        (
            "jacket zips up",
            "NN VBZ RP",
            "nsubj ROOT prt",
            (1, 1, 1),
            "jacket, jacket:zip",
        ),
        (
            "woman wears black",
            "NN VBZ JJ",
            "nsubj ROOT dobj",
            (1, 1, 1),
            "woman, woman:wear",
        ),
        ("woman smiling", "NN VBG", "ROOT acl", (0, 0), "woman"),
        ("dress worn", "NN VBN", "ROOT acl", (0, 0), "dress"),
        (
            "dress in black",
            "NN IN JJ",
            "ROOT prep pobj",
            (0, 0, 1),
            "dress, dress -in-> black",
        ),
        (
            "it has pockets ; jacket",
            "PRP VBZ NNS : NN",
            "nsubj ROOT dobj punct dep",
            (1, 1, 1, 1, 1),
            "pocket, jacket",
        ),
        (
            "jacket : it has pockets",
            "NN : PRP VBZ NNS",
            "ROOT punct nsubj parataxis dobj",
            (0, 0, 3, 0, 3),
            "jacket, pocket, jacket -have-> pocket",
        ),
        (
            "woman gives man gloves",
            "NN VBZ NN NNS",
            "nsubj ROOT dative dobj",
            (1, 1, 1, 1),
            "woman, man, glove, woman -give-> man, woman -give-> glove",
        ),
        (
            "two pairs of jeans",
            "CD NNS IN NNS",
            "nummod ROOT prep pobj",
            (1, 1, 1, 2),
            "jean, pair, jean:two",
        ),
        (
            "leather on heel and on toe",
            "NN IN NN CC IN NN",
            "ROOT prep pobj cc conj pobj",
            (0, 0, 1, 1, 1, 4),
            "leather, heel, toe, leather -on-> heel, leather -on-> toe",
        ),
    ],
)
def test_rules_on_parses_made_by_hand(words, tags, labels, heads, said):
    from spacy.tokens import Doc

    document = Doc(
        tuples._model().vocab,
        words.split(),
        tags=tags.split(),
        deps=labels.split(),
        heads=list(heads),
    )
    assert set(tuples.extract(document)) == {fact(line) for line in said.split(",")}


def test_scores_counted_by_hand():
    references = [
        ["A red dress", "A dress with a belt"],
        ["a cotton shirt"],
        ["A woman wearing a hat"],
    ]
    good = ["A crimson frock", "a shirt", "A woman is wearing a hat."]
    mine, empty = spice.score_many(references, [good, ["", " ", "?"]])
    # dress, dress:red, belt, dress -with-> belt; gown and crimson are synonyms: 2 of 2
    # and 2 of 4
    np.testing.assert_allclose(mine.per_item, [2 * 2 / (2 + 4), 2 * 1 / (1 + 2), 1])
    assert mine.counts[0].tolist() == [[1, 0, 1], [1, 0, 0], [0, 0, 1]]
    np.testing.assert_allclose(mine.by_category[1], [1, 0, np.nan])
    assert mine.corpus == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    assert empty.per_item.tolist() == [0, 0, 0]


def test_itself_a_paraphrase_and_another():
    captions = [
        "Short, fitted dress with long sleeves",
        "A pair of black jeans",
        "Leather boots with a round toe",
    ]
    same, near, other = spice.score_many(
        [[caption] for caption in captions],
        [
            captions,
            ["A short dress that has sleeves", "Black denims", "Boots of leather"],
            captions[1:] + captions[:1],
        ],
    )
    assert same.per_item.tolist() == [1, 1, 1]
    assert (near.per_item > other.per_item).all() and (near.per_item < 1).all()


def test_bad_input_is_an_error():
    with pytest.raises(ValueError, match="1 captions for 2 lists"):
        spice.score([["a"], ["b"]], ["a"])
    with pytest.raises(
        ValueError, match="1 of 2 items have no list of references; rows: \\[1\\]"
    ):
        spice.score([["a"], []], ["a", "b"])
    with pytest.raises(ValueError, match="no items"):
        spice.score([], [])


def test_a_caption_is_parsed_once_also_over_calls(monkeypatch):
    parsed = []
    whole = tuples.extract_all

    def counting(captions):
        captions = list(captions)
        parsed.extend(captions)
        return whole(captions)

    monkeypatch.setattr(cache, "extract_all", counting)
    first = cache.tuples(["a red dress", "a hat", "a red dress"])
    assert cache.tuples(["a hat", "a belt", "a red dress"]) | first == cache.tuples(
        ["a belt", "a hat", "a red dress"]
    )
    assert parsed == ["a hat", "a red dress", "a belt"]
    monkeypatch.setattr(cache, "RULES", -1)
    cache.tuples(["a hat"])
    assert parsed[3:] == ["a hat"]


def test_a_missing_model_is_an_error_with_a_next_step(monkeypatch):
    for module in (cache, tuples):
        monkeypatch.setattr(module, "MODEL", "no_such_model")
    tuples._model.cache_clear()
    try:
        for call in (cache.recipe, tuples._model):
            with pytest.raises(FileNotFoundError, match="pip install no_such_model"):
                call()
    finally:
        tuples._model.cache_clear()
