"""What a run's log says: its curve, and its cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

CPU_WATTS = 10  # of one busy core of a server processor, for the energy estimate
COLUMNS = ["step", "loss", "validation", "captions", "seconds", "watts"]
PARTS = ["captioning", "contrast", "matching"]


def curve(log: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return a trainer's log as a table, one row a step that was logged.

    Columns: step, loss (mean since the row before), validation (missing where not
    measured), captions (a list, where they were written), seconds (of training so far,
    over all its sittings), watts (of the GPU, where it can be asked). Of a joint run
    also the parts of both losses, unweighted: captioning, contrast, matching,
    validation captioning, ...
    """
    names = [*COLUMNS, *PARTS, *(f"validation {part}" for part in PARTS)]
    table = pd.DataFrame(log).rename(columns={"eval_loss": "validation"})
    table = table.reindex(columns=names).dropna(how="all", subset=names[1:3])
    table = table.groupby("step", as_index=False).last()
    table = table.astype({"step": int})
    measured = [part for part in names[6:] if table[part].notna().any()]
    return table[[*COLUMNS, *measured]]


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
