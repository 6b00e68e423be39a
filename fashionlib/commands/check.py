"""`fashionlib check`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fashionlib.commands.options import argument, option

EXAMPLES = ["path/to/hm", "items.csv --all"]


def run(
    root: Annotated[
        Path,
        argument(
            "ROOT",
            "a folder in one of the layouts: hm, hm_hub, facad, dfmm, consumer2shop,"
            " deepfashion2; or a table (.csv, .parquet) with columns item_id and image",
        ),
    ],
    every: Annotated[
        bool, option(None, "list every item of each fault, not three", "--all")
    ] = False,
) -> int:
    """Say what lies in a data folder, what is missing and what is broken.

    Pictures are JPEG, PNG, WebP, GIF, TIFF, BMP or AVIF, turned by their EXIF
    orientation, transparent ones on white, animated ones by their first frame.
    """
    from fashionlib.data.readers import folders, layouts

    report = folders.check_table(root) if root.is_file() else layouts.check(root)
    typer.echo(report.in_full() if every else report)
    return int(report.broken)
