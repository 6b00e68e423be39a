"""`fashionlib index`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fashionlib.commands.options import (
    CAPTION,
    CATEGORY,
    COLOUR,
    ID,
    PHOTO,
    argument,
    option,
    refuse_absent,
    renamed,
)
from fashionlib.data.files import refuse_clash

EXAMPLES = [
    "path/to/hm --model captioner/joint --out my-index",
    "items.parquet --model patrickjohncyh/fashion-clip --out my-index",
    "shop.csv --id sku --photo picture --model captioner/joint --out my-index",
]


def run(
    items: Annotated[
        Path,
        argument(
            "ITEMS",
            "a data folder in one of the layouts, or a table (.csv, .tsv, .parquet)"
            " with columns item_id, image and perhaps caption, category, colour; a"
            " picture's path counts from the table. Pictures are JPEG, PNG, WebP, GIF,"
            " TIFF, BMP or AVIF, read as a viewer shows them",
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
    strict: Annotated[
        bool,
        option(
            None, "refuse pictures that can't be read: nothing is indexed", "--strict"
        ),
    ] = False,
    id_column: Annotated[str | None, ID] = None,
    photo: Annotated[str | None, PHOTO] = None,
    caption: Annotated[str | None, CAPTION] = None,
    category: Annotated[str | None, CATEGORY] = None,
    colour: Annotated[str | None, COLOUR] = None,
) -> None:
    """Embed a catalogue into a folder that fashionlib search and app ask.

    Run again, it encodes what is new or changed; cut off, it goes on, and the old index
    answers until then. Items whose picture can't be read are left out and listed in
    INDEX/set_aside.jsonl.
    """
    from fashionlib.data.readers import layouts
    from fashionlib.data.readers.faults import Report, in_words
    from fashionlib.data.tables import read_table
    from fashionlib.retrieval import search

    refuse_clash([], filter(None, [items, Path(model), root]), [out])
    refuse_absent("--model", model)
    names = renamed(
        items,
        item_id=id_column,
        image=photo,
        caption=caption,
        category=category,
        colour=colour,
    )
    if items.is_file():
        table = read_table(items, renamed=names)
    else:
        table, root = layouts.items(items), root or items
    report = None if strict else Report(items)
    counts = search.build(table, search.load_encoder(model), out, root, report=report)
    numbers = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    typer.echo(f"{out}: {numbers}")
    for fault in report.faults if report else []:
        typer.echo(f"set aside: {in_words([fault])}")
    if report and report.faults:
        typer.echo(f"all of them: {out / search.SET_ASIDE}")
    typer.echo(f"next: fashionlib search WORDS --index {out}")
