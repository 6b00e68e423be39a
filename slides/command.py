"""`fashionlib slides`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fashionlib.commands.options import option

EXAMPLES = ["--profile tiny", "--profile sample --out decks"]


def run(
    profile: Annotated[str, option("NAME", "a profile that has run")] = "tiny",
    out: Annotated[Path, option("DIR", "gets a deck a chapter")] = Path(
        "_build/slides"
    ),
) -> None:
    """Write a deck of slides for each chapter of a run, with notes for the speaker.

    Nothing is executed. The decks open in a browser, without a network. Decks that lie
    in DIR are replaced, nothing else is.
    """
    from slides import decks

    written = decks.write(profile, out)
    typer.echo(f"{out / 'index.html'}: {len(written)} decks of run {profile}")
    typer.echo("S opens the speaker's notes, D is dark or light, ? lists all keys")
