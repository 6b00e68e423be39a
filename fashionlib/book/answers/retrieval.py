"""The answers of part *Retrieval*."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fashionlib.stats import Estimate, agreed

RAW = "EfficientNet"  # the frozen encoder that every model reads
STREET = "DeepFashion2, full"
RANK_8 = "rank 8, "  # the conditions of chapter 16's long run with it
ASKED = {
    STREET: ("drawn whole street photos", "the garment"),
    "other colour": ("photos", "another colour of the product"),
}


def one_model(found: Mapping[str, Any]) -> str:
    """Answer whether one model captions and retrieves (chapter 16)."""
    joint = next(name for name in found["runs"] if name.endswith("labelled, joint"))
    ranked = found["retrieval"]
    task = STREET if STREET in ranked[RAW] else "other colour"
    asking, wanted = ASKED[task]
    ours, raw = (
        100 * Estimate.of(ranked[name][task]["top-1"]) for name in (joint, RAW)
    )
    cider, control = found["runs"][joint]["CIDEr"], found["control"][joint]
    return (
        f"For {ours:.1f} % of {asking} the joint mini ({joint}) ranks {wanted} first;"
        f" the frozen encoder that it reads ({RAW}), which can't write, for {raw:.1f}"
        f" %. The joint mini's captions have CIDEr {100 * cider:.1f}, another photo's"
        f" {100 * control:.1f}."
    )


def trade(found: Mapping[str, Any]) -> str:
    """Answer what labelled captions trade, from chapter 16's kept long run."""
    gain, bleu = (
        100 * Estimate.of(found["effects"]["public + labelled, less public"][name])
        for name in (STREET, "BLEU-4")
    )
    first = {
        name: f"{100 * row[STREET]['value']:.1f}" for name, row in found["rows"].items()
    }
    thesis = found["effects"][f"{RANK_8}public + labelled, less {RANK_8}public"][STREET]
    return (
        f"With labelled captions the joint mini ({found['base']}, {found['steps']}"
        f" steps) ranks a whole street photo's garment first in"
        f" {first['public + labelled']} %, without in {first['public']} % ({gain:+.1f}"
        f" points); BLEU-4 changes by {bleu:+.1f}. With the thesis's LoRA (rank 8):"
        f" {first[RANK_8 + 'public + labelled']} %, without"
        f" {first[RANK_8 + 'public']} % ({agreed(thesis)}). The frozen encoder reaches"
        f" {first[RAW]} %, the mini before fine-tuning {first['before fine-tuning']} %."
    )


def street_to_shop(found: Mapping[str, Any]) -> str:
    """Answer which photo finds its garment (chapter 17)."""
    raw, ours = (
        100 * found["variants"][name]["top-1"]["accuracy"] for name in (RAW, "joint")
    )
    gap = found["differences, colour"]["variants: joint minus EfficientNet"]["top-1"]
    street = found["street"]["DeepFashion2, crop"]["joint"]["top-10"]
    photos = "drawn street photos, no shop's" if found["drawn"] else "street photos"
    return (
        f"For {raw:.1f} % of shop photos the frozen encoder ({RAW}) ranks another"
        f" colour of the product first, the joint mini for {ours:.1f} %"
        f" ({100 * Estimate.of(gap):+.1f} points). Of another"
        f" set, cropped {photos}: the joint mini has the garment among ten for"
        f" {100 * street['accuracy']:.1f} %; taking each side's mean away adds"
        f" {found['centred']['joint']['top-10, gain']} points."
    )


def search(found: Mapping[str, Any]) -> str:
    """Answer whether a photo and words find what both ask for (chapter 18)."""
    both = {name: 100 * shares["both"] for name, shares in found["ways"].items()}
    gain = next(
        100 * Estimate.of(row, "points")
        for name, row in found["paired"].items()
        if name.endswith("minus the picture alone")
    )
    return (
        "Asked with a photo and the word of another colour (weight"
        f" {found['weights']['colour']:.2f}), the search model (chapter 16's joint"
        " mini, trained on) finds ten articles of which"
        f" {both['picture and colour']:.1f} % have the photo's category and that"
        f" colour; with the photo alone {both['picture']:.1f} % ({gain:+.1f} points)."
        " The photo with the shop's colour filter gets"
        f" {both['picture, filter by colour']:.1f} %."
    )
