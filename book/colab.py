"""Install on Colab what the book needs and Colab lacks; say what was found and added.

    %run book/colab.py            in a chapter's first cell
    %run book/colab.py --drive    and the runs lie in your Google Drive

Every package that is there is held at its version: where ours can't do with it, pip
says so and nothing is changed. It needs nothing but Python.
"""

from __future__ import annotations

import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = "bits,captions,data,features,labels,recommend,scores,search"
DRIVE = Path("/content/drive")
TOLD = ("torch", "transformers", "numpy", "pandas", "ipykernel")


def installed() -> dict[str, str]:
    """Return the version of every installed package."""
    return {found.name: found.version for found in distributions()}


def install() -> None:
    """Add what is missing. CalledProcessError where a package would have to change."""
    before, started = installed(), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        held = Path(folder) / "held.txt"
        held.write_text("".join(f"{name}=={v}\n" for name, v in before.items()))
        pip = [sys.executable, "-m", "pip", "install", "--quiet"]
        words = ["--constraint", str(held), "--editable", f"{ROOT}[{EXTRAS}]"]
        subprocess.run([*pip, *words], check=True)
    after = installed()
    changed = [name for name in before if after.get(name) != before[name]]
    added = [f"{name} {after[name]}" for name in sorted(after.keys() - before.keys())]
    told = ", ".join(f"{name} {before[name]}" for name in TOLD if name in before)
    print(
        f"Found Python {platform.python_version()} and {len(before)} packages: {told}"
    )
    print(f"Changed: {', '.join(changed) or 'none'}")
    print(f"Added in {time.monotonic() - started:.0f} s: {', '.join(added) or 'none'}")


def keep_on_drive(drive: Path = DRIVE) -> None:
    """Make `_run` a link to a folder in Google Drive, which outlives the session."""
    from google.colab import drive as colab

    colab.mount(str(drive))
    runs = drive / "MyDrive" / "fashion-captioned"
    runs.mkdir(parents=True, exist_ok=True)
    if not (ROOT / "_run").exists():
        (ROOT / "_run").symlink_to(runs)
    print(f"Runs lie in {(ROOT / '_run').resolve()}")


if __name__ == "__main__":
    install()
    if "--drive" in sys.argv:
        keep_on_drive()
