"""Read FACAD's preprocessed files, one function each; what can't be read is a fault.

S is TRAIN, VAL or TEST, and N is "" or "_5" (two releases):

    ROOT/S_IMAGESN.hdf5       dataset `images`: (rows, 3, 256, 256), uint8
    ROOT/S_CAPTIONSN.json     a list of word ids per row, with fillers
    ROOT/S_CATESN.json        a category number per row (or a list of one)
    ROOT/S_ATTRSN.json        a list of word ids per row
    ROOT/WORDMAPN.json        {word: id}
    ROOT/meta_all_129927.json [{id, description, attr, category, categoryid, images,
                              ...}]: 129,927 items

The fillers are those that github.com/xuewyang/Fashion_Captioning leaves out
(classifiers/dataset.py at commit da6ab40).
"""

from __future__ import annotations

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
METADATA = "meta_all_129927.json"
FILLERS = (0, 15804, 15805, 15806)  # ids of padding, the unknown word, start and end
# stands in an attribute list where the description's word is no attribute
NO_WORD = "nah"
UNREADABLE = "JSON can't be read"


class Part(NamedTuple):
    """One file of pictures and the lists beside it."""

    prefix: str
    suffix: str
    images: Path

    def beside(self, kind: str) -> Path:
        """Return where the list of that kind belongs."""
        return self.images.with_name(f"{self.prefix}_{kind}{self.suffix}.json")


def parts(root: Path) -> list[Part]:
    """Return the files of pictures: train, validation, test, each sorted by name."""
    root = Path(root).absolute()
    return [
        Part(prefix, path.stem.removeprefix(f"{prefix}_IMAGES"), path)
        for prefix in SPLIT_OF
        for path in sorted(root.glob(f"{prefix}_IMAGES*.hdf5"))
    ]


def metadata_file(root: Path) -> Path | None:
    """Return the metadata's place, if it lies there."""
    return min(Path(root).glob("meta_all*.json"), default=None)


def pictures(part: Part, report: Report, read: int = 0) -> int:
    """Return how many pictures the file holds; read `read` of them, evenly spaced."""
    import h5py

    try:
        with h5py.File(part.images, "r") as file:
            stored = images.hdf5_images(file)
            count = len(stored)
            if count == 0:
                report.add("0 rows", [part.images.name])
            spaced = np.linspace(0, count - 1, min(read, count)).astype(int)
            for row in np.unique(spaced):
                stored[int(row)]
            return count
    except (OSError, ValueError) as error:
        report.add("pictures can't be read", [f"{part.images.name}: {error}"])
        return 0


def word_map(part: Part, report: Report) -> dict[int, str]:
    """Return the word of each id; "" for fillers and `nah`.

    WORDMAP.json serves where there is none of the part's suffix.
    """
    path = part.images.with_name(f"WORDMAP{part.suffix}.json")
    general = path.with_name("WORDMAP.json")
    if not path.is_file() and general.is_file():
        path = general
    content = folders.read_json(path.name, report)
    if content is None:
        return {}
    if not all(type(number) is int for number in content.values()):
        report.add(UNREADABLE, [f"{path.name} is no map of words to whole numbers"])
        return {}
    words = {number: plain(word) for word, number in content.items()}
    silent = [*FILLERS, *([content[NO_WORD]] if NO_WORD in content else [])]
    return words | dict.fromkeys(silent, "")


def words_of(
    part: Part, kind: str, words: dict[int, str], report: Report
) -> list[tuple[str, ...]]:
    """Return the words of each row of CAPTIONS or ATTRS; equal rows share one tuple."""
    shared: dict[tuple[str, ...], tuple[str, ...]] = {}
    rows = []
    for where, ids in _elements(part.beside(kind), report, needed=kind == "CAPTIONS"):
        row = tuple(filter(None, _words(ids, words, where, report)))
        rows.append(shared.setdefault(row, row))
    return rows


def _words(ids: object, words: dict[int, str], where: str, report: Report) -> list[str]:
    if not isinstance(ids, list) or not all(type(number) is int for number in ids):
        report.add("no list of word ids", [where])
        return []
    unknown = [number for number in ids if number not in words]
    if words and unknown:
        places = [f"{where}: {number}" for number in unknown]
        report.add("word id not in the word map", places)
    return [words[number] for number in ids if number in words]


def categories(part: Part, report: Report) -> list[str]:
    """Return the category number of each row, as text."""
    numbers = []
    for where, number in _elements(part.beside("CATES"), report):
        inner = number[0] if isinstance(number, list) and len(number) == 1 else number
        if type(inner) is not int:
            report.add("no category number", [f"{where}: {str(number)[:40]}"])
        numbers.append(str(inner))
    return numbers


def metadata(report: Report) -> pd.DataFrame:
    """Return the metadata's items in file order, none without the file.

    Columns product_id, description, category, number (its category's), attributes (a
    tuple of the words of `attr`, each once, without `nah`).
    """
    path = metadata_file(report.root)
    entries = []
    for where, element in _elements(path, report) if path else ():
        if entry := _entry(element, where, report):
            entries.append(entry)
    columns = [PRODUCT, "description", CATEGORY, "number", "attributes"]
    meta = pd.DataFrame(entries, columns=columns)
    report.add("metadata id twice", meta[PRODUCT][meta[PRODUCT].duplicated()])
    names = meta.groupby("number")[CATEGORY].nunique()
    several = names.index[names > 1]
    report.add("category number with several names", several, "note")
    return meta


def _entry(
    entry: object, where: str, report: Report
) -> tuple[str, str, str, str, tuple[str, ...]] | None:
    if not isinstance(entry, dict) or type(entry.get("id")) not in (int, str):
        report.add("metadata item without id", [where])
        return None
    attr = entry.get("attr")
    if not isinstance(attr, list) or not all(isinstance(word, str) for word in attr):
        report.add("metadata item whose attr is no list of words", [where])
        attr = []
    words = tuple(dict.fromkeys(plain(word) for word in attr if word != NO_WORD))
    number = plain(str(entry.get("categoryid")))
    description, name = _text(entry, "description"), _text(entry, CATEGORY)
    return plain(str(entry["id"])), description, name or number, number, words


def _text(entry: dict[str, object], key: str) -> str:
    value = entry.get(key)
    return plain(value) if isinstance(value, str) else ""


def _elements(
    path: Path, report: Report, needed: bool = False
) -> Iterator[tuple[str, object]]:
    """Yield ("NAME row N", the element) of a list; a broken list is a fault.

    A missing one is a fault if it is `needed`, else a note.
    """
    try:
        for row, element in enumerate(elements(path)):
            yield f"{path.name} row {row}", element
    except FileNotFoundError:
        report.add(MISSING, [path.name], "fault" if needed else "note")
    except ValueError as error:
        report.add(UNREADABLE, [str(error)])
