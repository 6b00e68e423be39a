"""Read printed numbers, and numbers kept from a run on real data. For notebooks alone.

`beside` sets the three kinds of number side by side: published, the H&M sample's, and
this run's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from fashionlib.book import runs
from fashionlib.data.files import read_json
from fashionlib.stats import Estimate, wide

PUBLISHED, SAMPLE, HERE = ORIGINS = ("published", "H&M sample", "this run")
MEAN = "% improvement"
# Whose changes the published "% improvement" averages: all columns but attribute
# recall.
IMPROVED = (
    "BLEU-4",
    "METEOR",
    "ROUGE-L",
    "CIDEr",
    "SPICE",
    "attribute precision",
    "category accuracy",
)
Cells = Mapping[str, Mapping[str, Any]]  # row: column: a number or an Estimate


def published(table: str) -> pd.DataFrame:
    """Read a printed table, e.g. "paper_a/table3", one row a number.

    Columns row, column, setting, value, unit. Where the file gives another reading of
    what is printed, the value is that reading (see `readings`). ValueError for an
    unknown table.
    """
    rows = _typed(table)
    if "reading" in rows:
        rows["value"] = rows.pop("reading").fillna(rows.value)
    return rows


def readings(table: str) -> dict[tuple[str, str], str]:
    """Return what is read otherwise than printed, {(row, column): "3 (read as 4)"}."""
    rows = _typed(table)
    rows = rows[rows.reading.notna()] if "reading" in rows else rows[:0]
    return {
        (row.row, row.column): f"{row.value:g} (read as {row.reading:g})"
        for row in rows.itertuples()
    }


def _typed(table: str) -> pd.DataFrame:
    folder = runs.repository() / "data" / "published"
    paths = sorted(folder.rglob("*.csv"))
    known = [path.relative_to(folder).with_suffix("").as_posix() for path in paths]
    if table not in known:
        raise ValueError(f"no published table {table!r}; known: {', '.join(known)}")
    empty = {"reading": ""}  # elsewhere an empty text is a text
    path = folder / f"{table}.csv"
    return pd.read_csv(path, keep_default_na=False, na_values=empty)


def printed(table: str, row: str, setting: str = "") -> pd.Series:
    """Read one printed row, column -> value; what was printed in percent as fractions.

    ValueError where the table has no such row with this setting.
    """
    rows = shape(table)
    if (row, setting) not in rows.index:
        raise ValueError(
            f"no row {row!r} with setting {setting!r} in {table}; open"
            f" data/published/{table}.csv"
        )
    return rows.loc[(row, setting)].dropna()


def shape(table: str) -> pd.DataFrame:
    """Read a printed table in its shape: a line a (row, setting), fractions.

    What wasn't printed is missing.
    """
    rows = published(table)
    values = rows.value.where(rows.unit != "percent", rows.value / 100)
    cells = values.set_axis(
        pd.MultiIndex.from_frame(rows[["row", "setting", "column"]])
    )
    return wide(cells)


def flat(table: str) -> pd.Series:
    """Read a printed table as one column, labelled "row: column, setting"."""
    rows = published(table)
    labels = rows.row + ": " + rows.column + ", " + rows.setting
    return rows.value.set_axis(labels.str.removesuffix(", "))


def improvement(pretrained: pd.Series, fine_tuned: pd.Series) -> pd.Series:
    """Return each metric's change in percent of its pretrained score, and their mean.

    The mean is last, "% improvement" (Paper A, section 5, Tables 3 and 4). Its text
    says six metrics; its eight figures follow, to the digit, from the seven of
    `IMPROVED` as printed, rounded. A pretrained score of 0 has no change: NaN there,
    and in the mean. KeyError where a metric is pretrained alone.
    """
    gain = fine_tuned[pretrained.index] - pretrained
    change = 100 * gain / pretrained.where(pretrained != 0)
    mean = pd.Series({MEAN: change.mean(skipna=False)})
    return pd.concat([change, mean])


def improvements(table: str) -> pd.DataFrame:
    """Recompute the "% improvement" of each model of a printed table, a row a model.

    Columns: "printed", "% improvement" as recomputed, each metric's change, "without
    BLEU-4", and "lowest" and "highest", the figure at the two ends of the rounding of
    BLEU-4's pretrained score, nothing else moved.
    """
    rows, names = shape(table), list(IMPROVED)
    rounding = pd.Series({"BLEU-4": 0.0005}).reindex(names, fill_value=0)
    lines = {}
    for model in rows.xs("PT", level="setting").index:
        before, after = rows.loc[(model, "PT"), names], rows.loc[(model, "FT"), names]
        change = improvement(before, after)
        lines[model] = change
        change["printed"] = 100 * rows.loc[(model, ""), MEAN]
        change["without BLEU-4"] = change[names[1:]].mean()
        for name, shift in (("lowest", rounding), ("highest", -rounding)):
            change[name] = improvement(before + shift, after)[MEAN]
    return pd.DataFrame(lines).T


def measured(profile: str, result: str) -> dict[str, Any] | None:
    """Read a kept result, {"provenance": …, "values": …}; None where none was kept."""
    path = runs.repository() / "data" / "measured" / profile / f"{result}.json"
    return read_json(path) if path.is_file() else None


def benchmark(name: str) -> dict[str, Any]:
    """Read a kept benchmark: its provenance, figures and values."""
    return read_json(runs.repository() / "data/measured/benchmarks.json")[name]


def sample(result: str) -> dict[str, Any]:
    """Read the values of a result kept from the real H&M sample; {} where none is."""
    kept = measured("sample", result)
    return kept["values"] if kept else {}


def columns(
    printed: Mapping[str, Any], kept: Mapping[str, Any], here: Mapping[str, Any]
) -> pd.DataFrame:
    """Set published | H&M sample | this run side by side, a row each of `here`.

    What is missing in the others stays so.
    """
    parts = zip(ORIGINS, (printed, kept, here), strict=True)
    table = pd.DataFrame({name: pd.Series(part, dtype=float) for name, part in parts})
    return table.loc[list(here.keys())]


def stacked(
    result: str, profile: str, key: str, here: pd.DataFrame, column: str = "data"
) -> pd.DataFrame:
    """Set the sample's rows of a saved table above this run's.

    `column` of `here` then also says of whose run a row is. The sample's are those kept
    under `key` of `result`, as records; none in its own `profile`, nor where what is
    kept is older than the key.
    """
    kept = [] if profile == "sample" else sample(result).get(key)
    parts = {SAMPLE: pd.DataFrame(kept)} if kept else {}
    parts[HERE] = here
    named = [
        p.assign(**{column: f"{origin}: " + p[column]}) for origin, p in parts.items()
    ]
    return pd.concat(named, ignore_index=True)


def above(kept: Mapping[str, Mapping[str, Any]], here: pd.DataFrame) -> pd.DataFrame:
    """Set rows kept from the sample, {row: {column: value}}, above this run's.

    A row is named "origin: row"; the columns are those of `here`.
    """
    parts = {SAMPLE: pd.DataFrame(kept).T.infer_objects(), HERE: here}
    rows = pd.concat({name: part for name, part in parts.items() if len(part)})
    rows = rows.set_axis(rows.index.map(": ".join))
    counts = dict.fromkeys(here.select_dtypes("integer"), "Int64")  # may be missing
    return rows.reindex(columns=here.columns).astype(counts)


def intervals_above(result: str, key: str, here: pd.DataFrame) -> pd.DataFrame:
    """Set the sample's rows of a saved table with intervals above this run's.

    `here` is the table that is saved under `key` of `result`; the first level of the
    index then says whose a row is.
    """
    rows = _rows(sample(result).get(key, {}))
    names = pd.Index([path if path[1:] else path[0] for path in rows])
    parts = {SAMPLE: pd.DataFrame(list(rows.values()), names), HERE: here}
    return pd.concat({name: part for name, part in parts.items() if len(part)})


def _rows(saved: Mapping[str, Any]) -> dict[tuple[str, ...], Mapping[str, Any]]:
    """Flatten a saved table, nested by name, to its rows with intervals."""
    rows = {}
    for name, value in saved.items():
        inner = {(): value} if "low" in value else _rows(value)
        rows |= {(name, *path): row for path, row in inner.items()}
    return rows


def beside(
    values: Mapping[str, Any],
    table: str,
    result: str,
    rows: Mapping[str | tuple[str, str | None], str] | Sequence[str],
    columns: Mapping[str | tuple[str, str], str] | Sequence[str],
    read: Callable[[Mapping[str, Any]], Cells],
    form: str = ".1f",
    scale: float = 100,
) -> pd.DataFrame:
    """Set published | H&M sample | this run side by side, a line a row and column.

    `values` are this run's, as saved under `result`; the sample's are the kept ones.
    `read` takes either and returns {row: {column: number or Estimate}}. `rows` maps a
    printed row, or (row, setting), to ours, or (label, None) where it isn't printed;
    `columns` a printed column, or (column, setting), to ours; a sequence says that ours
    has the printed names. Numbers are multiplied by `scale` and written in `form`, an
    Estimate with its interval; what is missing stays so, and a printed number that is
    read otherwise says both. The index is (row, column), so `.unstack("column")` gives
    the printed table's shape.
    """
    kept = sample(result)
    ours = [read(kept) if kept else {}, read(values)]
    rows, columns = (
        names if isinstance(names, Mapping) else {name: name for name in names}
        for names in (rows, columns)
    )
    otherwise = readings(table)
    lines = {}
    for theirs, mine in rows.items():
        row, setting = theirs if isinstance(theirs, tuple) else (theirs, "")
        label = " ".join(filter(None, (row, setting)))
        for printed_column, name in columns.items():
            apart = isinstance(printed_column, tuple)
            column, of = printed_column if apart else (printed_column, setting)
            known = {} if setting is None else printed(table, row, of)
            cells = [known.get(column)]
            cells += [part.get(mine, {}).get(name) for part in ours]
            texts = [written(cell, form, scale) for cell in cells]
            texts[0] = otherwise.get((row, column), texts[0])
            lines[label, f"{column}, {of}" if apart else column] = texts
    frame = pd.DataFrame(lines, index=ORIGINS, dtype=object)
    return frame.T.rename_axis(["row", "column"])


def estimates(
    rows: Mapping[str, Mapping[str, Mapping[str, float]]],
) -> dict[str, dict[str, Estimate]]:
    """Read the intervals of a saved table, {row: {column: {value, low, high}}}."""
    return {
        name: {column: Estimate.of(cell) for column, cell in cells.items()}
        for name, cells in rows.items()
    }


def written(cell: float | Estimate | None, form: str, scale: float) -> str | None:
    """Write a number, or an Estimate with its interval, times `scale`; None stays."""
    if not isinstance(cell, Estimate) and pd.isna(cell):
        return None
    return format(scale * cell, form)
