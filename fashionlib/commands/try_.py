"""`fashionlib try`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from fashionlib.commands.options import (
    CAPTION,
    CATEGORY,
    COLOUR,
    ID,
    PHOTO,
    PRODUCT,
    argument,
    option,
    refuse_absent,
)

EXAMPLES = ["photos", "shop-folder --caption Beschreibung --out tried --yes"]


def run(
    root: Annotated[
        Path,
        argument(
            "ROOT",
            "a folder of photos (its folders are categories, or train and test),"
            " photos and a table (.csv, .tsv, .parquet, .json), or one of the layouts",
        ),
    ],
    out: Annotated[
        Path | None, option("DIR", "the work folder (default: try-ROOT, here)")
    ] = None,
    table: Annotated[
        Path | None, option("FILE", "the table (default: the one in ROOT)")
    ] = None,
    id_column: Annotated[str | None, ID] = None,
    photo: Annotated[str | None, PHOTO] = None,
    caption: Annotated[str | None, CAPTION] = None,
    category: Annotated[str | None, CATEGORY] = None,
    colour: Annotated[str | None, COLOUR] = None,
    product: Annotated[str | None, PRODUCT] = None,
    most: Annotated[
        int, option("N", "articles; of more so many are drawn", least=2)
    ] = 4000,
    steps: Annotated[int, option("N", "of a captioner's training", least=1)] = 100,
    base: Annotated[
        str | None,
        option("FOLDER", "a captioner to begin with (default: the shipped mini)"),
    ] = None,
    yes: Annotated[
        bool, option(None, "ask nothing: of several columns the first", "--yes")
    ] = False,
    seed: Annotated[int, option("S", "of what is drawn", least=0)] = 42,
) -> None:
    """Look at your catalogue, and ask it the book's questions in ten minutes.

    It says what it found, asks what it can't know, lays the articles out as H&M's data,
    runs what these allow, and ends with a page. A column that isn't named is told by
    its name and by what photos are called. ROOT is only read. Called again, it goes on.
    """
    from fashionlib.commands.jobs import fitting, shop

    if root.is_file():
        root, table = root.parent, root
    if not root.is_dir():
        raise FileNotFoundError(f"{root}: no such folder of photos")
    out = out or Path(f"try-{root.resolve().name}")
    ends = out.resolve(), root.resolve()
    if ends[0].is_relative_to(ends[1]) or ends[1].is_relative_to(ends[0]):
        raise ValueError(
            f"--out {out}: it or {root} lies in the other, and {root} is only read;"
            " name another folder"
        )
    if base:
        refuse_absent("--base", base)
    ours = ("item_id", "image", "caption", "category", "colour", "product_id")
    given = (id_column, photo, caption, category, colour, product)
    named = {name: column for name, column in zip(ours, given, strict=True) if column}
    found = shop.look(root, table, named, partial(_choose, yes), most, seed)
    typer.echo(found.report)
    here = fitting.lay_out(found, out, seed, base, steps)
    asked = fitting.ask(here, typer.echo)
    typer.echo(f"laid out: {here.run.data}")
    typer.echo(fitting.write(here, found.report, asked))


def _choose(yes: bool, what: str, names: Sequence[str]) -> str:
    """Ask which of several names is meant; with one, or `yes`, it is the first.

    ValueError where nobody is there to ask.
    """
    from fashionlib.commands.jobs.shop import NONE

    if yes or len(names) == 1:
        return names[0]
    if not sys.stdin.isatty():
        raise ValueError(
            f"the {what} could be {', '.join(map(repr, names))}, and nobody is there to"
            " say which; name it (--table, --id, --caption, …), or let --yes take the"
            " first"
        )
    for number, name in enumerate(names, 1):
        typer.echo(f"{number:3}  {name}")
    number = input(f"Which is the {what}? 0 is {NONE} [1] ").strip() or "1"
    if not number.isdecimal() or int(number) > len(names):
        raise ValueError(f"{number!r} is no number from 0 to {len(names)}")
    return [NONE, *names][int(number)]
