"""`fashionlib app`: the search engine and the captions in a browser."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


def add(command: Callable[..., Any]) -> None:
    """Add the command's parser; `command(name, run, help, *examples)` returns it."""
    sub = command(
        "app",
        _app,
        "Search an index and caption your own photos in a browser, on this machine.",
        "--index my-index --captioner ours=captioner/joint --pool pool.json",
    )
    sub.add_argument(
        "--index", type=Path, metavar="FOLDER", help="written by fashionlib index"
    )
    sub.add_argument(
        "--captioner",
        action="append",
        default=[],
        metavar="[NAME=]FOLDER",
        help=(
            "a folder or hub id, with the name to show; several are shown side by side."
            " A mini's needs cells.safetensors"
        ),
    )
    sub.add_argument(
        "--pool",
        type=Path,
        metavar="pool.json",
        help=(
            "a frozen attribute pool (data/pools): the words "
            "that count as attributes (default: every noun and adjective)"
        ),
    )
    sub.add_argument("--port", type=int, default=7860, metavar="N", help="default 7860")
    sub.add_argument(
        "--share",
        action="store_true",
        help=(
            "also by a public link, for a class: whoever has it can use "
            "the page and see the index's pictures"
        ),
    )


def _app(args: argparse.Namespace) -> None:
    if not 1 <= args.port <= 65535:
        raise ValueError(f"--port {args.port} is no port; give one from 1 to 65535")
    if args.index is None and not args.captioner:
        raise ValueError("nothing to show: give --index, --captioner, or both")
    captioners = _named(args.captioner)
    from fashionlib.commands.jobs import serve

    serve.serve(args.index, captioners, args.pool, args.port, args.share)


def _named(given: Sequence[str]) -> dict[str, str]:
    """{name: folder} of FOLDER (called by its last part) or NAME=FOLDER."""
    folders: dict[str, str] = {}
    for text in given:
        named = re.fullmatch(r"([^=/]+)=(.+)", text)
        name, folder = (named[1], named[2]) if named else (Path(text).name, text)
        if name in folders:
            raise ValueError(
                f"--captioner {text}: {name!r} is named twice; e.g. before=one/base"
                " after=one/tuned"
            )
        folders[name] = folder
    return folders
