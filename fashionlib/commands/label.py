"""`fashionlib label`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from fashionlib.commands.options import ID, PHOTO, argument, option, renamed
from fashionlib.data.files import refuse_clash

EXAMPLES = [
    "photos --model gpt-4o-mini --out labels --price-in 1 --price-out 4",
    "photos --model my-model --base-url http://127.0.0.1:8000/v1 --out labels --yes",
]


def run(
    images: Annotated[
        Path,
        argument(
            "IMAGES_OR_ITEMS",
            "a folder of pictures (JPEG, PNG, WebP, GIF, TIFF, BMP, AVIF), a data"
            " folder in one of the layouts, or a table (.csv, .tsv, .parquet) with"
            " columns item_id and image, a path that counts from the table",
        ),
    ],
    model: Annotated[
        str,
        option("NAME", "as the endpoint calls it; it must read pictures"),
    ],
    out: Annotated[
        Path,
        option(
            "DIR",
            "replies, labelled.parquet, the image folder labelled,"
            " set_aside.jsonl, report.json",
        ),
    ],
    base_url: Annotated[
        str | None,
        option(
            "URL",
            "of an OpenAI-compatible endpoint (default: the SDK's own). The key is"
            " read from OPENAI_API_KEY",
        ),
    ] = None,
    batch_size: Annotated[int, option("N", "photos in a request", least=1)] = 8,
    concurrency: Annotated[
        int, option("N", "requests at a time", least=1, most=1000)
    ] = 8,
    attempts: Annotated[
        int,
        option(
            "N",
            "at a reply that can be used, before a batch is halved, or a photo set"
            " aside",
            least=1,
        ),
    ] = 3,
    side: Annotated[
        int,
        option(
            "PIXELS",
            "a larger picture is shrunk to fit such a square before it is sent",
            least=1,
        ),
    ] = 512,
    max_tokens: Annotated[
        int,
        option(
            "N",
            "of a reply, a reasoning model's thoughts among them; what was cut off at"
            " fewer is asked again",
            least=1,
        ),
    ] = 4096,
    temperature: Annotated[
        str,
        option("T", "a number, or none where the model takes no other than its own"),
    ] = "0",
    timeout: Annotated[float, option("S", "seconds for a request", least=0.001)] = 120,
    price_in: Annotated[
        float | None,
        option("X", "of a million tokens in, for the estimate", least=0),
    ] = None,
    price_out: Annotated[
        float | None,
        option("Y", "of a million tokens out, for the estimate", least=0),
    ] = None,
    image_tokens: Annotated[
        int | None,
        option(
            "N",
            "that the model counts for a picture (default: one for each 32 x 32"
            " pixels)",
            least=0,
        ),
    ] = None,
    yes: Annotated[
        bool,
        option(None, "go on without asking whether the estimate will do", "--yes"),
    ] = False,
    batch_api: Annotated[
        bool,
        option(
            None, "order by the endpoint's Batch API, where it has one", "--batch-api"
        ),
    ] = False,
    seed: Annotated[int, option("S", "of the captions' wording", least=0)] = 0,
    id_column: Annotated[str | None, ID] = None,
    photo: Annotated[str | None, PHOTO] = None,
) -> int:
    """Label pictures by prompt: garments and attributes, as captions and a folder.

    A vision LLM answers. What it answers is kept: a run that was cut off goes on and
    pays nothing twice. Its list is also read in a Markdown fence, after thoughts, with
    words around, in an object or encoded twice; report.json counts these.
    """
    from fashionlib import labelling
    from fashionlib.commands.jobs import label
    from fashionlib.data.readers.faults import in_words
    from fashionlib.labelling import batches, client, cost, reply_cache

    settings = reply_cache.Settings(model, side, _temperature(temperature), max_tokens)
    if out.resolve().is_relative_to(images.resolve()):
        raise ValueError(
            f"--out {out} lies in {images}, where its pictures would be labelled next"
            " time"
        )
    refuse_clash([out / name for name in label.FILES], [images], [out])
    names = renamed(images, item_id=id_column, image=photo)
    items, left_out = label.read(images, names)
    for fault in left_out.faults:
        typer.echo(f"left out: {in_words([fault])}")
    to = (settings, out / "replies", base_url)
    if batch_api:
        ask = batches.Batches(*to)
    else:
        ask = client.Endpoint(*to, concurrency, timeout)
    estimate = cost.estimate(
        items["image"].nunique(),
        batch_size,
        side,
        price_in or 0,
        price_out or 0,
        image_tokens=image_tokens,
    )
    prices = "" if None not in (price_in, price_out) else " (no prices given)"
    typer.echo(
        f"{len(items):,} photos by {model}: at most about {estimate}, retries not"
        f" counted{prices}. What {out} holds already is free."
    )
    if not yes:
        _confirm()
    labels = labelling.label(items, ask, batch_size, attempts)
    typer.echo(label.finish(out, items, labels, settings, (price_in, price_out), seed))
    return 0 if len(labels.records) or labels.empty else 1


def _temperature(text: str) -> float | None:
    try:
        temperature = None if text == "none" else float(text)
    except ValueError:
        temperature = -1.0
    if temperature is not None and not 0 <= temperature <= 100:
        raise ValueError(
            f"--temperature {text!r} is no number from 0 to 100; e.g. 0, or none"
        )
    return temperature


def _confirm() -> None:
    """Raise ValueError unless the user says yes."""
    if not sys.stdin.isatty():
        raise ValueError("nobody is there to confirm; --yes goes on without asking")
    if input("Go on? [y/N] ").strip().lower() not in ("y", "yes"):
        raise ValueError("not confirmed; nothing was asked")
