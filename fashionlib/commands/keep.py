"""`fashionlib keep`."""

from __future__ import annotations

from typing import Annotated

import typer

from fashionlib.commands.options import option

EXAMPLES = ["--profile sample"]


def run(
    profile: Annotated[
        str, option("NAME", "a profile that has run on real data")
    ] = "sample",
) -> None:
    """Keep a run's numbers on real data in data/measured, where the book shows them."""
    from fashionlib.book import runs

    typer.echo(runs.keep(profile).relative_to(runs.repository()))
