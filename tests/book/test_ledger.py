"""Verdicts of claims, from intervals made by hand."""

import pytest

from fashionlib.book import ledger
from fashionlib.stats import Estimate

UP, OPEN, DOWN = (
    {"difference": value, "low": value - 1, "high": value + 1} for value in (2, 0, -2)
)


def captions(*rows):
    names = ("A, fine-tuned", "A, pretrained", "B, fine-tuned")
    differences = [
        {"system": system, "minus": "A, pretrained", "metric": metric, **row}
        for system, metric, row in rows
    ]
    corpus = {name: {"CIDEr": 0.5} for name in names}
    return {"caption_scores": {"corpus": corpus, "differences": differences}}


def test_one_interval_gives_verdict_and_text():
    answer = ledger.from_estimate(Estimate(0.2, 0.1, 0.3), "+.1f")
    assert answer == ledger.Answer("holds (+0.2 [+0.1, +0.3])", "holds")


def test_a_caption_claim_that_holds_in_part_names_the_rest():
    results = captions(
        ("A, fine-tuned", "CIDEr", UP),
        ("A, fine-tuned", "METEOR", OPEN),
        ("B, fine-tuned", "CIDEr", DOWN),
    )
    main = ledger.caption_gain(results, "pretrained")
    assert main.text == "holds on 1 of 2; METEOR of A, fine-tuned open"
    every = ledger.caption_gain(results, "pretrained", every_model=True)
    assert every.text.endswith("CIDEr of B, fine-tuned fails")
    assert main.verdict == every.verdict == ""


@pytest.mark.parametrize(("sign", "verdict"), [(1, "holds"), (-1, "fails")])
def test_a_factor_is_asked_of_pairs_that_differ_in_it_alone(sign, verdict):
    effects = {
        "small, public + labelled, less small, public": {"BLEU-4": UP},
        "large, public, less small, public": {"BLEU-4": DOWN},
        "large, public + labelled, less small, public": {"BLEU-4": DOWN},
    }
    results = {"one_model": {"effects": effects}}
    change = ("public", "public + labelled")
    answer = ledger.factor(results, change, ("BLEU-4",), sign)
    assert answer == ledger.Answer(f"{verdict} on all 1", verdict)
    assert ledger.factor(results, ("a", "b"), ("BLEU-4",), 1) == ledger.NOT_RUN
    assert ledger.factor({"one_model": None}, change, ("BLEU-4",), 1) == ledger.NOT_KEPT


@pytest.mark.parametrize(
    ("change", "tasks", "reason"),
    [
        (ledger.LABELLED, ("BLEU-4",), "no LLM labelled these photos"),
        (ledger.LABELLED, ledger.STREET, "no LLM labelled these photos"),
        (ledger.SIZE, ledger.STREET, "there are no street photos"),
    ],
)
def test_a_claim_that_the_data_cannot_answer_never_fails(change, tasks, reason):
    pair = ", less ".join(reversed(change))
    real = {"one_model": {"effects": {pair: {"BLEU-4": DOWN, "other colour": DOWN}}}}
    answer = ledger.factor_of_thesis(real, change, tasks, 1)
    assert answer.text.startswith(f"{ledger.UNTESTED}, because {reason}")
    effects = {"BLEU-4": DOWN, ledger.STREET[0]: DOWN | {"seeds": [-3, -1]}}
    drawn = {"one_model": {"effects": {pair: effects}}}
    assert ledger.factor_of_thesis(drawn, change, tasks, 1).verdict == "fails"
    none = {"one_model": None}
    assert ledger.factor_of_thesis(none, change, tasks, 1) == ledger.NOT_KEPT


def test_seeds_that_disagree_leave_a_claim_open():
    name = "small, public + labelled, less small, public"
    street = {"BLEU-4": DOWN, "DeepFashion2, full": UP | {"seeds": [3, -1]}}
    results = {"one_model": {"effects": {name: street}}}
    asked = ledger.factor_of_thesis, results, ledger.LABELLED
    assert asked[0](*asked[1:], ("BLEU-4",), -1).verdict == "holds"
    assert asked[0](*asked[1:], ledger.STREET[:1], 1).verdict == "open"


def test_longer_lists_ask_the_runs_own_customers():
    rows = [
        {"data": "week", "metric": "AP", **DOWN},
        {"data": "week", "metric": "AP", **OPEN},
        {"data": "drawn", "metric": "AP", **UP},
    ]
    answer = ledger.longer_lists({"why_item_knn": {"changes": rows}}, "AP", -1)
    assert answer.text == "holds for 1, open for 1"


def test_the_harvest_counts_what_was_asked():
    answers = [
        ledger.Answer("holds on all 2", "holds"),
        ledger.Answer("holds for 1, open for 1"),
        ledger.NOT_RUN,
    ]
    text = "of the paper's 2, 1 hold, 0 fail, 0 stay open, 1 mixed"
    assert ledger.harvest(answers, "paper") == text
    with_one = [*answers, ledger.untested("nobody looked")]
    text = (
        "of the paper's 3, 1 hold, 0 fail, 0 stay open, 1 mixed, 1 can't be tested here"
    )
    assert ledger.harvest(with_one, "paper") == text
    nothing = "nothing kept yet for the book's 1"
    assert ledger.harvest([ledger.NOT_KEPT], "book") == nothing


def test_a_missing_key_is_looked_up_as_none():
    results = {"street": {"full": {"joint": 0.5}}, "kept": None}
    assert ledger.look_up(results, "street", "full", "joint") == 0.5
    assert ledger.look_up(results, "street", "crop", "joint") is None
    assert ledger.look_up(results, "kept", "full") is None


def test_a_model_that_was_still_rising_has_no_rank():
    differences = {"ItemKNN minus VBPR, text": UP, "FREEDOM minus VBPR, text": UP}
    table = {"VBPR, text": {"still rising": False}, "FREEDOM": {"still rising": True}}
    values = {"differences": differences, "table": table, "best_space": "VBPR, text"}
    results = {"recommenders": values}
    answer = ledger.ranking_gain(results, "ItemKNN minus {best_space}")
    assert answer.verdict == "holds"
    answer = ledger.ranking_gain(results, "FREEDOM minus {best_space}")
    assert answer == ledger.Answer("not ranked: FREEDOM was still rising")
    values["best_space"] = ""  # none had stopped
    assert ledger.ranking_gain(results, "ItemKNN minus {best_space}") == ledger.NO_SUCH
