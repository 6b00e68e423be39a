"""List every number of a run's results and of the kept ones, each with its origin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from fashionlib.data.files import read_json

ORIGIN = ("commit", "profile", "data", "seed", "versions", "hardware", "finished")


def table(staged: Path) -> pd.DataFrame:
    """Return a row a number: its result, key and value, and where it comes from.

    `staged` is a folder of `site.stage`. Result and key are those that a page's role
    `result` reads: "sample/leakage" and "article.BLEU-4".
    """
    rows = []
    for name, result in results(staged):
        given = result["provenance"]
        origin = {column: given.get(column) for column in ORIGIN}
        for column in ("data", "versions", "hardware"):
            parts = origin[column] or {}
            origin[column] = ", ".join(f"{k} {v}" for k, v in parts.items())
        for key, value in leaves(result["values"]):
            rows.append({"result": name, "key": key, "value": value} | origin)
    return pd.DataFrame(rows, columns=["result", "key", "value", *ORIGIN])


def results(staged: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each result by its name: the run's, the kept sample's, the benchmarks'."""
    for path in sorted((staged / "results").glob("*.json")):
        yield path.stem, read_json(path)
    for path in sorted((staged / "data" / "measured" / "sample").glob("*.json")):
        yield f"sample/{path.stem}", read_json(path)
    benchmarks = staged / "data" / "measured" / "benchmarks.json"
    if benchmarks.is_file():
        for name, result in read_json(benchmarks).items():
            yield f"benchmarks/{name}", result


def leaves(value: Any, key: str = "") -> Iterator[tuple[str, float]]:
    """Yield the numbers below a value, each with its key: names joined by dots."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from leaves(part, f"{key}.{name}" if key else name)
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from leaves(part, f"{key}.{place}")
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield key, value
