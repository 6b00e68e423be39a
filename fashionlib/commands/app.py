"""`fashionlib app`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fashionlib.commands.options import named_paths, option

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
    port: Annotated[int, option("N", "of this machine")] = 7860,
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
    if not 1 <= port <= 65535:
        raise ValueError(f"--port {port} is no port; give one from 1 to 65535")
    if index is None and not captioner:
        raise ValueError("nothing to show: give --index, --captioner, or both")
    example = "before=one/base after=one/tuned"
    checkpoints = named_paths("--captioner", captioner or [], "[^=/]+", example)
    from fashionlib.commands.jobs.app import serve

    serve(index, checkpoints, pool, port, share)
