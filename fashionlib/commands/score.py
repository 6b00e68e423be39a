"""`fashionlib score`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fashionlib.data.files import refuse_clash, write_json

EXAMPLES = ["--references R.json --captions C.json --items items.csv --out scores.json"]


def run(
    references: Annotated[
        Path, typer.Option(metavar="R.json", help="the true captions, in coco form")
    ],
    captions: Annotated[
        list[Path],
        typer.Option(
            metavar="C.json",
            help="one for each system: --captions A.json --captions B.json compares"
            " them. 'shuffled' is a system's captions given to other items, the"
            " control",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="scores.json", help="gets the scores")],
    items: Annotated[
        Path | None,
        typer.Option(
            metavar="items.csv",
            help="csv or parquet with item_id, caption, category, split (train,"
            " validation, test), perhaps product_id: adds attribute precision and"
            " recall (of words that 10 training captions have) and category accuracy,"
            " resamples and shuffles by product",
        ),
    ] = None,
    pool: Annotated[
        Path | None,
        typer.Option(
            metavar="pool.json",
            help="a frozen attribute pool (data/pools) in place of the training"
            " captions' own; needs --items",
        ),
    ] = None,
    spice_models: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="of CoreNLP 3.6.0: adds the official SPICE (else SPICE-py alone);"
            " what is missing there is told before anything runs",
        ),
    ] = None,
    spice_java: Annotated[
        str | None,
        typer.Option(
            metavar="JAVA",
            help="the java program of a Java 8 to 14, for the official SPICE",
        ),
    ] = None,
    resamples: Annotated[
        int, typer.Option(metavar="N", help="of the bootstrap")
    ] = 1000,
    seed: Annotated[
        int, typer.Option(metavar="S", help="of the bootstrap and the control")
    ] = 42,
) -> None:
    """Score generated captions, with intervals.

    Files are in coco form: {id: [{"caption": ...}]}.
    """
    from fashionlib.commands.jobs.score import report, score_files

    systems = {path.stem: path for path in captions}
    if len(systems) < len(captions):
        raise ValueError(
            f"{', '.join(map(str, captions))}: a system is called by its file, and two"
            " have one name"
        )
    refuse_clash([out], [references, *captions])
    result = score_files(
        references, systems, items, pool, spice_models, spice_java, seed, resamples
    )
    write_json(out, result)
    typer.echo(report(result))
