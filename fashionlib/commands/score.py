"""`fashionlib score`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fashionlib.commands.options import (
    CAPTION,
    CATEGORY,
    ID,
    PRODUCT,
    option,
    renamed,
)
from fashionlib.data.files import refuse_clash, write_json

EXAMPLES = ["--references R.json --captions C.json --items items.csv --out scores.json"]


def run(
    references: Annotated[
        Path, option("R.json", "the true captions, a file or a folder")
    ],
    captions: Annotated[
        list[Path],
        option(
            "C.json",
            "one for each system: --captions A.json --captions B.csv compares them."
            " 'shuffled' is a system's captions given to other items, the"
            " control",
        ),
    ],
    out: Annotated[Path, option("scores.json", "gets the scores")],
    items: Annotated[
        Path | None,
        option(
            "items.csv",
            "csv, tsv or parquet (fashionlib split writes one) with item_id, caption,"
            " category, split (train, validation, test), perhaps product_id: adds"
            " attribute precision and recall (of words that 10 training captions have)"
            " and category accuracy, resamples and shuffles by product",
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
    subset: Annotated[
        bool,
        option(
            None,
            "score the items that have references and a caption of every system, and"
            " say how many; without it captions are refused that are not of exactly"
            " the items with references",
            "--subset",
        ),
    ] = False,
    id_column: Annotated[str | None, ID] = None,
    caption: Annotated[str | None, CAPTION] = None,
    category: Annotated[str | None, CATEGORY] = None,
    product: Annotated[str | None, PRODUCT] = None,
    resamples: Annotated[int, option("N", "of the bootstrap", least=1)] = 1000,
    seed: Annotated[int, option("S", "of the bootstrap and the control", least=0)] = 42,
) -> None:
    """Score generated captions, with intervals.

    References and captions: JSON {id: [{"caption": text}]} or {id: text}, COCO's
    results list or annotations file, JSON lines, or csv, tsv, parquet with an id
    column (item_id, image_id, article_id, else id, else file_name or image) and a
    caption column (caption, captions, text or detail_desc), where several rows of an
    id are several references; or a folder of the hub's datasets: save_to_disk, an
    image folder with metadata.csv or .jsonl, parquet shards. Ids are compared as text,
    else without leading zeros, ".0", folder and suffix of a picture.
    """
    from fashionlib.commands.jobs.score import report, score_files

    systems = {path.stem: path for path in captions}
    if len(systems) < len(captions):
        raise ValueError(
            f"{', '.join(map(str, captions))}: a system is called by its file, and two"
            " have one name"
        )
    refuse_clash([out], filter(None, [references, *captions, items, pool]))
    names = renamed(
        items,
        item_id=id_column,
        caption=caption,
        category=category,
        product_id=product,
    )
    result = score_files(
        references,
        systems,
        items,
        pool,
        spice_models,
        spice_java,
        seed,
        resamples,
        subset,
        names,
    )
    typer.echo(report(result))
    write_json(out, result)
