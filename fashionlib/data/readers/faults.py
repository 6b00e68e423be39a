"""What is wrong with a data folder: faults with counts and examples, gathered rather
than raised.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

EXAMPLES = 3
MISSING = "file missing"


@dataclass(frozen=True)
class Fault:
    """One kind of finding: a "fault" breaks results, a "note" is normal in data of this
    sort.
    """

    kind: str
    count: int
    examples: tuple[str, ...]
    severity: Literal["fault", "note"]

    def __str__(self) -> str:
        shown = ", ".join(
            repr(e[:80]) for e in self.examples
        )  # repr: names come from strangers' files
        return f"{self.severity:5}  {self.count:>9,}  {self.kind}" + (
            f": {shown}" if shown else ""
        )


@dataclass
class Report:
    """Counts of what lies there, and the faults in the order of their finding."""

    root: Path
    counts: dict[str, int | str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    @property
    def broken(self) -> bool:
        """Whether there is more than notes."""
        return any(f.severity == "fault" for f in self.faults)

    def add(
        self, kind: str, found: list[str], severity: Literal["fault", "note"] = "fault"
    ) -> None:
        """Record what was found, on top of earlier finds of that kind and severity;
        nothing if nothing was found.
        """
        if not found:
            return
        same = [f for f in self.faults if (f.kind, f.severity) == (kind, severity)]
        old = same[0] if same else Fault(kind, 0, (), severity)
        examples = (*old.examples, *map(str, found[:EXAMPLES]))[:EXAMPLES]
        self.faults = [f for f in self.faults if f is not old]
        self.faults.append(Fault(kind, old.count + len(found), examples, severity))

    def refuse(self) -> None:
        """Raise for the faults found, naming them all: FileNotFoundError where a file
        is missing, else ValueError.
        """
        faults = [f for f in self.faults if f.severity == "fault"]
        if not faults:
            return
        found = "; ".join(
            f"{f.count} x {f.kind}: {', '.join(map(repr, f.examples))}" for f in faults
        )
        error = (
            FileNotFoundError if any(f.kind == MISSING for f in faults) else ValueError
        )
        raise error(
            f"{self.root}: {found}. Mend this first; `fashionlib check {self.root}`"
            " lists every fault."
        )

    def __str__(self) -> str:
        lines = [
            (
                f"{value:>16,}  {name}"
                if isinstance(value, int)
                else f"{value:>16}  {name}"
            )
            for name, value in self.counts.items()
        ]
        return "\n".join(
            [str(self.root), *lines, *map(str, self.faults or ["nothing wrong"])]
        )
