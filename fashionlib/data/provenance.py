"""Say where a computed number comes from: commit, hardware, versions."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
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
CHANGED = "+changes"  # stands behind a commit where tracked files differ from it


def commit(root: Path) -> str:
    """Return the repository's commit, "unknown" outside git, maybe with `CHANGED`."""
    describe = ["describe", "--always", "--abbrev=12", "--exclude=*"]
    try:
        described = subprocess.run(
            ["git", "-C", str(root), *describe, f"--dirty={CHANGED}"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return described.stdout.strip()


@cache
def hardware() -> dict[str, Any]:
    """Return processor, cores, memory (GiB) and the accelerator's name or None."""
    import psutil

    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "accelerator": _accelerator(),
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    model = (
        re.search(r"model name\s*: (.+)", info.read_text()) if info.is_file() else None
    )
    return model[1] if model else platform.processor() or platform.machine()


def _accelerator() -> str | None:
    """Ask torch, but only where a driver is: importing it costs a second each time."""
    driver = Path("/dev/nvidiactl").exists() or Path("/dev/kfd").exists()
    if not driver and sys.platform == "linux":
        return None
    try:
        import torch
    except ImportError:
        return None
    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else None


@cache
def versions() -> dict[str, str]:
    """Return the versions of Python and of `PACKAGES`, "absent" where not installed."""
    known = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            known[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            known[package] = "absent"
    return known
