"""Say before a run what it will take on this machine, and whether memory holds it."""

from __future__ import annotations

import os
from collections.abc import Collection
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from fashionlib.book import costs, plan, runs

if TYPE_CHECKING:  # Snakemake starts without pandas
    import pandas as pd

CONTAINER = ("memory.max", "memory/memory.limit_in_bytes")  # cgroups 2 and 1


def profiles() -> pd.DataFrame:
    """Return a row a profile: what it `takes` on this machine, `needs`, lets `expect`.

    This measures the machine for two seconds.
    """
    import pandas as pd

    gflops, rows = costs.gflops(), {}
    for name in runs.profile_names():
        known = runs.profile(name)
        known["takes"] = takes(name, os.cpu_count() or 1, gflops)
        rows[name] = {word: known[word] for word in ("takes", "needs", "expect")}
    return pd.DataFrame.from_dict(rows, orient="index")


def takes(profile: str, cores: int, gflops: float, names: Collection[str] = ()) -> str:
    """Say what executing a profile's notebooks takes on cores of `gflops` each.

    Of `names` alone if there are any. The time is that of the longest chain of
    notebooks that wait for one another, or an even share of all processor time if that
    is longer, by the budgets (`book.costs`). Without budgets it is the profile's own
    word.
    """
    kept = costs.budgets(profile)
    known = {n: b for n, b in kept["notebooks"].items() if n in names or not names}
    if not known:
        return runs.profile(profile).get("takes", "not measured yet")
    slower = kept["gflops"] / gflops
    seconds = {name: slower * b["processor_seconds"] for name, b in known.items()}
    work = plan.notebooks(runs.repository() / "notebooks")
    chain = max(plan.longest_paths(work, seconds).values())
    wall = max(chain, sum(seconds.values()) / cores)
    peak = max(budget["peak_mib"] for budget in known.values())
    return (
        f"about {max(1, round(wall / 60))} min on {cores} cores like these, up to"
        f" {peak:,} MiB a notebook"
    )


def check_memory(profile: str, cores: int, names: Collection[str] = ()) -> None:
    """Raise MemoryError where notebooks side by side need more than is available.

    As many as there are cores, the largest; of `names` alone if there are any.
    """
    kept = costs.budgets(profile)["notebooks"]
    peaks = [b["peak_mib"] for n, b in kept.items() if n in names or not names]
    needed = list(accumulate(sorted(peaks, reverse=True)[:cores]))  # by 1, 2, … cores
    available = available_mib()
    fits = sum(mib <= available for mib in needed)
    if fits < len(needed):
        step = f"CORES={fits} fits" if fits else "end what else takes memory"
        raise MemoryError(
            f"profile {profile} on {cores} cores may need {needed[-1]:,} MiB of memory"
            f" at once, and {available:,} MiB are available; {step}"
        )


def available_mib() -> int:
    """Return the memory that more processes may take, of the machine or container."""
    limits = [psutil.virtual_memory().available]
    for path in (Path("/sys/fs/cgroup") / name for name in CONTAINER):
        text = path.read_text().strip() if path.is_file() else "max"
        limits += [int(text)] if text.isdigit() else []
    return min(limits) // 2**20
