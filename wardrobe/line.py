"""What the command `wardrobe` takes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from fashionlib.commands.line import plain
from fashionlib.commands.options import argument, option


def draw(
    dest: Annotated[
        Path, argument("DEST", "a new or empty folder, or a wardrobe drawn before")
    ],
    items: Annotated[int, option("N", "articles", least=1)] = 2400,
    shoppers: Annotated[int, option("M", "customers", least=0)] = 1500,
    seed: Annotated[int, option("S", "of all that is drawn", least=0)] = 0,
    layout: Annotated[
        Literal["hm", "hm_hub", "facad", "dfmm", "consumer2shop", "deepfashion2"],
        option(None, "whose on-disk layout"),
    ] = "hm",
) -> None:
    """Draw the synthetic wardrobe into DEST, in the layout of a real dataset."""
    import wardrobe

    wardrobe.write(dest, items=items, shoppers=shoppers, seed=seed, layout=layout)
    customers = f", {shoppers} shoppers" if layout == "hm" else ""
    typer.echo(f"{dest}: {items} articles{customers}, in layout {layout} (synthetic)")


def commands() -> typer.Typer:
    """Return the one command, with its help and an example."""
    wardrobe = plain()
    wardrobe.command(
        epilog="\b\nexample: wardrobe my-wardrobe --items 300 --shoppers 200 --seed 1"
    )(draw)
    return wardrobe
