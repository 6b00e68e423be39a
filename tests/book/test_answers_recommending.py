"""Each chapter's answer says the numbers of its result, and is short."""

import pytest

from fashionlib.book import paper
from fashionlib.book.answers import recommending

WORDS = 60
RESULTS = ("feature_spaces", "missing_captions", "recommenders", "why_item_knn")


@pytest.mark.parametrize("result", RESULTS)
def test_the_answer_of_the_kept_sample_is_short(result):
    text = getattr(recommending, result)(paper.sample(result))
    assert len(text.split()) <= WORDS, text


def test_feature_spaces_names_encoders_and_both_shares():
    shares = {"category": 0.5, "colour": 0.25}
    ends = {"category": [0.4, 0.6], "colour": [0.2, 0.3]}
    found = {
        "encoders": {"resnet50": "a ResNet", "text": "a MiniLM"},
        "agreement": {"resnet50": shares, "text": {"category": 0.75, "colour": 0.1}},
        "intervals": {"resnet50": ends, "text": ends},
        "alike": {"text": {"resnet50": 0.07}},
    }
    text = recommending.feature_spaces(found)
    assert "(a MiniLM)" in text and "75.0 [40.0, 60.0] times in 100" in text
    assert "(a ResNet) 50.0 [40.0, 60.0]" in text
    assert "10.0 [20.0, 30.0] and 25.0 [20.0, 30.0]" in text
    assert "have 0.7 in common" in text


def test_missing_captions_says_which_trainings_were_still_rising():
    gain = {"value": 0.1, "low": 0.05, "high": 0.15}
    lost = {"value": -0.02, "low": -0.04, "high": 0.01}
    ways = {"written minus zeros": gain, "written minus picture instead": lost}
    found = {
        "against": ways,
        "bound": {"of filled articles": 3, "test purchases": 4000},
        "fresh": {"written": {"value": 0.625}},
        "rising": ["zeros", "mean"],
    }
    text = recommending.missing_captions(found)
    assert "62.5%" in text and "+10.0 [+5.0, +15.0] points more than with zeros" in text
    assert "-2.0 [-4.0, +1.0] more than with its picture. No rank: 1 of these 3" in text
    assert "3 of 4,000." in text
    settled = recommending.missing_captions(found | {"rising": ["mean"]})
    assert "No rank" not in settled


def row(value: float, rising: bool) -> dict[str, object]:
    ends = {"NDCG@5 low": value - 0.001, "NDCG@5 high": value + 0.001}
    return {"NDCG@5": value, "still rising": rising} | ends


def test_recommenders_come_from_the_highest_down_and_rising_ones_are_marked():
    table = {
        "ItemKNN": row(0.05, False),
        "VBPR, image": row(0.03, False),
        "VBPR, text": row(0.04, False),
        "BM3": row(0.02, True),
        "FREEDOM": row(0.06, False),
    }
    text = recommending.recommenders({"table": table})
    places = [text.index(name) for name in ("FREEDOM", "ItemKNN", "VBPR, text")]
    assert places == sorted(places) and "still rising" not in text
    assert "0.0600 [0.0590, 0.0610]" in text and "image" not in text
    table["FREEDOM"]["still rising"] = True
    near = {"UserKNN, k = 200": row(0.09, False)}
    text = recommending.recommenders({"table": table, "near": near})
    assert "0.0610] (still rising);" in text and "has no rank" in text
    assert text.startswith("NDCG@5: UserKNN, k = 200, which reads no features, 0.0900")
    assert "ItemKNN, with the paper's 20 neighbours, 0.0500" in text


def test_why_item_knn_adds_what_the_cut_gives_away():
    kinds = {"hits, other colour": 0.25, "hits, day in train": 0.5}
    lead = {"value": 0.01, "low": 0.005, "high": 0.015}
    found = {
        "heads": [{"data": "week", "hits": 4} | kinds],
        "leads": [
            {"data": "week", "split": "published, all its customers"} | lead,
            {"data": "week", "split": "one date for everybody"} | lead | {"value": 9},
        ],
    }
    text = recommending.why_item_knn(found)
    assert "week: 75% of 4 hits, +0.0100 [+0.0050, +0.0150]." in text
