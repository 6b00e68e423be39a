"""The chains of commands that README names, offline, on a drawn wardrobe."""

import json
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from fashionlib import commands
from wardrobe import command, minis

MINI = str(minis.FOLDER / "blip2-small")


def ran(capsys: pytest.CaptureFixture, *words: object) -> str:
    """Run a command to its end and return what it printed."""
    code = commands.main([str(word) for word in words])
    given = capsys.readouterr()
    assert code == 0, given.err
    return given.out


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("chain") / "hm"
    given = ["--items", "60", "--shoppers", "60", "--seed", "1"]
    assert command.main([str(root), *given]) == 0
    return root


@pytest.fixture(scope="module")
def tuned(shop: Path) -> Path:
    """Return the output of a mini's fine-tuning on the shop, captions and search."""
    output = shop.parent / "tuned"
    given = ["finetune", shop, "--base", MINI, "--recipe", "mini_joint"]
    given += ["--steps", 4, "--output", output]
    assert commands.main([str(word) for word in given]) == 0
    return output


def test_a_shop_is_checked_split_and_its_purchases_recommended(shop, capsys):
    assert "hm" in ran(capsys, "check", shop)
    place = shop.parent / "purchases"
    ran(capsys, "split-purchases", shop / "transactions_train.csv", "--out", place)
    sides = ["--train", place / "train.tsv", "--test", place / "test.tsv"]
    result = shop.parent / "r.json"
    ran(capsys, "recommend", *sides, "--model", "MostPop", "--out", result)
    assert "MostPop" in json.loads(result.read_text())["models"]


def test_a_tuned_mini_writes_captions_that_score_reads(shop, tuned, no_java, capsys):
    given = ["--references", tuned / "references.json"]
    given += ["--captions", tuned / "captions.json", "--resamples", 20]
    ran(capsys, "score", *given, "--out", tuned / "scores.json")
    scores = json.loads((tuned / "scores.json").read_text())["corpus"]
    assert scores["captions"]["CIDEr"] > scores["captions, shuffled"]["CIDEr"]


def test_a_tuned_mini_is_indexed_searched_and_shown(shop, tuned, capsys):
    index = shop.parent / "index"
    said = ran(capsys, "index", shop, "--model", tuned / "adapter", "--out", index)
    assert "58 encoded" in said and "2 without picture" in said
    hits = json.loads(ran(capsys, "search", "dress", "--index", index, "--json"))
    assert len(hits) == 10 and hits[0]["category"] == "Dress"
    picture = next((shop / "images").rglob("*.jpg"))
    hits = json.loads(ran(capsys, "search", picture, "--index", index, "--json"))
    assert hits[0]["item_id"] == picture.stem


def test_a_tuned_mini_and_its_index_are_served(shop, tuned, monkeypatch, capsys):
    from fashionlib.commands.jobs import app

    index = shop.parent / "served"
    ran(capsys, "index", shop, "--model", MINI, "--out", index)
    at_once = SimpleNamespace(Event=lambda: SimpleNamespace(wait=lambda: None))
    monkeypatch.setattr(app, "threading", at_once)
    given = ["--index", index, "--captioner", f"tuned={tuned / 'adapter'}"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert f"127.0.0.1:{port}" in ran(capsys, "app", *given, "--port", port)
