"""The commands under their names.

A command is a file of this folder with a function `run`, whose docstring is the help,
and `EXAMPLES`. These files import nothing heavy: what is done lies in `jobs`. Another
installed package adds such a module by an entry point of the group `GROUP`.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import Annotated, Any

import typer

import fashionlib
from fashionlib.commands import (
    app,
    audit,
    bundle,
    check,
    download,
    execute,
    finetune,
    index,
    keep,
    label,
    recommend,
    retrieve,
    score,
    search,
    site,
    split,
    split_purchases,
    student,
    summary,
    try_,
)

GROUP = "fashionlib.commands"
COMMANDS = (  # in the order of the help
    try_,
    check,
    download,
    split,
    split_purchases,
    finetune,
    score,
    audit,
    recommend,
    label,
    retrieve,
    index,
    search,
    app,
    execute,
    site,
    bundle,
    student,
    keep,
    summary,
)


def commands() -> typer.Typer:
    """Return the commands of `fashionlib`, each with its help and examples."""
    named = plain(help="Read, caption, score and recommend fashion items.")
    named.callback()(_program)
    modules = {module.__name__.rpartition(".")[2]: module for module in COMMANDS}
    modules |= {other.name: other.load() for other in entry_points(group=GROUP)}
    for place, module in modules.items():
        name = place.rstrip("_").replace("_", "-")
        examples = [f"example: fashionlib {name} {words}" for words in module.EXAMPLES]
        named.command(
            name,
            short_help=module.run.__doc__.split("\n\n")[0],
            epilog="\n".join(["\b", *examples]),  # \b: lines stay as they are
        )(module.run)
    return named


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"fashionlib {fashionlib.__version__}")
        raise typer.Exit


def _program(
    version: Annotated[
        bool,
        typer.Option("--version", help="Show it and exit.", callback=_show_version),
    ] = False,
) -> None:
    """Read, caption, score and recommend fashion items."""


def plain(**settings: Any) -> typer.Typer:
    """Start a command line of plain text: no colours, boxes or tracebacks."""
    return typer.Typer(
        rich_markup_mode=None,
        add_completion=False,
        pretty_exceptions_enable=False,
        **settings,
    )


class _AboveBars(logging.Handler):
    """Write messages to where errors go, above progress bars."""

    def emit(self, record: logging.LogRecord) -> None:
        from tqdm import tqdm

        tqdm.write(self.format(record), file=sys.stderr)


def run(commands: typer.Typer, words: Sequence[str], program: str) -> int:
    """Run a command line on its words and return the exit code; raises what it does."""
    logging.basicConfig(
        level=logging.WARNING, format="%(message)s", handlers=[_AboveBars()]
    )
    logging.getLogger("fashionlib").setLevel(logging.INFO)
    command = typer.main.get_command(commands)
    return command.main(list(words), program, standalone_mode=False) or 0
