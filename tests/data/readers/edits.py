"""What tests of several readers share: edits of a folder, and counts of faults."""

from __future__ import annotations

from pathlib import Path

from fashionlib.data.readers.faults import Report


def edit(path: Path, old: str, new: str) -> None:
    """Replace `old`, which the file holds, by `new`."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def fault_counts(report: Report, severity: str = "fault") -> dict[str, int]:
    """Return {kind: count} of the report's faults of that severity."""
    return {f.kind: f.count for f in report.faults if f.severity == severity}
