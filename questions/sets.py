"""Questions as texts, and the files of a class."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from fashionlib.data.files import atomic
from questions.draw import draw, seeds
from questions.question import Question, Table, markdown


def printed(topic: str, seed: int, form: str, solution: bool = False) -> str:
    """Return one question as Markdown ("md") or JSON, with its solution if asked."""
    question = draw(topic, seed)
    if form == "json":
        more = _solution(question) if solution else {}
        return _json({"topic": topic, "seed": seed} | _text(question) | more)
    text = _page(question)
    if solution:
        text += f"\n\n## Solution\n\n{markdown(question.solution)}"
    return text


def write(
    topic: str, seed: int, students: int, form: str, out: Path, answers: Path | None
) -> None:
    """Write a file a student into the folder `out`, and the answers into a file.

    The seed of each student's question follows from `seed`; neither stands in `out`.
    Both appear when they are complete.
    """
    given = {
        f"student-{n:0{max(2, len(str(students)))}}": one
        for n, one in enumerate(seeds(seed, students), 1)
    }
    drawn = {name: draw(topic, one) for name, one in given.items()}
    with ExitStack() as stack:
        folder = stack.enter_context(atomic(out))
        folder.mkdir()
        for name, question in drawn.items():
            text = _json(_text(question)) if form == "json" else _page(question)
            (folder / f"{name}.{form}").write_text(text + "\n", encoding="utf-8")
        if answers:
            sheet = _sheet_json if form == "json" else _sheet
            part = stack.enter_context(atomic(answers))
            part.write_text(sheet(given, drawn) + "\n", encoding="utf-8")


def _page(question: Question) -> str:
    return f"# {question.title}\n\n{markdown(question.text)}"


def _sheet(seeds: dict[str, int], drawn: dict[str, Question]) -> str:
    rows = [(name, str(seeds[name]), drawn[name].answer) for name in drawn]
    title = next(iter(drawn.values())).title
    parts = [f"# Answers: {title}", markdown([Table(("file", "seed", "answer"), rows)])]
    parts += [f"## {name}\n\n{markdown(one.solution)}" for name, one in drawn.items()]
    return "\n\n".join(parts)


def _sheet_json(seeds: dict[str, int], drawn: dict[str, Question]) -> str:
    return _json(
        [
            {"file": name, "seed": seeds[name]} | _solution(one)
            for name, one in drawn.items()
        ]
    )


def _text(question: Question) -> dict[str, Any]:
    text = markdown(question.text)
    return {"title": question.title, "question": text, "given": question.given}


def _solution(question: Question) -> dict[str, str]:
    return {"answer": question.answer, "solution": markdown(question.solution)}


def _json(content: Any) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False)
