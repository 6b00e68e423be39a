"""`fashionlib search`."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = [
    '"red striped dress" --index my-index --category Dress',
    "photo.jpg --index my-index -k 5",
    '"the same in red" --image photo.jpg --box 40,60,310,540 --weight 0.3 --index'
    " my-index",
]


def run(
    index: Annotated[
        Path, typer.Option(metavar="INDEX", help="written by fashionlib index")
    ],
    query: Annotated[
        str,
        typer.Argument(metavar="WORDS_OR_PICTURE", help="words, or a picture's file"),
    ] = "",
    image: Annotated[
        Path | None,
        typer.Option(metavar="photo.jpg", help="a picture to add to the words"),
    ] = None,
    box: Annotated[
        str | None,
        typer.Option(
            metavar="L,T,R,B",
            help="the part of the picture that counts, in its pixels",
        ),
    ] = None,
    weight: Annotated[
        float,
        typer.Option(
            metavar="W",
            help="of the words, where there is a picture too (0: picture alone, 1:"
            " words alone)",
        ),
    ] = 0.5,
    category: Annotated[
        str | None, typer.Option(metavar="NAME", help="only items of this category")
    ] = None,
    colour: Annotated[
        str | None, typer.Option(metavar="NAME", help="only items of this colour")
    ] = None,
    k: Annotated[int, typer.Option("-k", metavar="N", help="items to show")] = 10,
    root: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="where the catalogue lies, if it was moved"
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="print JSON in place of a table")
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option(metavar="out.html", help="write a page with pictures too"),
    ] = None,
) -> None:
    """Ask an index by words, by a picture, or by both."""
    from fashionlib.commands.jobs.search import as_json, boxed, listed, parts
    from fashionlib.retrieval.search import Index

    picture, words = parts(query, image)
    reference = boxed(picture, box) if box else picture
    filters = {"category": category, "colour": colour}
    chosen = {column: value for column, value in filters.items() if value is not None}
    opened = Index.open(index, root=root)
    hits = opened.search(reference, words, weight, k, chosen)
    if html:
        from fashionlib.retrieval.search import page

        title = [words, picture.name if picture else ""]
        page.write(html, hits, " + ".join(filter(None, title)))
    width = shutil.get_terminal_size().columns
    typer.echo(as_json(hits) if json else listed(hits, width), nl=False)
