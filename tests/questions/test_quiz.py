"""The quiz of a page: four radios, their replies, and a folded solution."""

import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from questions import quiz
from questions.draw import TOPICS, draw
from questions.question import Question, Table

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "book" / "_ext"))
VOID = {"input"}


class Parsed(HTMLParser):
    """The tags of a page with their attributes; every one that opens is closed."""

    def __init__(self, text: str):
        super().__init__()
        self.tags, self.open = [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict]:
        return [given for name, given in self.tags if name == tag]


@pytest.mark.parametrize("topic", TOPICS)
def test_four_radios_of_one_group_have_labels_and_one_reply_is_right(topic):
    text, question = quiz.html(topic, 3), draw(topic, 3)
    page = Parsed(text)
    radios = page.all("input")
    assert [one["type"] for one in radios] == ["radio"] * 4
    assert {one["name"] for one in radios} == {f"quiz-{topic}-3"}
    labels = [one["for"] for one in page.all("label")]
    assert labels == [one["id"] for one in radios] and len(set(labels)) == 4
    assert text.count(">Right.<") == 1 and text.count(">No. ") == 3
    assert len(page.all("legend")) == len(page.all("summary")) == 1
    assert f"<p>Answer: {question.answer}</p>" in text.split("<details>")[1]
    assert "Answer: " not in text.split("<details>")[0]
    assert not page.all("script") and " on" not in "".join(
        f" {name}" for _, given in page.tags for name in given
    )


def test_text_is_escaped(monkeypatch):
    evil = '<script>alert(1)</script> & "quoted"'
    question = Question(
        topic="bleu",
        title=evil,
        given={},
        text=[evil, Table((evil,), [(evil,)])],
        answer="0.5",
        wrong={"0.1": evil, "0.2": "b", "0.3": "c"},
        solution=[evil, "Answer: 0.5"],
    )
    monkeypatch.setattr(quiz, "draw", lambda *_: question)
    text = quiz.html("bleu", 1)
    assert "<script" not in text and text.count("&lt;script&gt;") >= 6
    assert not Parsed(text).all("script")


def test_the_directive_puts_the_quizzes_of_the_page_into_it(tmp_path):
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace

    source = tmp_path / "source"
    source.mkdir()
    (source / "conf.py").write_text("extensions = ['myst_parser', 'quiz']\n")
    (source / "index.md").write_text("# Page\n\n```{quiz} ap 5\n```\n")
    out = tmp_path / "out"
    with docutils_namespace():
        app = Sphinx(source, source, out, tmp_path / "trees", "html", status=None)
        app.build()
    assert quiz.html("ap", 5) in (out / "index.html").read_text(encoding="utf-8")
    assert app.statuscode == 0 and app._warncount == 0

    (source / "index.md").write_text("# Page\n\n```{quiz} rouge 5\n```\n")
    told = (tmp_path / "told.txt").open("w+")
    with docutils_namespace():
        app = Sphinx(
            source, source, out, tmp_path / "trees", "html", status=None, warning=told
        )
        app.build()
    told.seek(0)
    assert "unknown topic 'rouge'" in told.read()


def test_the_page_of_the_book_asks_every_topic():
    lines = (ROOT / "book" / "quizzes.md").read_text(encoding="utf-8").splitlines()
    asked = [line.split()[1:] for line in lines if line.startswith("```{quiz} ")]
    assert {topic for topic, _ in asked} == TOPICS.keys()
    assert len(asked) == len({tuple(one) for one in asked})


def test_the_keyboard_chooses_reads_the_reply_and_opens_the_solution(browser, tmp_path):
    css = (ROOT / "book" / "_static" / "book.css").read_text(encoding="utf-8")
    text = f"<meta charset=utf-8><style>{css}</style>{quiz.html('bleu', 1)}"
    (tmp_path / "quiz.html").write_text(text, encoding="utf-8")
    page = browser.new_page(viewport={"width": 390, "height": 900})
    page.goto((tmp_path / "quiz.html").as_uri())
    shown = "[...document.querySelectorAll('.reply')].map(e => e.checkVisibility())"
    assert page.evaluate(shown) == [False] * 4
    for key in ("Tab", "Tab", "Space"):  # past the table, which may scroll
        page.keyboard.press(key)
    assert page.evaluate(shown) == [True, False, False, False]
    page.keyboard.press("ArrowDown")
    assert page.evaluate(shown) == [False, True, False, False]
    for key in ("Tab", "Enter"):
        page.keyboard.press(key)
    assert page.evaluate("document.querySelector('details').open")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()
