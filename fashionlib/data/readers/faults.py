"""Gather what is wrong with a data folder, with counts and examples, before raising."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pandas as pd

Severity = Literal["fault", "note"]

EXAMPLES = 3
MOST = 100_000  # places of a kind that are remembered; all are counted
MISSING = "file missing"


@dataclass
class Fault:
    """One kind of finding: a "fault" breaks results, a "note" is normal."""

    kind: str
    severity: Severity
    count: int = 0
    places: list[str] = field(default_factory=list)

    @property
    def examples(self) -> tuple[str, ...]:
        """The first places."""
        return tuple(self.places[:EXAMPLES])

    def __str__(self) -> str:
        # repr: names come from strangers' files
        shown = ", ".join(repr(example[:80]) for example in self.examples)
        line = f"{self.severity:5}  {self.count:>9,}  {self.kind}"
        return f"{line}: {shown}" if shown else line


@dataclass
class Report:
    """Counts of what lies in a folder, and its faults in the order of their finding."""

    root: Path
    counts: dict[str, int | str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    @property
    def broken(self) -> bool:
        """Whether there is more than notes."""
        return any(fault.severity == "fault" for fault in self.faults)

    def counted(self) -> pd.Series:
        """Return the counts as text, thousands apart, for a table."""
        shown = {
            name: f"{value:,}" if isinstance(value, int) else value
            for name, value in self.counts.items()
        }
        return pd.Series(shown, name="found", dtype="str")

    def add(
        self, kind: str, places: Iterable[str], severity: Severity = "fault"
    ) -> None:
        """Count the places of one kind of fault, on top of earlier ones, if any."""
        places = list(places)
        if not places:
            return
        for fault in self.faults:
            if (fault.kind, fault.severity) == (kind, severity):
                break
        else:
            fault = Fault(kind, severity)
            self.faults.append(fault)
        fault.count += len(places)
        fault.places += map(str, places[: MOST - len(fault.places)])

    def refuse(self) -> None:
        """Raise for the faults, naming them all; do nothing for notes.

        FileNotFoundError where a file is missing, else ValueError.
        """
        faults = [fault for fault in self.faults if fault.severity == "fault"]
        if not faults:
            return
        absent = any(fault.kind == MISSING for fault in faults)
        raise (FileNotFoundError if absent else ValueError)(
            f"{self.root}: {in_words(faults)}. Mend this first; `fashionlib check"
            f" {self.root} --all` lists every fault."
        )

    def __str__(self) -> str:
        return self._lines([str(fault) for fault in self.faults])

    def in_full(self) -> str:
        """As `str`, with every place that is remembered on a line of its own."""
        lines = []
        for fault in self.faults:
            places = (f"{'':18}{place!r}" for place in fault.places)
            lines += [f"{fault.severity:5}  {fault.count:>9,}  {fault.kind}", *places]
        return self._lines(lines)

    def _lines(self, faults: list[str]) -> str:
        counted = self.counted().items()
        lines = [str(self.root), *(f"{count:>16}  {name}" for name, count in counted)]
        return "\n".join([*lines, *(faults or ["nothing wrong"])])


def in_words(faults: Iterable[Fault]) -> str:
    """Say of each kind how many there are and the first: "2 x cut short: 'a', 'b'"."""
    return "; ".join(
        f"{fault.count:,} x {fault.kind}: {', '.join(map(repr, fault.examples))}"
        for fault in faults
    )
