"""`fashionlib execute`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from fashionlib.commands.options import argument, option

EXAMPLES = [
    "notebooks/00_preflight.ipynb --profile smoke",
    "notebooks/13_missing_captions.ipynb -p 'seeds=[1, 2]' -p hide=article",
]


def run(
    notebook: Annotated[Path, argument("NOTEBOOK", "one of notebooks/")],
    profile: Annotated[
        str,
        option("NAME", "smoke, tiny, sample, colab or paper"),
    ] = "tiny",
    parameter: Annotated[
        list[str] | None,
        option(
            "NAME=VALUE",
            "a parameter of the notebook, over the profile's, of the type that its"
            " parameters cell says: 3, 1e-4, true, text as it is, [a, b] or {a: b};"
            " may be given several times",
            "-p",
            "--parameter",
        ),
    ] = None,
) -> int:
    """Execute one notebook of the book with papermill."""
    from fashionlib.book import execute, runs

    values = dict(map(_parameter, parameter or []))
    try:
        executed = execute.run(notebook, profile, values)
    except execute.NotebookError as error:
        sys.stderr.write(f"fashionlib execute: {' '.join(str(error).split())}\n")
        return 1
    typer.echo(executed.relative_to(runs.repository()))
    return 0


def _parameter(text: str) -> tuple[str, str]:
    """Cut NAME=VALUE; of which type the value is says the notebook."""
    name, sign, value = text.partition("=")
    if not sign:
        raise ValueError(f"-p {text!r} isn't NAME=VALUE, e.g. -p seed=3")
    return name, value
