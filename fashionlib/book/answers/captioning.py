"""The answers of part *Captioning*."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fashionlib.book import paper
from fashionlib.stats import Estimate

CHOICES = {  # a table of chapter 07: its question in words
    "padding": "padding",
    "end": "the end of a caption",
    "targets": "where LoRA goes",
    "resolution": "the pictures' detail",
    "repeated": "repeated captions",
}


def out_of_the_box(found: Mapping[str, Any]) -> str:
    """Answer what a pretrained model says about clothes (chapter 05)."""
    main, named = found["main"], found["named"]
    own, dealt = named[main], named[f"{main}, dealt to others"]
    return (
        f"Before fine-tuning {main} writes {own['words']:.1f} words. They name the"
        f" article's category in {own['category']:.0%} of captions and its colour group"
        f" in {own['colour']:.0%}. Dealt to other articles, the same captions do so in"
        f" {dealt['category']:.0%} and {dealt['colour']:.0%}."
    )


def fine_tuning(found: Mapping[str, Any]) -> str:
    """Answer what fine-tuning changes, and what it costs (chapter 06)."""
    main, recipe = found["main"], found["recipe"]
    model = found[main]
    changed, learned = (
        1 - model["same_as_shuffled"],
        model["trained"] / model["weights"],
    )
    return (
        f"After fine-tuning {main} writes {model['words']:.1f} words, and another"
        f" article's picture changes {changed:.1%} of its captions. {learned:.0%} of"
        f" its weights learned, in {recipe['steps']:,} steps of {recipe['batch_size']}"
        f" captions and {model['cost']['seconds']:,.0f} seconds."
    )


def one_change(found: Mapping[str, Any]) -> str:
    """Answer which choices of the recipe matter (chapter 07)."""
    cider = {
        question: {name: 100 * row["CIDEr"] for name, row in found[question].items()}
        for question in ("noise", *CHOICES)
    }
    # The other rows of this table start from random weights.
    cider["end"] = {row: cider["end"][row] for row in ("with an end", "without")}
    apart = {
        name: max(rows.values()) - min(rows.values()) for name, rows in cider.items()
    }
    beyond, within = [], []
    for question, words in CHOICES.items():
        (beyond if apart[question] > apart["noise"] else within).append(words)
    return (
        f"A mini fine-tuned without the captions' ends scores CIDEr"
        f" {cider['end']['without']:.1f}, with them {cider['end']['with an end']:.1f}."
        f" Three seeds of one recipe are {apart['noise']:.1f} points apart. These"
        f" choices change more: {', '.join(beyond) or 'none'}. These don't:"
        f" {', '.join(within) or 'none'}."
    )


def caption_scores(found: Mapping[str, Any]) -> str:
    """Answer how good the captions are, beside copies and Paper A's (chapter 08)."""
    main = found["models"][0]
    bleu = {
        row["system"]: 100 * Estimate.of(row)
        for row in found["table"]
        if row["metric"] == "BLEU-4"
    }
    printed = 100 * paper.printed("paper_a/table3", "BLIP-2-2.7B", "FT")["BLEU-4"]
    copied, tuned = bleu["nearest photo's caption"], bleu[f"{main}, fine-tuned"]
    return (
        f"Copying the nearest training photo's caption scores BLEU-4 {copied:.1f}, the"
        f" fine-tuned {main} {tuned:.1f}. Paper A prints {printed:.1f} for its"
        " fine-tuned BLIP-2-2.7B, on other test articles. Here"
        f" {found['seen']:.0%} of test captions are training captions too, so the"
        " score rewards recall."
    )
