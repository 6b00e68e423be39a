"""The metric playground: its functions are the library's, its page follows edits."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect
from scipy import sparse
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

from fashionlib.captioning import metrics
from fashionlib.captioning.metrics import overlap
from fashionlib.captioning.metrics.tokens import tokenise
from fashionlib.recommending import ranking
from questions import playground

BOOK = Path(__file__).parents[2] / "book"
CASES = 1000
SETTINGS = {
    "extensions": ["myst_parser"],
    "html_theme": "sphinx_book_theme",
    "html_context": {"default_mode": "auto"},
    "html_static_path": ["_static"],
    "html_css_files": ["book.css"],
    "html_js_files": [["book.js", {"defer": "defer"}]],
    "root_doc": "book/playground",
}
CAPTIONS = """cases => {
  const {bleu, rougeL, frequencies, cider} = playground;
  const split = text => text.split(" ").filter(Boolean);
  const texts = cases.map(([caption, references]) =>
    [split(caption), references.map(split)]);
  const own = frequencies(texts.map(([, references]) => references));
  const fixed = frequencies(
    playground.captions.map(text => [playground.words(text)]));
  return texts.map(([caption, references]) => [
    ...bleu(caption, references), rougeL(caption, references),
    cider(caption, references, own), cider(caption, references, fixed)]);
}"""
LISTS = """cases => cases.map(([recommended, relevant, k]) => {
  const {ndcg, averagePrecision, elliotMap, precision, recall} = playground;
  const hits = playground.judge(recommended, relevant, k);
  return [ndcg, averagePrecision, elliotMap, precision, recall].map(
    metric => playground.sum(metric(hits, relevant.length)));
})"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The page alone, built in the book's theme."""
    source = tmp_path_factory.mktemp("playground")
    (source / "book").mkdir()
    shutil.copy(BOOK / "playground.md", source / "book")
    ignored = shutil.ignore_patterns("mathjax", "diagrams")
    shutil.copytree(BOOK / "_static", source / "_static", ignore=ignored)
    out = source / "out"
    with docutils_namespace():
        Sphinx(source, None, out, out, "html", SETTINGS, None, None).build()
    return (out / "book" / "playground.html").as_uri()


@pytest.fixture
def page(browser, address):
    """The page on a phone; no script may fail, no request may leave it."""
    context = browser.new_context(viewport={"width": 390, "height": 800})
    page, errors, requested = context.new_page(), [], []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: said.type == "error" and errors.append(said.text))
    page.on("request", lambda request: requested.append(request.url))
    page.goto(address)
    yield page
    assert not errors
    assert requested and all(url.startswith(("file:", "data:")) for url in requested)
    context.close()


def scores(page, name):
    rows = page.locator(f"#playground-{name}-scores tr").all()
    cells = [row.locator("th, td").all_inner_texts() for row in rows]
    return {metric: float(score) for metric, score, _ in cells}


def fill(page, field, text):
    page.locator(f"#playground-{field}").fill(text)


def start_again(page, name):
    page.locator(f"#playground-{name} button").click()
    page.wait_for_timeout(20)  # the form is computed after its reset
    return scores(page, name)


def random_texts(rng, captions):
    """A caption and its references, cut from one another, with words swapped in."""
    vocabulary = [*" ".join(captions).split(), "tweed", "unheard-of"]

    def text(least):
        words = str(rng.choice(captions)).split()
        start, length = rng.integers(len(words)), rng.integers(least, 16)
        words = words[start : start + length]
        for place in np.flatnonzero(rng.random(len(words)) < 0.2):
            words[place] = str(rng.choice(vocabulary))
        return words

    references = [text(1) for _ in range(rng.integers(1, 5))]
    half = references[0][rng.integers(len(references[0])) :]
    caption = text(0) + (half if rng.random() < 0.7 else [])
    return " ".join(caption), [" ".join(words) for words in references]


def test_the_captions_are_those_that_the_command_writes():
    kept = (BOOK / "_static" / "playground_captions.js").read_text(encoding="utf-8")
    assert kept == playground.script()


def test_a_thousand_captions_score_as_in_the_library(page):
    raw = page.evaluate("playground.captions")
    corpus = tokenise(raw, "python")
    assert page.evaluate("playground.captions.map(playground.words)") == [
        text.split() for text in corpus
    ]
    rng = np.random.default_rng(0)
    cases = [random_texts(rng, corpus) for _ in range(CASES)]
    captions, references = zip(*cases, strict=True)
    ours = metrics.score(
        {str(n): texts for n, texts in enumerate(references)},
        {str(n): text for n, text in enumerate(captions)},
        metrics.OVERLAP,
        "python",
    )
    fixed = overlap.Cider([[text] for text in corpus])
    fixed, means = overlap.Cider([[text] for text in corpus]), []
    for caption, texts in cases:
        counts, size = fixed.count([caption] * len(texts) + texts), len(texts)
        mine, theirs = [one[:size] for one in counts], [one[size:] for one in counts]
        means.append(fixed.compare(mine, theirs).mean())
    expected = np.column_stack([ours.per_item, means])
    assert (expected > 0).mean(axis=0).min() > 0.5 and "" in captions
    found = page.evaluate(CAPTIONS, cases)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=0)


def test_a_thousand_lists_score_as_in_the_library(page):
    rng = np.random.default_rng(0)
    cases, expected = [], []
    for _ in range(CASES):
        k, relevant = (
            int(rng.integers(1, 16)),
            rng.permutation(20)[: rng.integers(1, 9)],
        )
        recommended = rng.permutation(20)[: rng.integers(1, 13)]
        places = np.full((1, 20), -1)  # an empty place is a miss
        places[0, : len(recommended)] = recommended
        test = np.zeros((1, 20))
        test[0, relevant] = 1
        judged = ranking.judge(places, sparse.csr_matrix(test), k)
        values = [metric(*judged)[0] for metric in ranking.METRICS.values()]
        expected.append(values[:-1])  # the last is the hit rate
        cases.append([recommended.tolist(), relevant.tolist(), k])
    assert [*ranking.METRICS][-1] == "hit rate"
    found = page.evaluate(LISTS, cases)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=0)


def test_what_the_page_says_of_captions_happens(page):
    caption = page.locator("#playground-caption").input_value()
    first = scores(page, "captions")

    def moved(said, instead):
        assert caption.count(said) == 1
        fill(page, "caption", caption.replace(said, instead))
        now = scores(page, "captions")
        return {metric: now[metric] - score for metric, score in first.items()}

    assert moved("red", "red red")["BLEU-1"] < 0
    assert moved(" and long sleeves", "")["BLEU-1"] < 0
    fill(page, "caption", "a red wool hood with a jacket and long sleeves")
    now = scores(page, "captions")
    assert now["BLEU-1"] == first["BLEU-1"]
    assert now["BLEU-2"] < first["BLEU-2"] and now["ROUGE-L"] < first["ROUGE-L"]
    wool, plain = moved("wool", "tweed"), moved("with", "in")
    assert wool["BLEU-1"] == plain["BLEU-1"] and wool["CIDEr"] < plain["CIDEr"] < 0
    assert start_again(page, "captions") == first


def test_what_the_page_says_of_lists_happens(page):
    items = page.locator("#playground-recommended").input_value().split("\n")
    relevant = page.locator("#playground-relevant").input_value().split("\n")
    first = scores(page, "lists")
    others = [item for item in items if item != "black coat"]
    fill(page, "recommended", "\n".join(["black coat", *others]))
    moved = {name: score - first[name] for name, score in scores(page, "lists").items()}
    assert [name for name, by in moved.items() if by == 0] == ["precision", "recall"]
    assert min(moved.values()) == 0
    fill(page, "recommended", "\n".join([*items[:4], items[5], items[4]]))
    assert items[4:] == ["green scarf", "gray hat"] and scores(page, "lists") == first
    others = [item for item in items if item not in relevant]
    fill(page, "recommended", "\n".join(relevant + others))
    fill(page, "k", "3")
    assert {*scores(page, "lists").values()} == {1.0}
    fill(page, "k", "6")
    now = scores(page, "lists")
    assert now["AP"] == now["NDCG"] == 1 and now["Elliot’s MAP"] < 1


def test_each_column_of_places_adds_up_to_its_score(page):
    rows = [
        row.split("\t")
        for row in page.locator("#playground-places tr").all_inner_texts()
    ]
    columns = np.array([row[4:] for row in rows], float).T
    expected = [*scores(page, "lists").values()]
    assert columns.sum(axis=1) == pytest.approx(expected, abs=0.003)
    assert [row[2] for row in rows] == ["no", "yes", "no", "yes", "no"]


def test_matches_are_marked_in_both_texts(page):
    fill(page, "caption", "A red, red coat")
    fill(page, "references", "a coat, red and long\n\nTHE red coat")
    marks = page.locator(".playground mark")
    assert marks.all_inner_texts() == [
        "a",
        "red",
        "coat",
        "a",
        "coat",
        "red",
        "red",
        "coat",
    ]
    page.get_by_label("pairs").check()
    assert marks.all_inner_texts() == ["red coat", "red coat"]
    rows = page.locator("#playground-runs tr").all_inner_texts()
    assert rows[1].split("\t")[1] == "1 of 3" and "red coat (" in rows[1]
    assert rows[2].split("\t")[1:] == ["0 of 2", "none"]


def test_what_is_typed_is_never_read_as_html(page):
    evil = "<img src=x onerror=console.error(1)><script>console.error(2)</script>"
    before = page.evaluate("document.querySelectorAll('img, script').length")
    for field in ("caption", "references", "recommended", "relevant"):
        fill(page, field, evil)
    fill(page, "recommended", f"{evil}\n{evil}")
    expect(page.locator("#playground-lists-fault")).to_contain_text(evil)
    fill(page, "recommended", evil)
    expect(page.locator("#playground-places")).to_contain_text(evil)
    assert page.evaluate("document.querySelectorAll('img, script').length") == before


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("references", " \n…", "Write a reference with a word in it."),
        ("relevant", "", "Write a relevant item."),
        ("recommended", "a\nb\na", "“a” is recommended twice"),
        ("k", "0", "k is a whole number from 1 to 20."),
        ("k", "2.5", "k is a whole number from 1 to 20."),
    ],
)
def test_a_fault_is_said_in_place_of_scores(page, field, text, said):
    fill(page, field, text)
    form = page.locator(".playground").filter(has=page.locator(f"#playground-{field}"))
    expect(form.get_by_role("alert")).to_contain_text(said)
    expect(form.locator("[id$=-scores] tr")).to_have_count(0)


def test_a_change_is_shown_at_once_and_read_out_after_a_pause(page):
    said = page.locator("#playground-lists output")
    page.wait_for_timeout(1200)
    assert said.inner_text() == ""  # nothing was edited
    page.locator("#playground-k").focus()
    page.keyboard.press("ArrowUp")  # six places in place of five
    elliot = page.locator("#playground-lists-scores tr").nth(1)
    assert "▼" in elliot.inner_text() and said.inner_text() == ""
    expect(said).to_contain_text("precision 0.333, down 0.067")
    page.keyboard.press("Enter")  # sends no form
    assert scores(page, "lists")["precision"] == 0.333


def test_every_control_has_a_name_and_a_phone_fits(page):
    controls = page.locator(".playground :is(input, textarea, button, output)").all()
    assert len(controls) == 13
    for control in controls:
        labels = control.evaluate("one => one.labels.length || one.textContent.length")
        live = control.evaluate("one => one.tagName === 'OUTPUT' && one.ariaLive")
        assert labels or live == "polite"
    fill(page, "caption", "w" * 300)
    fill(page, "references", "w" * 300)
    fill(page, "recommended", "w" * 300)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.get_by_text("The 200 captions").click()
    expect(page.locator("#playground-corpus li")).to_have_count(playground.ARTICLES)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
