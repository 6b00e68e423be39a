"""Items tables in a shop's own columns, through the commands that take one."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import wardrobe
from fashionlib import commands
from fashionlib.commands.jobs import label
from fashionlib.commands.options import renamed
from fashionlib.data.items import ITEM_COLUMNS
from fashionlib.retrieval import search

WORDS = ("red striped dress", "blue cotton shirt", "long wool coat", "short skirt")
KINDS = ("NA", "None")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Twenty items, two of a style, semicolons, pictures beside the table."""
    rows = [
        (
            f"AB-{n:02}",
            f"S{n // 2}",
            f"pics/{n}.JPG",
            f"A {WORDS[n % 4]}.",
            KINDS[n % 2],
        )
        for n in range(20)
    ]
    columns = ["sku", "style", "photo", "text", "kind"]
    pd.DataFrame(rows, columns=columns).to_csv(
        tmp_path / "shop.csv", sep=";", index=False
    )
    return tmp_path / "shop.csv"


def coco(path: Path, captions: dict[str, str]) -> str:
    path.write_text(json.dumps({k: [{"caption": v}] for k, v in captions.items()}))
    return str(path)


def test_split_writes_what_score_reads(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out, scores = tmp_path / "splits.csv", tmp_path / "scores.json"
    names = ["--id", "sku", "--product", "style", "--caption", "text"]
    words = ["split", str(shop), *names, "--by", "product", "--out", str(out)]
    assert commands.main(words) == 0
    said = f"{shop}: item_id is 'sku', product_id is 'style', caption is 'text'"
    assert said in capsys.readouterr().out
    split = pd.read_csv(out, keep_default_na=False)
    assert split.groupby("product_id")["split"].nunique().max() == 1
    assert split["kind"].tolist() == [*KINDS] * 10  # as text
    captions = dict(zip(split["item_id"], split["caption"], strict=True))
    references = coco(tmp_path / "r.json", captions)
    words = ["score", "--references", references, "--captions", references]
    words += ["--items", str(out), "--category", "kind", "--out", str(scores)]
    assert commands.main([*words, "--resamples", "2"]) == 0
    assert json.loads(scores.read_text())["corpus"]["r"]["category accuracy"] == 1


def test_index_and_label_read_a_shops_columns(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = []

    def build(table: pd.DataFrame, *_: object, **__: object) -> dict[str, int]:
        given.append(table)
        return {"items": len(table)}

    monkeypatch.setattr(search, "load_encoder", str)
    monkeypatch.setattr(search, "build", build)
    monkeypatch.setattr("fashionlib.commands.index.refuse_absent", lambda *_: None)
    words = ["index", str(shop), "--id", "sku", "--photo", "photo", "--caption", "text"]
    out = ["--category", "kind", "--model", "m", "--out", str(tmp_path / "i")]
    assert commands.main([*words, *out]) == 0
    (table,) = given
    assert table["item_id"][3] == "AB-03" and table["category"][3] == "None"
    assert table["image"][3] == str(tmp_path / "pics" / "3.JPG")
    items, _ = label.read(shop, {"item_id": "sku", "image": "photo"})
    assert items["image"].tolist() == table["image"].tolist()


def test_columns_are_of_a_table(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    with pytest.raises(ValueError, match="has no columns to name"):
        renamed(tmp_path, item_id="sku")
    assert renamed(tmp_path, item_id=None) == {}
    assert commands.main(["split", str(shop), "--out", str(tmp_path / "s.csv")]) == 2
    error = capsys.readouterr().err
    assert "no column item_id; found sku, style" in error and "--id" in error
    assert not (tmp_path / "s.csv").exists()


def test_split_of_a_folder_keeps_the_items(tmp_path: Path) -> None:
    wardrobe.write(tmp_path / "hm", items=12, shoppers=4, seed=1)
    out = tmp_path / "s.csv"
    assert commands.main(["split", str(tmp_path / "hm"), "--out", str(out)]) == 0
    split = pd.read_csv(out, dtype="str")
    assert split.columns.tolist() == [*ITEM_COLUMNS[:-1], "split"]
    assert split["item_id"].str.len().eq(10).all()
