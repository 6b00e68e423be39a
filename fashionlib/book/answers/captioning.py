"""The answers of part *Captioning*."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from fashionlib.book import runs
from fashionlib.stats import Estimate


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
