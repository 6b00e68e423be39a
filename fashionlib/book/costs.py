"""What executing a notebook costs: measured, kept as its budget, compared with it.

`records/<notebook>.json` of a run holds the cost of each notebook, `budgets/<profile>
.yaml` beside this module what it is expected to cost; `keep` makes the second of the
first.
"""

from __future__ import annotations

import math
import os
import resource
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import yaml

from fashionlib.book import runs
from fashionlib.data.files import atomic, read_json

BUDGETS = Path(__file__).parent / "budgets"
ALLOWED = 1.5  # times its budget; a notebook that takes more is worth a look
HEAD = (
    "notebook",
    "processor s",
    "budget",
    "wall s",
    "peak MiB",
    "read MiB",
    "written MiB",
    "commit",
)
PEAK = 3  # the column of a number that isn't summed
Record = dict[str, Any]


@contextmanager
def measured() -> Iterator[Record]:
    """Yield a dictionary that holds the cost of the block when it has ended.

    `seconds` by the wall clock. `processor_seconds`: user and system time of this
    process and of those that it started and waited for, in turn: a kernel, its Java,
    its workers. `peak_memory_mib`: resident, of the largest process started.
    `peak_tree_mib`: of this process and those below it together, shared pages once
    (PSS), as seen about once a second. `bytes_read`, `bytes_written`: what calls of
    read and write moved, from the page cache too; not what is mapped, nor sockets'.
    None where the system doesn't tell.
    """
    cost: Record = {}
    stop, peaks = threading.Event(), [0]
    watch = threading.Thread(target=_watch, args=(stop, peaks), daemon=True)
    watch.start()
    started, spent, moved = time.monotonic(), _processor_seconds(), _moved()
    try:
        yield cost
    finally:
        stop.set()
        watch.join()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    bytes_moved = [
        after and after - before for before, after in zip(moved, _moved(), strict=True)
    ]
    cost |= {
        "seconds": round(time.monotonic() - started, 1),
        "processor_seconds": round(_processor_seconds() - spent, 1),
        "peak_memory_mib": children.ru_maxrss // 1024,
        "peak_tree_mib": max(peaks) // 2**20 or None,
        "bytes_read": bytes_moved[0],
        "bytes_written": bytes_moved[1],
    }


def _processor_seconds() -> float:
    return sum(os.times()[:4])  # user and system, of this process and its children


def _moved() -> list[int | None]:
    """Return the bytes that this process and its children read and wrote so far."""
    try:
        lines = Path("/proc/self/io").read_text().splitlines()
    except OSError:
        return [None, None]
    counts = dict(line.split(": ") for line in lines)
    return [int(counts["rchar"]), int(counts["wchar"])]


def _watch(stop: threading.Event, peaks: list[int]) -> None:
    """Note the memory of the process tree; that takes up to 1 % of a core."""
    this = psutil.Process()
    while not stop.is_set():
        started = time.thread_time()
        tree = [this, *this.children(recursive=True)]
        peaks.append(sum(map(_share, tree)))
        stop.wait(max(1, 100 * (time.thread_time() - started)))


def _share(process: psutil.Process) -> int:
    """Return a process's bytes in memory, its part of what it shares; 0 if unknown."""
    try:
        return getattr(process.memory_full_info(), "pss", 0)
    except psutil.Error:  # it has ended
        return 0


def gflops(seconds: float = 2) -> float:
    """Measure this machine: GFLOP per processor second of a small matrix product.

    It is one of a mini's training step: 32 captions of 40 tokens, 128 wide, into 512.
    """
    import numpy as np

    tokens, weights = np.ones((32 * 40, 128), "f4"), np.ones((128, 512), "f4")
    np.matmul(tokens, weights)  # the first wakes the library
    products, started = 0, time.process_time()
    while (spent := time.process_time() - started) < seconds:
        np.matmul(tokens, weights)
        products += 1
    return round(products * 2 * tokens.size * weights.shape[1] / spent / 1e9, 1)


def records(run: Path) -> list[Record]:
    """Read the records of a run's executed notebooks, in reading order."""
    return [read_json(path) for path in sorted((run / "records").glob("*.json"))]


def budgets(profile: str) -> dict[str, Any]:
    """Read what a profile's notebooks are expected to cost.

    `notebooks` maps a stem to its `processor_seconds` and `peak_mib`, measured where
    `gflops` gave that number; it is {} where nobody has measured the profile.
    """
    path = BUDGETS / f"{profile}.yaml"
    if not path.is_file():
        return {"notebooks": {}}
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def reservation(budget: dict[str, int] | None) -> dict[str, int]:
    """Say what to ask of a cluster for a notebook: `mem_mb`, `runtime` in minutes.

    Half more memory than its budget, and four times its processor seconds with five
    minutes to start, for slower machines; {} without a budget.
    """
    if not budget:
        return {}
    return {
        "mem_mb": round(ALLOWED * budget["peak_mib"]),
        "runtime": 5 + math.ceil(4 * budget["processor_seconds"] / 60),
    }


def keep(profile: str) -> Path:
    """Write the budgets of a profile anew, from the records of its run.

    ValueError names the notebooks without a record that holds processor time.
    """
    root = runs.repository()
    names = [path.stem for path in sorted((root / "notebooks").glob("*.ipynb"))]
    found = {_stem(record): record for record in records(root / "_run" / profile)}
    if missing := [name for name in names if "gflops" not in found.get(name, {})]:
        raise ValueError(
            f"no measured record of {', '.join(missing)} at profile {profile}; run:"
            f" make book PROFILE={profile}"
        )
    kept = {name: found[name] for name in names}
    content = {
        "commits": sorted({record["commit"] for record in kept.values()}),
        "processor": kept[names[0]]["hardware"]["processor"],
        "gflops": statistics.median(record["gflops"] for record in kept.values()),
        "notebooks": {
            name: {
                "processor_seconds": math.ceil(record["processor_seconds"]),
                "peak_mib": _peak(record),
            }
            for name, record in kept.items()
        },
    }
    text = yaml.safe_dump(content, sort_keys=False, default_flow_style=None)
    with atomic(BUDGETS / f"{profile}.yaml") as part:
        part.write_text(f"# By: fashionlib keep --cost --profile {profile}\n{text}")
    return BUDGETS / f"{profile}.yaml"


def _stem(record: Record) -> str:
    return Path(record["notebook"]).stem


def _peak(record: Record) -> int:
    return max(record["peak_memory_mib"], record.get("peak_tree_mib") or 0)


def comparable_seconds(record: Record, gflops: float) -> float:
    """Return a record's processor seconds, fewer where its machine was the slower one.

    `gflops` is the budgets' machine. A faster one earns no smaller allowance: it may be
    faster at products alone.
    """
    return record["processor_seconds"] * min(1, record["gflops"] / gflops)


def excess(record: Record, kept: dict[str, Any]) -> str:
    """Say where a record passes its notebook's budget by half; "" where it doesn't."""
    budget = kept["notebooks"].get(_stem(record))
    if not budget or "gflops" not in record:
        return ""
    seconds = comparable_seconds(record, kept["gflops"])
    found = []
    for cost, unit in ((seconds, "processor_seconds"), (_peak(record), "peak_mib")):
        if cost > ALLOWED * budget[unit]:
            found.append(f"{unit} {cost:,.0f} (budget {budget[unit]:,})")
    if not found:
        return ""
    return (
        f"{record['notebook']} passes its budget by half: {', '.join(found)}; make it"
        f" cheaper, or: fashionlib keep --cost --profile {record['profile']}"
    )


def table(found: list[Record], kept: dict[str, Any]) -> list[list[str]]:
    """Return the costs of a run as rows of text under `HEAD`, the dearest first.

    The last row holds the sums, of the peaks the largest; "–" is not in the record.
    """
    rows = sorted(
        (_row(record, kept) for record in found), key=lambda row: -(row[1] or 0)
    )
    _, *columns, _ = zip(*rows, strict=True)
    sums = [sum(value or 0 for value in column) for column in columns]
    sums[PEAK] = max(columns[PEAK])
    rows.append(["together", *sums, ""])
    return [
        [value if isinstance(value, str) else _number(value) for value in row]
        for row in rows
    ]


def _row(record: Record, kept: dict[str, Any]) -> list[Any]:
    name = _stem(record)
    return [
        name,
        record.get("processor_seconds"),
        kept["notebooks"].get(name, {}).get("processor_seconds"),
        record["seconds"],
        _peak(record),
        *(_mib(record.get(key)) for key in ("bytes_read", "bytes_written")),
        record["commit"],
    ]


def _mib(count: int | None) -> float | None:
    return None if count is None else count / 2**20


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"
