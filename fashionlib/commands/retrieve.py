"""`fashionlib retrieve`: top-k accuracy of anybody's vectors."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fashionlib.data.files import atomic, write_json


def add(command: Callable[..., Any]) -> None:
    """Add the command's parser; `command(name, run, help, *examples)` returns it."""
    sub = command(
        "retrieve",
        _retrieve,
        "Judge anybody's vectors by true pairs: top-k accuracy, with intervals and "
        "chance.",
        "--queries q.npy --gallery g.npy --relevant pairs.csv -k 1,10,20 --out r.json",
        "--queries street.parquet --gallery shop.parquet --relevant pairs.csv --hits"
        " hits.csv --out r.json",
    )
    sub.add_argument(
        "--queries",
        type=Path,
        required=True,
        metavar="q.npy",
        help=(
            "float vectors (rows, dim); or a .parquet with columns item_id, features."
            " The gallery's own file: each query leaves itself out"
        ),
    )
    sub.add_argument(
        "--gallery",
        type=Path,
        required=True,
        metavar="g.npy",
        help=(
            "the same, or (rows, vectors, dim): an item scores with its nearest vector"
        ),
    )
    sub.add_argument(
        "--relevant",
        type=Path,
        required=True,
        metavar="pairs.csv",
        help=(
            "columns query, gallery: row "
            "numbers from 0; a query may have several true rows, and needs one"
        ),
    )
    sub.add_argument(
        "-k", default="1,10,20", metavar="N,N", help="cutoffs (default 1,10,20)"
    )
    sub.add_argument(
        "--hits",
        type=Path,
        metavar="hits.csv",
        help="keep each query: query, first_hit (a rank), top-N",
    )
    sub.add_argument(
        "--seed", type=int, default=0, metavar="S", help="of the intervals (default 0)"
    )
    sub.add_argument("--out", type=Path, required=True, metavar="r.json")


def _retrieve(args: argparse.Namespace) -> None:
    from fashionlib.commands.jobs import retrieve

    if not re.fullmatch(r"[1-9][0-9]{0,8}(,[1-9][0-9]{0,8})*", args.k):
        raise ValueError(f"-k {args.k!r} are no ranks from 1; e.g. 1,10,20")
    cutoffs = sorted({int(k) for k in args.k.split(",")})
    inputs, outputs = (
        [args.queries, args.gallery, args.relevant],
        [out for out in (args.out, args.hits) if out],
    )
    for place, out in enumerate(outputs):
        if out.is_dir() or out.resolve() in {
            path.resolve() for path in inputs + outputs[:place]
        }:
            raise ValueError(
                f"{out} is a folder, one of the inputs, or named twice; name a new file"
            )
    found = retrieve.retrieve_files(
        args.queries, args.gallery, args.relevant, cutoffs, args.seed
    )
    if args.hits:
        with atomic(args.hits) as part:
            found.per_query.to_csv(part, index=False)
    write_json(args.out, found.result)
    for k in cutoffs:
        sys.stdout.write(
            "top-{} {accuracy:.4f}  [{low:.4f}, {high:.4f}], chance {chance:.4f}\n".format(
                k, **found.result[f"top-{k}"]
            )
        )
