"""`fashionlib execute`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from fashionlib.commands.options import argument, option

EXAMPLES = ["notebooks/00_preflight.ipynb --profile smoke"]


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
            "a parameter of the notebook, over the profile's; may be given several"
            " times",
            "-p",
            "--parameter",
        ),
    ] = None,
) -> int:
    """Execute one notebook of the book with papermill."""
    from fashionlib.book import execute, runs

    values = dict(_parameter(text) for text in parameter or [])
    try:
        executed = execute.run(notebook, profile, values)
    except execute.NotebookError as error:
        sys.stderr.write(f"fashionlib execute: {' '.join(str(error).split())}\n")
        return 1
    typer.echo(executed.relative_to(runs.repository()))
    return 0


def _parameter(text: str) -> tuple[str, object]:
    """Read NAME=VALUE, the value as YAML."""
    import yaml

    name, sign, value = text.partition("=")
    if not sign:
        raise ValueError(f"-p {text!r} isn't NAME=VALUE, e.g. -p seed=3")
    try:
        return name, yaml.safe_load(value) if value else ""
    except yaml.YAMLError as error:
        raise ValueError(
            f"-p {text!r} has no YAML value ({str(error).splitlines()[0]}); e.g. -p"
            " seed=3"
        ) from error
