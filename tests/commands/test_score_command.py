"""`fashionlib score` on files: scores as the library gives them, wrong files named."""

import json

import numpy as np
import pandas as pd
import pytest

from fashionlib import commands
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
    donors = score.donors_of(ids, groups, seed=1)
    assert sorted(donors) == sorted(donors.values()) == ids
    assert all(groups[item] != groups[donor] for item, donor in donors.items())
    assert (
        score.donors_of(ids[::-1], groups, seed=1)
        == donors
        != score.donors_of(ids, groups, seed=2)
    )
    assert score.donors_of(["a", "b"], None, seed=0) == {"a": "b", "b": "a"}
    assert score.donors_of(["a"], None, seed=0) == {}
    assert (
        score.donors_of(ids, pd.Series(0, ids), seed=0) == {}
    )  # one product has them all


def test_missing_and_surplus_captions_in_files(tmp_path):
    (tmp_path / "r.json").write_text('{"1": [{"caption": "a"}]}')
    (tmp_path / "c.json").write_text('{"1": [{"caption": "a"}, {"caption": "b"}]}')
    with pytest.raises(
        ValueError, match="c.json: key .1.: found 2 captions, expected 1"
    ):
        score.score_files(tmp_path / "r.json", {"c": tmp_path / "c.json"})
    with pytest.raises(FileNotFoundError, match="absent.json: no such file"):
        score.score_files(tmp_path / "absent.json", {"c": tmp_path / "c.json"})


THREE = {"01": ["a dress", "red dress"], "02": ["jeans"], "03": ["blue hat"]}


def test_the_forms_of_coco_and_a_table_score_as_ours_do(tmp_path, no_java):
    rows = [
        {"image_id": int(item), "caption": text}
        for item, texts in THREE.items()
        for text in texts
    ]
    images = [{"id": n} for n in range(1, 6)]
    references = tmp_path / "annotations.json"
    references.write_text(json.dumps({"images": images, "annotations": rows}))
    said = {"01": "a dress", "02": "slim jeans", "03": "red hat"}
    (tmp_path / "table.csv").write_text(
        "item_id,caption\n" + "".join(f"{item},{text}\n" for item, text in said.items())
    )
    results = [
        {"image_id": float(item), "caption": text} for item, text in said.items()
    ]
    (tmp_path / "results.json").write_text(json.dumps(results))
    paths = {name.stem: name for name in sorted(tmp_path.glob("[rt]*"))}
    got = score.score_files(references, paths, resamples=10)
    ours = score.score_files(
        write_coco(tmp_path / "r.json", THREE),
        {"c": write_coco(tmp_path / "c.json", said)},
        resamples=10,
    )
    assert got["corpus"]["results"] == got["corpus"]["table"] == ours["corpus"]["c"]
    notes = got["notes"]
    assert notes[f"images without annotations, {references}"] == 2
    assert notes[f"columns, {references}"] == "image_id, caption"
    assert notes[f"ids that are numbers, read as text, {paths['results']}"] == 3
    for name, written in (("table", "'01'"), ("results", "'1.0'")):
        told = f"ids matched though written otherwise, {paths[name]}"
        assert notes[told] == f"3 of 3, as {written} for '1'"
        assert f"{told}: 3 of 3" in score.report(got)
    assert "ids matched" not in "".join(ours["notes"])


def test_captions_for_a_part_are_refused_and_scored_as_a_subset(tmp_path, no_java):
    references = write_coco(tmp_path / "r.json", THREE | {"04": ["a bag"], "05": [" "]})
    most = write_coco(tmp_path / "c.json", {"01": "a dress", "02": "hat", "03": "bag"})
    other = write_coco(tmp_path / "d.json", {"03": "hat", "1": "red dress", "9": "bag"})
    paths = {"c": most, "d": other}
    with pytest.raises(ValueError, match=r"r.json: 1 items without a text: \['05'\]"):
        score.score_files(references, paths)
    references = write_coco(tmp_path / "r.json", THREE | {"04": ["a bag"]})
    with pytest.raises(
        ValueError,
        match=r"c.json: 3 for 4 items with references; missing 1: \['04'\]; without"
        r" reference 0: \[\]; --subset scores",
    ):
        score.score_files(references, paths)
    with pytest.raises(
        ValueError, match=r"missing 2: \['02', '04'\]; without reference 1: \['9'\]"
    ):
        score.score_files(references, {"d": other})
    references = write_coco(tmp_path / "r.json", THREE | {"04": ["a bag"], "05": [" "]})
    got = score.score_files(references, paths, subset=True, resamples=10)
    assert list(got["per_item"]["c"]) == list(got["per_item"]["d"]) == ["01", "03"]
    assert got["notes"]["subset"] == "2 of 5 items with references"
    assert got["notes"][f"captioned, {other}"] == (
        "2 of 5 items with references; captions of other items, left out: 1"
    )
    want = metrics.score(
        {i: THREE[i] for i in ("01", "03")}, {"01": "a dress", "03": "bag"}
    )
    assert got["corpus"]["c"] == want.corpus
    assert "subset: 2 of 5" in score.report(got)
    far = write_coco(tmp_path / "far.json", {"x": "hat"})
    with pytest.raises(ValueError, match="0 items have a caption of each system"):
        score.score_files(references, {"far": far}, subset=True)


def test_captions_that_are_alike_or_without_a_word_are_counted(tmp_path, no_java):
    words = ["red dress", "blue jeans", "black hat", "white shirt", "long scarf", "..."]
    references = {str(n): [text] for n, text in enumerate(words)}
    said = ["a \u202edress"] * 3 + ["!!!!", "", "7"]
    got = score.score_files(
        write_coco(tmp_path / "r.json", references),
        {
            "c": write_coco(
                tmp_path / "c.json", dict(zip(references, said, strict=True))
            )
        },
        resamples=10,
    )
    counts = {
        "captions": 6,
        "distinct": 4,
        "without a word": 2,
        "prompt echoes": 0,
        "of the commonest": 3,
        "share": 0.5,
        "commonest": "a \u202edress",
    }
    assert got["captions"] == {"c": counts, "c, shuffled": counts}
    assert got["notes"]["references without a word"] == 1
    assert got["notes"]["distinct references"] == 6
    told = score.report(got)
    assert r"50.0%  'a \u202edress'" in told and "\u202e" not in told
    assert "CIDEr" not in got["notes"]


def test_one_reference_text_for_all_says_that_cider_is_0(tmp_path, no_java):
    references = write_coco(tmp_path / "r.json", dict.fromkeys("123", "a red dress"))
    said = write_coco(tmp_path / "c.json", dict.fromkeys("123", "a red dress"))
    got = score.score_files(references, {"c": said}, resamples=10)
    assert got["corpus"]["c"]["CIDEr"] == 0 and got["corpus"]["c"]["BLEU-1"] > 0.99
    assert "CIDEr: 0 whatever the captions are: every word" in score.report(got)


def test_the_help_names_the_forms_and_subset_is_an_option(tmp_path, no_java, capsys):
    assert commands.main(["score", "--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    for form in (
        "results list",
        "annotations",
        "JSON lines",
        "csv, tsv",
        "save_to_disk",
    ):
        assert form in told
    references = write_coco(tmp_path / "r.json", THREE)
    said = write_coco(tmp_path / "c.json", {"01": "a dress", "02": "hat"})
    words = ["score", "--references", str(references), "--captions", str(said)]
    words += ["--out", str(tmp_path / "s.json"), "--resamples", "5"]
    assert commands.main(words) == 2
    assert "--subset" in capsys.readouterr().err and not (tmp_path / "s.json").exists()
    assert commands.main([*words, "--subset"]) == 0
    assert "subset: 2 of 3 items" in capsys.readouterr().out
