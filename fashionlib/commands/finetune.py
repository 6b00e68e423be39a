"""`fashionlib finetune`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from fashionlib.commands.options import argument, option, refuse_absent
from fashionlib.data.files import refuse_clash

EXAMPLES = ["path/to/hm --base Salesforce/blip2-opt-2.7b --output adapters/hm"]


def run(
    root: Annotated[Path, argument("DATA", "a data folder")],
    base: Annotated[
        str,
        option("NAME", "a hub id, or a folder in the hub's layout"),
    ],
    output: Annotated[
        Path,
        option(
            "FOLDER",
            "gets adapter/, captions.json and references.json of the test split,"
            " and run/ (checkpoints)",
        ),
    ],
    recipe: Annotated[
        str,
        option("NAME", "of fashionlib/captioning/training/recipes.yaml"),
    ] = "paper_a",
    steps: Annotated[
        int, option("N", "weight updates", least=1, most=10_000_000)
    ] = 1000,
    batch_size: Annotated[
        int | None,
        option("N", "of each process (default: the recipe's)", least=1),
    ] = None,
    lr: Annotated[
        float | None,
        option("X", "learning rate (default: the recipe's)", least=0, most=100),
    ] = None,
    split: Annotated[
        Literal["article", "product"], option(None, "as of fashionlib split")
    ] = "article",
    pixel_cache: Annotated[
        Path | None,
        option("FOLDER", "keep resized pictures there"),
    ] = None,
    feature_cache: Annotated[
        Path | None,
        option(
            "FOLDER",
            "keep the vision tower's outputs there; not with a recipe whose LoRA"
            " touches the tower",
        ),
    ] = None,
    push_to_hub: Annotated[str, option("REPO", "send the adapter there, private")] = "",
) -> None:
    """Train an adapter on the captions of a data folder; goes on after a kill."""
    from fashionlib.captioning import training
    from fashionlib.commands.jobs import finetune

    changes = {"batch_size": batch_size, "lr": lr}
    given = {name: value for name, value in changes.items() if value is not None}
    chosen = training.recipe(recipe, steps, **given)
    files = [output / finetune.CAPTIONS, output / finetune.REFERENCES]
    refuse_clash(files, [root, Path(base)], [output / finetune.ADAPTER])
    refuse_absent("--base", base)
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
