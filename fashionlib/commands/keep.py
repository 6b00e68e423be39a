"""`fashionlib keep`."""

from __future__ import annotations

from typing import Annotated

import typer

from fashionlib.commands.options import option

EXAMPLES = ["--profile sample", "--profile tiny --cost"]


def run(
    profile: Annotated[
        str, option("NAME", "a profile that has run, on real data but for --cost")
    ] = "sample",
    cost: Annotated[
        bool, option(None, "keep what its notebooks took instead, as their budgets")
    ] = False,
) -> None:
    """Keep a run's numbers on real data in data/measured, where the book shows them."""
    from fashionlib.book import costs, runs

    place = costs.keep(profile) if cost else runs.keep(profile)
    typer.echo(place.relative_to(runs.repository()))
