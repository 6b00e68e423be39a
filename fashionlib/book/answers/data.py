"""The answers of part *Data*."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fashionlib.stats import Estimate


def catalogue(found: Mapping[str, Any]) -> str:
    """Answer what the catalogues are made of (chapter 01)."""
    shop, facad = found["table2"], found["others"].get("FACAD")
    other = "FACAD's files were not at hand."
    if facad:
        other = (
            f"In FACAD's layout it has {facad['caption length']:.1f} words, and"
            f" {facad['images per caption']:.1f} photos share it."
        )
    return (
        f"{shop['images']:,.0f} of {found['steps'][0]['rows']:,} articles can be used:"
        " they have a caption, a photo and a common fashion type. A caption has"
        f" {shop['caption length']:.1f} words on average, and"
        f" {shop['images per caption']:.1f} photos share it. {other}"
    )


def attributes(found: Mapping[str, Any]) -> str:
    """Answer which words count, and which of them can be seen (chapter 02)."""
    unseen = found["unseen"]
    share, kinds = unseen["any"], [kind for kind in unseen if kind != "any"][:3]
    # The wardrobe's are of one kind, "planted".
    commonest = f" The commonest kinds are {', '.join(kinds)}." if kinds[1:] else ""
    return (
        "Of all mentions of attributes in captions,"
        f" {share['% of mentions']:.1%} are of what no product photo can show;"
        f" {share['% of captions']:.0%} of the captions have such a one.{commonest}"
        f" The pool has {found['pool']:,} attributes; the average caption mentions"
        f" {found['per_caption']:.1f} of them."
    )


def leakage(found: Mapping[str, Any]) -> str:
    """Answer how far copying gets you (chapter 03)."""
    scores = {
        row["system"]: 100 * Estimate.of(row)
        for row in found["table"]
        if row["metric"] == "BLEU-4"
    }
    splits = ("article split", "product split")
    article, product = (scores[f"nearest photo's caption, {by}"] for by in splits)
    leaked, whole = (
        found["shared"][f"with photo, {by}"]["caption stands in train"] for by in splits
    )
    return (
        "Copying the caption of the most similar training photo (EfficientNet-lite0)"
        f" scores BLEU-4 {article:.1f} on the published split by article, where"
        f" {leaked:.0%} of test captions are also training captions, and"
        f" {product:.1f} when no product is on both sides ({whole:.0%})."
    )


def labels(found: Mapping[str, Any]) -> str:
    """Answer what wrong labels cost (chapter 04)."""
    probe, copier = (
        found["noise"][f"{name}, any"] for name in ("probe", "nearest photo")
    )
    return (
        "On drawn photos whose labels a simulator made, a linear probe"
        f" (EfficientNet-lite0) is right on {probe['0.3']:.0%} of new photos when 30%"
        f" of its training labels are wrong, and on {probe['0.0']:.0%} when none are."
        f" Copying the nearest photo's label gives {copier['0.3']:.0%} and"
        f" {copier['0.0']:.0%}. No LLM was asked."
    )
