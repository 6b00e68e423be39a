"""Measure, keep the figures in data/measured/benchmarks.json, write the pages.

    # what was never measured with this code on this machine; cut off, it goes on
    python -m benchmarks
    # these, measured or not
    python -m benchmarks scores "vbpr --full"
    # the pages alone, e.g. to say whose code has changed since
    python -m benchmarks --pages

Every benchmark runs in a process of its own and is kept as soon as it ends.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import Any

from benchmarks import kept
from benchmarks.measuring import ROOT, spent
from fashionlib.data import provenance

# In order of their cost, under an hour on two cores. The rest runs when it is named:
# `vector_databases` needs two more packages, `tagging_accuracy` treebanks, `--full` a
# GPU; `spice_agreement` needs what can't be shipped, `trade`, `facad` and
# `captioner_seeds` what their `--train` left, and `book` times the book itself.
USUAL = (
    "accelerators",
    "splits",
    "facad_attributes",
    "drawing",
    "pictures",
    "gallery",
    "search_command",
    "retrieval_scale",
    "tagging",
    "scores",
    "vbpr",
    "split_interactions",
    "finetune",
    "recommend_scale",
)


def current(name: str, known: kept.Kept) -> bool:
    """Say whether a benchmark is kept of this code and this machine."""
    if name not in known:
        return False
    origin = known[name]["provenance"]
    here = kept.code(name), provenance.hardware()
    return (origin["code"], origin["hardware"]) == here


def measure(command: str, commit: str) -> dict[str, Any]:
    """Run a benchmark's command line; return its figures, values and provenance."""
    origin = {
        "commit": commit,
        "date": datetime.now(UTC).date().isoformat(),
        "code": kept.code(command),  # before it runs: an edit meanwhile makes it stale
        "hardware": provenance.hardware(),
        "versions": provenance.versions(),
    }
    began, before = time.monotonic(), spent()
    words = [sys.executable, "-m", f"benchmarks.{command.split()[0]}"]
    words += command.split()[1:]
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, cwd=ROOT)
    origin["seconds"] = round(time.monotonic() - began)
    origin["processor_seconds"] = round(spent() - before)
    return {"provenance": origin, **json.loads(done.stdout)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--pages", action="store_true", help="only write the pages")
    given = parser.parse_args()
    known = kept.read()
    names = given.names or [name for name in USUAL if not current(name, known)]
    failed, commit = [], provenance.commit(ROOT)  # keeping the first changes a file
    for number, command in enumerate([] if given.pages else names, 1):
        sys.stderr.write(f"benchmark {number} of {len(names)}: {command}\n")
        try:
            entry = measure(command, commit)
        except subprocess.CalledProcessError:
            failed.append(command)
            continue
        # a folder that it read is no part of its name
        words = [word for word in command.split() if "/" not in word]
        kept.keep(" ".join(words), entry)
        took = entry["provenance"]
        sys.stderr.write(
            f"{command}: {took['processor_seconds']} s of the processor,"
            f" {took['seconds']} of the wall\n"
        )
    kept.write_pages()
    if failed:
        sys.exit(f"not measured, see above: {', '.join(failed)}")


if __name__ == "__main__":
    main()
