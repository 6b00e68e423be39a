"""`fashionlib summary`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from fashionlib.commands.options import option
from fashionlib.data.files import read_json

EXAMPLES = ["--profile tiny", "--profile tiny --cost"]


def run(
    profile: Annotated[str, option("NAME", "a profile that has run")] = "tiny",
    cost: Annotated[
        bool, option(None, "what each notebook took instead, the dearest first")
    ] = False,
) -> None:
    """Print the main numbers of a finished run, and which notebooks were too dear."""
    from fashionlib.book import costs, runs

    runs.profile(profile)  # refuses an unknown one
    run = runs.repository() / "_run" / profile
    records, kept = costs.records(run), costs.budgets(profile)
    place = run / "results" / "scoreboard.json"
    if not (records if cost else place.is_file()):
        raise FileNotFoundError(
            f"no {'records' if cost else 'scoreboard'} of profile {profile}; run: make"
            f" book PROFILE={profile}"
        )
    if cost:
        for name, *row in (costs.HEAD, *costs.table(records, kept)):
            typer.echo(f"{name:26}" + "".join(f" {text:>12}" for text in row))
    else:
        _print_main_numbers(read_json(place))
    for record in records:
        if text := costs.excess(record, kept):
            typer.echo(text, err=True)


def _print_main_numbers(board: dict[str, Any]) -> None:
    if board["provenance"]["data"]["synthetic"]:
        typer.echo(
            '"this run" is the synthetic wardrobe: it tests the method and says nothing'
            " about H&M"
        )
    for row in board["values"]["main"]:
        typer.echo("{what:46} {published:>10} {sample:>10} {here:>10}".format(**row))
