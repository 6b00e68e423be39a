"""What the readers of folders share: reading lines and JSON, which pictures lie there,
and their check.

Each reader has one pass over its files, which gathers faults in a `Report`: `items`
refuses to go on when there is one, `check` lists them together with those of the
pictures.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Sized
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import pandas as pd
from tqdm import tqdm

from fashionlib.data import images
from fashionlib.data.items import BOX, IMAGE, ITEM
from fashionlib.data.readers import hm
from fashionlib.data.readers.faults import MISSING, Report

MOST_BYTES = 200_000_000  # of one JSON file; DFMM's captions.json has 15 million


def open_report(root: Path) -> Report:
    """A report without finds. FileNotFoundError when the folder isn't there."""
    root = Path(os.path.abspath(root))
    if not root.is_dir():
        raise FileNotFoundError(f"{root} is no folder")
    report = Report(root)
    if hm.is_synthetic(root):
        report.counts["made by wardrobe, nobody's real data"] = "synthetic"
    return report


def table(
    rows: list[dict[str, Any]], columns: list[str], report: Report
) -> pd.DataFrame:
    """`frame`, unless the report has a fault or there is no row: both raise as
    `Report.refuse`.
    """
    _check_rows(rows, report)
    report.refuse()
    return frame(rows, columns)


def _check_rows(rows: Sized, report: Report) -> None:
    report.add("0 rows", [str(report.root)] * (len(rows) == 0 and not report.broken))


def frame(rows: list[dict[str, Any]], columns: list[str]) -> pd.DataFrame:
    """The rows as a table with those columns; what a row lacks is missing, and a box
    stays a tuple or None.
    """
    out = {c: [row.get(c) for row in rows] for c in columns}
    return pd.DataFrame(
        {c: pd.Series(v, dtype=object if c == BOX else "str") for c, v in out.items()}
    )


def lines(
    name: str, fields: int, report: Report, header: int = 0
) -> Iterator[tuple[str, list[str]]]:
    """("NAME line N", its fields) of each line that has so many blank-separated fields;
    the others are faults.
    """
    try:
        with open(report.root / name, encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                parts = line.split()
                where = f"{name} line {number}"
                if number <= header or not parts:
                    continue
                if len(parts) == fields:
                    yield where, parts
                else:
                    report.add(
                        "wrong number of fields",
                        [f"{where}: {len(parts)} for {fields}"],
                    )
    except FileNotFoundError:
        report.add(MISSING, [name])
    except (OSError, UnicodeDecodeError) as error:
        report.add("file can't be read", [f"{name}: {error}"])


def read_json(
    name: str, report: Report, most: int = MOST_BYTES
) -> dict[str, Any] | None:
    """The object in a JSON file of at most `most` bytes; None and a fault if there is
    none. A key twice is a fault.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        content = dict(pairs)
        if len(content) < len(pairs):
            times = Counter(key for key, _ in pairs)
            report.add(
                "key twice", [f"{name}: {key}" for key in content if times[key] > 1]
            )
        return content

    path = report.root / name
    try:
        if path.stat().st_size > most:
            raise ValueError(f"{path.stat().st_size:,} bytes, more than {most:,}")
        content = json.loads(path.read_bytes(), object_pairs_hook=unique)
        if isinstance(content, dict):
            return content
        report.add(
            "JSON can't be read", [f"{name}: {type(content).__name__} for an object"]
        )
    except FileNotFoundError:
        report.add(MISSING, [name])
    except (
        OSError,
        ValueError,
        RecursionError,
    ) as error:  # JSONDecodeError and UnicodeDecodeError are ValueErrors
        report.add("JSON can't be read", [f"{name}: {error}"])
    return None


def climbs(name: str) -> bool:
    """Whether a path from a file would leave the folder that it is relative to, on any
    system.
    """
    windows = PureWindowsPath(name)
    return (
        bool(windows.drive or windows.root or PurePosixPath(name).root)
        or ".." in windows.parts
    )


def files(folder: Path) -> set[str]:
    """The paths, relative to the folder and with forward slashes, of all files under
    it; empty without the folder.

    Links are passed over: they may lead out of the folder.
    """
    found = set()
    for at, _, names in os.walk(folder):
        part = Path(at).relative_to(folder).as_posix()
        names = [name for name in names if not os.path.islink(os.path.join(at, name))]
        found.update(names if part == "." else (f"{part}/{name}" for name in names))
    return found


def check_pictures(items: pd.DataFrame, report: Report, stray: list[str]) -> None:
    """Adds to the report: no rows, items without picture, `stray` and broken pictures,
    boxes that lie in no picture.
    """
    _check_rows(items, report)
    report.counts |= {"items": len(items), "images": items[IMAGE].nunique()}
    report.add("image missing", items[ITEM][items[IMAGE].isna()].tolist())
    report.add("image without a row", stray, "note")
    seen = items.dropna(subset=IMAGE).groupby(IMAGE, sort=False)
    for path, group in tqdm(seen, desc="images", total=seen.ngroups, disable=None):
        why = images.fault(Path(path))
        if why:
            report.add(
                "broken image", [f"{Path(path).relative_to(report.root)}: {why}"]
            )
            continue
        width, height = images.size(path)
        for item, box in zip(group[ITEM], group[BOX], strict=True):
            if box is not None:
                _check_box(item, box, width, height, report)


def _check_box(
    item: str, box: tuple[int, int, int, int], width: int, height: int, report: Report
) -> None:
    left, upper, right, lower = box
    if left >= right or upper >= lower:
        report.add("box empty", [f"{item}: {list(box)}"])
    elif left < 0 or upper < 0 or right > width or lower > height:
        report.add(
            "box outside the image",
            [f"{item}: {list(box)} in {width} x {height} pixels"],
        )


def integers(texts: list[str]) -> tuple[int, ...] | None:
    """The texts as whole numbers of at most nine digits, or None."""
    whole = all(re.fullmatch(r"-?[0-9]{1,9}", text) for text in texts)
    return tuple(map(int, texts)) if whole else None
