"""`fashionlib score`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fashionlib.commands.options import option
from fashionlib.data.files import refuse_clash, write_json

EXAMPLES = ["--references R.json --captions C.json --items items.csv --out scores.json"]


def run(
    references: Annotated[Path, option("R.json", "the true captions, in coco form")],
    captions: Annotated[
        list[Path],
        option(
            "C.json",
            "one for each system: --captions A.json --captions B.json compares"
            " them. 'shuffled' is a system's captions given to other items, the"
            " control",
        ),
    ],
    out: Annotated[Path, option("scores.json", "gets the scores")],
    items: Annotated[
        Path | None,
        option(
            "items.csv",
            "csv or parquet with item_id, caption, category, split (train,"
            " validation, test), perhaps product_id: adds attribute precision and"
            " recall (of words that 10 training captions have) and category accuracy,"
            " resamples and shuffles by product",
        ),
    ] = None,
    pool: Annotated[
        Path | None,
        option(
            "pool.json",
            "a frozen attribute pool (data/pools) in place of the training"
            " captions' own; needs --items",
        ),
    ] = None,
    spice_models: Annotated[
        Path | None,
        option(
            "FOLDER",
            "of CoreNLP 3.6.0: adds the official SPICE (else SPICE-py alone);"
            " what is missing there is told before anything runs",
        ),
    ] = None,
    spice_java: Annotated[
        str | None,
        option("JAVA", "the java program of a Java 8 to 14, for the official SPICE"),
    ] = None,
    resamples: Annotated[int, option("N", "of the bootstrap", least=1)] = 1000,
    seed: Annotated[int, option("S", "of the bootstrap and the control", least=0)] = 42,
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
    refuse_clash([out], filter(None, [references, *captions, items, pool]))
    result = score_files(
        references, systems, items, pool, spice_models, spice_java, seed, resamples
    )
    typer.echo(report(result))
    write_json(out, result)
