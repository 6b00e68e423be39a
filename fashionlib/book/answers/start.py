"""The answers of part *Start, Ledger, and Teach and extend*."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def preflight(found: Mapping[str, Any]) -> str:
    """Answer what data a run has (chapter 00)."""
    counts = found["counts"]
    verdict = "faults" if found["broken"] else "no faults"
    return (
        f"The data folder holds {counts['articles']:,} articles, of which"
        f" {counts['captions']:,} have a caption and {counts['images']:,} a photo, and"
        f" {counts['purchases']:,} purchases. The check found {verdict}."
    )
