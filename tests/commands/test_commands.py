"""The command line as a stranger uses it: real files in, real files out, one clear line
on bad input.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

from fashionlib import commands
from fashionlib.book import runs
from fashionlib.data.readers import layouts
from wardrobe import LAYOUTS, command

COMMANDS = [
    "try",
    "check",
    "split",
    "split-purchases",
    "download",
    "finetune",
    "score",
    "audit",
    "recommend",
    "execute",
    "site",
    "bundle",
    "student",
    "keep",
    "summary",
    "label",
    "retrieve",
    "index",
    "search",
    "app",
    "question",
    "slides",
]


@pytest.fixture(scope="module")
def wardrobe(tmp_path_factory):
    root = tmp_path_factory.mktemp("cli") / "wardrobe"
    given = ["--items", "24", "--shoppers", "6", "--seed", "1"]
    assert command.main([str(root), *given]) == 0
    return root


def refused(capsys, arguments: list[str], *words: str) -> None:
    assert commands.main(arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and all(word in error for word in words), error


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_an_example_and_fits_a_dumb_terminal(name, capsys, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "50")
    assert commands.main([name, "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    example = f"  example: fashionlib {name}"
    assert any(line.startswith(example) for line in lines)
    others = [line for line in lines if not line.startswith("  example:")]
    assert max(map(len, others)) <= 50
    assert all(line.isascii() and "\x1b" not in line for line in lines)


def test_the_wardrobe_has_a_command_of_its_own(tmp_path, capsys):
    assert command.main(["--help"]) == 0
    assert "example: wardrobe my-wardrobe" in capsys.readouterr().out
    assert command.main([str(tmp_path), "--layout", "tiny"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("wardrobe: ") and "'deepfashion2'" in error
    assert error.count("\n") == 1 and not list(tmp_path.iterdir())


def test_help_names_every_layout_and_profile(capsys):
    assert commands.main(["check", "--help"]) == commands.main(["execute", "--help"])
    text = capsys.readouterr().out
    assert all(name in text for name in [*layouts.LAYOUTS, *runs.profile_names()])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "fashionlib: Missing command; see --help"),
        (["wardrobe"], "fashionlib wardrobe: No such command 'wardrobe'; see --help"),
        (["split", "x"], "fashionlib split: Missing option '--out'; see --help"),
        (["keep", "--profil"], "fashionlib keep: No such option: --profil"),
        (["split", "x", "--out", "y", "--seed", "z"], "'--seed'"),
    ],
)
def test_wrong_words_end_with_one_line(words, told, capsys):
    refused(capsys, words, told)


def test_the_command_line_starts_without_what_is_heavy():
    heavy = {"torch", "pandas", "numpy", "yaml", "requests"}
    code = (
        f"import sys, fashionlib.commands; sys.exit(bool({heavy} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_drawn_wardrobe_is_whole(wardrobe, capsys):
    assert commands.main(["check", str(wardrobe)]) == 0
    assert "24  articles" in capsys.readouterr().out


def test_a_broken_folder_ends_with_1_and_names_the_fault(wardrobe, tmp_path, capsys):
    for name in ("articles.csv", "transactions_train.csv"):
        text = (wardrobe / name).read_text()
        (tmp_path / name).write_text(
            text.replace("2018-", "2018/")
            .replace("2019-", "2019/")
            .replace("2020-", "2020/")
        )
    assert commands.main(["check", str(tmp_path)]) == 1
    assert "fault" in capsys.readouterr().out


def test_every_layout_can_be_drawn_checked_and_split(tmp_path, capsys):
    for layout in LAYOUTS:
        root, out = tmp_path / layout, tmp_path / f"{layout}.csv"
        size = ["--items", "30", "--shoppers", "3"]
        assert command.main([str(root), *size, "--layout", layout]) == 0
        assert commands.main(["check", str(root)]) == 0, capsys.readouterr().out
        assert (
            commands.main(["split", str(root), "--by", "product", "--out", str(out)])
            == 0
        )
        split = pd.read_csv(out, dtype="str")
        assert {"item_id", "product_id", "caption", "category"} < set(split) and set(
            split.split
        ) == {
            "train",
            "validation",
            "test",
        }
        items = layouts.items(root)
        assert split.item_id.tolist() == items.item_id.tolist()
        sides = items.merge(
            split[["item_id", "split"]], on="item_id", suffixes=("_shipped", "")
        ).groupby("product_id")
        assert sides.split.nunique().max() == 1


def test_split_by_article_is_the_published_recipe(wardrobe, tmp_path):
    assert (
        commands.main(
            [
                "split",
                str(wardrobe),
                "--by",
                "article",
                "--out",
                str(tmp_path / "s.csv"),
            ]
        )
        == 0
    )
    ids = pd.read_csv(wardrobe / "articles.csv", dtype="str")[["article_id"]]
    shuffled = ids.sample(frac=1, random_state=42)
    train, rest = train_test_split(shuffled, test_size=0.2, random_state=42)
    validation, test = train_test_split(rest, test_size=0.5, random_state=42)
    split = pd.read_csv(tmp_path / "s.csv", dtype="str").set_index("item_id").split
    for name, part in (("train", train), ("validation", validation), ("test", test)):
        assert set(split.index[split == name]) == set(part.article_id)


def test_split_and_download_refuse_with_one_line(wardrobe, tmp_path, capsys):
    refused(
        capsys,
        ["split", str(tmp_path / "none"), "--out", str(tmp_path / "s.csv")],
        "none",
        "no folder",
    )
    (tmp_path / "empty").mkdir()
    out = ["--out", str(tmp_path / "s.csv")]
    refused(
        capsys,
        ["split", str(tmp_path / "empty"), *out],
        "known layouts",
        "articles.csv",
    )
    refused(
        capsys,
        ["split", str(wardrobe), "--filter", "--out", str(tmp_path / "s.csv")],
        "0 articles",
        "at least 10",
    )
    refused(
        capsys,
        ["download", "hm", str(tmp_path / "d")],
        "--accept-terms",
        "non-commercial",
    )
    refused(
        capsys,
        ["download", "facad", str(tmp_path / "d"), "--accept-terms"],
        "ask there",
    )
    assert not (tmp_path / "s.csv").exists() and not (tmp_path / "d").exists()


def test_split_purchases_cuts_as_published_and_recommend_reads_it(
    wardrobe, tmp_path, capsys
):
    table = pd.read_csv(wardrobe / "transactions_train.csv", dtype="str")
    rank = table.groupby("customer_id")["t_dat"].transform(
        lambda days: pd.to_datetime(days).rank(method="first")
    )
    is_train = rank <= np.floor(
        table.groupby("customer_id")["t_dat"].transform("size") * (1 - 0.2)
    )
    out = tmp_path / "hm"
    assert (
        commands.main(
            [
                "split-purchases",
                str(wardrobe / "transactions_train.csv"),
                "--out",
                str(out),
            ]
        )
        == 0
    )
    assert sorted(path.name for path in out.iterdir()) == ["test.tsv", "train.tsv"]
    for name, rows in (("train", table[is_train]), ("test", table[~is_train])):
        lines = (
            rows["customer_id"] + "\t" + rows["article_id"] + "\t1\t" + rows["t_dat"]
        ).tolist()
        assert (out / f"{name}.tsv").read_text().splitlines() == lines
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].split() == ["read", "kept", "train", "test"]
    assert [int(n) for n in printed[1].split()[1:]] == [len(table)] * 2 + [
        is_train.sum(),
        (~is_train).sum(),
    ]
    assert (
        commands.main(
            [
                "recommend",
                "--train",
                str(out / "train.tsv"),
                "--test",
                str(out / "test.tsv"),
                "--model",
                "Repeat",
                "--repeats",
                "--out",
                str(tmp_path / "r.json"),
            ]
        )
        == 0
    )


def test_split_purchases_refuses_with_one_line(wardrobe, tmp_path, capsys):
    good, out = wardrobe / "transactions_train.csv", tmp_path / "out"
    bad = tmp_path / "train.tsv"
    header = "t_dat,customer_id,article_id,price,sales_channel_id\n"
    for text, words in (
        (
            header + "2020-09-01,a,0108775015,0.1,1\n2020-09-31,a,0108775015,0.1,1\n",
            ["train.tsv, line 3", "2020-09-31,a"],
        ),
        (header + "2020-09-01,,0108775015,0.1,1\n", ["line 2", "customer_id is empty"]),
        (
            header + "2020-09-01,a,0108775015,0.1\n",
            ["line 2", "4 fields for 5 comma-separated ones: '2020-09-01,a,"],
        ),
        (
            header + '2020-09-01,a,"01\t2",0.1,1\n',
            ["line 2", "article_id is empty or has a tab"],
        ),
        (header, ["no rows"]),
        ("", ["is empty", "a header"]),
        ("t_dat,article_id\n2020-09-01,01\n", ["customer_id"]),
    ):
        bad.write_text(text)
        refused(capsys, ["split-purchases", str(bad), "--out", str(out)], *words)
    bad.write_text(header + "2020-09-01,a,0108775015,0.1,1\n")
    refused(
        capsys,
        ["split-purchases", str(bad), "--out", str(tmp_path)],
        "train.tsv",
        "one of the inputs",
    )
    refused(
        capsys,
        ["split-purchases", str(bad), "--out", str(out), "--by", "date"],
        "1 rows on 1 days",
    )
    refused(
        capsys,
        [
            "split-purchases",
            str(good),
            "--out",
            str(out),
            "--by",
            "date",
            "--day",
            "test",
        ],
        "whole",
    )
    refused(
        capsys,
        ["split-purchases", str(tmp_path / "no.csv"), "--out", str(out)],
        "no.csv: no such file",
    )
    (tmp_path / "items.csv").write_text("item_id\n108775015\n")
    refused(
        capsys,
        [
            "split-purchases",
            str(bad),
            "--out",
            str(out),
            "--articles",
            str(tmp_path / "items.csv"),
        ],
        "108775015",
        "leading zero",
    )
    assert not out.exists()


def test_score_writes_corpus_and_items(tmp_path, capsys):
    references, captions, out = (
        tmp_path / name for name in ("r.json", "c.json", "scores.json")
    )
    truth = {
        "1": "a red striped dress with long sleeves",
        "2": "black trousers with side pockets",
    }
    references.write_text(
        json.dumps({i: [{"caption": text}] for i, text in truth.items()})
    )
    captions.write_text(
        json.dumps({"1": [{"caption": truth["1"]}], "2": [{"caption": "a blue hat"}]})
    )
    assert (
        commands.main(
            [
                "score",
                "--references",
                str(references),
                "--captions",
                str(captions),
                "--out",
                str(out),
            ]
        )
        == 0
    )
    scores = json.loads(out.read_text())
    metrics = {
        "BLEU-1",
        "BLEU-2",
        "BLEU-3",
        "BLEU-4",
        "METEOR",
        "ROUGE-L",
        "CIDEr",
        "SPICE-py",
    }
    assert set(scores["corpus"]["c"]) == set(scores["corpus"]["c, shuffled"]) == metrics
    items = scores["per_item"]["c"]
    assert items["1"]["ROUGE-L"] == pytest.approx(1) and items["2"]["ROUGE-L"] == 0
    told = capsys.readouterr().out
    assert (
        "c minus c, shuffled, CIDEr" in told
        and "category accuracy is missing: needs the items' table" in told
    )


def test_score_refuses_captions_for_other_items(tmp_path, capsys):
    for name, key in (("r.json", "0108775015"), ("c.json", "0108775044")):
        (tmp_path / name).write_text(json.dumps({key: [{"caption": "a dress"}]}))
    refused(
        capsys,
        [
            "score",
            "--references",
            str(tmp_path / "r.json"),
            "--captions",
            str(tmp_path / "c.json"),
            "--out",
            str(tmp_path / "s.json"),
        ],
        "0108775015",
        "0108775044",
    )
    assert not (tmp_path / "s.json").exists()


def test_score_refuses_what_is_no_json(tmp_path, capsys):
    (tmp_path / "r.json").write_text("{")
    refused(
        capsys,
        [
            "score",
            "--references",
            str(tmp_path / "r.json"),
            "--captions",
            str(tmp_path / "r.json"),
            "--out",
            str(tmp_path / "s.json"),
        ],
        "r.json",
    )


def test_recommend_learns_that_what_goes_together_goes_together(tmp_path, capsys):
    train, test, out = (tmp_path / name for name in ("train.tsv", "test.tsv", "r.json"))
    rows = [(u, i) for u in range(8) for i in ("a", "b", "c")] + [
        (u, i) for u in range(8, 16) for i in ("x", "y", "z")
    ]
    rows += [(98, "a"), (98, "b"), (99, "x"), (99, "y")]
    train.write_text("".join(f"{u}\t{i}\t1\t2020-09-01\n" for u, i in rows))
    test.write_text("98\tc\t1\t2020-09-02\n99\tz\t1\t2020-09-02\n")
    assert (
        commands.main(
            [
                "recommend",
                "--train",
                str(train),
                "--test",
                str(test),
                "--model",
                "ItemKNN",
                "--model",
                "Random",
                "--k",
                "2",
                "--cutoffs",
                "1",
                "--top",
                "3",
                "--lists",
                str(tmp_path / "lists.parquet"),
                "--out",
                str(out),
            ]
        )
        == 0
    )
    result = json.loads(out.read_text())
    assert result["models"]["ItemKNN"]["metrics"]["NDCG@1"]["mean"] == pytest.approx(1)
    assert (
        "NDCG@3" in result["models"]["Random"]["metrics"]
    )  # lists of --top are judged too
    lists = pd.read_parquet(tmp_path / "lists.parquet").query("model == 'ItemKNN'")
    assert lists[["user_id", "rank", "item_id"]].values.tolist() == [
        ["98", 1, "c"],
        ["99", 1, "z"],
    ]
    assert "NDCG@1 ItemKNN minus Random: +" in capsys.readouterr().out
    assert (
        commands.main(
            [
                "recommend",
                "--train",
                str(train),
                "--test",
                str(test),
                "--model",
                "UserKNN",
                "--convention",
                "elliot",
                "--k",
                "3",
                "--out",
                str(out),
            ]
        )
        == 0
    )
    assert (
        "self counted"
        in json.loads(out.read_text())["conventions"]["UserKNN's neighbours"]
    )


def test_recommend_names_an_unknown_model_and_a_bad_cutoff(tmp_path, capsys):
    table = tmp_path / "t.tsv"
    table.write_text("1\ta\t1\t2020-09-01\n")
    files = [
        "recommend",
        "--train",
        str(table),
        "--test",
        str(table),
        "--out",
        str(tmp_path / "r.json"),
    ]
    refused(capsys, [*files, "--model", "SVD"], "'SVD'", "ItemKNN")
    refused(capsys, [*files, "--model", "ItemKNN", "--cutoffs", "5;12"], "5;12", "5,12")
    refused(capsys, [*files, "--model", "ItemKNN", "--cutoffs", "0"], "--cutoffs '0'")
    refused(capsys, [*files, "--model", "ItemKNN", "--top", "3"], "--top 3", "--lists")
    refused(
        capsys,
        [*files, "--model", "ItemKNN", "--lists", str(table)],
        "t.tsv",
        "one of the inputs",
    )
    refused(
        capsys,
        [*files, "--model", "ItemKNN", "--lists", str(tmp_path / "r.json")],
        "named twice",
    )
    refused(
        capsys,
        [
            *files,
            "--model",
            "VBPR",
            "--features",
            "a=x/b.parquet",
            "--features",
            "a=c.parquet",
        ],
        "'a' is named twice",
    )
    refused(
        capsys,
        [*files, "--model", "VBPR", "--features", str(tmp_path / "no.parquet")],
        "no.parquet",
    )
    refused(capsys, [*files, "--model", "Repeat"], "repeats")
    assert (
        not (tmp_path / "r.json").exists()
        and table.read_text() == "1\ta\t1\t2020-09-01\n"
    )


def test_a_missing_notebook_names_the_known(tmp_path, capsys):
    refused(
        capsys, ["execute", str(tmp_path / "x.ipynb"), "--profile", "smoke"], "x.ipynb"
    )


def test_an_unknown_profile_is_refused(capsys):
    refused(
        capsys,
        ["execute", "notebooks/00_preflight.ipynb", "--profile", "huge"],
        "'huge'",
        "tiny",
    )


@pytest.fixture(scope="module")
def base(tmp_path_factory, wardrobe):
    """A tiny BLIP-2 in the hub's layout."""
    from fashionlib.captioning import captioners
    from fashionlib.captioning.captioners import Size, Vit

    folder = tmp_path_factory.mktemp("base") / "blip2"
    size = Size(queries=4, qformer=32, qformer_layers=1, decoder=32, decoder_layers=1)
    captions = layouts.items(wardrobe).caption.dropna()
    captioners.save(captioners.mini(captions, Vit(32, 16, 16, 1), size=size), folder)
    return folder


def test_finetune_trains_goes_on_after_a_kill_and_captions_the_test_split(
    wardrobe, base, tmp_path, capsys, monkeypatch
):
    from transformers import Trainer

    from fashionlib.captioning import captioners

    output = tmp_path / "hm"
    arguments = [
        "finetune",
        str(wardrobe),
        "--base",
        str(base),
        "--output",
        str(output),
        "--steps",
        "4",
        "--lr",
        "0.01",
        "--batch-size",
        "4",
        "--pixel-cache",
        str(tmp_path / "pixels"),
    ]
    step, done = Trainer.training_step, []

    def counted(self, *args, **kwargs):
        done.append(1)
        if len(done) == 3:
            raise KeyboardInterrupt
        return step(self, *args, **kwargs)

    monkeypatch.setattr(Trainer, "training_step", counted)
    assert commands.main(arguments) == 130
    assert not (output / "adapter").exists()
    assert commands.main(arguments) == 0
    assert len(done) == 2 + 1 + 2  # two steps, a killed one, and only two more
    assert str(output / "adapter") in capsys.readouterr().out
    assert {path.name for path in (output / "adapter").iterdir()} == {
        "adapter_config.json",
        "adapter_model.safetensors",
        "README.md",
    }
    assert list((tmp_path / "pixels").rglob("*.npy"))
    assert (
        commands.main(["split", str(wardrobe), "--out", str(tmp_path / "s.csv")]) == 0
    )
    split = pd.read_csv(tmp_path / "s.csv", dtype="str")
    items = (
        layouts.items(wardrobe)
        .set_index("item_id")
        .loc[split.item_id[split.split == "test"]]
    )
    items = items[items.caption.notna() & items.image.notna()]
    card = (output / "adapter" / "README.md").read_text()
    assert "| split | by article: " in card and f" {len(items)} test |" in card
    assert str(tmp_path) not in card
    captions, references = (
        json.loads((output / f"{name}.json").read_text())
        for name in ("captions", "references")
    )
    assert references == {
        item: [{"caption": text}] for item, text in items.caption.items()
    }
    again = captioners.generate(
        captioners.load(output / "adapter", device="cpu"), items.image.tolist()
    )
    assert captions == {
        item: [{"caption": text}] for item, text in zip(items.index, again, strict=True)
    }


def test_finetune_on_cached_features_writes_the_same_captions(
    wardrobe, base, tmp_path, capsys
):
    given = [
        "finetune",
        str(wardrobe),
        "--base",
        str(base),
        "--steps",
        "3",
        "--lr",
        "0.01",
        "--batch-size",
        "4",
    ]
    cached = ["--feature-cache", str(tmp_path / "features")]
    assert (
        commands.main([*given, *cached, "--output", str(tmp_path / "no")]) == 2
    )  # paper_a's LoRA is in the tower
    error = capsys.readouterr().err.splitlines()[-1]
    assert (
        "'linear and vision' touch 4 layers of the vision tower" in error
        and "output is cached" in error
    )
    assert not (tmp_path / "no").exists() and not (tmp_path / "features").exists()
    for name, more in (("plain", []), ("cached", cached)):
        assert (
            commands.main(
                [
                    *given,
                    *more,
                    "--recipe",
                    "thesis_b",
                    "--output",
                    str(tmp_path / name),
                ]
            )
            == 0
        )
    assert len(list((tmp_path / "features").iterdir())) == 1
    plain, other = (
        (tmp_path / name / "captions.json").read_text() for name in ("plain", "cached")
    )
    assert plain == other


def test_finetune_refuses_with_one_line(wardrobe, base, tmp_path, capsys, monkeypatch):
    from fashionlib.captioning import captioners
    from fashionlib.captioning.captioners import Rows, Size, memory

    given = ["finetune", str(wardrobe), "--output", str(tmp_path / "out"), "--base"]
    refused(capsys, [*given, str(base), "--recipe", "paper_b"], "'paper_b'", "thesis_b")
    refused(capsys, [*given, str(base), "--recipe", "full"], "all weights", "paper_a")
    many = "9" * 20
    outside = {"steps": ["0", many], "batch-size": [many], "lr": ["-1", "inf", "nan"]}
    for option, value in ((o, value) for o in outside for value in outside[o]):
        words = [*given, str(base), f"--{option}", value]
        refused(capsys, words, f"'--{option}': Input should be")
    refused(
        capsys,
        ["finetune", str(tmp_path / "none"), *given[2:], str(base)],
        "none is no folder",
    )
    (tmp_path / "empty").mkdir()
    refused(capsys, [*given, str(tmp_path / "empty")], "empty")
    captioners.save(
        captioners.mini(
            ["a hat"], Rows([], np.empty((0, 4, 8))), size=Size(4, 32, 1, 32, 1)
        ),
        tmp_path / "grid",
    )
    assert commands.main([*given, str(tmp_path / "grid")]) == 2
    assert (
        "grid reads features made earlier, not pictures"
        in capsys.readouterr().err.splitlines()[-1]
    )
    monkeypatch.setattr(memory, "free", lambda device: 10)
    refused(capsys, [*given, str(base)], "GiB are free", "smaller model")
    assert not (tmp_path / "out").exists()


def test_finetune_looks_at_every_photo_before_it_trains(
    wardrobe, tmp_path, capsys, monkeypatch
):
    root = shutil.copytree(wardrobe, tmp_path / "hm")
    assert commands.main(["split", str(root), "--out", str(tmp_path / "s.csv")]) == 0
    split = pd.read_csv(tmp_path / "s.csv", dtype="str").set_index("item_id")["split"]
    items = layouts.items(root).dropna(subset=["image", "caption"])
    for name in ("train", "validation", "test"):
        row = items[items["item_id"].map(split) == name].iloc[0]
        Path(row.image).write_bytes(Path(row.image).read_bytes()[:-300])
    (tmp_path / "base").mkdir()
    (tmp_path / "base/config.json").write_text("it isn't read")
    given = ["--base", str(tmp_path / "base"), "--output", str(tmp_path / "out")]
    capsys.readouterr()
    assert commands.main(["finetune", str(root), *given]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert "3 x broken image" in error and error.count("cut short") == 3
    assert f"fashionlib check {root} --all" in error and not (tmp_path / "out").exists()


def test_finetune_takes_no_other_split(wardrobe, base, tmp_path, capsys):
    given = ["finetune", str(wardrobe), "--base", str(base), "--output", str(tmp_path)]
    refused(capsys, [*given, "--split", "colour"], "'--split'", "'article', 'product'")
