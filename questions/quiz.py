"""Show a question as a quiz in a page: four choices, and the solution folded."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader

from questions.draw import draw

TEMPLATES = Environment(loader=PackageLoader("questions", ""), autoescape=True)


def html(topic: str, seed: int) -> str:
    """Return the question as HTML without a script, all text escaped.

    A page's style sheet shows a reply beside the chosen answer (`.quiz .reply`). A page
    may hold many quizzes, each topic and seed once.
    """
    page = TEMPLATES.get_template("quiz.html")
    return page.render(question=draw(topic, seed), name=f"quiz-{topic}-{seed}")
