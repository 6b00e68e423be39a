"""`fashionlib try`: what people bring, with planted faults, and the page at the end."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
from test_commands import refused

from fashionlib import commands
from fashionlib.commands.jobs import fitting, shop
from fashionlib.data.files import read_json
from fashionlib.data.readers import hm
from wardrobe import command


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> pd.DataFrame:
    """Return the items of a small drawn wardrobe."""
    root = tmp_path_factory.mktemp("drawn") / "wardrobe"
    given = ["--items", "60", "--shoppers", "6", "--seed", "1"]
    assert command.main([str(root), *given]) == 0
    return hm.items(root).dropna(subset=["image", "caption"])


@pytest.fixture
def photos(drawn, tmp_path) -> Path:
    """Lay photos out by class; one is there twice, one is cut short."""
    root = tmp_path / "my photos"
    for row in drawn[:24].itertuples():
        place = root / "train" / row.category / f"{row.item_id}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(row.image, place)
    first = drawn.iloc[0]
    (root / "test" / first.category).mkdir(parents=True)
    shutil.copy(first.image, root / "test" / first.category / "again.jpg")
    whole = Path(first.image).read_bytes()
    (root / "train" / "broken.jpg").write_bytes(whole[: len(whole) // 2])
    (root / "notes.txt").write_text("not a photo")
    return root


@pytest.fixture
def export(drawn, tmp_path) -> Path:
    """Write a spreadsheet's export: a BOM, semicolons, German heads, bad rows."""
    root = tmp_path / "shop"
    (root / "Bilder").mkdir(parents=True)
    lines = ["Artikel-Nr.;Bild;Beschreibung;Text;Kategorie;Modell"]
    for row in drawn.itertuples():
        shutil.copy(row.image, root / "Bilder" / f"{row.item_id}.JPG")
        own, caption = row.item_id.lstrip("0"), f'"{row.caption}<b>"'
        fields = [own, f"{row.item_id}.jpg", caption, "a few words more"]
        lines.append(";".join([*fields, row.category, row.product_id]))
    first, second = drawn.item_id[:2]
    (root / "Bilder" / f"{second}.JPG").write_bytes(b"no photo")
    shutil.copy(root / "Bilder" / f"{first}.JPG", root / "Bilder" / "spare.jpg")
    lines += ["1;nowhere.jpg;A caption of words;x y z;Dress;m", "2;too;few"]
    lines += [lines[1], f";{first}.jpg;without an id;x y z;Dress;m"]
    (root / "export.csv").write_text("\ufeff" + "\n".join(lines) + "\n", "utf-8")
    return root


def numbers(out: Path, chapter: str) -> dict:
    return read_json(out / "results" / f"{chapter}.json")["values"]["numbers"]


def files(root: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_photos_by_class_end_at_a_page(photos, tmp_path, capsys, monkeypatch):
    before, out = files(photos), tmp_path / "tried"
    assert commands.main(["try", str(photos), "--out", str(out)]) == 0
    told = capsys.readouterr().out
    assert told.splitlines()[-1] == str(out / "index.html")
    assert "25  articles with a photo" in told and "train/broken.jpg: cut short" in told
    assert "08_caption_scores: left out, no captions" in told
    twice = numbers(out, "03_who_leaks")
    assert twice["identical"] == twice["in two of split"] == 1
    near = numbers(out, "12_feature_spaces")
    assert near["nearest of its category"] > near["by chance"] > 0
    page = (out / "index.html").read_text("utf-8")
    assert page.count("data:image/jpeg") > 20 and "again.jpg" in page
    assert files(photos) == before  # nothing is written there
    assert not hm.check(out / "shop").broken

    def never(here):
        raise AssertionError("asked again")

    again = {n: c._replace(answer=never) for n, c in fitting.CHAPTERS.items()}
    monkeypatch.setattr(fitting, "CHAPTERS", again)
    assert commands.main(["try", str(photos), "--out", str(out)]) == 0


def test_a_spreadsheets_export(export, tmp_path, capsys, monkeypatch, no_java):
    monkeypatch.chdir(tmp_path)  # the shipped mini is found from outside the clone
    out, given = tmp_path / "tried", ["--steps", "1", "--caption", "Beschreibung"]
    assert commands.main(["try", str(export), "--out", str(out), *given]) == 0
    told = capsys.readouterr().out
    for words in (
        "Artikel-Nr.  column of item_id",
        "Kategorie  column of category",
        "Modell  column of product_id",
        "another number of fields than the header, left out: 'line",
        "whose photo isn't there, left out: 'line",
        "whose id another row has, left out: 'line",
        "without an id, left out: 'line",
        "photo without a row: 'Bilder/spare.jpg'",
        "can't be read, left out",
    ):
        assert words in told
    page = (out / "index.html").read_text("utf-8")
    assert "&lt;b&gt;" in page and "<b>&lt;" not in page
    assert "trained here" in page and numbers(out, "18_search")["indexed"] > 30


def test_without_a_captioner_nothing_is_trained(export, tmp_path, capsys, monkeypatch):
    only = {"06_fine_tuning": fitting.CHAPTERS["06_fine_tuning"]}
    monkeypatch.setattr(fitting, "CHAPTERS", only)
    monkeypatch.setattr(fitting, "SHIPPED", tmp_path / "no mini")
    given = [str(export), "--out", str(tmp_path / "tried"), "--yes"]
    assert commands.main(["try", *given]) == 0
    told = capsys.readouterr().out
    assert "left out, no captioner to begin with (--base)" in told
    assert "Text  columns not used (--category names one)" in told


def test_what_there_is_none_of_is_not_told(drawn, tmp_path, capsys, monkeypatch):
    """Captions that differ, a German column of the category, and one that is free."""
    chapters = ("03_who_leaks", "02_what_captions_say")
    only = {name: fitting.CHAPTERS[name] for name in chapters}
    monkeypatch.setattr(fitting, "CHAPTERS", only)
    rows = drawn.drop_duplicates("caption").rename(columns={"category": "Warengruppe"})
    rows = rows[["item_id", "caption", "Warengruppe"]].assign(Preis="9,90")
    pages = []
    for columns in (list(rows), ["item_id", "caption", "Preis"]):
        rows[columns].to_csv(tmp_path / "shop.csv", index=False)
        root, out = Path(drawn.image.iloc[0]).parents[1], tmp_path / str(len(columns))
        given = ["--table", str(tmp_path / "shop.csv"), "--out", str(out)]
        assert commands.main(["try", str(root), *given]) == 0
        told = capsys.readouterr().out
        assert ("Warengruppe  column of category" in told) == (not pages)
        assert "Preis  columns not used" in told
        pages.append((out / "index.html").read_text("utf-8"))
    for page, in_two in zip(pages, (True, False), strict=True):
        assert ("in two categories" in page) == in_two
        assert "share theirs" in page and "The most repeated" not in page


def test_what_cant_be_known_is_asked_or_refused(
    export, photos, tmp_path, capsys, monkeypatch
):
    out = ["--out", str(tmp_path / "tried")]
    refused(capsys, ["try", str(export), *out], "'Beschreibung', 'Text'", "--yes")
    words = ["--photo", "Foto"]
    refused(capsys, ["try", str(export), *out, *words], "export.csv", "Foto", "Bild")
    inside = ["try", str(photos), "--out", str(photos / "x")]
    refused(capsys, inside, "only read")
    refused(capsys, ["try", str(tmp_path / "none")], "no such folder")
    (tmp_path / "empty").mkdir()
    refused(capsys, ["try", str(tmp_path / "empty"), *out], "0 photos", "JPEG")
    assert not (tmp_path / "tried").exists()

    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda text: "2")
    monkeypatch.setattr(fitting, "CHAPTERS", {})
    assert commands.main(["try", str(export), *out]) == 0
    told = capsys.readouterr().out
    assert "  2  Text\n" in told and "Text  column of caption" in told


def test_purchases_and_a_sample(drawn, tmp_path, capsys, monkeypatch):
    """Purchases of H&M's layout go along; of many articles some are drawn, the same."""
    only = {name: fitting.CHAPTERS[name] for name in ("14_recommenders",)}
    monkeypatch.setattr(fitting, "CHAPTERS", only)
    root = Path(drawn.image.iloc[0]).parents[2]
    for out in ("a", "b"):
        given = ["--out", str(tmp_path / out), "--most", "40"]
        assert commands.main(["try", str(root), *given]) == 0
    assert "40, by seed 42  drawn of these" in capsys.readouterr().out
    a, b = (hm.items(tmp_path / out / "shop") for out in "ab")
    assert len(a) == 40 and list(a.item_id) == list(b.item_id)
    assert set(a.item_id) < set(hm.items(root).item_id)
    scores = numbers(tmp_path / "a", "14_recommenders")
    assert 0 <= scores["MostPop"]["mean"] <= 1


def test_a_table_as_json_beside_the_photos(drawn, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(fitting, "CHAPTERS", {})
    root = Path(drawn.image.iloc[0]).parents[1]
    rows = drawn[["item_id", "caption"]].rename(columns={"caption": "description"})
    rows.to_json(tmp_path / "shop.json", orient="records")
    given = ["--table", str(tmp_path / "shop.json"), "--out", str(tmp_path / "tried")]
    assert commands.main(["try", str(root), *given]) == 0
    assert "item_id  column of image" in capsys.readouterr().out
    made = shop.laid_out(tmp_path / "tried" / "shop")
    own = drawn.set_index("item_id").caption  # ids keep their leading zero
    assert made.set_index("own_id").caption.to_dict() == own.to_dict()
    (tmp_path / "shop.json").write_text('{"a": 1}')
    refused(capsys, ["try", str(root), *given], "shop.json", "no list of rows")
