"""The answers of part *Start, Ledger, and Teach and extend*."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from fashionlib.book import ledger

WORKS = {"A": "Paper A", "B": "Thesis B", "C": "This book"}  # by a row's id


def preflight(found: Mapping[str, Any]) -> str:
    """Answer what data a run has (chapter 00)."""
    counts = found["counts"]
    verdict = "faults" if found["broken"] else "no faults"
    return (
        f"The data folder holds {counts['articles']:,} articles, of which"
        f" {counts['captions']:,} have a caption and {counts['images']:,} a photo, and"
        f" {counts['purchases']:,} purchases. The check found {verdict}."
    )


def scoreboard(found: Mapping[str, Any]) -> str:
    """Answer how many claims hold (chapter 19); `found` has verdicts by row."""
    verdicts = Counter((row[0], word) for row, word in found["claims"].items())
    texts = []
    for letter, work in WORKS.items():
        counts = {word: verdicts[letter, word] for word in ledger.BY_INTERVAL}
        told = [f"{word} {count}" for word, count in counts.items() if count]
        texts += [f"{work}: {', '.join(told)}."] if told else []
    judged = sum(n for (_, word), n in verdicts.items() if word in ledger.BY_INTERVAL)
    return f"Intervals judge {judged} of {len(found['claims'])} rows. {' '.join(texts)}"


def wardrobe(found: Mapping[str, Any]) -> str:
    """Answer what the wardrobe holds (chapter 20)."""
    habits = found["habits"]
    bought, without = (
        habits[name]["bought before"] for name in ("defaults", "no repeats")
    )
    return (
        f"{found['kinds']} kinds of garment are drawn; of each picture"
        f" {found['attributes']} attributes with {found['values']} values, and"
        f" {found['details']} details, are known. The shoppers have {len(habits) - 1}"
        f" habits that can be turned off: {bought:.0%} of the test's pairs of customer"
        f" and article were bought before, without repeats {without:.0%}."
    )
