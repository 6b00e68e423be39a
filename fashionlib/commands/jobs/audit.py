"""What `fashionlib audit` does: findings on the files of a study."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fashionlib.commands.jobs import audit_captions, audit_lists
from fashionlib.commands.jobs.findings import MARKS
from fashionlib.data.files import nulls


def audit_files(
    sides: Sequence[Path | None],
    captions: Mapping[str, str],
    interactions: Sequence[Path],
    lists: Mapping[str, str],
    cutoffs: Sequence[int] = (5, 12),
    renamed: Mapping[str, str] | None = None,
    pictures: bool = False,
    seed: int = 42,
    resamples: int = 1000,
) -> dict[str, Any]:
    """Audit captions, purchases or both, JSON-ready.

    `sides` are the files of training and test captions, `interactions` those of
    purchases; `captions` and `lists` map a system's name to its file, `renamed` our
    columns to those of the sides' tables. Keys: "findings" (see `Finding`), "scores"
    (rows system, metric, value, low, high), and "seed". ValueError where a side is
    missing or there is nothing to audit, and as the readers raise.
    """
    given = [side for side in sides if side]
    if len(given) == 1 or (captions and not given):
        raise ValueError("captions need both --train FILE and --test FILE")
    if len(interactions) not in (0, 2) or (lists and not interactions):
        raise ValueError(
            f"{len(interactions)} --interactions: give two, train and then test"
        )
    if not given and not interactions:
        raise ValueError(
            "nothing to audit: give --train and --test of captions, or two"
            " --interactions"
        )
    findings, scores = [], []
    if given:
        train, test = (
            audit_captions.read_side(path, name, renamed)
            for path, name in zip(given, ("train", "test"), strict=True)
        )
        found, rows = audit_captions.audit(
            train, test, captions, pictures, seed, resamples
        )
        findings, scores = findings + found, scores + rows
    if interactions:
        found, rows = audit_lists.audit(interactions, lists, cutoffs, seed, resamples)
        findings, scores = findings + found, scores + rows
    rows = [finding.row() for finding in findings]
    return nulls({"findings": rows, "scores": scores, "seed": seed})


def report(result: Mapping[str, Any]) -> str:
    """Write the findings, each under its mark, and how many have which."""
    lines = []
    for row in result["findings"]:
        lines.append(f"{row['mark'].upper()}: {row['what']}")
        said = f"{row['said']} (notebooks/{row['chapter']})"
        lines += textwrap.wrap(said, 84, initial_indent="  ", subsequent_indent="  ")
    marks = Counter(row["mark"] for row in result["findings"])
    lines.append(", ".join(f"{marks[mark]} {mark}" for mark in MARKS))
    return "\n".join(lines)
