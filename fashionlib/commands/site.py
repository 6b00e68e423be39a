"""`fashionlib site`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fashionlib.commands.options import option

EXAMPLES = [
    "--profile tiny",
    "--bundle fashion-captioned.zip --out pages",
    "--check --out pages",
]


def run(
    profile: Annotated[str, option("NAME", "a profile that has run")] = "tiny",
    bundle: Annotated[
        Path | None, option("FILE", "an archive of `fashionlib bundle`, in its place")
    ] = None,
    out: Annotated[Path, option("DIR", "where _build/html is written")] = Path(),
    check: Annotated[
        bool, option(None, "render nothing; follow the links of the pages in --out")
    ] = False,
) -> int:
    """Render the book's pages from a finished run, or from an archive of one.

    With --check the exit code is 1 where a link, a picture, a script or an anchor
    leads nowhere; links to other sites are counted, not followed.
    """
    from fashionlib.book import site

    if check:
        nowhere, outside = site.follow(out / "_build" / "html")
        typer.echo("\n".join([*nowhere, f"{len(nowhere)} links lead nowhere"]))
        typer.echo(f"{len(outside)} addresses of other sites, which weren't followed")
        return int(bool(nowhere))
    if bundle:
        with site.unpacked(bundle) as staged:
            typer.echo(site.render(staged, out) / "index.html")
    else:
        typer.echo(site.render(site.stage(profile), out) / "index.html")
    return 0
