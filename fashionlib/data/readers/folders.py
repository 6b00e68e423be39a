"""What the readers share: lines, JSON, which pictures lie there, their check.

Each reader has one function that goes through its files once and returns the items and
a `Report` of what is wrong: `items` refuses to go on when there is a fault, `check`
lists the faults together with those of the pictures.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import pandas as pd
from tqdm import tqdm

from fashionlib.data import images
from fashionlib.data.files import unique_keys
from fashionlib.data.items import (
    BOX,
    CONSUMER,
    IMAGE,
    ITEM,
    PRODUCT,
    SHOP,
    SOURCE,
    SPLIT,
)
from fashionlib.data.readers.faults import MISSING, Report
from fashionlib.data.tables import read_table, text

MARKER = "WARDROBE"  # a file of this name says that the folder was drawn by wardrobe
# Snakemake marks the folders that a notebook makes, file managers those they show.
MARKS = {MARKER, ".snakemake_timestamp", ".DS_Store", "Thumbs.db"}
MOST_BYTES = 200_000_000  # of one JSON file; DFMM's captions.json has 15 million
WHOLE = r"-?[0-9]{1,9}"  # a whole number in a text file


def is_synthetic(root: Path) -> bool:
    """Return whether `wardrobe` drew the folder: its numbers say nothing about H&M.

    ValueError where it drew some of the files and not others; hidden ones don't count.
    """
    others = foreign(root)
    if strange := [name for name in others or () if not re.search(r"(^|/)\.", name)]:
        raise ValueError(
            f"{root} has the marker {MARKER} of a drawn wardrobe and {len(strange)}"
            f" files that it doesn't list ({strange[0]} first); move these away, or the"
            " marker if the data is real"
        )
    return others is not None


def mark(root: Path, text: str) -> None:
    """Write the marker of a drawn folder: the text, then size and path of each file."""
    lines = [f"{size} {name}" for name, size in _sizes(root).items()]
    (root / MARKER).write_text("\n".join([text, *lines, ""]), encoding="utf-8")


def foreign(root: Path) -> list[str] | None:
    """List the files of a drawn folder that its marker doesn't list in that size.

    None where there is no marker, or one of other files: a copy beside real data.
    """
    marker = Path(root) / MARKER
    if not marker.is_file():
        return None
    _, *lines = marker.read_text(encoding="utf-8", errors="replace").splitlines()
    listed, there = set(lines), _sizes(Path(root))
    others = [name for name, size in there.items() if f"{size} {name}" not in listed]
    return None if listed and len(others) == len(there) else others


def _sizes(root: Path) -> dict[str, int]:
    """Map each file's and link's path to its size in bytes; marks are left out."""
    paths = sorted(path for path in root.rglob("*") if path.name not in MARKS)
    return {
        path.relative_to(root).as_posix(): path.lstat().st_size
        for path in paths
        if path.is_symlink() or not path.is_dir()
    }


def open_report(root: Path) -> Report:
    """Return an empty report. FileNotFoundError when the folder isn't there."""
    root = Path(root).absolute()
    if not root.is_dir():
        raise FileNotFoundError(f"{root} is no folder")
    report = Report(root)
    others = foreign(root)
    if others is not None:
        report.counts["made by wardrobe, nobody's real data"] = "synthetic"
        report.add(f"not drawn by wardrobe, whose {MARKER} lies here", others, "note")
    return report


def frame(
    rows: pd.DataFrame | list[dict[str, Any]], columns: Sequence[str], report: Report
) -> pd.DataFrame:
    """Return the rows as a table with those columns; no row at all is a fault.

    What a row lacks is missing, all else is text, and a box a tuple or None.
    """
    if len(rows) == 0 and not report.broken:
        report.add("0 rows", [str(report.root)])
    table = pd.DataFrame(rows).reindex(columns=columns).reset_index(drop=True)
    texts = [name for name in columns if name != BOX]
    table[texts] = text(table[texts])
    if BOX in columns:
        boxes = table[BOX].astype(object)
        table[BOX] = boxes.where(boxes.notna(), None)
    return table


def read_lines(
    name: str, fields: Sequence[str], report: Report, header: int = 0
) -> pd.DataFrame:
    """Read lines of blank-separated fields as text, indexed by the line's number.

    The index has the file's name. A line with another number of fields is a fault; the
    `header` is passed over.
    """
    rows, wrong = {}, []
    try:
        with (report.root / name).open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                parts = line.split()
                if number <= header or not parts:
                    continue
                if len(parts) == len(fields):
                    rows[number] = parts
                else:
                    wrong.append(
                        f"{name} line {number}: {len(parts)} for {len(fields)}"
                    )
    except FileNotFoundError:
        report.add(MISSING, [name])
    except (OSError, UnicodeDecodeError) as error:
        report.add("file can't be read", [f"{name}: {error}"])
    report.add("wrong number of fields", wrong)
    table = pd.DataFrame.from_dict(rows, "index", dtype="str", columns=fields)
    return table.rename_axis(name)


def lines_of(values: pd.Series) -> list[str]:
    """Return "NAME line N: VALUE" for each value of a table of `read_lines`."""
    name = values.index.name
    return [f"{name} line {number}: {value}" for number, value in values.items()]


def sift(
    table: pd.DataFrame, good: pd.Series, column: str, kind: str, report: Report
) -> pd.DataFrame:
    """Return the good rows of a table of `read_lines`; the others are faults.

    Such a fault shows the row's value in `column`.
    """
    report.add(kind, lines_of(table[column][~good]))
    return table[good]


def count_values(
    items: pd.DataFrame, splits: Sequence[str], noun: str
) -> dict[str, int]:
    """Count the items of each source and of each of these splits."""
    columns = {CONSUMER: SOURCE, SHOP: SOURCE} | dict.fromkeys(splits, SPLIT)
    return {
        f"{value} {noun}": int((items[column] == value).sum())
        for value, column in columns.items()
    }


def unanswered(items: pd.DataFrame) -> pd.Series:
    """Return the ids of consumers' items whose product no shop's item has."""
    queries = items[(items[SOURCE] == CONSUMER) & items[PRODUCT].notna()]
    products = items[PRODUCT][items[SOURCE] == SHOP]
    return queries[ITEM][~queries[PRODUCT].isin(products)]


def read_json(
    name: str, report: Report, most: int = MOST_BYTES
) -> dict[str, Any] | None:
    """Return the object in a JSON file of at most `most` bytes, or None and a fault."""
    path = report.root / name
    try:
        if path.stat().st_size > most:
            raise ValueError(f"{path.stat().st_size:,} bytes, more than {most:,}")
        content = json.loads(path.read_bytes(), object_pairs_hook=unique_keys)
        if not isinstance(content, dict):
            raise ValueError(f"{type(content).__name__} for an object")
        return content
    except FileNotFoundError:
        report.add(MISSING, [name])
    except (OSError, ValueError, RecursionError) as error:
        report.add("JSON can't be read", [f"{name}: {error}"])
    return None


def climbs(name: str) -> bool:
    """Return whether a path from a file would leave its folder, on any system."""
    windows = PureWindowsPath(name)
    absolute = windows.drive or windows.root or PurePosixPath(name).root
    return bool(absolute) or ".." in windows.parts


def files(folder: Path) -> set[str]:
    """Return the paths of all files under the folder, relative to it; none without it.

    Slashes go forward. Links are passed over: they may lead out of the folder.
    """
    paths = set()
    for at, _, names in os.walk(folder):
        for path in (Path(at, name) for name in names):
            if not path.is_symlink():
                paths.add(path.relative_to(folder).as_posix())
    return paths


def pictures(folder: Path, report: Report) -> pd.DataFrame:
    """Return the folder's pictures by path; other files, but hidden ones, are notes."""
    rows = []
    for path in sorted(folder.rglob("*")):
        name, kind = path.relative_to(folder).as_posix(), path.suffix.lower()
        if path.is_dir():
            report.add("linked folder", [name] if path.is_symlink() else [], "note")
        elif kind in images.SUFFIXES:
            rows.append({ITEM: name, IMAGE: str(path)})
        elif not path.name.startswith("."):
            step = ", not read: convert it to JPEG" if kind in images.PHONE else ""
            report.add(f"{kind or 'nameless'} file{step}", [name], "note")
    return pd.DataFrame(rows, columns=[ITEM, IMAGE], dtype=str)


def check_table(path: Path) -> Report:
    """Report what a table of items (`tables.read_table`) holds, and what is broken."""
    table, report = read_table(path), Report(path)
    shown = table.dropna(subset=IMAGE)
    report.counts |= {"items": len(table), "images": shown[IMAGE].nunique()}
    report.add("item twice", table[ITEM][table[ITEM].duplicated()])
    report.add("item without image", table[ITEM][table[IMAGE].isna()], "note")
    if len(shown):
        folder = images.common_folder(shown[IMAGE])
        check_each(list(zip(shown[ITEM], shown[IMAGE], strict=True)), report, folder)
    return report


def check_each(
    pictures: list[tuple[str, str]], report: Report, folder: str | Path = ""
) -> None:
    """Add the broken ones among pairs of an item's id and its picture.

    All lie below `folder`, or the report's; one that is a link out of it is broken.
    """
    for item, picture in tqdm(pictures, desc="images", disable=None):
        if why := images.fault_below(picture, folder or report.root):
            report.add("broken image", [f"{item}: {why}"])


def check_pictures(items: pd.DataFrame, report: Report, folders: Sequence[str]) -> None:
    """Add items without picture, broken pictures, boxes outside theirs.

    A file in these folders that is no item's picture is a note.
    """
    report.counts |= {"items": len(items), "images": items[IMAGE].nunique()}
    report.add("image missing", items[ITEM][items[IMAGE].isna()])
    known = set(items[IMAGE])
    for folder in folders:
        places = [f"{folder}/{name}" for name in sorted(files(report.root / folder))]
        stray = [place for place in places if str(report.root / place) not in known]
        report.add("image without a row", stray, "note")
    pictures = items.dropna(subset=IMAGE).groupby(IMAGE, sort=False)
    for path, rows in tqdm(
        pictures, desc="images", total=pictures.ngroups, disable=None
    ):
        if why := images.fault_below(path, report.root):
            place = Path(path).relative_to(report.root)
            report.add("broken image", [f"{place}: {why}"])
            continue
        size = images.size(path)
        for item, box in zip(rows[ITEM], rows[BOX], strict=True):
            if box is not None:
                _check_box(item, box, size, report)


def _check_box(
    item: str,
    box: tuple[int, int, int, int],
    size: tuple[int, int],
    report: Report,
) -> None:
    left, upper, right, lower = box
    width, height = size
    if left >= right or upper >= lower:
        report.add("box empty", [f"{item}: {list(box)}"])
    elif left < 0 or upper < 0 or right > width or lower > height:
        where = f"{item}: {list(box)} in {width} x {height} pixels"
        report.add("box outside the image", [where])
