"""What `fashionlib label` reads, and what it leaves in its folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from fashionlib.data import images
from fashionlib.data.files import atomic, write_json
from fashionlib.data.items import read_table
from fashionlib.data.readers import layouts
from fashionlib.labelling import export, quality
from fashionlib.labelling.labeller import Labels
from fashionlib.labelling.reply_cache import Settings

FILES = ("labelled.parquet", "set_aside.jsonl", "report.json")
Prices = tuple[float | None, float | None]  # of a million tokens in and out


def read(place: Path) -> tuple[pd.DataFrame, int]:
    """Read items with a picture, and count those without.

    The table has the columns item_id, image and, where it is known, source. `place` is
    a table, a data folder in one of the layouts, or a folder of pictures, whose paths
    are the ids. FileNotFoundError; ValueError where there is no picture.
    """
    if place.is_file():
        table = read_table(place)
    elif not place.is_dir():
        raise FileNotFoundError(f"{place} is neither a folder nor a table")
    elif layouts.candidates(place):
        table = layouts.items(place)
    else:
        table = _pictures(place)
    shown = table.dropna(subset=["image"])
    if shown.empty:
        raise ValueError(f"no picture ({', '.join(images.SUFFIXES)}) in {place}")
    columns = [name for name in ("item_id", "image", "source") if name in shown]
    return shown[columns].reset_index(drop=True), len(table) - len(shown)


def _pictures(folder: Path) -> pd.DataFrame:
    files = (path for path in folder.rglob("*") if path.is_file())
    pictures = sorted(path for path in files if path.suffix.lower() in images.SUFFIXES)
    ids = [path.relative_to(folder).as_posix() for path in pictures]
    return pd.DataFrame({"item_id": ids, "image": pictures}).astype(str)


def finish(
    out: Path,
    items: pd.DataFrame,
    labels: Labels,
    settings: Settings,
    prices: Prices,
    seed: int,
) -> str:
    """Write the labels into `out`, and say in three lines what they are.

    Files: labelled.parquet, labelled/, set_aside.jsonl, report.json. `items` are those
    that were labelled; their column `source`, where there is one, goes along.
    """
    garments = export.captioned(labels.records, seed)
    if "source" in items:
        sources = items.astype({"item_id": str}).set_index("item_id")["source"]
        garments.insert(3, "source", garments["item_id"].map(sources))
    folder = out / "labelled"
    table, aside, report_file = (out / name for name in FILES)
    if len(garments):
        export.write(folder, garments.where(garments.notna(), None))
        with atomic(table) as part:
            garments.to_parquet(part, index=False)
    with atomic(aside) as part:
        lines = map(json.dumps, labels.set_aside.to_dict("records"))
        part.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    report = _report(items, labels, garments, settings, prices)
    write_json(report_file, report)
    covered = (f"{name} {x:.1%}" for name, x in report["coverage"].items() if x)
    counts = (f"{count:,} {name}" for name, count in labels.counts.items() if count)
    cost = "unknown" if report["cost"] is None else f"{report['cost']:.2f}"
    return (
        f"{len(garments):,} garments on {garments['item_id'].nunique():,} of"
        f" {len(items):,} photos; {', '.join(covered)}\n"
        f"{', '.join(counts)}; cost: {cost}\n"
        f"{folder}, {table}, {aside}, {report_file}"
    )


def _report(
    items: pd.DataFrame,
    labels: Labels,
    garments: pd.DataFrame,
    settings: Settings,
    prices: Prices,
) -> dict[str, Any]:
    tokens = [labels.counts.get(name, 0) for name in ("tokens_in", "tokens_out")]
    cost = None
    if None not in prices:
        cost = sum(n * price for n, price in zip(tokens, prices, strict=True)) / 1e6
    lengths = garments["caption"].str.split().str.len()
    return {
        "settings": vars(settings),
        "photos": len(items),
        "garments": len(garments),
        "counts": labels.counts,
        "cost": cost,
        "coverage": quality.coverage(labels, len(items)),
        "caption_words": lengths.mean() if len(garments) else None,
    }
