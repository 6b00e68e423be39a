"""The files of FACAD's preprocessed layout, each read on its own; what can't be read is
a fault in the report.

S is TRAIN, VAL or TEST, and N is "" or "_5" (two releases):

    ROOT/S_IMAGESN.hdf5       dataset `images`: (rows, 3, 256, 256), uint8
    ROOT/S_CAPTIONSN.json     a list of word ids per row, with fillers
    ROOT/S_CATESN.json        a category number per row (or a list of one)
    ROOT/S_ATTRSN.json        a list of word ids per row
    ROOT/WORDMAPN.json        {word: id}
    ROOT/meta_all_129927.json [{id, description, attr, category, categoryid, images, ...}]: 129,927 items
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from fashionlib.data import images
from fashionlib.data.items import CATEGORY, PRODUCT, TEST, TRAIN, VALIDATION
from fashionlib.data.readers import folders
from fashionlib.data.readers.faults import MISSING, Report
from fashionlib.data.readers.jsonfile import elements, plain

SPLIT_OF = {"TRAIN": TRAIN, "VAL": VALIDATION, "TEST": TEST}
IMAGES = re.compile(r"(TRAIN|VAL|TEST)_IMAGES(\w*)\.hdf5")
METADATA = "meta_all_129927.json"
FILLERS = (0, 15804, 15805, 15806)  # ids of padding, the unknown word, start and end
NO_WORD = (  # stands in an attribute list where the description's word is no attribute
    "nah"
)
UNREADABLE = "JSON can't be read"


class Part(NamedTuple):
    """One file of pictures and the lists beside it."""

    prefix: str
    suffix: str
    images: Path

    def beside(self, kind: str) -> Path:
        return self.images.with_name(f"{self.prefix}_{kind}{self.suffix}.json")


def parts(root: Path) -> list[Part]:
    """The files of pictures: train, validation, test, and by name within each."""
    found = [
        (IMAGES.fullmatch(p.name), p)
        for p in sorted(Path(os.path.abspath(root)).glob("*_IMAGES*.hdf5"))
    ]
    listed = [Part(name[1], name[2], path) for name, path in found if name]
    return sorted(listed, key=lambda part: list(SPLIT_OF).index(part.prefix))


def metadata_file(root: Path) -> Path | None:
    """The metadata, if it lies there."""
    return next(iter(sorted(Path(root).glob("meta_all*.json"))), None)


def pictures(part: Part, report: Report, read: int = 0) -> int:
    """How many pictures the file holds; `read` of them are read, evenly spaced."""
    import h5py

    try:
        with h5py.File(part.images, "r") as file:
            rows = images.hdf5_images(file)
            report.add("0 rows", [part.images.name] * (len(rows) == 0))
            for row in np.unique(
                np.linspace(0, len(rows) - 1, min(read, len(rows))).astype(int)
            ):
                rows[int(row)]
            return len(rows)
    except (OSError, ValueError) as error:
        report.add("pictures can't be read", [f"{part.images.name}: {error}"])
        return 0


def word_map(part: Part, report: Report) -> dict[int, str]:
    """The word of each id; "" for fillers and `nah`. WORDMAP.json serves where there is
    none of the part's suffix.
    """
    named = [
        part.images.with_name(f"WORDMAP{suffix}.json") for suffix in (part.suffix, "")
    ]
    path = next((p for p in named if p.is_file()), named[0])
    content = folders.read_json(path.name, report)
    if content is None:
        return {}
    if not all(type(number) is int for number in content.values()):
        report.add(UNREADABLE, [f"{path.name} is no map of words to whole numbers"])
        return {}
    words = {
        number: "" if word == NO_WORD else plain(word)
        for word, number in content.items()
    }
    return words | dict.fromkeys(FILLERS, "")


def words_of(
    part: Part, kind: str, words: dict[int, str], report: Report
) -> list[tuple[str, ...]]:
    """The words of each row of CAPTIONS or ATTRS; rows that say the same share one
    tuple.
    """
    seen: dict[tuple[str, ...], tuple[str, ...]] = {}
    rows = []
    for where, ids in _elements(part.beside(kind), report, needed=kind == "CAPTIONS"):
        said = tuple(filter(None, _words(ids, words, where, report)))
        rows.append(seen.setdefault(said, said))
    return rows


def _words(ids: object, words: dict[int, str], where: str, report: Report) -> list[str]:
    if not isinstance(ids, list) or not all(type(i) is int for i in ids):
        report.add("no list of word ids", [where])
        return []
    if words and not words.keys() >= set(ids):
        report.add(
            "word id not in the word map",
            [f"{where}: {i}" for i in ids if i not in words],
        )
    return [words[i] for i in ids if i in words]


def categories(part: Part, report: Report) -> list[str]:
    """The category number of each row, as text."""
    numbers = []
    for where, number in _elements(part.beside("CATES"), report):
        inner = number[0] if isinstance(number, list) and len(number) == 1 else number
        if type(inner) is not int:
            report.add("no category number", [f"{where}: {str(number)[:40]}"])
        numbers.append(str(inner))
    return numbers


def metadata(report: Report) -> pd.DataFrame:
    """The metadata's items in file order, none without the file; columns product_id,
    description, category, number (its category's), attributes (a tuple of the words of
    `attr`, each once, without `nah`).
    """
    path = metadata_file(report.root)
    entries = (
        [_entry(entry, where, report) for where, entry in _elements(path, report)]
        if path
        else []
    )
    columns = [PRODUCT, "description", CATEGORY, "number", "attributes"]
    meta = pd.DataFrame([entry for entry in entries if entry], columns=columns)
    report.add("metadata id twice", meta[PRODUCT][meta[PRODUCT].duplicated()].tolist())
    names = meta.groupby("number")[CATEGORY].nunique()
    report.add(
        "category number with several names", names.index[names > 1].tolist(), "note"
    )
    return meta


def _entry(
    entry: object, where: str, report: Report
) -> tuple[str, str, str, str, tuple[str, ...]] | None:
    if not isinstance(entry, dict) or type(entry.get("id")) not in (int, str):
        report.add("metadata item without id", [where])
        return None
    attr = entry.get("attr")
    if not isinstance(attr, list) or not all(isinstance(a, str) for a in attr):
        report.add("metadata item whose attr is no list of words", [where])
        attr = []
    words = tuple(dict.fromkeys(plain(a) for a in attr if a != NO_WORD))
    number = plain(str(entry.get("categoryid")))
    description, name = (
        plain(v) if isinstance(v := entry.get(k), str) else ""
        for k in ("description", CATEGORY)
    )
    return plain(str(entry["id"])), description, name or number, number, words


def _elements(
    path: Path, report: Report, needed: bool = False
) -> Iterator[tuple[str, object]]:
    """("NAME row N", the element) of a list. A broken list is a fault; a missing one is
    if `needed`, else a note.
    """
    try:
        for row, element in enumerate(elements(path)):
            yield f"{path.name} row {row}", element
    except FileNotFoundError:
        report.add(MISSING, [path.name], "fault" if needed else "note")
    except ValueError as error:
        report.add(UNREADABLE, [str(error)])
