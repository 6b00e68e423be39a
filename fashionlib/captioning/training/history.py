"""What a run's log says: its curve, and its cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

CPU_WATTS = 10  # of one busy core of a server processor, for the energy estimate
PARTS = [
    f"{when}{part}"
    for when in ("", "validation ")
    for part in ("captioning", "contrast", "matching")
]
COLUMNS = {  # of the trainer's log: of the curve
    "loss": "loss",
    "eval_loss": "validation",
    "captions": "captions",
    "seconds": "seconds",
    "watts": "watts",
}


def curve(log: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return a trainer's log as a table, one row a step that was logged.

    Columns: step, loss (mean since the row before), validation (missing where not
    measured), captions (a list, where they were written), seconds (of training so far,
    over all its sittings), watts (of the GPU, where it can be asked). Of a joint run
    also the parts of both losses, unweighted: captioning, contrast, matching,
    validation captioning, ...
    """
    logged = [part for part in PARTS if any(part in entry for entry in log)]
    columns = COLUMNS | {part: part for part in logged}
    rows: dict[int, dict[str, Any]] = {}
    for entry in log:
        if "loss" in entry or "eval_loss" in entry:
            row = rows.setdefault(int(entry["step"]), {})
            row |= {columns[key]: entry[key] for key in entry if key in columns}
    table = pd.DataFrame([{"step": step, **rows[step]} for step in sorted(rows)])
    return table.reindex(columns=["step", *columns.values()])


def cost(history: pd.DataFrame) -> dict[str, Any]:
    """Return what a run took: seconds, watt hours, and `how` the latter are known.

    A GPU's power is asked at each log entry; a CPU's can't be, and CPU_WATTS a busy
    core is an assumption.
    """
    seconds = float(history["seconds"].max())
    watts = history["watts"].dropna().astype(float).mean()
    how = "the GPU's own reading"
    if pd.isna(watts):
        watts, how = CPU_WATTS, f"assumed: {CPU_WATTS} W for one busy core"
    return {"seconds": seconds, "watt_hours": seconds * float(watts) / 3600, "how": how}
