"""What `fashionlib label` leaves in its folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from fashionlib.data.files import atomic, write_json
from fashionlib.labelling import export, quality
from fashionlib.labelling.labeller import Labels
from fashionlib.labelling.reply_cache import Settings


def finish(
    out: Path,
    items: pd.DataFrame,
    found: Labels,
    settings: Settings,
    prices: tuple[float | None, float | None] = (None, None),
    seed: int = 0,
) -> str:
    """Write labelled.parquet, labelled/, set_aside.jsonl and report.json into `out`;
    what they say, in lines.

    `items` are those that were labelled; their column `source`, where there is one,
    goes along. `prices`: of a million tokens in and out.
    """
    named = export.captioned(found.records, seed)
    if "source" in items:
        named.insert(
            3,
            "source",
            named["item_id"].map(
                items.astype({"item_id": str}).set_index("item_id")["source"]
            ),
        )
    if len(named):
        export.write(out / "labelled", named.where(named.notna(), None))
        with atomic(out / "labelled.parquet") as part:
            named.to_parquet(part, index=False)
    with atomic(out / "set_aside.jsonl") as part:
        rows = found.set_aside.to_dict("records")
        part.write_text(
            "".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8"
        )
    report = _report(items, found, named, settings, prices)
    write_json(out / "report.json", report)
    shares = {name: share for name, share in report["coverage"].items() if share}
    lines = [
        f"{len(named):,} garments on {named['item_id'].nunique():,} of {len(items):,}"
        " photos; " + ", ".join(f"{name} {share:.1%}" for name, share in shares.items())
    ]
    lines += [
        (
            f"{', '.join(f'{count:,} {name}' for name, count in found.counts.items() if count)};"
            " cost:"
            f" {'unknown' if report['cost'] is None else format(report['cost'], '.2f')}"
        ),
        (
            f"{out / 'labelled'}, {out / 'labelled.parquet'},"
            f" {out / 'set_aside.jsonl'}, {out / 'report.json'}"
        ),
    ]
    return "\n".join(lines)


def _report(
    items: pd.DataFrame,
    found: Labels,
    named: pd.DataFrame,
    settings: Settings,
    prices: tuple[float | None, float | None],
) -> dict[str, Any]:
    tokens = found.counts.get("tokens_in", 0), found.counts.get("tokens_out", 0)
    cost = (
        None
        if None in prices
        else sum(n * float(p or 0) for n, p in zip(tokens, prices, strict=True)) / 1e6
    )
    words = named["caption"].str.split().str.len().mean() if len(named) else None
    return {
        "settings": vars(settings),
        "photos": len(items),
        "garments": len(named),
        "counts": found.counts,
        "cost": cost,
        "coverage": quality.coverage(found, len(items)),
        "caption_words": words,
    }
