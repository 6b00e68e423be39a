"""`fashionlib bundle`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fashionlib.commands.options import option

EXAMPLES = ["--profile tiny --out fashion-captioned.zip"]


def run(
    profile: Annotated[str, option("NAME", "a profile that has run")] = "tiny",
    out: Annotated[Path, option("FILE", "the archive to write")] = Path(
        "_build/fashion-captioned.zip"
    ),
) -> None:
    """Pack a run's executed notebooks and results into one archive with checksums."""
    from fashionlib.book import site

    archive = site.pack(profile, out)
    typer.echo(f"{site.digest(archive)}  {archive}")
