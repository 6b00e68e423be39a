"""`fashionlib audit`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fashionlib.commands.options import (
    CAPTION,
    ID,
    PRODUCT,
    lengths,
    named_paths,
    option,
    renamed,
)
from fashionlib.data.files import refuse_clash, write_json

EXAMPLES = [
    "--train items.csv --test items.csv --captions C.json",
    "--interactions train.tsv --interactions test.tsv --lists lists.parquet",
]


def run(
    train: Annotated[
        Path | None,
        option(
            "FILE",
            "the training captions, in any form that score reads; of a table with a"
            " column split (fashionlib split writes one) the rows train",
        ),
    ] = None,
    test: Annotated[
        Path | None, option("FILE", "the true test captions; of such a table: test")
    ] = None,
    captions: Annotated[
        list[str] | None,
        option("[NAME=]FILE", "a captioner's captions of the test; several may be"),
    ] = None,
    pictures: Annotated[
        bool,
        option(
            None,
            "read the pictures that a column image names, and count those on both"
            " sides, byte for byte",
            "--pictures",
        ),
    ] = False,
    interactions: Annotated[
        list[Path] | None,
        option("FILE", "twice: train, then test, as recommend reads them"),
    ] = None,
    lists: Annotated[
        list[str] | None,
        option(
            "[NAME=]FILE",
            "a recommender's lists for them: user_id, item_id, and rank or score, as"
            " recommend --lists writes; or without a header user, item, score, as"
            " Elliot does; several may be",
        ),
    ] = None,
    cutoffs: Annotated[str, option("N,N", "list lengths")] = "5,12",
    json: Annotated[Path | None, option("FILE", "gets the findings")] = None,
    id_column: Annotated[str | None, ID] = None,
    caption: Annotated[str | None, CAPTION] = None,
    product: Annotated[str | None, PRODUCT] = None,
    resamples: Annotated[int, option("N", "of the bootstrap", least=1)] = 1000,
    seed: Annotated[
        int, option("S", "of the bootstrap, the control and chance", least=0)
    ] = 42,
) -> None:
    """Say what the files of a study leak, score by chance, and can't tell.

    Each finding is a sentence with its numbers and 95 % intervals, the chapter of the
    book that shows the experiment, and a mark: fine, look at this, or can't be told
    from these files. Findings are no errors: the exit code is 0.
    """
    from fashionlib.commands.jobs.audit import audit_files, report

    names = r"[^=/]+"
    said = named_paths("--captions", captions or [], names, "a=C.json", suffix=False)
    listed = named_paths("--lists", lists or [], names, "a=L.parquet", suffix=False)
    inputs = [train, test, *said.values(), *(interactions or []), *listed.values()]
    refuse_clash(filter(None, [json]), map(Path, filter(None, inputs)))
    result = audit_files(
        (train, test),
        said,
        interactions or [],
        listed,
        lengths("--cutoffs", cutoffs, "5,12"),
        renamed(train, item_id=id_column, caption=caption, product_id=product),
        pictures,
        seed,
        resamples,
    )
    typer.echo(report(result))
    if json:
        write_json(json, result)
