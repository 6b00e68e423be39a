"""The kept run in FACAD's layout: what is weighed against what, and who learns."""

import pandas as pd
import pytest

from benchmarks import facad, facad_runs, text_cnn
from fashionlib.captioning import metrics

TRUE = {
    "H&M": {"1 a": "red dress", "2 b": "blue skirt"},
    "FACAD": {"1 c": "a lovely red dress", "1 d": "a lovely red dress", "2 e": "skirt"},
}
SAID = {"before": "a photo", "after": "red dress"}
PRODUCTS = pd.Series(
    {"1 a": "1 p", "1 c": "1 p", "1 d": "1 p", "2 b": "2 q", "2 e": "2 q"}
)


@pytest.fixture
def scores() -> facad.All:
    """Two systems that say the same of every item, on two data sets of two products."""
    made = {}
    for name, true in TRUE.items():
        references = {item: [text] for item, text in true.items()}
        written = {system: dict.fromkeys(true, text) for system, text in SAID.items()}
        made[name] = metrics.score_many(references, written, ("ROUGE-L",))
    return made


def test_gains_of_two_data_sets_are_weighed_against_each_other(scores: facad.All):
    gains = {
        name: {(name, "after", "ROUGE-L"): 1, (name, "before", "ROUGE-L"): -1}
        for name in TRUE
    }
    found = facad.combined(scores, PRODUCTS, facad.less(gains["H&M"], gains["FACAD"]))
    own = {
        name: one["after"].corpus["ROUGE-L"] - one["before"].corpus["ROUGE-L"]
        for name, one in scores.items()
    }
    assert found["value"] == pytest.approx(own["H&M"] - own["FACAD"])
    first, second = found["seeds"]  # the second's items share no word with any caption
    assert first > 0
    assert second == 0
    assert found["low"] <= found["value"] <= found["high"]


def test_a_start_that_two_gains_share_drops_out():
    asked = facad.questions("CIDEr")
    terms = asked["FACAD one to one gains more than FACAD"]
    assert terms == {
        ("FACAD", "BLIP-2, one to one", "CIDEr"): 1,
        ("FACAD", "BLIP-2, as it is", "CIDEr"): -1,
    }
    assert len(asked["H&M gains more than FACAD"]) == 4


def test_each_condition_has_its_model_before_fine_tuning():
    planned = facad_runs.planned()
    for model, name, way in facad_runs.CONDITIONS:
        before = model, name, facad_runs.BEFORE
        assert planned.index(before) < planned.index((model, name, way))
    assert len(set(planned)) == len(planned)


def test_one_to_one_keeps_one_view_of_each_training_product():
    data = facad_runs.Wardrobe(7, 100)
    views = pd.DataFrame(
        {"product_id": [*"aaabbc"], "split": ["train"] * 5 + ["test"]},
    )
    data.__dict__["sets"] = {"FACAD": views}
    assert sorted(data.train("FACAD", facad_runs.ONCE).product_id) == ["a", "b"]
    assert len(data.train("FACAD")) == 5
    assert list(data.held("FACAD").product_id) == ["c"]


def test_the_text_cnn_reads_categories_and_passes_over_unknown_words():
    captions = [
        f"a {colour} {kind}" for kind in ("skirt", "coat") for colour in "abcdef"
    ]
    read = text_cnn.classifier(
        captions, [text.split()[-1] for text in captions], seed=0
    )
    asked = ["a mauve skirt", "an unheard of coat"]
    assert list(read.predict(asked)) == ["skirt", "coat"]
