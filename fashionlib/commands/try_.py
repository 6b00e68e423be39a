"""`fashionlib try`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from fashionlib.commands.options import argument, option, refuse_absent

EXAMPLES = [
    "photos",
    "shop-folder --caption Beschreibung --out tried --yes",
]
GUESS = "of the table that holds {} (default: guessed)"


def run(
    root: Annotated[
        Path,
        argument(
            "ROOT",
            "a folder of photos (folders in it are classes), photos and a table"
            " (.csv, .tsv, .parquet, .json), or one of the layouts",
        ),
    ],
    out: Annotated[
        Path | None, option("DIR", "the work folder (default: try-ROOT, here)")
    ] = None,
    table: Annotated[
        Path | None, option("FILE", "the table (default: the one in ROOT)")
    ] = None,
    id_column: Annotated[
        str | None, option("COLUMN", GUESS.format("ids"), "--id")
    ] = None,
    photo: Annotated[str | None, option("COLUMN", GUESS.format("photos"))] = None,
    caption: Annotated[str | None, option("COLUMN", GUESS.format("captions"))] = None,
    category: Annotated[
        str | None, option("COLUMN", GUESS.format("categories"))
    ] = None,
    colour: Annotated[str | None, option("COLUMN", GUESS.format("colours"))] = None,
    product: Annotated[
        str | None,
        option("COLUMN", GUESS.format("products, of which an article is one colour")),
    ] = None,
    most: Annotated[
        int, option("N", "articles; of more so many are drawn", least=2)
    ] = 4000,
    steps: Annotated[int, option("N", "of a captioner's training", least=1)] = 100,
    base: Annotated[
        str | None,
        option(
            "FOLDER", "a captioner to begin with (default: the repository's smallest)"
        ),
    ] = None,
    yes: Annotated[
        bool, option(None, "ask nothing: of several columns the first", "--yes")
    ] = False,
    seed: Annotated[int, option("S", "of what is drawn", least=0)] = 42,
) -> None:
    """Look at your catalogue, and ask it the book's questions in ten minutes.

    It says what it found, asks what it can't know, lays the articles out as H&M's data,
    runs what these allow, and ends with a page. ROOT is only read. Called again, it
    goes on.
    """
    from fashionlib.commands.jobs import fitting, shop

    if root.is_file():
        root, table = root.parent, root
    if not root.is_dir():
        raise FileNotFoundError(f"{root}: no such folder of photos")
    out = out or Path(f"try-{root.resolve().name}")
    for inner, outer in ((out, root), (root, out)):
        if inner.resolve().is_relative_to(outer.resolve()):
            raise ValueError(
                f"--out {out}: {inner} lies in {outer}; name another folder"
            )
    if base:
        refuse_absent("--base", base)
    named = {
        "item_id": id_column,
        "image": photo,
        "caption": caption,
        "category": category,
        "colour": colour,
        "product_id": product,
    }
    named = {ours: theirs for ours, theirs in named.items() if theirs}

    def choose(what: str, names: Sequence[str]) -> str:
        return _choose(what, names, yes)

    found = shop.look(root, table, named, choose)
    typer.echo(found.report)
    here = fitting.lay_out(found, out, most, seed, base, steps)
    asked = fitting.ask(here, typer.echo)
    page = fitting.write(here, found.report, asked)
    typer.echo(f"laid out: {here.run.data}; fashionlib check says more of it")
    typer.echo(page)


FLAGS = {"table": "--table FILE", "item_id": "--id", "product_id": "--product"}


def _choose(what: str, names: Sequence[str], yes: bool) -> str:
    """Ask which of several names is meant; with one, or `yes`, it is the first.

    ValueError where nobody is there to ask.
    """
    from fashionlib.commands.jobs.shop import NONE

    if yes or len(names) == 1:
        return names[0]
    if not sys.stdin.isatty():
        flag = FLAGS.get(what, f"--{what}")
        raise ValueError(
            f"{what} could be {', '.join(map(repr, names))}, and nobody is there to"
            f" say which; name it by {flag}, or let --yes take the first"
        )
    for number, name in enumerate([*names, NONE], 1):
        typer.echo(f"{number:3}  {name}")
    last = len(names) + 1
    chosen = typer.prompt(f"Which is the {what}?", 1, type=typer.IntRange(1, last))
    return [*names, NONE][chosen - 1]
