"""Decks of two executed chapters: what a slide shows, what is said, how keys move."""

import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sizes import NOTEBOOKS

from fashionlib.commands import main
from slides import decks
from slides.prose import Prose

ROOT = Path(__file__).parents[2]
CHAPTERS = ("08_caption_scores", "12_feature_spaces")
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJg"
    "gg=="
)
ROW = "<tr><th>row</th><td>0.123 [0.045, 0.678]</td></tr>"
MADE = {  # what a cell that calls this shows
    "answers.show": {"text/html": '<div class="answer"><p>Yes, by 3.</p></div>'},
    "figures.say": {"text/markdown": "In words: *seven*."},
    "figures.heatmap": {"image/png": PNG},
    "figures.points": {"image/png": PNG},
    "figures.bars": {"image/png": PNG},
    "figures.": {"text/html": f'<table class="book">{40 * ROW}</table>'},
}


def run_of(folder: Path) -> None:
    """Lay out a repository with a run of two chapters, as if it had executed them."""
    for name in ("book", "notebooks", "_toc.yml"):
        (folder / name).symlink_to(ROOT / name)
    run = folder / "_run" / "smoke"
    (run / "notebooks").mkdir(parents=True)
    (run / "data.json").write_text('{"synthetic": true}')
    for name in CHAPTERS:
        notebook = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text())
        for cell in notebook["cells"]:
            cell["metadata"].pop("slideshow", None)  # it executed before the tags
            if cell["cell_type"] == "code":
                source = "".join(cell["source"])
                made = [data for call, data in MADE.items() if call in source]
                kind = {"output_type": "display_data", "metadata": {}}
                cell["outputs"] = [kind | {"data": data} for data in made[:1]]
        (run / "notebooks" / f"{name}.ipynb").write_text(json.dumps(notebook))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Return the folder of the decks, written by the command."""
    folder = tmp_path_factory.mktemp("repository")
    run_of(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["slides", "--profile", "smoke", "--out", "decks"]) == 0
        assert main(["slides", "--profile", "smoke", "--out", "decks"]) == 0  # again
    return folder / "decks"


@pytest.fixture
def page(browser):
    """Return a page on which no script fails and no request leaves the disk."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    errors, requested = [], []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    context.on("request", lambda request: requested.append(request.url))
    yield context.new_page()
    assert not errors
    local = ("file:", "data:", "about:")
    assert requested and all(url.startswith(local) for url in requested)
    context.close()


def open_deck(page, deck: Path, place: str = "") -> None:
    page.goto(deck.as_uri() + place)
    expect(page.locator(".reveal.ready")).to_be_visible()


def sections(deck: str) -> list[str]:
    return re.findall(r"<section>.*?</section>", deck, re.DOTALL)


def test_a_deck_has_the_slides_that_are_tagged_in_their_order(written):
    deck = (written / "12_feature_spaces.html").read_text()
    titles = re.findall(r"<h[12]>(.*?)</h[12]>", deck)
    assert titles == [
        "What is near what, in six feature spaces?",
        "Answer",
        "What is near what, in six feature spaces?",
        "Six spaces",
        "What do neighbours share?",
        "How alike are two spaces?",
        "Maps",
        "Maps",
        "To take away",
        "Exercises",
    ]
    title, answer, goals, spaces, shares, alike, *_, exercises = sections(deck)
    assert "table" in title and "Yes, by 3." in answer and "<li>" in goals
    assert "concatenate" in spaces  # code that has shown nothing is shown
    assert "concatenate" not in shares and "<table" in shares
    assert re.search(r'<img src="data:image/png;[^>]+ alt="A square table', alike)
    assert "Where:" not in exercises.partition("<aside")[0]


def test_the_first_sentence_is_shown_and_all_of_them_are_said(written):
    deck = (written / "12_feature_spaces.html").read_text()
    shown, _, said = sections(deck)[5].partition('<aside class="notes">')
    assert "Two spaces that agree" in shown and "Two spaces that agree" in said
    assert "Strangers share" in said and "Strangers share" not in shown
    assert "In words: <em>seven</em>" in said  # a cell tagged notes
    assert shown.count('class="part fragment"') == 1


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_chapter_has_six_to_ten_slides(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    kinds = [c["metadata"].get("slideshow", {}).get("slide_type") for c in cells]
    assert set(kinds) <= {None, "slide", "fragment", "notes"}
    assert kinds[0] == "slide" and 6 <= kinds.count("slide") + 1 <= 10
    ends = [kind for cell, kind in zip(cells, kinds, strict=True) if closes(cell)]
    assert ends == ["slide"] * 3


def closes(cell) -> bool:
    source = "".join(cell["source"])
    return source.startswith(("**You will learn**", "## To take away", "## Exercises"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_slide_s_words_are_few_and_every_role_has_a_form(path):
    prose = Prose(ROOT)
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        kind = cell["metadata"].get("slideshow", {}).get("slide_type")
        if kind and cell["cell_type"] == "markdown":
            section = prose.section("".join(cell["source"]))
            words = re.sub(r"<svg.*?</svg>|<[^>]+>", " ", section.shown, flags=re.S)
            assert 3 <= len(words.split()) <= 140, words
            assert "{" not in re.sub(r'class="math.*?</', "", section.shown, flags=re.S)
            assert "&lt;p&gt;" not in section.shown + section.said


def test_nothing_of_a_deck_lies_elsewhere(written):
    for deck in written.glob("*.html"):
        for address in re.findall(r'(?:src|href)="([^"]+)"', deck.read_text()):
            inside = (written / address).is_file()
            assert inside or address.startswith(("data:", "#")), address


def test_reveal_is_the_package_s():
    """The files of npm's reveal.js 5.2.1, unchanged."""
    sums = [
        hashlib.sha256((decks.STATIC / "reveal" / name).read_bytes()).hexdigest()
        for name in ("notes.js", "reveal.css", "reveal.js")
    ]
    assert sums == [
        "df1201d19d03241a2897d39c3d38768177df1cbd4bde06327b321cb83461ae89",
        "68f915a11ebf7203c0446576b7e952ff61c5dd02134a8a226ffaf62ed42136d2",
        "46538b52db48724192f59bf46f5e851a18e302777c46f4a34c32709d010d6a29",
    ]


def test_the_arrow_shows_what_waits_and_then_moves_on(page, written):
    open_deck(page, written / "12_feature_spaces.html", "#/4")
    waiting = page.locator("section.present .fragment")
    expect(waiting).not_to_have_class(re.compile("visible"))
    page.keyboard.press("ArrowRight")
    expect(waiting).to_have_class(re.compile("visible"))
    page.keyboard.press("ArrowRight")
    expect(page.locator("section.present h2")).to_have_text("How alike are two spaces?")


def test_a_slide_fits_its_screen_and_its_letters_are_large(page, written):
    for name in CHAPTERS:
        open_deck(page, written / f"{name}.html")
        for _ in sections((written / f"{name}.html").read_text()):
            page.evaluate("while (Reveal.availableFragments().next) Reveal.next()")
            for part in page.locator("section.present .part").all():
                box = part.bounding_box()
                assert box["y"] + box["height"] <= 700 and box["height"] > 20
            page.keyboard.press("ArrowRight")
        least = {"pre": 20, "table": 18}
        for tag, size in least.items():
            sizes = page.locator(f".part {tag}").evaluate_all(
                "all => all.map(one => parseFloat(getComputedStyle(one).fontSize))"
            )
            assert all(pixels >= size for pixels in sizes), (name, tag, sizes)


def test_a_table_that_is_too_long_is_scrolled_by_the_keyboard(page, written):
    open_deck(page, written / "12_feature_spaces.html", "#/4")
    page.keyboard.press("ArrowRight")
    part = page.locator("section.present .part[tabindex='0']")
    part.focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_function("document.activeElement.scrollTop > 0")


def test_formulas_are_set_without_a_network(page, written):
    open_deck(page, written / "08_caption_scores.html", "#/3")
    expect(page.locator("section.present mjx-container")).to_have_count(1)
    assert page.locator("aside.notes mjx-container").count() == 0


def test_the_speaker_s_window_shows_the_notes(page, written):
    open_deck(page, written / "12_feature_spaces.html", "#/5")
    with page.context.expect_page() as opened:
        page.keyboard.press("s")
    notes = opened.value.locator(".speaker-controls-notes .value")
    expect(notes).to_contain_text("Strangers", timeout=30_000)  # it loads two decks


def test_d_is_dark_or_light(page, written):
    open_deck(page, written / "12_feature_spaces.html")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.keyboard.press("d")
    assert page.evaluate(ground) != light
    page.keyboard.press("d")
    assert page.evaluate(ground) == light


def test_what_has_no_deck_is_told_in_one_line(tmp_path, monkeypatch, capsys):
    run_of(tmp_path)
    monkeypatch.chdir(tmp_path)

    def refused(*words: str) -> str:
        assert main(["slides", *words]) == 2
        return capsys.readouterr().err

    assert "unknown profile 'huge'" in refused("--profile", "huge")
    assert "make book PROFILE=tiny" in refused("--profile", "tiny")
    shutil.copytree(ROOT / "slides" / "static", tmp_path / "mine" / "static")
    (tmp_path / "mine" / "static" / "reveal" / "reveal.js").unlink()
    assert "holds no decks" in refused("--profile", "smoke", "--out", "mine")
    path = tmp_path / "_run" / "smoke" / "notebooks" / f"{CHAPTERS[0]}.ipynb"
    path.write_text(path.read_text().replace("import pandas", "import  pandas"))
    assert "code has changed since" in refused("--profile", "smoke", "--out", "new")
    assert not (tmp_path / "new").exists()
    with pytest.raises(ValueError, match="the role term has no form"):
        Prose(ROOT).html("{term}`there`")
    assert decks.place({"metadata": {}}) == ""
