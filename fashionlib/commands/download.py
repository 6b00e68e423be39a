"""`fashionlib download`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fashionlib.commands.options import argument, option

EXAMPLES = ["hm path/to/hm --accept-terms"]


def run(
    name: Annotated[
        str,
        argument(
            "NAME",
            "hm, hm_hub, hm_hub_12k or dfmm_hub; of facad, dfmm,"
            " consumer2shop and deepfashion2 it says whom to ask",
        ),
    ],
    dest: Annotated[
        Path,
        argument("DEST", "the folder to fetch to; a run that was cut off goes on"),
    ],
    accept_terms: Annotated[
        bool,
        option(None, "you have read the terms and keep to them", "--accept-terms"),
    ] = False,
) -> None:
    """Say a dataset's terms and fetch it, with your account where it needs one."""
    from fashionlib.data import download
    from fashionlib.data.readers import layouts

    typer.echo(download.statement(name))
    place = download.fetch_dataset(name, dest, accept_terms)
    step = f"; next: fashionlib check {place}" if name in layouts.LAYOUTS else ""
    typer.echo(f"{place}: complete and checked{step}")
