"""`fashionlib index`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fashionlib.commands.options import argument, option, refuse_absent
from fashionlib.data.files import refuse_clash

EXAMPLES = [
    "path/to/hm --model captioner/joint --out my-index",
    "items.parquet --model patrickjohncyh/fashion-clip --out my-index",
]


def run(
    items: Annotated[
        Path,
        argument(
            "ITEMS",
            "a data folder in one of the layouts, or a table (.csv, .parquet) with"
            " columns item_id, image and perhaps caption, category, colour",
        ),
    ],
    model: Annotated[
        str,
        option(
            "FOLDER_OR_HUB_ID",
            "a BLIP-2 trained with the contrastive term, or a CLIP-like model",
        ),
    ],
    out: Annotated[Path, option("INDEX", "the index's folder")],
    root: Annotated[
        Path | None,
        option("FOLDER", "that holds all pictures (default: their common one)"),
    ] = None,
) -> None:
    """Embed a catalogue into a folder that fashionlib search and app ask.

    Run again, it encodes what is new or changed; cut off, it goes on, and the old index
    answers until then.
    """
    from fashionlib.data.items import read_table
    from fashionlib.data.readers import layouts
    from fashionlib.retrieval import search

    refuse_clash([], filter(None, [items, Path(model), root]), [out])
    refuse_absent("--model", model)
    if items.is_file():
        table = read_table(items)
    else:
        table, root = layouts.items(items), root or items
    counts = search.build(table, search.load_encoder(model), out, root)
    numbers = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    typer.echo(f"{out}: {numbers}; next: fashionlib search WORDS --index {out}")
