"""The command line as a stranger uses it: real files in, real files out, one clear line on bad input."""

import json

import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

from fashionlib import cli
from fashionlib.datasets import layouts
from fashionlib.wardrobe import LAYOUTS

COMMANDS = ["wardrobe", "check", "split", "download", "score", "recommend", "execute", "keep", "summary"]


@pytest.fixture(scope="module")
def wardrobe(tmp_path_factory):
    root = tmp_path_factory.mktemp("cli") / "wardrobe"
    assert cli.main(["wardrobe", str(root), "--items", "24", "--shoppers", "6", "--seed", "1"]) == 0
    return root


def refused(capsys, arguments: list[str], *words: str) -> None:
    assert cli.main(arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and all(word in error for word in words), error


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main([command, "--help"])
    assert stopped.value.code == 0 and f"example: fashionlib {command}" in capsys.readouterr().out


def test_a_drawn_wardrobe_is_whole(wardrobe, capsys):
    assert cli.main(["check", str(wardrobe)]) == 0
    assert "24  articles" in capsys.readouterr().out


def test_a_broken_folder_ends_with_1_and_names_the_fault(wardrobe, tmp_path, capsys):
    for name in ("articles.csv", "transactions_train.csv"):
        text = (wardrobe / name).read_text()
        (tmp_path / name).write_text(text.replace("2018-", "2018/").replace("2019-", "2019/").replace("2020-", "2020/"))
    assert cli.main(["check", str(tmp_path)]) == 1
    assert "fault" in capsys.readouterr().out


def test_every_layout_can_be_drawn_checked_and_split(tmp_path, capsys):
    for layout in LAYOUTS:
        root, out = tmp_path / layout, tmp_path / f"{layout}.csv"
        assert cli.main(["wardrobe", str(root), "--items", "30", "--shoppers", "3", "--layout", layout]) == 0
        assert cli.main(["check", str(root)]) == 0, capsys.readouterr().out
        assert cli.main(["split", str(root), "--by", "product", "--out", str(out)]) == 0
        split = pd.read_csv(out, dtype="str")
        assert list(split.columns) == ["item_id", "split"] and set(split.split) == {"train", "validation", "test"}
        items = layouts.items(root)
        assert split.item_id.tolist() == items.item_id.tolist()
        sides = items.merge(split[["item_id", "split"]], on="item_id", suffixes=("_shipped", "")).groupby("product_id")
        assert sides.split.nunique().max() == 1


def test_split_by_article_is_the_published_recipe(wardrobe, tmp_path):
    assert cli.main(["split", str(wardrobe), "--by", "article", "--out", str(tmp_path / "s.csv")]) == 0
    ids = pd.read_csv(wardrobe / "articles.csv", dtype="str")[["article_id"]]
    shuffled = ids.sample(frac=1, random_state=42)
    train, rest = train_test_split(shuffled, test_size=0.2, random_state=42)
    validation, test = train_test_split(rest, test_size=0.5, random_state=42)
    split = pd.read_csv(tmp_path / "s.csv", dtype="str").set_index("item_id").split
    for name, part in (("train", train), ("validation", validation), ("test", test)):
        assert set(split.index[split == name]) == set(part.article_id)


def test_split_and_download_refuse_with_one_line(wardrobe, tmp_path, capsys):
    refused(capsys, ["split", str(tmp_path / "none"), "--out", str(tmp_path / "s.csv")], "none", "no folder")
    (tmp_path / "empty").mkdir()
    out = ["--out", str(tmp_path / "s.csv")]
    refused(capsys, ["split", str(tmp_path / "empty"), *out], "known layouts", "articles.csv")
    refused(capsys, ["split", str(wardrobe), "--filter", "--out", str(tmp_path / "s.csv")], "0 articles", "at least 10")
    refused(capsys, ["download", "hm", str(tmp_path / "d")], "--accept-terms", "non-commercial")
    refused(capsys, ["download", "facad", str(tmp_path / "d"), "--accept-terms"], "ask there")
    assert not (tmp_path / "s.csv").exists() and not (tmp_path / "d").exists()


def test_score_writes_corpus_and_items(tmp_path, capsys):
    references, captions, out = (tmp_path / name for name in ("r.json", "c.json", "scores.json"))
    truth = {"1": "a red striped dress with long sleeves", "2": "black trousers with side pockets"}
    references.write_text(json.dumps({i: [{"caption": text}] for i, text in truth.items()}))
    captions.write_text(json.dumps({"1": [{"caption": truth["1"]}], "2": [{"caption": "a blue hat"}]}))
    assert cli.main(["score", "--references", str(references), "--captions", str(captions), "--out", str(out)]) == 0
    scores = json.loads(out.read_text())
    assert set(scores["corpus"]) == {"BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "METEOR", "ROUGE-L", "CIDEr"}
    assert scores["per_item"]["1"]["ROUGE-L"] == pytest.approx(1) and scores["per_item"]["2"]["ROUGE-L"] == 0
    assert "CIDEr" in capsys.readouterr().out


def test_score_refuses_captions_for_other_items(tmp_path, capsys):
    for name, key in (("r.json", "0108775015"), ("c.json", "0108775044")):
        (tmp_path / name).write_text(json.dumps({key: [{"caption": "a dress"}]}))
    refused(capsys, ["score", "--references", str(tmp_path / "r.json"), "--captions", str(tmp_path / "c.json"),
                     "--out", str(tmp_path / "s.json")], "0108775015", "0108775044")
    assert not (tmp_path / "s.json").exists()


def test_score_refuses_what_is_no_json(tmp_path, capsys):
    (tmp_path / "r.json").write_text("{")
    refused(capsys, ["score", "--references", str(tmp_path / "r.json"), "--captions", str(tmp_path / "r.json"),
                     "--out", str(tmp_path / "s.json")], "r.json")


def test_recommend_learns_that_what_goes_together_goes_together(tmp_path, capsys):
    train, test, out = (tmp_path / name for name in ("train.tsv", "test.tsv", "r.json"))
    rows = [(u, i) for u in range(8) for i in ("a", "b", "c")] + [(u, i) for u in range(8, 16) for i in ("x", "y", "z")]
    rows += [(98, "a"), (98, "b"), (99, "x"), (99, "y")]
    train.write_text("".join(f"{u}\t{i}\t1\t2020-09-01\n" for u, i in rows))
    test.write_text("98\tc\t1\t2020-09-02\n99\tz\t1\t2020-09-02\n")
    assert cli.main(["recommend", "--train", str(train), "--test", str(test), "--model", "ItemKNN", "--k", "2",
                     "--cutoffs", "1,3", "--out", str(out)]) == 0
    assert json.loads(out.read_text())["metrics"]["NDCG@1"]["mean"] == pytest.approx(1)


def test_recommend_names_an_unknown_model_and_a_bad_cutoff(tmp_path, capsys):
    table = tmp_path / "t.tsv"
    table.write_text("1\ta\t1\t2020-09-01\n")
    files = ["recommend", "--train", str(table), "--test", str(table), "--out", str(tmp_path / "r.json")]
    refused(capsys, [*files, "--model", "SVD"], "'SVD'", "ItemKNN")
    refused(capsys, [*files, "--model", "ItemKNN", "--cutoffs", "5;12"], "5;12", "5,12")


def test_a_missing_notebook_names_the_known(tmp_path, capsys):
    refused(capsys, ["execute", str(tmp_path / "x.ipynb"), "--profile", "smoke"], "x.ipynb")


def test_an_unknown_profile_is_refused(capsys):
    refused(capsys, ["execute", "notebooks/00_preflight.ipynb", "--profile", "huge"], "'huge'", "tiny")
