"""The answers of part *Captioning*."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from fashionlib.book import paper, runs
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
    changed = 1 - model["same_as_shuffled"]
    learned = model["trained"] / model["weights"]
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


def metric_check(found: Mapping[str, Any]) -> str:
    """Answer whether a true caption scores above a lie (chapter 09)."""
    pooled = found["pooled"]
    own, copied, fair = (
        format(100 * Estimate.of(pooled[told]["CIDEr"]), ".0f")
        for told in (
            "other words",
            "the reference's words",
            "the reference's words, same facts",
        )
    )
    return (
        f"CIDEr puts a true caption above a lie in {own} of 100 pairs where neither"
        f" has the reference's words, and in {copied} where the lie has them. Where the"
        " truth also has the reference's facts that no photo shows, it is"
        f" {fair}. A coin has 50."
    )


def copy_or_write(found: Mapping[str, Any]) -> str:
    """Answer whether a captioner beats the copy (chapter 10)."""
    cider = {name: 100 * scores["CIDEr"] for name, scores in found["mean"].items()}
    both, plain = "copy or write", "consensus of five copies, pooled"
    copies = {name: n for name, n in found["validation"].items() if "cop" in name}
    best = max(copies, key=copies.__getitem__)
    leads = {
        copy: [
            100 * Estimate.of(row)
            for row in found["differences"]
            if (row["pair"], row["metric"]) == (f"{both} − {copy}", "CIDEr")
        ]
        for copy in (best, plain)
    }
    above = {copy: sum(lead.low > 0 for lead in each) for copy, each in leads.items()}
    return (
        "Copy or write chooses between copied captions and the mini's: CIDEr"
        f" {cider[both]:.1f}. Its lead over the best copying ({cider[best]:.1f};"
        f" {leads[best][0]:+.1f} on the first split) is above zero (95 % interval) on"
        f" {above[best]} of {len(leads[best])} product splits, over five plain copies"
        f" ({cider[plain]:.1f}) on {above[plain]}. The mini alone has"
        f" {cider[found['alone']]:.1f}."
        f" {found['novel'][both]['is a training caption']:.0%} of the chosen captions"
        " stand in training."
    )


def gallery(found: Mapping[str, Any]) -> str:
    """Answer which visible attributes are missed, and what is copied (chapter 11)."""
    hidden = pd.read_csv(runs.repository() / "data/tagging/unseen.csv").lemma
    missed = {name: n for name, n in found["missed"].items() if name not in set(hidden)}
    listed = ", ".join(f"“{name}” ({n:,})" for name, n in list(missed.items())[:3])
    tuned = [name for name in found.get("said", {}) if name.endswith(", fine-tuned")]
    model = tuned[0].removesuffix(", fine-tuned") if tuned else "the main captioner"
    return (
        f"The fine-tuned captions of {model} most often miss {listed or 'none'}, each"
        " with its number of test captions; attributes that no photo shows are left"
        f" out. {found['copies']:.0%} of these captions stand word for word in the"
        " training set."
    )
