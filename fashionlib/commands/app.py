"""`fashionlib app`."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Annotated

from fashionlib.commands.options import named_paths, option, refuse_absent

EXAMPLES = ["--index my-index --captioner ours=captioner/joint --pool pool.json"]


def run(
    index: Annotated[
        Path | None,
        option("FOLDER", "written by fashionlib index"),
    ] = None,
    captioner: Annotated[
        list[str] | None,
        option(
            "[NAME=]FOLDER",
            "a folder or hub id, with the name to show; several are shown side by"
            " side. A mini's needs cells.safetensors",
        ),
    ] = None,
    pool: Annotated[
        Path | None,
        option(
            "pool.json",
            "a frozen attribute pool (data/pools): the words that count as"
            " attributes (default: every noun and adjective)",
        ),
    ] = None,
    port: Annotated[int, option("N", "of this machine", least=1, most=65535)] = 7860,
    share: Annotated[
        bool,
        option(
            None,
            "also by a public link, for a class: whoever has it can use the page"
            " and see the index's pictures",
            "--share",
        ),
    ] = False,
) -> None:
    """Search an index and caption your own photos in a browser, on this machine."""
    if index is None and not captioner:
        raise ValueError("nothing to show: give --index, --captioner, or both")
    example = "before=one/base after=one/tuned"
    checkpoints = named_paths("--captioner", captioner or [], "[^=/]+", example)
    for place in checkpoints.values():
        refuse_absent("--captioner", place)
    _refuse_taken(port)
    from fashionlib.commands.jobs.app import serve

    serve(index, checkpoints, pool, port, share)


def _refuse_taken(port: int) -> None:
    """Raise OSError where nobody can listen at the port, before models are loaded."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError as error:
            raise OSError(
                f"--port {port}: {error.strerror}; give another, e.g. --port 7861"
            ) from error
