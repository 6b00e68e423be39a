"""`fashionlib label`: a vision LLM labels pictures by prompt."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

ENDINGS = (".jpg", ".jpeg", ".png", ".webp")


def add(command: Callable[..., Any]) -> None:
    """Add the command's parser; `command(name, run, help, *examples)` returns it."""
    sub = command(
        "label",
        _label,
        "Label pictures by prompt: garments and attributes by a vision LLM, as captions"
        " and an image folder. What is answered is kept: a run that was cut off goes on"
        " and pays nothing twice.",
        "photos --model gpt-4o-mini --out labels --price-in 1 --price-out 4",
        "photos --model my-model --base-url http://127.0.0.1:8000/v1 --out labels"
        " --yes",
    )
    sub.add_argument(
        "images",
        type=Path,
        metavar="IMAGES_OR_ITEMS",
        help=(
            "a folder of pictures, a data folder in one "
            "of the layouts, or a table (.csv, .parquet) with columns item_id and image"
        ),
    )
    sub.add_argument(
        "--model",
        required=True,
        metavar="NAME",
        help="as the endpoint calls it; it must read pictures",
    )
    sub.add_argument(
        "--base-url",
        metavar="URL",
        help=(
            "of an OpenAI-compatible endpoint (default: the SDK's own). The "
            "key is read from OPENAI_API_KEY"
        ),
    )
    sub.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help=(
            "replies, labelled.parquet, the image "
            "folder labelled, set_aside.jsonl, report.json"
        ),
    )
    sub.add_argument(
        "--batch-size",
        type=int,
        default=8,
        metavar="N",
        help="photos in a request (default 8)",
    )
    sub.add_argument(
        "--concurrency",
        type=int,
        default=8,
        metavar="N",
        help="requests at a time (default 8)",
    )
    sub.add_argument(
        "--attempts",
        type=int,
        default=3,
        metavar="N",
        help=(
            "at a reply that can be used, before a batch "
            "is halved, or a photo set aside (default 3)"
        ),
    )
    sub.add_argument(
        "--side",
        type=int,
        default=512,
        metavar="PIXELS",
        help=(
            "a larger picture is shrunk to fit such a "
            "square before it is sent (default 512)"
        ),
    )
    sub.add_argument(
        "--temperature",
        default="0",
        metavar="T",
        help=(
            "a number, or none where the model takes no other than its own (default 0)"
        ),
    )
    sub.add_argument(
        "--timeout",
        type=float,
        default=120,
        metavar="S",
        help="seconds for a request (default 120)",
    )
    sub.add_argument(
        "--price-in",
        type=float,
        metavar="X",
        help="of a million tokens in, for the estimate",
    )
    sub.add_argument(
        "--price-out",
        type=float,
        metavar="Y",
        help="of a million tokens out, for the estimate",
    )
    sub.add_argument(
        "--image-tokens",
        type=int,
        metavar="N",
        help=(
            "that the model counts for a picture (default: one for each 32 x 32 pixels)"
        ),
    )
    sub.add_argument(
        "--yes",
        action="store_true",
        help="go on without asking whether the estimate will do",
    )
    sub.add_argument(
        "--batch-api",
        action="store_true",
        help="order by the endpoint's Batch API, where it has one",
    )
    sub.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="S",
        help="of the captions' wording (default 0)",
    )


def _label(args: argparse.Namespace) -> None:
    from fashionlib import labelling
    from fashionlib.commands.jobs.label import finish
    from fashionlib.labelling import cost, reply_cache

    temperature = _temperature(args.temperature)
    settings = reply_cache.Settings(args.model, args.side, temperature)
    if args.out.resolve().is_relative_to(args.images.resolve()):
        raise ValueError(
            f"--out {args.out} lies in {args.images}, where its pictures would be"
            " labelled next time"
        )
    items = _items(args.images)
    ask = _asker(args, settings)
    guess = cost.estimate(
        items["image"].nunique(),
        args.batch_size,
        args.side,
        args.price_in or 0,
        args.price_out or 0,
        image_tokens=args.image_tokens,
    )
    priced = args.price_in is not None and args.price_out is not None
    sys.stdout.write(
        f"{len(items):,} photos by {args.model}: at most about {guess}, retries not"
        f" counted{'' if priced else ' (no prices given)'}. What {args.out} holds"
        " already is free.\n"
    )
    if not args.yes:
        _confirm()
    found = labelling.label(items, ask, args.batch_size, args.attempts)
    sys.stdout.write(
        finish(
            args.out, items, found, settings, (args.price_in, args.price_out), args.seed
        )
        + "\n"
    )


def _asker(args: argparse.Namespace, settings: Any) -> Callable[..., Any]:
    if args.batch_api:
        from fashionlib.labelling.batches import Batches

        return Batches(settings, args.out / "replies", args.base_url)
    from fashionlib.labelling.client import Endpoint

    return Endpoint(
        settings, args.out / "replies", args.base_url, args.concurrency, args.timeout
    )


def _temperature(text: str) -> float | None:
    try:
        return None if text == "none" else float(text)
    except ValueError as error:
        raise ValueError(
            f"--temperature {text!r} is no number; e.g. 0, or none"
        ) from error


def _confirm() -> None:
    """ValueError unless the user says yes."""
    if not sys.stdin.isatty():
        raise ValueError("nobody is there to confirm; --yes goes on without asking")
    if input("Go on? [y/N] ").strip().lower() not in ("y", "yes"):
        raise ValueError("not confirmed; nothing was asked")


def _items(place: Path) -> pd.DataFrame:
    """Columns item_id, image and, where the table has it, source; rows without a
    picture are told and left out.
    """
    import pandas as pd

    from fashionlib.data.readers import layouts

    if place.is_file():
        table = read_table(place)
    elif not place.is_dir():
        raise FileNotFoundError(f"{place} is neither a folder nor a table")
    elif any(layout.recognise(place) for layout in layouts.LAYOUTS.values()):
        table = layouts.items(place)
    else:
        found = sorted(
            path
            for path in place.rglob("*")
            if path.suffix.lower() in ENDINGS and path.is_file()
        )
        table = pd.DataFrame(
            {
                "item_id": [path.relative_to(place).as_posix() for path in found],
                "image": [str(path) for path in found],
            }
        )
    shown = table.dropna(subset=["image"])
    if len(shown) < len(table):
        sys.stdout.write(
            f"{len(table) - len(shown):,} of {len(table):,} items have no picture and"
            " are left out\n"
        )
    if shown.empty:
        raise ValueError(f"no picture ({', '.join(ENDINGS)}) in {place}")
    return shown[
        [column for column in ("item_id", "image", "source") if column in shown]
    ].reset_index(drop=True)


def read_table(path: Path) -> pd.DataFrame:
    import pandas as pd

    if path.suffix not in (".csv", ".parquet"):
        raise ValueError(
            f"{path}: give a .csv or .parquet with columns item_id and image, or a"
            " folder"
        )
    table = (
        pd.read_csv(path, dtype=str) if path.suffix == ".csv" else pd.read_parquet(path)
    )
    if missing := {"item_id", "image"} - set(table.columns):
        raise ValueError(f"{path} has no column {', '.join(sorted(missing))}")
    return table.astype({"item_id": str})
