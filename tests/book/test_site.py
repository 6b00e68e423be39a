"""A book from its archive: the same pages, and no file that is another."""

import re
import zipfile

import pytest

from fashionlib import commands
from fashionlib.book import site

PAGES = {
    "_toc.yml": "format: jb-book\nroot: book/intro\n",
    "_config.yml": "title: A book\nexecute: {execute_notebooks: 'off'}\n",
    "book/intro.md": "# A book\n\nIts number is 36.1.\n",
    "data/measured/kept.json": "{}",
    "_run/smoke/notebooks/kept.txt": "kept",
    "_run/smoke/results/leakage.json": "{}",
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
    assert beside == f"{site.digest(book / 'out/b.zip')}  b.zip\n"
    assert capsys.readouterr().out == beside.replace("b.zip", "out/b.zip")


GOOD = """<h1 id="top">Links</h1> <a name="old"></a> <a href="#top">up</a>
<a href="">here</a> <a href="two%20words.html?q=1#caf%C3%A9">there</a>
<a href="sub/picture.svg#any">see</a> <img src="data:image/gif;base64,R0">
<a href="mailto:a@b.c">write</a>
<a href="https://elsewhere.org/page">out</a> <script src="//cdn.org/x.js"></script>"""


@pytest.fixture
def pages(tmp_path):
    html = tmp_path / "_build" / "html"
    (html / "sub").mkdir(parents=True)
    (html / "index.html").write_text(GOOD)
    (html / "two words.html").write_text('<p id="café"><a href="index.html#old">back')
    (html / "sub" / "picture.svg").write_text("<svg/>")
    (tmp_path / "outside.html").write_text("not of the site")
    return html


def test_links_that_lead_somewhere_are_followed_and_other_sites_counted(pages):
    nowhere, outside = site.follow(pages)
    assert nowhere == []
    assert outside == {"https://elsewhere.org/page", "//cdn.org/x.js"}


@pytest.mark.parametrize(
    "tag",
    [
        '<a href="gone.html">',
        '<a href="#gone">',
        '<a href="two%20words.html#gone">',
        '<img src="gone.png">',
        '<script src="sub/gone.js">',
        '<svg><use xlink:href="#gone"/></svg>',
        '<a href="../../outside.html">',
        '<a href="/index.html">',
        '<a href="file:///gone">',
    ],
)
def test_a_link_that_leads_nowhere_is_named_with_its_page(pages, tag, capsys):
    (pages / "sub" / "page.html").write_text("<a href='../index.html'>" + tag)
    (pages / "index.html").write_text(GOOD + tag)
    place = str(pages.parents[1])
    assert commands.main(["site", "--check", "--out", place]) == 1
    out = capsys.readouterr().out
    address = tag.split('"')[1]
    assert f"index.html: {address}\n" in out and f"sub/page.html: {address}\n" in out
    assert "2 links lead nowhere" in out and "2 addresses of other sites" in out


def test_where_there_are_no_pages_the_next_step_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="make them first: make book"):
        site.follow(tmp_path)
