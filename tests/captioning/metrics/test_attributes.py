import json
import math
from pathlib import Path

import pytest

from benchmarks import tagging_accuracy
from fashionlib.captioning.metrics import attributes

REPOSITORY = Path(__file__).parents[3]
HM_POOL = REPOSITORY / "data" / "pools" / "hm.json"
UNSEEN = REPOSITORY / "data" / "tagging" / "unseen.csv"


def test_shared_words_outside_the_pool_make_the_published_precision_two():
    generated, reference, pool = [["red", "dress"]], [["red", "dress"]], ["dress"]
    assert attributes.as_published(generated, reference, pool)[
        "precision"
    ].tolist() == [2 / 1]
    clean = attributes.precision_recall(generated, reference, pool)
    assert clean["precision"].tolist() == [1.0] and clean["recall"].tolist() == [1.0]


def test_precision_and_recall_by_hand():
    pool = ["blue", "dress", "jersey", "sleeve", "top"]
    generated = [["blue", "top", "sleeve", "sleeve", "zebra"]]
    reference = [["top", "sleeve", "jersey", "blue", "dress"]]
    row = attributes.precision_recall(generated, reference, pool).iloc[0]
    assert (row["precision"], row["recall"]) == (3 / 3, 3 / 5)
    row = attributes.precision_recall(reference, generated, pool).iloc[0]
    assert (row["precision"], row["recall"]) == (3 / 5, 3 / 3)


def test_an_empty_reference_is_not_a_number_and_one_attribute_as_published():
    generated, reference, pool = [["dress"], []], [[], []], ["dress"]
    clean = attributes.precision_recall(generated, reference, pool)
    assert clean[["precision", "recall"]].isna().all(axis=None)
    published = attributes.as_published(generated, reference, pool)
    assert published["recall"].tolist() == [0 / 1, 1 / 1]  # "" finds ""
    assert published["precision"].tolist() == [0.0, 0.0]


def test_macro_counts_what_it_leaves_out():
    rows = attributes.precision_recall(
        [["dress"], [], ["top"]],
        [["dress", "top"], ["top"], ["zebra"]],
        ["dress", "top"],
    )
    assert attributes.macro(rows) == {
        "precision": (1 / 1 + 0) / 2,
        "recall": (1 / 2 + 0) / 2,
        "items": 2,
        "skipped": 1,
        "empty": 1,
    }
    assert math.isnan(rows["precision"].iloc[2])


def test_mistakes_are_counted_by_caption():
    table = attributes.mistakes(
        [["red", "red", "top"], ["zip"], []],
        [["top", "zip"], ["zip", "other"], ["zip"]],
        ["red", "top", "zip"],
    )
    assert list(table) == ["in the truth", "missed", "invented"]
    assert {lemma: row.tolist() for lemma, row in table.iterrows()} == {
        "zip": [3, 2, 0],
        "red": [0, 0, 1],
        "top": [1, 0, 0],
    }
    assert table.index.tolist() == ["zip", "red", "top"]


def test_lists_of_other_lengths_are_refused():
    for convention in (attributes.precision_recall, attributes.as_published):
        with pytest.raises(ValueError, match="2 generated captions for 1 references"):
            convention([[], []], [[]], [])


def test_the_pool_counts_occurrences():
    assert attributes.pool([["b", "a"], ["b", "b"], ["a", "c"]], minimum=2) == (
        "a",
        "b",
    )
    assert attributes.pool([["b"] * 10], minimum=10) == ("b",)


def test_tagging_lowers_splits_hyphens_and_keeps_order_and_repeats():
    captions = [
        "Shorts in soft jersey with rubber soles",
        "A T-shirt in soft jersey",
        "",
        "a t shirt in soft jersey",
    ]
    rows = attributes.tagged(captions)
    assert {"shorts", "sole", "soft", "jersey"} <= set(rows[0])
    assert {"soft", "jersey", "shirt"} <= set(rows[1]) and "with" not in rows[0]
    assert rows[2] == [] and rows[1] == rows[3] and rows[1] is not rows[3]
    assert rows == attributes.tagged(captions)
    assert rows[:1] == attributes.tagged(captions[:1])  # the batch does not matter
    assert "short" in attributes.tagged(captions[:1], exceptions={})[0]


def test_equal_captions_are_tagged_once(monkeypatch, tmp_path):
    monkeypatch.setenv("FASHIONLIB_CACHE", str(tmp_path))
    seen = []
    monkeypatch.setattr(
        attributes,
        "_spacy",
        lambda texts: seen.extend(texts) or [[("x", "x", "NOUN")]] * len(texts),
    )
    assert attributes.tagged(["A-line", "a line", "A  line\n"] * 5) == [["x"]] * 15
    assert seen == ["a line"]


def test_missing_taggers_say_the_next_step(monkeypatch, tmp_path):
    pytest.importorskip("stanza")
    monkeypatch.setenv("STANZA_RESOURCES_DIR", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"stanza\.download"):
        attributes.tagged(["a dress"], "stanza")
    monkeypatch.setattr(attributes, "SPACY_MODEL", "no_such_model")
    with pytest.raises(FileNotFoundError, match="pip install no_such_model"):
        attributes.tagged(["a dress"])
    with pytest.raises(ValueError, match="known: spacy, stanza"):
        attributes.tagged(["a dress"], "nltk")


def test_exceptions_right_the_known_faults():
    row = attributes.words(
        [
            "Long-sleeved top in ribbed, 10x27x33 cm jersey with 5% elastane and rubber"
            " soles"
        ]
    )[0]
    word = {form: (lemma, tag) for form, lemma, tag in row}
    assert word["long"] == ("long", "ADJ") and word["sleeved"] == ("sleeved", "ADJ")
    assert word["ribbed"] == ("ribbed", "ADJ") and word["jersey"] == ("jersey", "NOUN")
    assert word["soles"] == ("sole", "NOUN")
    kept = attributes.tagged(["size 10x27x33 cm, 5 % wool"])[0]
    assert kept == ["size", "cm", "wool"]
    assert "%" in attributes.tagged(["size 10x27x33 cm, 5 % wool"], exceptions={})[0]


def test_no_exception_is_listed_twice():
    forms = [
        entry.partition("=")[0]
        for _, _, words in attributes.FAULTS
        for entry in words.split()
    ]
    assert len(forms) == len(set(forms)) == len(attributes.EXCEPTIONS)
    assert all(form.isalpha() and form.islower() for form in forms)


def test_garment_words_stay_as_accurate_as_measured():
    measured = tagging_accuracy.garment_words()
    ours, alone = measured["exceptions"], measured["tagger alone"]
    assert ours["words"] == alone["words"] == 171
    for key, value in (
        ("upos", 0.9708),
        ("lemma", 1.0),
        ("recall", 0.9879),
        ("precision", 1.0),
    ):
        assert ours[key] >= value * (1 - 0.005), key
        assert alone[key] < ours[key], key


def test_a_frozen_pool_is_read_back_and_hashes_alike_in_any_order(tmp_path):
    made = attributes.made_by() | {"minimum": 10}
    path = attributes.freeze(
        ["top", "blue", "appliqué", "top"], tmp_path / "pool.json", made
    )
    assert attributes.frozen(path) == ("appliqué", "blue", "top")
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["provenance"] == made and "3.8.0" in made["model"]
    again = attributes.freeze(("blue", "appliqué", "top"), tmp_path / "again.json", {})
    assert json.loads(again.read_text(encoding="utf-8"))["sha256"] == content["sha256"]
    other = attributes.freeze(("blue", "top"), tmp_path / "other.json", {})
    assert json.loads(other.read_text(encoding="utf-8"))["sha256"] != content["sha256"]


def test_a_changed_pool_is_refused_by_file_and_both_hashes(tmp_path):
    path = attributes.freeze(["blue", "top"], tmp_path / "pool.json", {})
    said, found = attributes.digest(["blue", "top"]), attributes.digest(["blue", "toq"])
    path.write_text(path.read_text().replace('"top"', '"toq"'))
    with pytest.raises(ValueError, match=rf"pool\.json: .*{found}, not {said}"):
        attributes.frozen(path)
    for broken in ("{", "[]", '{"lemmas": []}', '{"sha256": "x"}'):
        path.write_text(broken)
        with pytest.raises(ValueError, match=r"pool\.json is no frozen pool"):
            attributes.frozen(path)
    with pytest.raises(FileNotFoundError, match="attributes.freeze"):
        attributes.frozen(tmp_path / "absent.json")


def test_the_kept_pool_of_hm_is_whole_and_its_unseen_words_are_in_it():
    pool = attributes.frozen(HM_POOL)
    assert {"elasticated", "shorts", "sole", "jersey", "long"} <= set(pool)
    assert not {"sol", "trouser", "%"} & set(pool) and all(
        lemma.isalpha() for lemma in pool
    )
    assert len(pool) == pytest.approx(1014, rel=0.05)  # Paper A, table 2, by Stanza
    reasons = attributes.read_invisible(UNSEEN)
    assert (
        reasons.keys() <= set(pool) and "organic" in reasons and "sleeve" not in reasons
    )


def test_shares_of_what_is_not_seen_by_hand():
    tagged = [
        ["cotton", "top", "cotton", "zebra"],
        ["top", "pocket"],
        ["lined", "cotton"],
        [],
    ]
    pool = ["cotton", "lined", "pocket", "top"]
    table = attributes.invisible_shares(
        tagged, pool, {"cotton": "fibre", "lined": "inside", "zebra": "name"}
    )
    assert table.index.tolist() == ["fibre", "inside", "any"]
    assert table["mentions"].tolist() == [3, 1, 4] and table["captions"].tolist() == [
        2,
        1,
        2,
    ]
    assert table["of_mentions"].tolist() == [3 / 7, 1 / 7, 4 / 7]
    assert table["of_captions"].tolist() == [2 / 4, 1 / 4, 2 / 4]
    assert attributes.invisible_shares([[]], pool, {})["of_mentions"].isna().all()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("word,why\ncotton,fibre\n", "lemma,reason"),
        ("lemma,reason\ncotton,fibre\ncotton,feel\n", "line 3"),
        ("lemma,reason\ncotton,\n", "line 2"),
        ("lemma,reason\ncotton\n", "line 2"),
    ],
)
def test_a_faulty_table_of_unseen_words_is_refused_by_line(tmp_path, text, fault):
    (tmp_path / "unseen.csv").write_text(text)
    with pytest.raises(ValueError, match=f"unseen.csv.*{fault}"):
        attributes.read_invisible(tmp_path / "unseen.csv")


def test_captions_described_in_numbers():
    captions = ["a red coat", "a red coat", "boots"]
    lemmas = [["red", "coat"], ["red", "red"], []]
    about = attributes.described(captions, lemmas, ["red", "coat"], ["boots"])
    assert about == {
        "captions": 3,
        "distinct": 2,
        "words": (3 + 3 + 1) / 3,
        "attribute words": (2 + 1 + 0) / 3,
        "word for word the shop's": 1 / 3,
    }
