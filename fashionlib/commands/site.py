"""`fashionlib site`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fashionlib.commands.options import option

EXAMPLES = ["--profile tiny", "--bundle fashion-captioned.zip --out pages"]


def run(
    profile: Annotated[str, option("NAME", "a profile that has run")] = "tiny",
    bundle: Annotated[
        Path | None, option("FILE", "an archive of `fashionlib bundle`, in its place")
    ] = None,
    out: Annotated[Path, option("DIR", "where _build/html is written")] = Path(),
) -> None:
    """Render the book's pages from a finished run, or from an archive of one."""
    from fashionlib.book import site

    if bundle:
        with site.unpacked(bundle) as staged:
            typer.echo(site.render(staged, out) / "index.html")
        return
    typer.echo(site.render(site.stage(profile), out) / "index.html")
