"""`fashionlib retrieve`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fashionlib.commands.options import lengths, option
from fashionlib.data.files import atomic, refuse_clash, write_json

EXAMPLES = [
    "--queries q.npy --gallery g.npy --relevant pairs.csv -k 1,10,20 --out r.json",
    "--queries street.parquet --gallery shop.parquet --relevant pairs.csv --hits"
    " hits.csv --out r.json",
]


def run(
    queries: Annotated[
        Path,
        option(
            "q.npy",
            "float vectors (rows, dim); or a .parquet with columns item_id,"
            " features. The gallery's own file: each query leaves itself out",
        ),
    ],
    gallery: Annotated[
        Path,
        option(
            "g.npy",
            "the same, or (rows, vectors, dim): an item scores with its nearest vector",
        ),
    ],
    relevant: Annotated[
        Path,
        option(
            "pairs.csv",
            "a table (.csv, .tsv, .parquet) with columns query, gallery: row numbers"
            " from 0; a query may have several true rows, and needs one",
        ),
    ],
    out: Annotated[Path, option("r.json", "gets the result")],
    k: Annotated[str, option("N,N", "cutoffs", "-k")] = "1,10,20",
    hits: Annotated[
        Path | None,
        option("hits.csv", "keep each query: query, first_hit (a rank), top-N"),
    ] = None,
    seed: Annotated[int, option("S", "of the intervals", least=0)] = 0,
) -> None:
    """Judge anybody's vectors by true pairs: top-k accuracy, intervals, chance."""
    from fashionlib.commands.jobs.retrieve import report, retrieve_files

    cutoffs = lengths("-k", k, "1,10,20")
    outputs = [out] if hits is None else [out, hits]
    refuse_clash(outputs, [queries, gallery, relevant])
    retrieved = retrieve_files(queries, gallery, relevant, cutoffs, seed)
    typer.echo(report(retrieved.result, cutoffs))
    if hits:
        with atomic(hits) as part:
            retrieved.per_query.to_csv(part, index=False)
    write_json(out, retrieved.result)
