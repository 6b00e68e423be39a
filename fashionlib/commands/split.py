"""`fashionlib split`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from fashionlib.commands.options import (
    CAPTION,
    ID,
    PRODUCT,
    argument,
    option,
    renamed,
)
from fashionlib.data.files import atomic, refuse_clash

EXAMPLES = [
    "path/to/hm --by product --out splits.csv",
    "shop.csv --id sku --product style --by product --out splits.csv",
]


def run(
    root: Annotated[
        Path,
        argument(
            "ROOT",
            "a data folder in one of the layouts, or a table (.csv, .tsv, .parquet) of"
            " items",
        ),
    ],
    out: Annotated[
        Path,
        option(
            "splits.csv",
            "the items with a column split; score --items and split-purchases"
            " --articles read it",
        ),
    ],
    by: Annotated[
        Literal["article", "product", "caption"],
        option(
            None,
            "article: Paper A's published recipe to the row; product: no product"
            " on two sides; caption: no text on two sides",
        ),
    ] = "article",
    filter_items: Annotated[
        bool,
        option(
            None,
            "keep what Paper A keeps first: a caption, a picture, a fashion type"
            " of at least 7 articles; else every item is cut",
            "--filter",
        ),
    ] = False,
    seed: Annotated[int, option("S", "random state; 42 as published", least=0)] = 42,
    id_column: Annotated[str | None, ID] = None,
    product: Annotated[str | None, PRODUCT] = None,
    caption: Annotated[str | None, CAPTION] = None,
) -> None:
    """Cut items of a folder or table 80/10/10 into train, validation and test."""
    from fashionlib.data.items import ITEM, SPLIT_BY, split_items, split_sizes
    from fashionlib.data.readers import hm, layouts
    from fashionlib.data.tables import read_table

    refuse_clash([out], [root])
    names = renamed(root, item_id=id_column, product_id=product, caption=caption)
    layout = "table" if root.is_file() else layouts.detect_layout(root)
    if filter_items and layout != "hm":
        raise ValueError(
            f"--filter is Paper A's for H&M's tables, and {root} is in layout"
            f" {layout}; leave it out"
        )
    if root.is_file():
        items = read_table(root, dict.fromkeys([ITEM, SPLIT_BY[by]]), names)
    else:
        items = layouts.items(root)
    if filter_items:
        items, steps = hm.filter_captioned(items)
        typer.echo(steps.to_string(index=False))
    split = split_items(items, by=by, seed=seed)
    with atomic(out) as part:
        split.drop(columns="box", errors="ignore").to_csv(part, index=False)
    typer.echo(f"{out}: {split_sizes(split)}, by {by}")
