"""The answers of part *Captioning*: numbers that are known, and every kept result."""

import pytest

from fashionlib.book import paper
from fashionlib.book.answers import captioning


def row(cider: float) -> dict[str, float]:
    return {"CIDEr": cider}


def test_a_pretrained_model_is_asked_by_its_first_model_and_by_chance():
    own = {"category": 0.69, "colour": 0.57, "words": 6.66}
    dealt = {"category": 0.06, "colour": 0.13, "words": 6.66}
    named = {"one": own, "one, dealt to others": dealt, "other": dealt}
    said = captioning.out_of_the_box({"main": "one", "named": named})
    assert "one writes 6.7 words" in said
    assert "category in 69% of captions and its colour group in 57%" in said
    assert "in 6% and 13%" in said


def test_fine_tuning_says_what_changes_and_what_it_cost():
    model = {"trained": 16, "weights": 100, "words": 19.5, "same_as_shuffled": 0.25}
    model["cost"] = {"seconds": 1372.4}
    recipe = {"steps": 4000, "batch_size": 32}
    said = captioning.fine_tuning({"main": "one", "one": model, "recipe": recipe})
    assert "one writes 19.5 words" in said and "changes 75.0% of its captions" in said
    assert "16% of its weights learned, in 4,000 steps of 32 captions" in said
    assert "and 1,372 seconds" in said


def test_a_choice_matters_where_it_changes_more_than_the_seeds_do():
    found = {
        question: {"a": row(0.30), "b": row(0.35)} for question in captioning.CHOICES
    }
    found["noise"] = {"seed 1": row(0.3), "seed 2": row(0.4), "seed 3": row(0.35)}
    found["end"] = {"with an end": row(0.36), "without": row(0.03), "random": row(0)}
    said = captioning.one_change(found)
    assert "without the captions' ends scores CIDEr 3.0, with them 36.0" in said
    assert "seeds of one recipe are 10.0 points apart" in said
    assert "change more: the end of a caption. These don't: padding, where" in said
    found["noise"]["seed 2"] = row(0.9)
    assert "change more: none." in captioning.one_change(found)


def test_scores_stand_beside_the_copies_and_the_paper():
    names = ("nearest photo's caption", 0.361), ("one, fine-tuned", 0.2237)
    table = [
        {"system": name, "metric": metric, "value": value, "low": 0.2, "high": 0.4}
        for name, value in names
        for metric, value in (("BLEU-4", value), ("CIDEr", 9))
    ]
    said = captioning.caption_scores({"models": ["one"], "table": table, "seen": 0.64})
    assert "BLEU-4 36.1 [20.0, 40.0], the fine-tuned one 22.4 [20.0, 40.0]" in said
    assert "Paper A prints 40.8" in said and "64% of test captions" in said


@pytest.mark.parametrize(
    "name", ["out_of_the_box", "fine_tuning", "one_change", "caption_scores"]
)
def test_the_kept_result_is_answered_in_sixty_words(name):
    assert len(getattr(captioning, name)(paper.sample(name)).split()) <= 60


def test_the_copies_of_two_kept_results_are_the_same():
    copied = paper.sample("caption_scores")["corpus"]["nearest photo's caption"]
    article = paper.sample("leakage")["article"]
    assert {metric: copied[metric] for metric in ("BLEU-4", "CIDEr")} == {
        metric: article[metric] for metric in ("BLEU-4", "CIDEr")
    }
