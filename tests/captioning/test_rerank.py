"""CIDEr-D between single captions, and the choices made by it."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fashionlib.captioning.metrics.overlap import Cider
from fashionlib.captioning.rerank import (
    cider,
    consensus,
    copy_or_write,
    similarities,
    typical,
)

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


def score(measure: Cider, caption: str, reference: str) -> float:
    """Of a caption against one other."""
    return similarities(measure, [[caption, reference]])[0][0, 1]


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
        [score(ours, *pair) for pair in zip(written, CAPTIONS, strict=True)],
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
    table = similarities(measure, [["red", "red hat", "coat", "belt", ""]])[0]
    assert table[0, 1] == pytest.approx(10 * (one + 0) / 4 * math.exp(-1 / 72))
    assert table[1, 1] == pytest.approx(10 * (1 + two) / 4)
    assert table[2, 3] == table[4, 3] == table[3, 4] == 0


@given(words, words)
def test_bounds(a: list[str], b: list[str]):
    measure = cider(CAPTIONS)
    itself, value = similarities(measure, [[" ".join(a), " ".join(b)]])[0][0]
    assert 0 <= value <= 10 + 1e-9
    assert itself >= value - 1e-9 or len(a) < 4  # short captions have empty orders


def test_the_medoid_wins_over_the_odd_one():
    measure = cider(CAPTIONS)
    group = [
        "blue jeans with a belt",
        "a red dress",
        "a red dress with a collar",
        "a long green dress with a red belt",
    ]
    assert consensus(measure, [group, group[:1]]) == [group[2], group[0]]


def test_the_first_of_equals_wins():
    pair = ["a green hat", "soft blue jeans"]
    assert consensus(cider(CAPTIONS), [pair, pair[::-1]]) == [pair[0], pair[1]]


def test_groups_are_scored_alone_and_in_their_order(monkeypatch):
    measure, groups = cider(CAPTIONS), [CAPTIONS[k : k + 3] for k in range(5)]
    tables = similarities(measure, groups)
    assert [table.shape for table in tables] == [(3, 3)] * 5
    assert tables[0][0, 1] > tables[0][0, 2]
    monkeypatch.setattr("fashionlib.captioning.rerank.GROUPS", 2)
    np.testing.assert_array_equal(similarities(measure, groups), tables)


def test_copies_win_with_their_weight():
    """Two own captions of a hat, three copies of jeans: who votes, decides."""
    measure = cider(CAPTIONS)
    own = [["a green hat", "a green hat with a belt"]]
    copied = [["blue jeans", "soft blue jeans", "blue jeans with a belt"]]
    settings = [(0, 0.0), (3, 0.1), (3, 1.0), (1, 1.0)]
    chosen = copy_or_write(measure, own, copied, settings)
    assert list(chosen) == settings
    assert chosen[0, 0.0] == consensus(measure, own)
    assert chosen[3, 0.1][0] in own[0]
    assert chosen[3, 1.0][0] in copied[0]
    assert chosen[1, 1.0] == ["blue jeans"]  # the only copy that stands and votes


def test_no_captions_are_refused():
    with pytest.raises(ValueError, match="0 captions have no consensus"):
        consensus(cider(CAPTIONS), [["a hat"], []])


def test_one_caption_has_no_document_frequencies():
    with pytest.raises(ValueError, match="1 captions give no document frequencies"):
        cider(CAPTIONS[:1])


def test_the_typical_caption_of_each_kind():
    captions = pd.Series([*CAPTIONS, "soft blue jeans with a belt"])
    kinds = captions.str.contains("jeans").map({True: "jeans", False: "other"})
    chosen = typical(captions, kinds)
    assert chosen["jeans"] == "soft blue jeans with a belt"
    assert "jeans" not in chosen["other"]
    assert typical(captions, kinds, most=1)["jeans"] == "blue jeans with a belt"
