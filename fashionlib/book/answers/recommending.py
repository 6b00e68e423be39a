"""The answers of part *Recommending*."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fashionlib.book import ledger
from fashionlib.stats import Estimate


def feature_spaces(found: Mapping[str, Any]) -> str:
    """Answer what is near what (chapter 12)."""
    made = found["encoders"]
    looks = next(iter(made))  # the picture's space is the first
    times = {}
    for space in ("text", looks):
        for attribute in ("category", "colour"):
            share = found["agreement"][space][attribute]
            ends = found["intervals"][space][attribute]
            times[space, attribute] = f"{100 * Estimate(share, *ends):.1f}"
    return (
        f"By caption ({made['text']}) the nearest garment of another product has the"
        f" same category {times['text', 'category']} times in 100, by picture"
        f" ({made[looks]}) {times[looks, 'category']}. The same colour:"
        f" {times['text', 'colour']} and {times[looks, 'colour']}. Of ten neighbours,"
        f" captions and pictures have {10 * found['alike']['text'][looks]:.1f} in"
        " common."
    )


def missing_captions(found: Mapping[str, Any]) -> str:
    """Answer whether imputing captions helps (chapter 13)."""
    ways, bound = ("zeros", "picture instead"), found["bound"]
    gains = [Estimate.of(found["against"][f"written minus {way}"]) for way in ways]
    zeros, picture = (format(100 * gain, "+.1f") for gain in gains)
    short = {"written", *ways}.intersection(found["rising"])
    caution = f" No rank: {len(short)} of these 3 were still rising." if short else ""
    return (
        "With a written caption, VBPR puts a new article that was bought above"
        f" {found['fresh']['written']['value']:.1%} of the others: {zeros} points more"
        f" than with zeros, {picture} more than with its picture.{caution} Test"
        " purchases of articles without a caption, in the second set-up:"
        f" {bound['of filled articles']:,} of {bound['test purchases']:,}."
    )


def recommenders(found: Mapping[str, Any]) -> str:
    """Answer which representation recommends best (chapter 14)."""
    near = found.get("near", {})  # neighbourhoods with a chosen number
    ranked = ledger.ranking({"table": found["table"] | near})
    ndcg = {name: row["NDCG@5"] for name, row in ranked.items()}
    rising = ledger.still_rising(found)
    readers = {
        ", on picture and caption": ["BM3", "FREEDOM"],
        " (the highest VBPR)": [name for name in ndcg if name.startswith("VBPR, ")],
        ", which reads no features": [
            *near,
            *ndcg.keys() & {"BPR, no features", "ItemKNN"},
        ],
        ", with the paper's 20 neighbours": ["ItemKNN"],
    }
    lines = {}
    for what, names in readers.items():
        name = max(names, key=lambda name: ndcg[name].value)
        mark = " (still rising)" if name in rising else ""
        lines[ndcg[name].value] = f"{name}{what}, {ndcg[name]:.4f}{mark}"
    text = (
        f"NDCG@5: {'; '.join(lines[value] for value in sorted(lines, reverse=True))}."
    )
    if "still rising" in text:
        text += " What was still rising has no rank: longer training may lift it."
    return text


def why_item_knn(found: Mapping[str, Any]) -> str:
    """Answer why plain ItemKNN wins (chapter 15)."""
    leads = {
        row["data"]: Estimate.of(row)
        for row in found["leads"]
        if row["split"] == "published, all its customers"
    }
    lines = []
    for head in found["heads"]:
        kinds = [
            head[f"hits, {kind}"] or 0 for kind in ("other colour", "day in train")
        ]
        lines.append(
            f"{head['data']}: {sum(kinds):.0%} of {head['hits']:,} hits,"
            f" {leads[head['data']]:+.4f}."
        )
    return (
        "Where bought articles are masked, as by default, repeats can't be hits."
        " ItemKNN finds other colours of products bought before, and articles of a day"
        " that the split cuts in two. Their share of its hits, and its NDCG@12 minus"
        " MostPop's:"
        f" {' '.join(lines)}"
    )
