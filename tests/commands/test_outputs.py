"""Outputs of every command: no input is replaced, and a bad target is told at once."""

import json
import os
import socket
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fashionlib import commands
from fashionlib.commands import retrieve
from wardrobe import command

TRUTH = {"1": [{"caption": "a red dress"}], "2": [{"caption": "black trousers"}]}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """What the commands read."""
    root = tmp_path_factory.mktemp("files")
    assert command.main([str(root / "shop"), "--items", "12", "--shoppers", "2"]) == 0
    for name in ("R", "C", "pool"):
        (root / f"{name}.json").write_text(json.dumps(TRUTH))
    (root / "captions.json").write_text(json.dumps(TRUTH))  # as finetune's
    for name in ("train.tsv", "test.tsv"):
        (root / name).write_text("1\ta\t1\t2020-09-01\n1\tb\t1\t2020-09-01\n")
    np.save(root / "q.npy", np.eye(3, 4))
    (root / "pairs.csv").write_text("query,gallery\n0,1\n1,0\n2,0\n")
    Image.new("RGB", (8, 8)).save(root / "photo.jpg")
    items = {"item_id": ["1", "2"], "image": [str(root / "photo.jpg")] * 2}
    pd.DataFrame(items).to_csv(root / "items.csv", index=False)
    pd.DataFrame(items).to_parquet(root / "labelled.parquet")
    (root / "adapter").mkdir()
    (root / "there").mkdir()
    os.mkfifo(root / "pipe")
    (root / "link.csv").symlink_to("items.csv")
    return root


SCORE = "score --references R.json --captions C.json"
RECOMMEND = "recommend --train train.tsv --test test.tsv --model Random"
RETRIEVE = "retrieve --queries q.npy --gallery q.npy --relevant pairs.csv"
CLASHES = [
    "split shop --out shop/articles.csv",
    "split shop --out shop/../shop/images/../truth.csv",
    f"{SCORE} --items items.csv --out items.csv",
    f"{SCORE} --items items.csv --out link.csv",
    f"{SCORE} --items items.csv --pool pool.json --out pool.json",
    f"{SCORE} --out C.json",
    "audit --train R.json --test C.json --json C.json",
    f"{RECOMMEND} --features x=items.csv --out items.csv",
    f"{RECOMMEND} --out r.json --lists test.tsv",
    f"{RETRIEVE} --out q.npy",
    f"{RETRIEVE} --out r.json --hits pairs.csv",
    "split-purchases train.tsv --out .",
    "split-purchases shop/transactions_train.csv --articles test.tsv --out .",
    "index shop --model adapter --out shop",
    "index shop --model adapter --out adapter",
    "search photo.jpg --index there --html photo.jpg",
    "search red --index there --html shop/articles.csv",
    "label labelled.parquet --model m --out . --yes",
    "finetune shop --base adapter --output .",
    "finetune . --base adapter --output .",
]
TARGETS = [
    ("split shop --out there", "no plain file"),
    ("split shop --out pipe", "no plain file"),
    ("split shop --out /dev/null", "no plain file"),
    ("split shop --out items.csv/s.csv", "Not a directory"),
    (f"{SCORE} --out pipe", "no plain file"),
    (f"{RECOMMEND} --out r.json --lists r.json", "named twice"),
    (f"{RETRIEVE} --out there", "no plain file"),
    ("index shop --model adapter --out items.csv", "no folder"),
    ("search red --index there --html there", "no plain file"),
    ("label photos --model m --out items.csv --yes", "Not a directory"),
    ("finetune shop --base adapter --output items.csv", "Not a directory"),
    ("split-purchases train.tsv --out items.csv", "Not a directory"),
]


def state(root: Path) -> dict[str, bytes | None]:
    return {
        str(path): path.read_bytes() if path.is_file() else None
        for path in root.rglob("*")
    }


def refused(line: str, files: Path, capsys, monkeypatch) -> str:
    """Run the line in `files`; return the error, and see that nothing has changed."""
    from fashionlib.retrieval.search import Index

    opened = SimpleNamespace(root=files / "shop")
    monkeypatch.setattr(Index, "open", lambda *_, **__: opened)
    monkeypatch.chdir(files)
    before = state(files)
    assert commands.main(line.split()) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and state(files) == before, error
    return error


@pytest.mark.parametrize("line", CLASHES)
def test_no_output_replaces_an_input(line, files, capsys, monkeypatch):
    assert "one of the inputs" in refused(line, files, capsys, monkeypatch)


@pytest.mark.parametrize(("line", "told"), TARGETS)
def test_a_bad_target_is_told_before_the_work(line, told, files, capsys, monkeypatch):
    assert told in refused(line, files, capsys, monkeypatch)


def test_what_was_computed_is_printed_before_it_is_written(files, capsys, monkeypatch):
    def full(path, content):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(retrieve, "write_json", full)
    monkeypatch.chdir(files)
    assert commands.main(f"{RETRIEVE} --out r.json".split()) == 2
    printed = capsys.readouterr()
    assert "top-1" in printed.out
    assert printed.err == "fashionlib retrieve: r.json: No space left on device\n"


@pytest.mark.parametrize(
    "line",
    [
        "split shop --out s.csv --seed -1",
        "split shop --out s.csv --seed 99999999999999999999",
        f"{SCORE} --out s.json --resamples 0",
        f"{SCORE} --out s.json --seed -1",
        f"{RECOMMEND} --out r.json --k 0",
        f"{RECOMMEND} --out r.json --factors 0",
        f"{RECOMMEND} --out r.json --epochs -1",
        f"{RECOMMEND} --out r.json --seed -1",
        f"{RECOMMEND} --out r.json --top 0",
        f"{RECOMMEND} --out r.json --cutoffs 99999999999999999999",
        f"{RETRIEVE} --out r.json --seed -1",
        f"{RETRIEVE} --out r.json -k 0",
        "search red --index there -k 0",
        "search red --index there --weight 1.5",
        "search red --index there --weight nan",
        "app --index there --port 0",
        "app --index there --port 65536",
    ],
)
def test_numbers_out_of_range_name_the_option(line, files, capsys, monkeypatch):
    option = line.split()[-2].strip("'")
    assert option in refused(line, files, capsys, monkeypatch)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("finetune shop --base none/such --output new", "--base none/such: no such"),
        ("finetune shop --base shop --output new", "--base shop: the folder holds no"),
        ("index shop --model ./soon --out new", "--model ./soon: no such folder"),
        ("app --captioner a=soon", "--captioner soon: no such folder"),
    ],
)
def test_a_model_that_is_not_there_yet_is_told_at_once(
    line, told, files, capsys, monkeypatch
):
    def absent(name, file):
        raise FileNotFoundError(f"404 for {file}\nsee there")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", absent)
    monkeypatch.setattr("fashionlib.data.readers.layouts.items", None)  # not read yet
    assert told in refused(line, files, capsys, monkeypatch)


def test_a_port_in_use_is_told_before_anything_is_loaded(files, capsys, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        error = refused(f"app --index x --port {port}", files, capsys, monkeypatch)
    assert f"--port {port}: Address already in use; give another" in error
