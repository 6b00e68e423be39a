"""The commands under their names, and how an error ends: one line and exit code 2.

A command is a file of this folder with a function `run`, whose docstring is the help,
and `EXAMPLES`. These files import nothing heavy: what is done lies in `jobs`.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from typing import Any

import typer

from fashionlib.commands import (
    app,
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
    split,
    split_purchases,
    summary,
)

COMMANDS = (  # in the order of the help
    check,
    download,
    split,
    split_purchases,
    finetune,
    score,
    recommend,
    label,
    retrieve,
    index,
    search,
    app,
    execute,
    keep,
    summary,
)
EXTRAS = "app,captions,data,features,labels,recommend,scores,search,book"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command of `fashionlib` and return its exit code; see `run`."""
    commands = plain(help="Read, caption, score and recommend fashion items.")
    for module in COMMANDS:
        name = module.__name__.rpartition(".")[2].replace("_", "-")
        examples = [f"example: fashionlib {name} {words}" for words in module.EXAMPLES]
        commands.command(
            name,
            short_help=module.run.__doc__.split("\n\n")[0],
            epilog="\n".join(["\b", *examples]),  # \b: lines stay as they are
        )(module.run)
    words = sys.argv[1:] if argv is None else list(argv)
    return run(commands, words, " ".join(["fashionlib", *words[:1]]))


def plain(**settings: Any) -> typer.Typer:
    """Start a command line of plain text: no colours, boxes or tracebacks."""
    return typer.Typer(
        rich_markup_mode=None,
        add_completion=False,
        pretty_exceptions_enable=False,
        **settings,
    )


def run(commands: typer.Typer, words: Sequence[str], name: str) -> int:
    """Run a command line on its words and return the exit code.

    0: it went well. 1: what was checked or executed is broken. 2: bad input, told in
    one line after the `name`. 130: interrupted.
    """
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    program = name.split()[0]
    try:
        command = typer.main.get_command(commands)
        return command.main(words, program, standalone_mode=False) or 0
    except typer.TyperException as error:  # of the words themselves
        message = f"{error.format_message().rstrip('.')}; see --help"
    except ModuleNotFoundError as error:
        message = f"{error}; pip install 'fashionlib[{EXTRAS}]'"
    except (ValueError, OSError, RuntimeError, MemoryError) as error:
        message = str(error) or "stopped"
    sys.stderr.write(f"{name}: {' '.join(message.split())}\n")
    return 2
