"""The rendered pages are open to everyone, are light, and print whole.

axe-core 4.14.1 is tests/axe.min.js, as npm has it (MPL-2.0), so that these tests need
no network and a new rule doesn't fail them on another day.
"""

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

AXE = (Path(__file__).parents[1] / "axe.min.js").read_text(encoding="utf-8")
# Without preload: it would read style sheets anew, which a page from a disk can't.
FINDINGS = """async () => {
  const found = await axe.run({resultTypes: ["violations"], preload: false});
  return found.violations.flatMap(({id, nodes}) =>
    nodes.map(node => `${id}: ${node.html.slice(0, 120)}`));
}"""
# What is unfolded fades in, and has too little contrast half-way.
STILL = "* { animation: none !important; transition: none !important; }"
OPEN = "document.querySelectorAll('details').forEach(one => one.open = true)"
KINDS = (
    *("book/intro", "notebooks/14_recommenders", "notebooks/19_scoreboard"),
    *("book/forensics", "book/playground", "book/quizzes", "book/bibliography"),
    *("book/glossary", "book/teaching", "book/status"),
    "notebooks/11_looking_at_captions",
)
LOOKS = (("light", 1400), ("dark", 390))
HEAVIEST = 2_000_000  # bytes of a page without its pictures
PAPER = 717  # pixels of an A4 page between Chromium's margins
CUT = """() => [...document.querySelectorAll(".bd-article :is(pre, table, img)")]
  .filter(box => box.clientWidth && (
    box.getBoundingClientRect().right > innerWidth
    || box.scrollWidth > box.clientWidth + 1))
  .map(box => box.outerHTML.slice(0, 120))"""


@pytest.fixture
def open_page(browser, book):
    """Open a page in a look; nothing may be wrong in its console."""
    contexts, wrong = [], []

    def open_page(name, scheme="light", width=1400, loaded=None, media=None):
        size = {"width": width, "height": 900}
        contexts.append(browser.new_context(color_scheme=scheme, viewport=size))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "console", lambda said: said.type == "error" and wrong.append(said.text)
        )
        if loaded:
            page.on("requestfinished", loaded)
        page.emulate_media(media=media)
        page.goto((book / f"{name}.html").as_uri())
        page.evaluate("window.MathJax?.startup?.promise")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not wrong


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
@pytest.mark.parametrize("name", KINDS)
def test_axe_finds_nothing(open_page, name, scheme, width):
    page = open_page(name, scheme, width)
    page.add_style_tag(content=STILL)
    page.evaluate(OPEN)  # folded code and solutions are read too
    page.evaluate(f"{AXE};0")
    assert page.evaluate(FINDINGS) == []


@pytest.mark.parametrize(
    "name",
    [
        *("book/intro", "notebooks/08_caption_scores", "notebooks/12_feature_spaces"),
        "notebooks/14_recommenders",
    ],
)
def test_a_page_is_light_and_loads_no_icons_that_it_lacks(open_page, name):
    files = []

    def note(request):
        if request.resource_type != "image" and request.url.startswith("file:"):
            files.append(Path(unquote(urlsplit(request.url).path)))

    open_page(name, loaded=note)
    weights = {str(path): path.stat().st_size for path in files}
    assert sum(weights.values()) < HEAVIEST, weights
    assert not [path for path in weights if "fontawesome.js" in path]
    icons = {path: size for path, size in weights.items() if "webfonts" in path}
    assert icons and sum(icons.values()) < 20_000, icons


@pytest.mark.parametrize(
    "name", ["07_one_change_at_a_time", "14_recommenders", "17_street_to_shop"]
)
def test_on_paper_no_column_and_no_code_is_cut(open_page, name):
    page = open_page(f"notebooks/{name}", width=PAPER, media="print")
    assert page.evaluate(CUT) == []


def test_a_dark_page_is_printed_dark_on_white(open_page):
    page = open_page("notebooks/08_caption_scores", "dark", PAPER)
    page.evaluate("""window.addEventListener("beforeprint", () => {
      const label = document.querySelector(".caption-number");
      window.printed = getComputedStyle(label).color.match(/\\d+/g).map(Number);
    })""")
    page.pdf()
    assert max(page.evaluate("window.printed")) < 128
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
