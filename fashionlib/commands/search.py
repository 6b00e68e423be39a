"""`fashionlib search`."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from fashionlib.commands.options import argument, option
from fashionlib.data.files import refuse_clash

EXAMPLES = [
    '"red striped dress" --index my-index --category Dress',
    "photo.jpg --index my-index -k 5",
    '"the same in red" --image photo.jpg --box 40,60,310,540 --weight 0.3 --index'
    " my-index",
]


def run(
    index: Annotated[Path, option("INDEX", "written by fashionlib index")],
    query: Annotated[
        str,
        argument(
            "WORDS_OR_PICTURE",
            "words, or a picture's file: JPEG, PNG, WebP, GIF, TIFF, BMP, AVIF. A file"
            " that is there is never searched as words",
        ),
    ] = "",
    image: Annotated[
        Path | None,
        option("photo.jpg", "a picture to add to the words"),
    ] = None,
    box: Annotated[
        str | None,
        option(
            "L,T,R,B", "the part of the picture that counts, in its pixels as shown"
        ),
    ] = None,
    weight: Annotated[
        float,
        option(
            "W",
            "of the words, where there is a picture too (0: picture alone, 1:"
            " words alone)",
            least=0,
            most=1,
        ),
    ] = 0.5,
    category: Annotated[
        str | None, option("NAME", "only items of this category")
    ] = None,
    colour: Annotated[str | None, option("NAME", "only items of this colour")] = None,
    k: Annotated[int, option("N", "items to show", "-k", least=1)] = 10,
    root: Annotated[
        Path | None,
        option("FOLDER", "where the catalogue lies, if it was moved"),
    ] = None,
    json: Annotated[
        bool, option(None, "print JSON in place of a table", "--json")
    ] = False,
    html: Annotated[
        Path | None,
        option("out.html", "write a page with pictures too"),
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
    if html:
        refuse_clash([html], filter(None, [index, opened.root, picture]))
    hits = opened.search(reference, words, weight, k, chosen)
    width = shutil.get_terminal_size().columns
    typer.echo(as_json(hits) if json else listed(hits, width), nl=False)
    if html:
        from fashionlib.retrieval.search import page

        title = [words, picture.name if picture else ""]
        page.write(html, hits, " + ".join(filter(None, title)))
