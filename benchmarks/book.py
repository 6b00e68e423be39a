"""Compare what the notebooks of two editions of the book cost.

A side is a commit, which is cloned and run from nothing, one notebook at a time with
this environment's packages, or a folder of records that a run left
(`_run/tiny/records`). A notebook goes by its name: its number may have moved. The table
goes to stderr, with walls and peaks.

    python -m benchmarks.book [--before 78ee4ca] [--after HEAD] [--profile tiny]
    # these, and what they need
    python -m benchmarks.book two_catalogues why_item_knn_wins
"""

import argparse
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from benchmarks.measuring import ROOT, Figure, report
from fashionlib.book import costs
from fashionlib.data.files import read_json, write_json

GOAL = 1100  # processor seconds of all notebooks at profile tiny
SHOWN = {
    "processor_seconds": "processor s",
    "seconds": "wall s",
    "peak_memory_mib": "peak MiB",
}
MEASURED = """#!{python}
import sys
sys.path.insert(0, {root!r})
from benchmarks.book import measured
sys.exit(measured({command!r}, sys.argv[1:], {records!r}))
"""


def measured(command: list[str], words: list[str], records: str) -> int:
    """Run an edition's own `fashionlib execute NOTEBOOK …`, and record what it cost."""
    with costs.measured() as cost:
        code = subprocess.run([*command, *words]).returncode
    notebook = Path(words[1])
    write_json(
        Path(records) / f"{notebook.stem}.json", {"notebook": notebook.name, **cost}
    )
    return code


def run(commit: str, profile: str, names: list[str], folder: Path) -> Path:
    """Clone a commit into `folder`, run its notebooks, return their records' folder."""
    place, records, first = (folder / part for part in ("book", "records", "bin"))
    clone = ["git", "clone", "--quiet", "--shared", "--no-checkout", ROOT, place]
    subprocess.run(clone, check=True)
    subprocess.run(["git", "-C", place, "checkout", "--quiet", commit], check=True)

    # its order of work calls `fashionlib`: put a measured one before the edition's own
    scripts = tomllib.loads((place / "pyproject.toml").read_text())["project"][
        "scripts"
    ]
    module, function = scripts["fashionlib"].split(":")
    code = f"import sys; from {module} import {function}; sys.exit({function}())"
    command = [sys.executable, "-c", code]
    first.mkdir()
    (first / "fashionlib").write_text(
        MEASURED.format(
            python=sys.executable, root=str(ROOT), command=command, records=str(records)
        )
    )
    (first / "fashionlib").chmod(0o755)

    paths = [first, Path(sys.executable).parent, os.environ["PATH"]]
    settings = {
        "PATH": os.pathsep.join(map(str, paths)),
        "PYTHONPATH": str(place),
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    notebooks = sorted((place / "notebooks").glob("*.ipynb"))
    targets = [
        f"_run/{profile}/notebooks/{path.name}"
        for path in notebooks
        if not names or title(path.name) in names
    ]
    words = ["snakemake", "--cores", "1", "--quiet", "rules", "host"]
    words += ["--config", f"profile={profile}", "--", *targets]
    environment = os.environ | settings
    subprocess.run(words, check=True, cwd=place, env=environment, stdout=sys.stderr)
    return records


def title(notebook: str) -> str:
    """Return a notebook's name without its number."""
    return Path(notebook).stem.partition("_")[2]


def side(given: str, profile: str, names: list[str]) -> dict[str, dict[str, Any]]:
    """Return the records of a commit or a folder, by notebook."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(given)
        if not place.is_dir():
            place = run(given, profile, names, Path(folder))
        records = [read_json(path) for path in sorted(place.glob("*.json"))]
    found = {title(record["notebook"]): record for record in records}
    return {name: found[name] for name in found if not names or name in names}


def table(before: dict[str, Any], after: dict[str, Any]) -> str:
    """Write a line a notebook, what it cost before and after."""
    head = [f"{word} {when}" for word in SHOWN.values() for when in ("before", "after")]
    lines = ["".join(f"{text:>20}" for text in ["", *head])]
    for name in sorted(before.keys() | after.keys()):
        numbers = [
            records.get(name, {}).get(key)
            for key in SHOWN
            for records in (before, after)
        ]
        texts = ["–" if number is None else f"{number:,.0f}" for number in numbers]
        lines.append("".join(f"{text:>20}" for text in [name, *texts]))
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NOTEBOOK")
    parser.add_argument("--before", default="78ee4ca", metavar="COMMIT_OR_RECORDS")
    parser.add_argument("--after", default="HEAD", metavar="COMMIT_OR_RECORDS")
    parser.add_argument("--profile", default="tiny")
    given = parser.parse_args()
    before, after = (
        side(one, given.profile, given.names) for one in (given.before, given.after)
    )
    sys.stderr.write(table(before, after))
    spent = [
        {name: records[name]["processor_seconds"] for name in records}
        for records in (before, after)
    ]
    peers = {name: (given.before, spent[0].get(name)) for name in spent[1]}
    figures = [Figure(name, spent[1][name], "s", *peers[name]) for name in spent[1]]
    total, goal = sum(spent[1].values()), None if given.names else GOAL
    figures.append(
        Figure("all of them", total, "s", given.before, sum(spent[0].values()))
    )
    figures.append(Figure("all of them", total, goal=goal))
    report(figures, {"before": before, "after": after})


if __name__ == "__main__":
    main()
