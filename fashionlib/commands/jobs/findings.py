"""What `fashionlib audit` finds: a sentence, its mark, and the chapter that shows why.

The marks follow from numbers alone, by the rules that each finding's function states.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from fashionlib.stats import ENDS, Estimate

FINE, LOOK, UNKNOWN = MARKS = ("fine", "look at this", "can't be told")
LEAKS, CHOICES, SCORES = "03_who_leaks", "07_one_change_at_a_time", "08_caption_scores"
METRICS, EYES = "09_do_the_metrics_measure", "11_looking_at_captions"
TABLES, LISTS = "14_recommenders", "15_why_item_knn_wins"
MUCH = 0.01  # a share up to which chance or a slip of the pen may be why


class Finding(NamedTuple):
    """One thing that was looked for.

    `fine` is None where the files can't tell, and `said` says why. `numbers` are for
    machines.
    """

    what: str
    fine: bool | None
    said: str
    chapter: str  # a notebook's stem
    numbers: Mapping[str, Any] = {}

    @property
    def mark(self) -> str:
        """Return the mark in words."""
        return UNKNOWN if self.fine is None else FINE if self.fine else LOOK

    def row(self) -> dict[str, Any]:
        """Return the finding JSON-ready."""
        row = {"mark": self.mark} | self._asdict()
        del row["fine"]  # which the mark says
        return row


def percent(share: Estimate) -> str:
    """Write a share as "64.0 % [61.2, 66.7]"."""
    value, rest = f"{100 * share:.1f}".split(" ", 1)
    return f"{value} % {rest}"


def of_share(
    what: str, fine: bool, said: str, share: Estimate, chapter: str = LEAKS
) -> Finding:
    """Return a finding whose numbers are a share's value, low and high."""
    numbers = dict(zip(ENDS, share.ends, strict=True))
    return Finding(what, bool(fine), said, chapter, numbers)
