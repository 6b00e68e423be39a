"""What the benchmarks share: figures, processor seconds, peaks, a process apart."""

from __future__ import annotations

import argparse
import gc
import json
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Figure:
    """A cost, beside what a peer costs in the same run; less is better.

    `goal` says how many times cheaper than the peer it should be at least. Without a
    peer it is the most that may be spent.
    """

    what: str
    ours: float
    unit: str = "s"  # of the processor, all threads and ended children together
    peer: str = ""
    theirs: float | None = None
    goal: float | None = None
    note: str = ""  # e.g. that both sides give the same


def report(figures: list[Figure], values: Mapping[str, Any]) -> None:
    """Print a benchmark's result as JSON: its figures, and all else that it found."""
    content = {"figures": [asdict(one) for one in figures], "values": values}
    json.dump(content, sys.stdout, indent=1, default=float)


def options(doc: str, **defaults: int | float | bool) -> argparse.Namespace:
    """Read the command line: an option for each default, of its type."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, default in defaults.items():
        flag = f"--{name.replace('_', '-')}"
        if isinstance(default, bool):
            parser.add_argument(flag, action="store_true")
        else:
            parser.add_argument(flag, type=type(default), default=default)
    return parser.parse_args()


def version(package: str) -> str:
    """Name a package with the version that is installed, "cornac 3.0.1"."""
    return f"{package} {metadata.version(package)}"


def spent() -> float:
    """Return the processor seconds of this process and of its ended children."""
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Return what `work` returns, and the processor seconds that it took."""
    gc.collect()
    before = spent()
    return work(), spent() - before


def alternating(
    ways: Mapping[str, Callable[[], Any]], rounds: int, warm: bool = False
) -> tuple[dict[str, Any], dict[str, float]]:
    """Run the ways in turns; return what each found last, and its median seconds.

    With `warm` a round goes before, which isn't counted.
    """
    found, seconds = {}, {name: [] for name in ways}
    for number in range(-int(warm), rounds):
        for name, way in ways.items():
            found[name], took = timed(way)
            if number >= 0:
                seconds[name].append(took)
            sys.stderr.write(f"{name}: {took:.2f} s\n")
    return found, {name: statistics.median(took) for name, took in seconds.items()}


def peak() -> float:
    """Return the process's peak memory in GiB.

    Not getrusage's, which on Linux a new process inherits from the one that started it.
    """
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    row = next(line for line in lines if line.startswith("VmHWM"))
    return int(row.split()[1]) / 2**20


def alone(call: str) -> Any:
    """Return the result of "module.function(arguments)" in a process of its own.

    The module is one of this folder.
    """
    module = call.partition(".")[0]
    code = f"import json, sys; from benchmarks import {module}; found = {call}\n"
    code += "json.dump(found, sys.stdout, default=float)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT)
    return json.loads(done.stdout)
