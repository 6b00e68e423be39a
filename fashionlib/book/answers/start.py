"""The answers of part *Start, Ledger, and Teach and extend*."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


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
