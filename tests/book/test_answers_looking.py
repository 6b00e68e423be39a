"""The answers of chapters 09, 10, 11 and 20 say the numbers of what they are given."""

from types import SimpleNamespace

import pytest

from fashionlib.book import answers, paper
from fashionlib.book.answers import captioning, start

BEST, PLAIN = "consensus of ten copies, two spaces", "consensus of five copies, pooled"


def test_the_metrics_chapter_says_how_often_the_truth_wins_in_each_wording():
    told = {
        "other words": 0.8,
        "the reference's words": 0.1,
        "the reference's words, same facts": 0.4,
    }
    found = {
        side: {"CIDEr": {"value": n, "low": n - 0.05, "high": n + 0.05}}
        for side, n in told.items()
    }
    text = captioning.metric_check({"pooled": found})
    assert "in 80 [75, 85] of 100 pairs where neither" in text
    assert "in 10 [5, 15] where the lie has them" in text and "40 [35, 45]" in text


def lead(copy: str, low: float, metric: str = "CIDEr") -> dict[str, object]:
    pair = f"copy or write − {copy}"
    ends = {"difference": low + 0.02, "low": low, "high": low + 0.04}
    return {"pair": pair, "metric": metric, "p": 0.1} | ends


@pytest.fixture
def two_splits():
    scores = {"copy or write": 1.7, BEST: 1.6, PLAIN: 1.5, "captioner, greedy": 1.1}
    leads = [(BEST, 0.01), (BEST, -0.01), (PLAIN, -0.01), (PLAIN, -0.02)]
    return {
        "mean": {name: {"CIDEr": score} for name, score in scores.items()},
        "validation": {PLAIN: 150.0, BEST: 155.0, "captioner, greedy": 160.0},
        "alone": "captioner, greedy",
        "differences": [lead(BEST, 0.5, "BLEU-4"), *(lead(*each) for each in leads)],
        "novel": {"copy or write": {"is a training caption": 0.9}},
    }


def test_the_copying_chapter_counts_the_splits_whose_interval_is_above_zero(two_splits):
    text = captioning.copy_or_write(two_splits)
    assert "mini's: CIDEr 170.0" in text and "(160.0; +3.0 [+1.0, +5.0]" in text
    assert "on 1 of 2 product splits, over five plain copies (150.0) on 0" in text
    assert "The mini alone has 110.0. 90% of the chosen" in text


def test_the_gallery_names_what_a_photo_shows_and_the_model_where_it_is_kept():
    found = {"missed": {"cotton": 9, "wide": 1200, "hem": 7}, "copies": 0.25}
    text = captioning.gallery(found)
    assert "the main captioner most often miss “wide” (1,200), “hem” (7)" in text
    assert "cotton" not in text and "25% of these captions stand" in text
    said = {"the shop's own": {}, "mini-a, pretrained": {}, "mini-a, fine-tuned": {}}
    assert "captions of mini-a most" in captioning.gallery(found | {"said": said})
    assert "miss none" in captioning.gallery(found | {"missed": {"cotton": 9}})


def test_the_wardrobe_says_what_is_drawn_and_what_a_habit_does():
    habits = {"defaults": {"bought before": 0.3}, "no repeats": {"bought before": 0.2}}
    counts = {"kinds": 45, "attributes": 10, "values": 81, "details": 9}
    text = start.wardrobe(counts | {"habits": habits})
    assert text.startswith("45 kinds") and "10 attributes with 81 values" in text
    assert "1 habits that" in text and "30% of" in text and "repeats 20%" in text


@pytest.mark.parametrize("answer", [captioning.copy_or_write, captioning.gallery])
def test_an_answer_of_the_kept_sample_is_short(answer):
    kept = paper.sample(answer.__name__)
    assert 20 < len(answer(kept).split()) <= 60


def test_what_is_always_drawn_is_never_called_real():
    data = {"name": "hm-week", "synthetic": False}
    about = {
        "data": data,
        "profile": "sample",
        "finished": "2026-12-02",
        "commit": "ab",
    }
    counts = {"kinds": 45, "attributes": 10, "values": 81, "details": 9}
    habits = {key: {"bought before": 0.3} for key in ("defaults", "no repeats")}
    saved = {"provenance": about, "values": counts | {"habits": habits}}
    run = SimpleNamespace(profile="sample", read=lambda name: saved)
    shown = answers.show(run, start.wardrobe, unasked="nothing is real here").data
    assert answers.box.DRAWN in shown and "wardrobe, profile sample" in shown
    assert "nothing is real here" in shown and "hm-week" not in shown
