"""`fashionlib split-purchases`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from fashionlib.commands.options import argument, option

EXAMPLES = ["transactions_train.csv --out hm-split"]


def run(
    transactions: Annotated[
        Path,
        argument(
            "transactions_train.csv",
            "a table (.csv, .tsv, .parquet) with columns t_dat, customer_id,"
            " article_id",
        ),
    ],
    out: Annotated[
        Path,
        option("DIR", "gets train.tsv and test.tsv: user, item, 1, date; no header"),
    ],
    articles: Annotated[
        Path | None,
        option(
            "items.csv",
            "a table with a column article_id or item_id (articles.csv, or"
            " fashionlib split's): purchases of other articles are left out, and"
            " counted",
        ),
    ] = None,
    by: Annotated[
        Literal["customer", "date"],
        option(
            None,
            "customer: of each, the last fifth of the rows is the test, as Paper"
            " A's script cuts; date: one date for everybody",
        ),
    ] = "customer",
    day: Annotated[
        Literal["cut", "train", "test"],
        option(
            None,
            "what becomes of the day through which a customer's cut falls: cut,"
            " as published, or whole to one side",
        ),
    ] = "cut",
    layout: Annotated[
        Literal["elliot", "recbole"],
        option(
            None,
            "recbole: DIR/DIR.train.inter, DIR.valid.inter (the train side, cut"
            " once more) and DIR.test.inter, for benchmark_filename",
        ),
    ] = "elliot",
) -> None:
    """Cut the purchases of H&M's table 80/20 by time.

    The published way, or with whole days.
    """
    from fashionlib.commands.jobs.split_purchases import split_files

    counts, paths = split_files(transactions, out, articles, by, day, layout)
    typer.echo(f"{counts.to_string()}\n{', '.join(map(str, paths))}")
