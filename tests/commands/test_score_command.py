"""`fashionlib score` on files: scores as the library gives them, wrong files named."""

import json

import numpy as np
import pandas as pd
import pytest

from fashionlib.captioning import metrics
from fashionlib.captioning.metrics import spice
from fashionlib.commands.jobs import score


def write_coco(path, captions):
    content = {
        item: [{"caption": text} for text in np.atleast_1d(texts)]
        for item, texts in captions.items()
    }
    path.write_text(json.dumps(content))
    return path


def test_files_give_the_same_scores_and_their_controls(tmp_path, no_java):
    references = {"1": ["a dress", "red dress"], "2": ["jeans"], "3": ["blue hat"]}
    captions = {"2": "slim jeans", "1": "a dress", "3": "red hat"}
    paths = {
        "c": write_coco(tmp_path / "c.json", captions),
        "true": write_coco(
            tmp_path / "t.json", {item: texts[0] for item, texts in references.items()}
        ),
    }
    got = score.score_files(
        write_coco(tmp_path / "r.json", references), paths, resamples=20
    )
    assert json.loads(json.dumps(got, allow_nan=False)) == got
    want = metrics.score(references, captions)
    assert got["corpus"]["c"] == want.corpus and got["per_item"][
        "c"
    ] == want.per_item.to_dict(orient="index")
    assert list(got["corpus"]) == ["c", "true", "c, shuffled", "true, shuffled"]
    assert (
        got["corpus"]["true"]["BLEU-1"] > 0.99
        and got["corpus"]["true, shuffled"]["BLEU-1"] < 1e-9
    )  # no own
    assert {(row["system"], row["minus"]) for row in got["differences"]} == {
        ("c", "c, shuffled"),
        ("true", "true, shuffled"),
        ("true", "c"),
    }
    assert got["missing"].keys() == {
        "SPICE",
        "attribute precision",
        "attribute recall",
        "category accuracy",
    }
    assert "c minus c, shuffled, BLEU-1" in score.report(got)
    assert "--items items.csv" in score.report(got)


def test_files_with_the_official_spice(tmp_path, no_java, monkeypatch):
    references = write_coco(tmp_path / "r.json", {"1": ["a dress"], "2": ["jeans"]})
    said = {"c": write_coco(tmp_path / "c.json", {"2": "jeans", "1": "a hat"})}
    with pytest.raises(
        FileNotFoundError,
        match="no stanford-corenlp-3.6.0.jar .*stanford-corenlp-full-2015-12-09.zip",
    ):
        score.score_files(references, said, spice_models=tmp_path)
    monkeypatch.setattr(score.official, "check", lambda models, java: None)

    def same(references, captions, models, java):
        found = np.array(
            [
                float(texts == [caption])
                for texts, caption in zip(references, captions, strict=True)
            ]
        )
        return spice.Spice(found, found.mean(), np.zeros((len(found), 3, 3)))

    monkeypatch.setattr(score.official, "score", same)
    got = score.score_files(references, said, spice_models=tmp_path, resamples=10)
    assert (
        got["per_item"]["c"]["2"]["SPICE"] == 1 and got["corpus"]["c"]["SPICE"] == 0.5
    )
    assert "SPICE" not in got["missing"] and got["corpus"]["c, shuffled"]["SPICE"] == 0


def test_files_with_an_items_table_get_attributes_and_categories(
    tmp_path, no_java, monkeypatch
):
    kinds = {"dress": "Dress", "jeans": "Trousers"}
    rows = [
        {
            "item_id": f"{n:03}",
            "product_id": f"{n // 2:02}",
            "caption": f"{look} {noun}",
            "category": kinds[noun],
            "split": "test" if n > 43 else "train",
        }
        for n, (look, noun) in enumerate([("red", "dress"), ("blue", "jeans")] * 24)
    ]
    table = pd.DataFrame(rows)
    table.to_csv(tmp_path / "items.csv", index=False)
    test = table[table.split == "test"].set_index("item_id").caption
    references = write_coco(tmp_path / "r.json", test.to_dict())
    said = write_coco(
        tmp_path / "c.json", {**test, "045": "red jeans"}
    )  # its reference: blue jeans

    class ByLastWord:
        def predict(self, captions):
            return np.array([kinds[text.split()[-1]] for text in captions])

    monkeypatch.setattr(
        metrics, "category_classifier", lambda captions, categories, seed: ByLastWord()
    )
    got = score.score_files(
        references, {"c": said}, tmp_path / "items.csv", resamples=10
    )
    assert got["corpus"]["c"]["attribute precision"] == pytest.approx(
        (1 + 1 / 2 + 1 + 1) / 4
    )
    assert got["corpus"]["c"]["category accuracy"] == 1 and got["missing"].keys() == {
        "SPICE"
    }
    notes = got["notes"]
    assert notes["ceiling of category accuracy (the references' own)"] == 1 and notes[
        "pool"
    ].startswith("4 attributes")
    assert (
        "2 products drawn anew" in got["notes"]["intervals and p-values"]
    )  # and no product's caption goes to itself
    assert list(got["corpus"]) == ["c", "c, shuffled"] and got["notes"]["items"] == 4
    table.drop(columns="category").to_csv(tmp_path / "bad.csv", index=False)
    with pytest.raises(ValueError, match="bad.csv: no column category; found item_id"):
        score.score_files(references, {"c": said}, tmp_path / "bad.csv")
    table.assign(split="test").to_csv(tmp_path / "bad.csv", index=False)
    with pytest.raises(
        ValueError,
        match="no row with caption and category has split 'train'; splits are 'test'",
    ):
        score.score_files(references, {"c": said}, tmp_path / "bad.csv")
    pd.concat([table, table[:1]]).to_csv(tmp_path / "bad.csv", index=False)
    with pytest.raises(ValueError, match="item_id '000' stands twice"):
        score.score_files(references, {"c": said}, tmp_path / "bad.csv")
    table[table.split == "train"].to_csv(tmp_path / "bad.csv", index=False)
    with pytest.raises(
        ValueError,
        match="bad.csv, column category: 44 for 4 items with references; missing 4",
    ):
        score.score_files(references, {"c": said}, tmp_path / "bad.csv")
    with pytest.raises(ValueError, match="--pool needs --items"):
        score.score_files(references, {"c": said}, pool_json=tmp_path / "p.json")


def test_a_control_is_another_products_and_the_order_of_keys_does_not_matter():
    ids = [f"{n:03}" for n in range(20)]
    groups = pd.Series([n // 3 for n in range(20)], ids)
    donors = score._donors(ids, groups, seed=1)
    assert sorted(donors) == sorted(donors.values()) == ids
    assert all(groups[item] != groups[donor] for item, donor in donors.items())
    assert (
        score._donors(ids[::-1], groups, seed=1)
        == donors
        != score._donors(ids, groups, seed=2)
    )
    assert score._donors(["a", "b"], None, seed=0) == {"a": "b", "b": "a"}
    assert score._donors(["a"], None, seed=0) == {}
    assert (
        score._donors(ids, pd.Series(0, ids), seed=0) == {}
    )  # one product has them all


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "r.json: Expecting property name.*expected"),
        ("[]", "r.json: found a list, expected"),
        ('{"1": "a dress"}', "key '1': found \"a dress\", expected"),
        ('{"1": [{"text": "a"}]}', "key '1': found .*text.*expected"),
        ('{"1": [{"caption": 3}]}', "key '1'"),
        ('{"1": []}', "key '1'"),
        (
            '{"1": [{"caption": "a"}], "1": [{"caption": "b"}]}',
            "key '1' is there twice",
        ),
        ("\xff", "r.json"),
    ],
)
def test_wrong_files_are_named(tmp_path, text, words):
    (tmp_path / "r.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match=words):
        score.read_coco(tmp_path / "r.json")


def test_missing_and_surplus_captions_in_files(tmp_path):
    (tmp_path / "r.json").write_text('{"1": [{"caption": "a"}]}')
    (tmp_path / "c.json").write_text('{"1": [{"caption": "a"}, {"caption": "b"}]}')
    with pytest.raises(
        ValueError, match="c.json: key .1.: found 2 captions, expected 1"
    ):
        score.score_files(tmp_path / "r.json", {"c": tmp_path / "c.json"})
    with pytest.raises(FileNotFoundError, match="absent.json: no such file"):
        score.score_files(tmp_path / "absent.json", {"c": tmp_path / "c.json"})
