"""`fashionlib index` and `fashionlib search`: a catalogue in a vector database, asked
by picture and by words.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

PICTURES = (".jpg", ".jpeg", ".png", ".webp")


def add(command: Callable[..., Any]) -> None:
    """Add the commands' parsers; `command(name, run, help, *examples)` returns one."""
    sub = command(
        "index",
        _index,
        "Embed a catalogue into a folder that fashionlib search and app ask. Run again,"
        " it encodes what is new or changed; cut off, it goes on, and the old index"
        " answers until then.",
        "my-wardrobe --model captioner/joint --out my-index",
        "items.parquet --model patrickjohncyh/fashion-clip --out my-index",
    )
    sub.add_argument(
        "items",
        type=Path,
        metavar="ITEMS",
        help=(
            "a data folder in one of the layouts, or a table (.csv, .parquet) with"
            " columns item_id, image and perhaps caption, category, colour"
        ),
    )
    sub.add_argument(
        "--model",
        required=True,
        metavar="FOLDER_OR_HUB_ID",
        help="a BLIP-2 trained with the contrastive term, or a CLIP-like model",
    )
    sub.add_argument(
        "--out", type=Path, required=True, metavar="INDEX", help="the index's folder"
    )
    sub.add_argument(
        "--root",
        type=Path,
        metavar="FOLDER",
        help="that holds all pictures (default: their common one)",
    )

    sub = command(
        "search",
        _search,
        "Ask an index by words, by a picture, or by both.",
        '"red striped dress" --index my-index --category Dress',
        "photo.jpg --index my-index -k 5",
        '"the same in red" --image photo.jpg --box 40,60,310,540 --weight 0.3 --index'
        " my-index",
    )
    sub.add_argument(
        "query",
        nargs="?",
        default="",
        metavar="WORDS_OR_PICTURE",
        help="words, or a picture's file",
    )
    sub.add_argument("--index", type=Path, required=True, metavar="INDEX")
    sub.add_argument(
        "--image", type=Path, metavar="photo.jpg", help="a picture to add to the words"
    )
    sub.add_argument(
        "--box",
        metavar="L,T,R,B",
        help="the part of the picture that counts, in its pixels",
    )
    sub.add_argument(
        "--weight",
        type=float,
        default=0.5,
        metavar="W",
        help=(
            "of the words, where there is a picture "
            "too (0: picture alone, 1: words alone; default 0.5)"
        ),
    )
    sub.add_argument("--category", metavar="NAME", help="only items of this category")
    sub.add_argument("--colour", metavar="NAME", help="only items of this colour")
    sub.add_argument(
        "-k", type=int, default=10, metavar="N", help="items to show (default 10)"
    )
    sub.add_argument(
        "--root",
        type=Path,
        metavar="FOLDER",
        help="where the catalogue lies, if it was moved",
    )
    sub.add_argument(
        "--json", action="store_true", help="print JSON in place of a table"
    )
    sub.add_argument(
        "--html", type=Path, metavar="out.html", help="write a page with pictures too"
    )


def _index(args: argparse.Namespace) -> None:
    from fashionlib.retrieval import search

    items, root = _items(args.items)
    encoder = search.load_encoder(args.model)
    counts = search.build(items, encoder, args.out, args.root or root)
    told = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    sys.stdout.write(
        f"{args.out}: {told}; next: fashionlib search WORDS --index {args.out}\n"
    )


def _items(place: Path) -> tuple[pd.DataFrame, Path | None]:
    """The items, and the folder that holds their pictures where it is known."""
    from fashionlib.commands.label import read_table
    from fashionlib.data.readers import layouts

    if place.is_file():
        return read_table(place), None
    return layouts.items(place), place


def _search(args: argparse.Namespace) -> None:
    from fashionlib.retrieval import search

    image, words = _query(args.query, args.image)
    if args.box and image is None:
        raise ValueError(
            f"--box {args.box} is a part of a picture, and there is none; give --image"
        )
    reference = _boxed(image, args.box) if args.box else image
    where = {
        column: value
        for column in search.FILTERS
        if (value := getattr(args, column)) is not None
    }
    found = search.Index.open(args.index, root=args.root).search(
        reference, words, args.weight, args.k, where
    )
    if args.html:
        from fashionlib.retrieval.search import page

        page.write(
            args.html, found, " + ".join(filter(None, [words, image and image.name]))
        )
    sys.stdout.write(
        _json(found)
        if args.json
        else _listed(found, shutil.get_terminal_size().columns)
    )


def _query(given: str, image: Path | None) -> tuple[Path | None, str]:
    """Picture and words. What is called as a picture is one, and has to be there."""
    if not given.lower().endswith(PICTURES):
        return image, given
    if image is not None:
        raise ValueError(f"two pictures, {given} and --image {image}; give one of them")
    if not Path(given).is_file():
        raise FileNotFoundError(f"no picture at {given}")
    return Path(given), ""


def _boxed(image: Path, box: str) -> str:
    from fashionlib.data import images

    try:
        edges = [int(edge) for edge in box.split(",")]
    except ValueError as error:
        raise ValueError(
            f"--box {box!r} is not of four whole numbers; e.g. 40,60,310,540"
        ) from error
    return images.cropped(image, edges)


def _json(found: pd.DataFrame) -> str:
    rows = found.astype(object).where(found.notna(), None).to_dict("records")
    return json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _listed(found: pd.DataFrame, width: int) -> str:
    """Rank, score, id, category, colour, and the caption as far as the line reaches."""
    shown = [
        [_plain(row[column]) for column in ("item_id", "category", "colour", "caption")]
        for row in found.to_dict("records")
    ]
    widths = [
        max((len(row[column]) for row in shown), default=0) for column in range(3)
    ]
    lines = []
    for rank, (row, score) in enumerate(zip(shown, found["score"], strict=True), 1):
        cells = [text.ljust(wide) for text, wide in zip(row, [*widths, 0], strict=True)]
        lines.append(f"{rank:3} {score:6.3f}  {'  '.join(cells)}")
    return (
        "".join(f"{line[: max(width, 40)].rstrip()}\n" for line in lines)
        or "nothing was found\n"
    )


def _plain(value: Any) -> str:
    """The text without what would steer a terminal."""
    return (
        "".join(sign if sign.isprintable() else " " for sign in value)
        if isinstance(value, str)
        else ""
    )
