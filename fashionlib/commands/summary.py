"""`fashionlib summary`."""

from __future__ import annotations

from typing import Annotated

import typer

from fashionlib.commands.options import option
from fashionlib.data.files import read_json

EXAMPLES = ["--profile tiny"]


def run(
    profile: Annotated[str, option("NAME", "a profile that has run")] = "tiny",
) -> None:
    """Print the main numbers of a finished run."""
    from fashionlib.book import runs

    runs.profile(profile)  # refuses an unknown one
    place = runs.repository() / "_run" / profile / "results" / "scoreboard.json"
    if not place.is_file():
        raise FileNotFoundError(
            f"no scoreboard of profile {profile}; run: make book PROFILE={profile}"
        )
    board = read_json(place)
    if board["provenance"]["data"]["synthetic"]:
        typer.echo(
            '"this run" is the synthetic wardrobe: it tests the method and says nothing'
            " about H&M"
        )
    for row in board["values"]["main"]:
        typer.echo("{what:46} {published:>10} {sample:>10} {here:>10}".format(**row))
