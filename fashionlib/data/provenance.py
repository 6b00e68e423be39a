"""Where a computed number comes from: commit, hardware, versions."""

from __future__ import annotations

import os
import platform
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = (
    "numpy",
    "pandas",
    "torch",
    "transformers",
    "peft",
    "pycocoevalcap",
    "spacy",
    "scikit-learn",
)


def commit(root: Path) -> str:
    """The repository's commit, with `+changes` behind it when tracked files differ;
    "unknown" outside git.
    """
    git = ["git", "-C", str(root)]
    try:
        head = subprocess.run(
            [*git, "rev-parse", "--short=12", "HEAD"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    dirty = subprocess.run(
        [*git, "status", "--porcelain", "-uno"], capture_output=True, text=True
    ).stdout
    return head.stdout.strip() + ("+changes" if dirty.strip() else "")


@cache
def hardware() -> dict[str, Any]:
    """Processor, cores, memory (GiB) and the accelerator's name or None. torch is asked
    only where it is installed.
    """
    import psutil

    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        name = next(
            (
                row.split(":", 1)[1].strip()
                for row in info.read_text().splitlines()
                if row.startswith("model name")
            ),
            name,
        )
    try:
        import torch

        gpu = torch.cuda.get_device_name(0) if torch.cuda.is_available() else None
    except ImportError:
        gpu = None
    memory = round(psutil.virtual_memory().total / 2**30, 1)
    return {
        "processor": name,
        "cores": os.cpu_count(),
        "memory_gib": memory,
        "accelerator": gpu,
    }


@cache
def versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "absent"
    return found
