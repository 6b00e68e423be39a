"""CIDEr-D between single captions and the medoid under it: agreement with
pycocoevalcap, hand-made agreement.
"""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fashionlib.captioning.rerank import Cider, cider, consensus, ngrams, similarities

CAPTIONS = [
    "a red dress with a collar",
    "a red dress",
    "blue jeans with a belt",
    "a green hat",
    "red shoes and a belt",
    "a long green dress with a red belt",
    "soft blue jeans",
]
words = st.lists(
    st.sampled_from(
        ["a", "red", "green", "blue", "dress", "hat", "belt", "with", "soft"]
    ),
    min_size=1,
    max_size=9,
)


def test_agrees_with_pycocoevalcap():
    """On one corpus, with its references as the documents, each caption's score is
    pycocoevalcap's.
    """
    from pycocoevalcap.cider.cider_scorer import CiderScorer

    written = [
        "a red dress",
        "a dress with a red collar",
        "blue jeans",
        "a green green hat",
        "red belt",
        "a long dress with a belt",
        "socks",
    ]
    theirs = CiderScorer(n=4)
    for caption, reference in zip(written, CAPTIONS, strict=True):
        theirs += (caption, [reference])
    ours = cider(CAPTIONS)
    np.testing.assert_allclose(
        [ours(*pair) for pair in zip(written, CAPTIONS, strict=True)],
        theirs.compute_score()[1],
        rtol=1e-9,
    )


def test_hand_computed():
    """Of 4 documents "red" is in 2 and "hat" in 1: weights log 2 and log 4; "red hat"
    is known from 1, weight log 4.
    """
    measure = cider(["red hat", "red sock", "coat", "belt"])
    one, two = (
        1 / math.sqrt(1 + 4),
        1,
    )  # cosine of (log 2, 0) with (log 2, log 4); no bigram in "red"
    assert measure("red", "red hat") == pytest.approx(
        10 * (one + 0) / 4 * math.exp(-1 / 72)
    )
    assert measure("red hat", "red hat") == pytest.approx(10 * (1 + two) / 4)
    assert measure("coat", "belt") == measure("", "belt") == measure("belt", "") == 0


def test_words_are_counted_whole():
    assert ngrams("V-neck T-shirt, 3/4-length; it's SOFT.")[0] == {
        ("v-neck",): 1,
        ("t-shirt",): 1,
        ("3/4-length",): 1,
        ("it's",): 1,
        ("soft",): 1,
    }


@given(words, words)
def test_bounds(a: list[str], b: list[str]):
    measure = cider(CAPTIONS)
    value = measure(" ".join(a), " ".join(b))
    assert 0 <= value <= 10 + 1e-9
    assert (
        measure(" ".join(a), " ".join(a)) >= value - 1e-9 or len(a) < 4
    )  # short captions have empty orders


def test_the_medoid_wins_over_the_odd_one():
    measure = cider(CAPTIONS)
    group = [
        "blue jeans with a belt",
        "a red dress",
        "a red dress with a collar",
        "a long green dress with a red belt",
    ]
    assert consensus(measure, group) == "a red dress with a collar"


def test_the_first_of_equals_wins():
    assert (
        consensus(cider(CAPTIONS), ["a green hat", "soft blue jeans"]) == "a green hat"
    )


def test_similarities_have_one_row_per_candidate():
    found = similarities(cider(CAPTIONS), CAPTIONS[:2], CAPTIONS[:3])
    assert found.shape == (2, 3)
    assert found[0, 1] > found[0, 2]


def test_no_captions_are_refused():
    with pytest.raises(ValueError, match="0 captions have no consensus"):
        consensus(cider(CAPTIONS), [])


def test_one_caption_has_no_document_frequencies():
    with pytest.raises(ValueError, match="1 captions give no document frequencies"):
        Cider(1, {})
