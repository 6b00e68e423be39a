"""The whole book at profile smoke, built once for every test that reads it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUN = ROOT / "_run" / "smoke"


def call_snakemake(
    *arguments: str, folder: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    command = [
        "snakemake",
        "--cores",
        "2",
        "--max-checksum-file-size",
        "2000000000",
        *arguments,
        "--config",
        "profile=smoke",
        "html=_run/smoke",
    ]
    environment = os.environ | {"PYTHONPATH": str(folder), "HF_HUB_OFFLINE": "1"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True
    )


@pytest.fixture(scope="session")
def snakemake() -> Callable[..., subprocess.CompletedProcess[str]]:
    """A call of Snakemake on the smoke book, in the repository or a copy of it."""
    return call_snakemake


@pytest.fixture(scope="session")
def book() -> Path:
    """The folder of the rendered book; every notebook has run, the build was strict."""
    done = call_snakemake()
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    return RUN / "_build" / "html"


@pytest.fixture(scope="module")
def copy(book: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished repository copied elsewhere, times of files kept, to be edited."""
    folder = tmp_path_factory.mktemp("copy") / "book"
    ignored = shutil.ignore_patterns(".git", ".venv", "_build", "_run", "*.part")
    shutil.copytree(ROOT, folder, symlinks=True, ignore=ignored)
    shutil.copytree(
        RUN,
        folder / "_run" / "smoke",
        ignore=shutil.ignore_patterns("checkpoints", "cache", "_build"),
    )
    shutil.copytree(book, folder / book.relative_to(ROOT))
    return folder
