"""`fashionlib recommend`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from fashionlib.commands.options import lengths, named_paths, option
from fashionlib.data.files import refuse_clash, write_json

EXAMPLES = [
    "--train train.tsv --test test.tsv --model ItemKNN --k 20 --out r.json",
    "--train train.tsv --test test.tsv --model MostPop --model VBPR --features"
    " clip.parquet --top 12 --lists lists.parquet --out r.json",
    "--train train.tsv --test test.tsv --model BM3 --features visual=resnet.parquet"
    " --features textual=sbert.parquet --epochs 20 --out r.json",
]


def run(
    train: Annotated[Path, option("train.tsv", "what the models learn from")],
    test: Annotated[Path, option("test.tsv", "what they are judged by")],
    model: Annotated[
        list[str],
        option(
            "NAME",
            "Random, MostPop, Repeat, UserKNN, ItemKNN, BPR, VBPR, FREEDOM or BM3;"
            " several are compared on the same customers",
        ),
    ],
    out: Annotated[Path, option("r.json", "gets the result")],
    k: Annotated[
        int | None,
        option("N", "neighbours (default 10 for UserKNN, 20 for ItemKNN)", least=1),
    ] = None,
    convention: Annotated[
        Literal["plain", "elliot", "aiolli", "implicit"] | None,
        option(
            None,
            "of UserKNN and ItemKNN: plain, the textbook's (default); elliot,"
            " Elliot's standard (self counted, UserKNN transposed); aiolli, Elliot's"
            " aiolli (self not counted); implicit, the library's ItemKNN",
        ),
    ] = None,
    features: Annotated[
        list[str] | None,
        option(
            "[NAME=]x.parquet",
            "of VBPR, FREEDOM and BM3: columns item_id, features; one row for"
            " every item of the train rows. Several for FREEDOM and BM3 (visual=...,"
            " textual=...); VBPR puts them side by side",
        ),
    ] = None,
    factors: Annotated[
        int | None,
        option("N", "of BPR, VBPR, FREEDOM, BM3 (default: the model's)", least=1),
    ] = None,
    epochs: Annotated[
        int | None,
        option("N", "at most, of the same (default: the model's)", least=1),
    ] = None,
    repeats: Annotated[
        bool,
        option(
            None,
            "may recommend what a customer bought in train (else, as in Elliot, it"
            " is masked); Repeat needs it",
            "--repeats",
        ),
    ] = False,
    cutoffs: Annotated[str, option("N,N", "list lengths")] = "5,12",
    seed: Annotated[
        int, option("S", "of the models and of the intervals", least=0)
    ] = 0,
    lists: Annotated[
        Path | None,
        option(
            "lists.parquet",
            "keep the lists: user_id, rank, item_id, and model where there are several",
        ),
    ] = None,
    top: Annotated[
        int | None,
        option("N", "their length, judged too (default: the largest cutoff)", least=1),
    ] = None,
) -> None:
    """Fit recommenders on the files of a split, judge and compare them.

    Files: tab-separated without a header, user, item, rating, date (or the first two or
    three); RecBole's .inter, or any table whose header names user_id and item_id
    (rating, timestamp or date are read too); .csv with commas or semicolons; parquet.
    Only Repeat needs a date.
    """
    from fashionlib.commands.jobs import recommend

    cutoffs = lengths("--cutoffs", cutoffs, "5,12")
    if top is not None and lists is None:
        raise ValueError(
            f"--top {top} is the length of the lists; --lists says where they go"
        )
    cutoffs += [] if top is None else [top]
    example = "visual=a.parquet textual=b.parquet"
    spaces = named_paths("--features", features or [], r"\w+", example, suffix=False)
    spaces = {name: Path(text) for name, text in spaces.items()}
    outputs = [out] if lists is None else [out, lists]
    refuse_clash(outputs, [train, test, *spaces.values()])
    options = recommend.Options(k, convention, factors, epochs, spaces, repeats, seed)
    recommended = recommend.recommend_files(
        train, test, model, sorted(set(cutoffs)), options
    )
    typer.echo(recommend.report(recommended.result))
    if lists:
        recommend.write_lists(lists, recommended, top or max(cutoffs))
    write_json(out, recommended.result)
