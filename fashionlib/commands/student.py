"""`fashionlib student`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fashionlib.commands.options import option

EXAMPLES = ["--out week-1"]


def run(
    out: Annotated[Path, option("DIR", "gets the folders student and teacher")] = Path(
        "_build/class"
    ),
) -> None:
    """Write the chapters as notebooks for students, and for their teacher.

    Students get functions to write and checks that say what is wrong, and no answer.
    The teacher's have the solutions. Nothing that lies in DIR is replaced.
    """
    from fashionlib.book import student

    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise ValueError(f"{out} is there; nothing is replaced, name a new one")
    student.write(out)
    typer.echo(f"{out / 'student'}: chapters with exercises to solve, without answers")
    typer.echo(f"{out / 'teacher'}: the same with solutions")
