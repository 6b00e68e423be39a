"""`wardrobe`: draw the synthetic wardrobe into a folder."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from fashionlib.commands.line import plain, run


def draw(
    dest: Annotated[Path, typer.Argument(metavar="DEST", help="a new folder")],
    items: Annotated[int, typer.Option(metavar="N", help="articles")] = 2400,
    shoppers: Annotated[int, typer.Option(metavar="M", help="customers")] = 1500,
    seed: Annotated[int, typer.Option(metavar="S", help="of all that is drawn")] = 0,
    layout: Annotated[
        Literal["hm", "hm_hub", "facad", "dfmm", "consumer2shop", "deepfashion2"],
        typer.Option(help="whose on-disk layout"),
    ] = "hm",
) -> None:
    """Draw the synthetic wardrobe into DEST, in the layout of a real dataset."""
    import wardrobe

    wardrobe.write(dest, items=items, shoppers=shoppers, seed=seed, layout=layout)
    customers = f", {shoppers} shoppers" if layout == "hm" else ""
    typer.echo(f"{dest}: {items} articles{customers}, in layout {layout} (synthetic)")


def main(argv: Sequence[str] | None = None) -> int:
    """Draw, and return the exit code; errors end as those of `fashionlib` do."""
    wardrobe = plain()
    wardrobe.command(
        epilog="\b\nexample: wardrobe my-wardrobe --items 300 --shoppers 200 --seed 1"
    )(draw)
    return run(wardrobe, sys.argv[1:] if argv is None else list(argv), "wardrobe")
