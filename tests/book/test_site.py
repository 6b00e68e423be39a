"""A book from its archive: the same pages, and no file that is another."""

import re
import zipfile
from pathlib import Path

import pytest

from fashionlib import commands
from fashionlib.book import numbers, site
from fashionlib.data.files import digest

ROOT = Path(__file__).parents[2]
PAGES = {
    "_toc.yml": "format: jb-book\nroot: book/intro\n",
    "_config.yml": "title: A book\nexecute: {execute_notebooks: 'off'}\n",
    "book/intro.md": "# A book\n\nIts number is 36.1, of [all](../results.csv).\n",
    "data/measured/kept.json": "{}",
    "_run/smoke/data.json": '{"name": "wardrobe", "synthetic": true}',
    "_run/smoke/notebooks/kept.txt": "kept",
    "_run/smoke/results/leakage.json": """{
        "values": {"article": {"BLEU-4": 0.361}, "table": [{"of": "all", "n": 7}]},
        "provenance": {"commit": "abc", "profile": "smoke", "data": {"name": "drawn"}}
    }""",
    "_run/smoke/records/first.json": "{}",
    "_run/smoke/gallery/index.html": "<p>Garments",
    "_run/smoke/captions/nearest.json": "{}",
}


@pytest.fixture
def book(tmp_path, monkeypatch):
    for name, text in PAGES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def words(page):
    body = re.search(r"<article.*?</article>", page.read_text(), re.DOTALL)[0]
    return re.sub(r"<[^>]+>|\s+", " ", body)


def test_an_archive_renders_to_the_run_s_pages(book, tmp_path):
    here = site.render(site.stage("smoke"), tmp_path / "a")
    archive = site.pack("smoke", tmp_path / "out" / "book.zip")
    (book / "book/intro.md").write_text("# Another book\n")
    with site.unpacked(archive) as folder:
        there = site.render(folder, tmp_path / "b")
    front = words(there / "book/intro.html")
    assert "36.1" in front and front == words(here / "book/intro.html")
    assert (there / "gallery/index.html").read_text() == "<p>Garments"
    [written] = there.glob("_downloads/*/results.csv")
    assert written.read_text().splitlines() == [
        "result,key,value,commit,profile,data,seed,versions,hardware,finished",
        "leakage,article.BLEU-4,0.361,abc,smoke,name drawn,,,,",
        "leakage,table.0.n,7.0,abc,smoke,name drawn,,,,",
    ]


def test_every_number_stands_in_the_table_under_the_key_of_the_pages(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "book" / "_ext"))
    import run_results

    table = numbers.table(ROOT)  # of the kept results alone: no run lies there
    assert table.result.nunique() > 30 and table.commit.notna().all()
    results = {name: run_results.read(ROOT, name)[0] for name in table.result.unique()}
    for row in table.itertuples():
        assert run_results.look_up(results[row.result], row.key) == row.value


def code(source, *tags, **done):
    return {"cell_type": "code", "source": source, "metadata": {"tags": tags}} | done


def prose(text):
    return {"cell_type": "markdown", "source": text, "metadata": {}}


def test_prose_changes_without_another_run_and_code_does_not():
    parameters = code("k = 5", "parameters")
    given = code("k = 12", "injected-parameters")
    ran = [prose("Old."), parameters, given, code("k", outputs=["12"])]
    written = [prose("New."), parameters, prose("Look."), code("k", "hide-input")]
    shown = site.with_prose({"cells": ran, "nbformat": 4}, {"cells": written})
    assert [cell["source"] for cell in shown["cells"]] == [
        *("New.", "k = 5", "k = 12", "Look.", "k")
    ]
    last = shown["cells"][-1]
    assert last["outputs"] == ["12"] and last["metadata"]["tags"] == ("hide-input",)
    written[-1] = code("k + 1")
    assert site.with_prose({"cells": ran}, {"cells": written}) == {"cells": ran}


def changed(archive, name, content):
    """Copy an archive with one file another, or without it where content is None."""
    other = archive.with_name("other.zip")
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(other, "w") as new:
        for entry in {*old.namelist(), name}:
            if entry != name:
                new.writestr(entry, old.read(entry))
            elif content is not None:
                new.writestr(entry, content)
    return other


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("book/intro.md", "# Mine", "book/intro.md has the checksum"),
        ("results/leakage.json", None, "results/leakage.json has the checksum no file"),
        ("book/more.py", "import os", "book/more.py has the checksum .*, not none"),
        (site.SUMS, None, "no SHA256SUMS; make it with: fashionlib bundle"),
    ],
)
def test_a_file_that_is_another_is_named(book, tmp_path, name, content, said):
    archive = changed(site.pack("smoke", tmp_path / "book.zip"), name, content)
    with pytest.raises(ValueError, match=said), site.unpacked(archive):
        pass


def test_a_path_out_of_the_archive_stays_in_it(book, tmp_path):
    archive = site.pack("smoke", tmp_path / "book.zip")
    other = changed(archive, "../../outside.txt", "x")
    with pytest.raises(ValueError, match="outside.txt"), site.unpacked(other):
        pass
    assert not (tmp_path.parent / "outside.txt").exists()


def test_an_unfinished_run_is_refused_with_the_next_step(book):
    (book / "_run/smoke/gallery/index.html").unlink()
    (book / "_run/smoke/gallery").rmdir()
    with pytest.raises(FileNotFoundError, match="no gallery; make it first: make book"):
        site.stage("smoke")


def test_the_archive_s_checksum_lies_beside_it(book, capsys):
    assert commands.main(["bundle", "--profile", "smoke", "--out", "out/b.zip"]) == 0
    beside = (book / "out/b.zip.sha256").read_text()
    assert beside == f"{digest(book / 'out/b.zip')}  b.zip\n"
    assert capsys.readouterr().out == beside.replace("b.zip", "out/b.zip")


def test_pictures_and_captions_of_a_shop_are_not_packed(book, tmp_path):
    (book / "_run/smoke/data.json").write_text('{"name": "hm", "synthetic": false}')
    with pytest.raises(ValueError, match="captions of hm, which may not be passed on"):
        site.pack("smoke", tmp_path / "book.zip")
    assert not (tmp_path / "book.zip").exists()


def test_another_file_is_no_archive(tmp_path):
    (tmp_path / "book.zip").write_text("not found")
    refused = pytest.raises(ValueError, match=r"book.zip is no .zip")
    with refused, site.unpacked(tmp_path / "book.zip"):
        pass


def test_a_number_s_origin_is_what_the_status_page_promises():
    table = numbers.table(ROOT)  # the kept results
    of_benchmarks = table.result.str.startswith("benchmarks/")
    known = table[["commit", "hardware"]].fillna("") != ""
    assert known.all(axis=None)
    told = table[["data", "seed"]].astype(object).fillna("") != ""
    assert told[~of_benchmarks].all(axis=None)
    assert not told[of_benchmarks].any(axis=None)
    page = (ROOT / "book/status.md").read_text(encoding="utf-8")
    assert "benchmark's rows have no data or seed of their own" in page
