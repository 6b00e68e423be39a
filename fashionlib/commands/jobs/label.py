"""What `fashionlib label` reads, and what it leaves in its folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from fashionlib.data import images
from fashionlib.data.files import atomic, write_json
from fashionlib.data.readers import layouts
from fashionlib.data.readers.faults import Report, in_words
from fashionlib.data.readers.folders import pictures
from fashionlib.data.tables import read_table
from fashionlib.labelling import export, quality
from fashionlib.labelling.labeller import Labels
from fashionlib.labelling.reply_cache import Settings

FILES = ("labelled.parquet", "set_aside.jsonl", "report.json")
Prices = tuple[float | None, float | None]  # of a million tokens in and out


def read(
    place: Path, renamed: Mapping[str, str] | None = None
) -> tuple[pd.DataFrame, Report]:
    """Read items with a picture, and report what is left out.

    The table has the columns item_id, image and, where it is known, source. `place` is
    a table, a data folder in one of the layouts, or a folder of pictures, whose paths
    are the ids; `renamed` as in `read_table`. Left out are items without a picture,
    links that lead out of the folder, and files in a folder of pictures that are none.
    FileNotFoundError; ValueError where there is no picture.
    """
    report = Report(place)
    if place.is_file():
        table = read_table(place, renamed=renamed)
    elif not place.is_dir():
        raise FileNotFoundError(f"{place} is neither a folder nor a table")
    elif layouts.candidates(place):
        table = layouts.items(place)
    else:
        table = pictures(place, report)
    shown = table.dropna(subset=["image"])
    report.add("item without picture", table["item_id"][table["image"].isna()], "note")
    if len(shown):
        root = place if place.is_dir() else images.common_folder(shown["image"])
        out = shown["image"].map(lambda image: images.leads_out(image, root))
        report.add("link that leads out of the folder", shown["item_id"][out])
        shown = shown[~out]
    if shown.empty:
        found = f"; {in_words(report.faults)}" if report.faults else ""
        raise ValueError(f"no picture ({', '.join(images.SUFFIXES)}) in {place}{found}")
    columns = [name for name in ("item_id", "image", "source") if name in shown]
    return shown[columns].reset_index(drop=True), report


def finish(
    out: Path,
    items: pd.DataFrame,
    labels: Labels,
    settings: Settings,
    prices: Prices,
    seed: int,
) -> str:
    """Write the labels into `out`, and say in lines what they are and what failed.

    Files: labelled.parquet and labelled/ where there is a garment, set_aside.jsonl,
    report.json. `items` are those that were labelled; their column `source`, where
    there is one, goes along.
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
    made = [folder, table] if len(garments) else []
    lines = [
        f"{len(garments):,} garments on {garments['item_id'].nunique():,} of"
        f" {len(items):,} photos; {', '.join(covered)}",
        f"{', '.join(counts)}; cost: {cost}",
        *_reasons(labels.set_aside),
        ", ".join(map(str, [*made, aside, report_file])),
    ]
    return "\n".join(lines)


def _reasons(set_aside: pd.DataFrame) -> list[str]:
    """Say of each kind of fault how many photos it set aside, and the first's reason.

    The reasons are the endpoint's words: what no terminal prints is escaped.
    """
    lines = []
    for kind, group in set_aside.groupby("kind", sort=False):
        first = group.iloc[0]
        lines.append(
            f"set aside, {kind}: {group['item_id'].nunique():,} photos, first"
            f" {first['item_id']!r}: {first['reason'][:200]!r}"
        )
    return lines


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
