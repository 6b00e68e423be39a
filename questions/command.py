"""`fashionlib question`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from fashionlib.commands.options import option
from fashionlib.data.files import refuse_clash

EXAMPLES = [
    "--topic bleu --seed 7 --solution",
    "--topic ap --seed 90125 --class 30 --out week-3 --answers week-3-answers.md",
]


def run(
    topic: Annotated[
        Literal["bleu", "cider", "ap", "ndcg", "knn", "leak", "attributes"],
        option(None, "what is asked"),
    ],
    seed: Annotated[
        int,
        option(
            "S",
            "the same seed gives the same question; for a class take one that nobody"
            " guesses",
            least=0,
        ),
    ],
    solution: Annotated[
        bool, option(None, "print the worked solution too", "--solution")
    ] = False,
    form: Annotated[
        Literal["md", "json"], option(None, "Markdown or JSON", "--format")
    ] = "md",
    students: Annotated[
        int | None,
        option("N", "write a question a student", "--class", least=1, most=1000),
    ] = None,
    out: Annotated[
        Path | None,
        option("FOLDER", "gets the class's questions, without answers or seeds"),
    ] = None,
    answers: Annotated[
        Path | None,
        option("FILE", "gets the class's seeds, answers and worked solutions"),
    ] = None,
) -> None:
    """Ask a question about drawn garments, whose answer is known.

    A student solves it by hand; the answer is computed by the code that scores the
    book's captions and lists.
    """
    if (students is None) != (out is None):
        raise ValueError(
            "--class and --out belong together; e.g. --class 30 --out week-3"
        )
    if answers and not out:
        raise ValueError("--answers is of a class; give --class and --out too")
    if solution and out:
        raise ValueError("--solution is of one question; for a class give --answers")
    if not (students and out):
        from questions.sets import printed

        typer.echo(printed(topic, seed, form, solution))
        return
    for path in filter(None, [out, answers]):
        if path.exists() and not (path.is_dir() and not any(path.iterdir())):
            raise ValueError(f"{path} is there; nothing is replaced, name a new one")
    if answers and answers.resolve().is_relative_to(out.resolve()):
        raise ValueError(
            f"{answers} lies in the students' folder; name a file elsewhere"
        )
    refuse_clash(filter(None, [answers]), [], [out])
    from questions.sets import write

    write(topic, seed, students, form, out, answers)
    typer.echo(f"{out}: {students} questions on {topic}, without answers")
    if answers:
        typer.echo(f"{answers}: their seeds, answers and worked solutions")
