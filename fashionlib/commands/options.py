"""The words of a command line: arguments, options, and paths that may have a name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

MOST = 2**32 - 1  # numpy's and scikit-learn's largest seed; no count is larger


def argument(metavar: str, text: str) -> Any:
    """Describe an argument: what stands for it in the help, and its help."""
    return typer.Argument(metavar=metavar, help=text)


def option(
    metavar: str | None,
    text: str,
    *names: str,
    least: float | None = None,
    most: float | None = None,
) -> Any:
    """Describe an option: what stands for its value, its help, and names.

    Without a metavar the help shows the type; without names it is called as the
    parameter. A number from `least` to `most` (else `MOST`) is taken.
    """
    if least is not None and most is None:
        most = MOST
    return typer.Option(*names, metavar=metavar, help=text, min=least, max=most)


def column(name: str, option_name: str) -> Any:
    """Describe an option that names the column which holds our column `name`."""
    text = f"of the items' table that holds {name} (default: {name})"
    return option("COLUMN", text, option_name)


ID, PHOTO, CAPTION, CATEGORY, COLOUR, PRODUCT = map(
    column,
    ("item_id", "image", "caption", "category", "colour", "product_id"),
    ("--id", "--photo", "--caption", "--category", "--colour", "--product"),
)


def renamed(table: Path | None, **columns: str | None) -> dict[str, str]:
    """Return {our column: the table's} of the columns that were named, and say it.

    ValueError where there is no table whose columns they could be.
    """
    named = {ours: theirs for ours, theirs in columns.items() if theirs}
    if named and (table is None or table.is_dir()):
        raise ValueError(
            f"{table or 'no table'} has no columns to name; --id, --photo and the like"
            " are of a table (.csv, .tsv, .parquet)"
        )
    if named:
        said = ", ".join(f"{ours} is {theirs!r}" for ours, theirs in named.items())
        typer.echo(f"{table}: {said}")
    return named


def named_paths(
    option: str, texts: Sequence[str], name: str, example: str, suffix: bool = True
) -> dict[str, str]:
    """Read PATH or NAME=PATH of each text as {name: path}.

    A path without a name is called by its last part, or without that part's suffix.
    `name` is the pattern of a name. ValueError for a name given twice.
    """
    paths = {}
    for text in texts:
        parts = re.fullmatch(f"({name})=(.+)", text)
        last = Path(text).name if suffix else Path(text).stem
        key, path = (parts[1], parts[2]) if parts else (last, text)
        if key in paths:
            raise ValueError(f"{option} {text}: {key!r} is named twice; e.g. {example}")
        paths[key] = path
    return paths


def lengths(option: str, text: str, example: str) -> list[int]:
    """Read "N,N" as whole numbers from 1 to 999,999,999, ascending, each once."""
    if not re.fullmatch("[1-9][0-9]{0,8}(,[1-9][0-9]{0,8})*", text):
        raise ValueError(
            f"{option} {text!r} are no whole numbers from 1; e.g. {example}"
        )
    return sorted({int(number) for number in text.split(",")})


def refuse_absent(option: str, model: str) -> None:
    """Raise FileNotFoundError unless a model is in this folder, or at this hub id."""
    folder, files = Path(model), ("config.json", "adapter_config.json")
    if folder.is_dir():
        if not any((folder / name).is_file() for name in files):
            raise FileNotFoundError(
                f"{option} {model}: the folder holds no {' or '.join(files)}, so no"
                " model"
            )
        return
    from huggingface_hub import hf_hub_download

    for name in files:
        try:
            hf_hub_download(model, name)
        except (OSError, ValueError) as error:
            reason = str(error).strip().partition("\n")[0]
        else:
            return
    raise FileNotFoundError(
        f"{option} {model}: no such folder, and no such model on the hub can be read"
        f" ({reason}); make or name it first"
    )
