"""Numbers that were printed, and numbers that were kept from a run on real data. Read
by notebooks alone.
"""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from fashionlib.book import runs

# Whose changes the published "% improvement" averages: all printed columns but
# attribute recall.
IMPROVED = (
    "BLEU-4",
    "METEOR",
    "ROUGE-L",
    "CIDEr",
    "SPICE",
    "attribute precision",
    "category accuracy",
)


def published(table: str) -> pd.DataFrame:
    """A printed table, e.g. "paper_a/table3": one row a number, columns row, column,
    setting, value, unit.
    """
    folder = runs.repository() / "data" / "published"
    known = sorted(
        p.relative_to(folder).with_suffix("").as_posix() for p in folder.rglob("*.csv")
    )
    if table not in known:
        raise ValueError(f"no published table {table!r}; known: {', '.join(known)}")
    return pd.read_csv(folder / f"{table}.csv", keep_default_na=False)


def printed(table: str, row: str, setting: str = "") -> pd.Series:
    """One printed row as a Series, column -> value, fractions (what was printed in
    percent is divided by 100).
    """
    rows = published(table)
    rows = rows[(rows.row == row) & (rows.setting == setting)]
    if rows.empty:
        raise ValueError(
            f"no row {row!r} with setting {setting!r} in {table}; open"
            f" data/published/{table}.csv"
        )
    return rows.set_index("column").apply(
        lambda r: r.value / 100 if r.unit == "percent" else r.value, axis=1
    )


def improvement(pretrained: pd.Series, fine_tuned: pd.Series) -> pd.Series:
    """Change of each metric in percent of its pretrained score, and last their mean, "%
    improvement".

    Paper A, section 5, Tables 3 and 4. Its text says six metrics; its eight figures
    follow, to the digit, from the seven of `IMPROVED` as printed, rounded. A pretrained
    score of 0 has no change: NaN there, and in the mean. ValueError where the two have
    other metrics.
    """
    if set(pretrained.index) != set(fine_tuned.index):
        other = sorted(set(pretrained.index) ^ set(fine_tuned.index))
        raise ValueError(
            f"{len(pretrained)} metrics pretrained, {len(fine_tuned)} fine-tuned; only"
            f" in one: {other}"
        )
    change = (
        100
        * (fine_tuned[pretrained.index] - pretrained)
        / pretrained.where(pretrained != 0)
    )
    return pd.concat([change, pd.Series({"% improvement": change.mean(skipna=False)})])


def measured(profile: str, result: str) -> dict[str, Any] | None:
    """A kept result of a run on real data, {"provenance": …, "values": …}; None where
    none was kept.
    """
    path = runs.repository() / "data" / "measured" / profile / f"{result}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
