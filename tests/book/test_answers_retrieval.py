"""The answers of chapters 16 to 19: numbers made by hand, and what is kept."""

from types import SimpleNamespace

import pytest

from fashionlib.book import answers, ledger, paper
from fashionlib.book.answers import retrieval, start

WORDS = 60


def row(value, **more):
    return {"accuracy": value, "low": value - 0.1, "high": value + 0.1, **more}


def test_chapter_16_sets_the_joint_mini_beside_the_frozen_encoder():
    joint = "small, public + labelled, joint"
    ranked = {
        name: {"other colour": {"top-1": row(value)}}
        for name, value in (("EfficientNet", 0.5), (joint, 0.2))
    }
    found = {"runs": {joint: {"CIDEr": 0.75}}, "control": {joint: 0.25}}
    text = retrieval.one_model(found | {"retrieval": ranked})
    assert "For 20.0 [10.0, 30.0] % of photos the joint mini" in text
    assert "for 50.0 [40.0, 60.0] %" in text and "CIDEr 75.0, another" in text
    ranked["EfficientNet"]["DeepFashion2, full"] = {"top-1": row(0.6)}
    ranked[joint]["DeepFashion2, full"] = {"top-1": row(0.3)}
    text = retrieval.one_model(found | {"retrieval": ranked})
    assert "For 30.0 [20.0, 40.0] % of drawn whole street photos" in text


def test_the_long_run_says_gain_and_loss():
    values = {"public": 0.2, "public + labelled": 0.3, "EfficientNet": 0.4}
    values |= {"rank 8, public": 0.45, "rank 8, public + labelled": 0.5}
    rows = {
        name: {"DeepFashion2, full": {"value": value}}
        for name, value in (values | {"before fine-tuning": 0.6}).items()
    }
    gaps = {
        "DeepFashion2, full": {"difference": 0.1, "low": 0.05, "high": 0.15},
        "BLEU-4": {"difference": -0.02, "low": -0.03, "high": -0.01},
    }
    thesis = {"difference": 0.05, "low": 0.01, "high": 0.09, "seeds": [0.12, -0.02]}
    effects = {
        "public + labelled, less public": gaps,
        "rank 8, public + labelled, less rank 8, public": {
            "DeepFashion2, full": thesis
        },
    }
    found = {"rows": rows, "effects": effects, "base": "mini", "steps": 9}
    text = retrieval.trade(found)
    assert "30.0 %, without in 20.0 % (+10.0 [+5.0, +15.0] points)" in text
    assert "BLEU-4 changes by -2.0 [-3.0, -1.0]" in text
    assert "thesis's LoRA (rank 8): 50.0 %, without 45.0 % (open)." in text
    assert "40.0 %, the mini before fine-tuning 60.0 %" in text


@pytest.mark.parametrize("drawn", [True, False])
def test_chapter_17_says_which_photos_are_drawn(drawn):
    gap = {"difference": -0.3, "low": -0.4, "high": -0.2}
    text = retrieval.street_to_shop(
        {
            "variants": {
                n: {"top-1": row(v)} for n, v in (("EfficientNet", 0.5), ("joint", 0.2))
            },
            "differences, colour": {
                "variants: joint minus EfficientNet": {"top-1": gap}
            },
            "street": {"DeepFashion2, crop": {"joint": {"top-10": row(0.7)}}},
            "centred": {"joint": {"top-10, gain": "+8.0 [+1.0, +15.0]"}},
            "drawn": drawn,
        }
    )
    assert "20.0 % (-30.0 [-40.0, -20.0] points)" in text
    assert "among ten for 70.0 %" in text and "+8.0 [+1.0, +15.0]" in text
    assert ("drawn street photos" in text) == drawn


def test_chapter_18_sets_words_beside_the_filter():
    ways = {"picture and colour": 0.1, "picture": 0.02}
    ways["picture, filter by colour"] = 0.5
    name = "picture and colour, weight 0.40, minus the picture alone"
    text = retrieval.search(
        {
            "ways": {way: {"both": share} for way, share in ways.items()},
            "weights": {"colour": 0.4},
            "paired": {name: {"points": 0.08, "low": 0.05, "high": 0.11}},
        }
    )
    assert "(weight 0.40)" in text and "which 10.0 % have" in text
    assert "alone 2.0 % (+8.0 [+5.0, +11.0] points)" in text and "50.0 %" in text


def test_chapter_19_counts_verdicts_of_intervals_by_work():
    verdicts = [ledger.HOLDS, ledger.OPEN, ledger.OPEN, ledger.FOLLOWED, ledger.FAILS]
    claims = dict(zip(["A001", "A002", "A003", "B001", "C001"], verdicts, strict=True))
    assert start.scoreboard({"claims": claims}) == (
        "Intervals judge 4 of 5 rows. Paper A: direction holds 1, open 2. This book:"
        " direction fails 1."
    )


@pytest.mark.parametrize("name", ["one_model", "street_to_shop", "search"])
def test_a_kept_result_is_answered_in_few_words(name):
    text = getattr(retrieval, name)(paper.sample(name))
    assert len(text.split()) <= WORDS and "nan" not in text


def test_the_long_run_is_answered_in_few_words():
    text = retrieval.trade(paper.benchmark("trade")["values"])
    assert len(text.split()) <= WORDS and "nan" not in text


def test_a_box_says_whose_numbers_it_has(monkeypatch):
    def trade(found):
        return f"says {found['n']}"

    data = {"name": "wardrobe", "synthetic": True}
    about = {"data": data, "profile": "tiny", "finished": "2026-01-02", "commit": "ab"}
    kept = {"provenance": {"date": "2026-01-03", "commit": "12345678"}}
    monkeypatch.setattr(paper, "benchmark", {"trade": kept | {"values": {"n": 2}}}.get)
    saved = {"provenance": about, "values": {"n": 1}}
    run = SimpleNamespace(profile="tiny", read={"results/trade.json": saved}.get)
    page = answers.show(run, trade, "nobody can ask", [trade]).data
    said = ["Real H&amp;M data", "nobody can ask", "Kept experiment", "commit 1234567)"]
    said += ["says 2", "This run, drawn garments", "says 1"]
    places = [page.index(text) for text in said]
    assert places == sorted(places)
