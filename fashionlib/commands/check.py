"""`fashionlib check`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fashionlib.commands.options import argument

EXAMPLES = ["path/to/hm"]


def run(
    root: Annotated[
        Path,
        argument(
            "ROOT",
            "a folder in one of the layouts: hm, hm_hub, facad, dfmm,"
            " consumer2shop, deepfashion2",
        ),
    ],
) -> int:
    """Say what lies in a data folder, what is missing and what is broken."""
    from fashionlib.data.readers import layouts

    report = layouts.check(root)
    typer.echo(report)
    return int(report.broken)
