"""`fashionlib finetune`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

EXAMPLES = ["path/to/hm --base Salesforce/blip2-opt-2.7b --output adapters/hm"]


def run(
    root: Annotated[Path, typer.Argument(metavar="DATA", help="a data folder")],
    base: Annotated[
        str,
        typer.Option(metavar="NAME", help="a hub id, or a folder in the hub's layout"),
    ],
    output: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER",
            help="gets adapter/, captions.json and references.json of the test split,"
            " and run/ (checkpoints)",
        ),
    ],
    recipe: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="of fashionlib/captioning/training/recipes.yaml"
        ),
    ] = "paper_a",
    steps: Annotated[int, typer.Option(metavar="N", help="weight updates")] = 1000,
    batch_size: Annotated[
        int | None,
        typer.Option(metavar="N", help="of each process (default: the recipe's)"),
    ] = None,
    lr: Annotated[
        float | None,
        typer.Option(metavar="X", help="learning rate (default: the recipe's)"),
    ] = None,
    split: Annotated[
        Literal["article", "product"], typer.Option(help="as of fashionlib split")
    ] = "article",
    pixel_cache: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="keep resized pictures there"),
    ] = None,
    feature_cache: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="keep the vision tower's outputs there; not with a recipe whose LoRA"
            " touches the tower",
        ),
    ] = None,
    push_to_hub: Annotated[
        str, typer.Option(metavar="REPO", help="send the adapter there, private")
    ] = "",
) -> None:
    """Train an adapter on the captions of a data folder; goes on after a kill."""
    from fashionlib.captioning import training
    from fashionlib.commands.jobs import finetune

    changes = {"batch_size": batch_size, "lr": lr}
    given = {name: value for name, value in changes.items() if value is not None}
    chosen = training.recipe(recipe, steps, **given)
    items, data = finetune.read(root, split)
    caches = {"pixel_cache": pixel_cache, "feature_cache": feature_cache}
    if not finetune.train_adapter(
        items, base, chosen, output, data, push_to_hub, **caches
    ):
        return  # another process of `accelerate launch` writes
    captions, references = output / finetune.CAPTIONS, output / finetune.REFERENCES
    typer.echo(
        f"{output / finetune.ADAPTER}: the adapter; {captions}: captions of the test"
        f" split; next: fashionlib score --references {references} --captions"
        f" {captions} --out scores.json"
    )
