"""Read captions of any form, for every command that is given a file or folder of them.

    {"<id>": [{"caption": "<text>"}, ...]}        JSON; also {"<id>": "<text>"}
    [{"image_id": 1, "caption": "<text>"}, ...]   COCO's results; also as JSON lines
    {"images": [...], "annotations": [...]}       COCO's annotations
    csv, tsv, parquet, arrow                      a row a caption
    a folder of the hub's `datasets`              `save_to_disk`'s, an image folder
                                                  (metadata.csv, .jsonl), shards

Several rows of an id are several captions of it. A column of `IDS` holds the ids, of
`TEXTS` the captions. An id is text: a number is written out, a picture's path stands as
it is, and `match` finds what another file calls the same item.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from fashionlib.data import tables
from fashionlib.data.files import unique_keys
from fashionlib.data.items import CAPTION, ITEM

# A later group counts where no earlier one is there: COCO's `id` is the annotation's.
IDS = ((ITEM, "image_id", "article_id"), ("id",), ("file_name", "image.path", "image"))
TEXTS = (CAPTION, "captions", "text", "detail_desc")
FORMS = (
    'captions as JSON ({"<id>": [{"caption": "<text>"}]}, COCO results or annotations),'
    " JSON lines, csv, tsv, parquet, or a folder of `datasets`"
)
SHARD = re.compile(r"(^|-)\d{4,5}(-of-(?P<all>\d{5}).*)?$")  # ends a file's stem
PICTURE = re.compile(r"\.(jpe?g|png|webp|gif|bmp|tiff?|heic|avif)$", re.I)
HALF = re.compile(r"[\ud800-\udfff]")  # of a pair: no UTF-8 file holds it
NUMBER = re.compile(r"([0-9]+)(\.0+)?")
METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet")

Row = tuple[str, Mapping[str, Any]]  # its place in the file, its columns


class Captions(NamedTuple):
    """Captions by id, in file order, and what is worth saying of how they were read."""

    texts: dict[str, list[str]]
    notes: dict[str, Any]


def read(path: Path) -> Captions:
    """Read the captions in a file or folder; the module's docstring lists the forms.

    An empty field is an empty caption. Notes count COCO's images without annotations
    and ids that are numbers, and name columns other than item_id and caption.
    FileNotFoundError. ValueError naming the file, the row or key, what stands there and
    what is expected: no captions, none or several columns that could be meant, an id
    that is text here and a number there, a folder of several splits or with shards
    missing.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file; expected {FORMS}")
    texts, notes, kinds = defaultdict(list), {}, {}
    for file in _files(path) if path.is_dir() else [path]:
        try:
            for place, item, captions in _entries(_rows(file, notes), notes):
                kind = kinds.setdefault(str(item), type(item))
                if kind is not type(item):
                    raise ValueError(f"{place}: id {item} is both a number and text")
                texts[str(item)] += captions
        except UnicodeDecodeError as broken:
            raise ValueError(f"{file}: {broken}; save it as UTF-8") from broken
        except (ValueError, RecursionError) as broken:
            reason = str(broken).removeprefix(str(file)).lstrip(":, ")
            raise ValueError(f"{file}: {reason}") from broken
    if not texts:
        raise ValueError(f"{path}: 0 captions; expected {FORMS}")
    if numbers := sum(kind is not str for kind in kinds.values()):
        notes["ids that are numbers, read as text"] = numbers
    return Captions(dict(texts), notes)


def bare(item: str) -> str:
    """Return an id without folder and suffix of a picture, leading zeros and .0."""
    name = item.strip()
    if picture := PICTURE.search(name):
        name = re.split(r"[/\\]", name[: picture.start()])[-1]
    number = NUMBER.fullmatch(name)
    return number[1].lstrip("0") or "0" if number else name


def match(name: str, given: Collection[str], items: Collection[str]) -> dict[str, str]:
    """Map each given id to that of `items` which it means; others are left out.

    The same text, else the same `bare` id. ValueError after `name`, naming both sides,
    where that is not one to one.
    """
    mine, theirs = _by_bare(given), _by_bare(items)
    matched = {}
    for item in given:
        alike, meant = mine[bare(item)], theirs.get(bare(item), [])
        if item in items:
            matched[item] = item
        elif len(alike) == len(meant) == 1:
            matched[item] = meant[0]
        elif meant:
            raise ValueError(
                f"{name}: {', '.join(map(repr, alike[:3]))} could each mean"
                f" {', '.join(map(repr, meant[:3]))}; write ids alike in both files"
            )
    return matched


def _by_bare(ids: Collection[str]) -> dict[str, list[str]]:
    groups = defaultdict(list)
    for item in ids:
        groups[bare(item)].append(item)
    return groups


def _files(folder: Path) -> list[Path]:
    """Return the files of one split in a folder of `datasets`, all its shards."""
    files = []
    for place in ("*", "*/*"):
        near = [
            p for p in sorted(folder.glob(place)) if not p.name.startswith("cache-")
        ]
        files = files or [path for path in near if path.name in METADATA]
        for suffixes in ((".arrow", ".parquet"), (".csv", ".tsv", ".jsonl")):
            files = files or [path for path in near if path.suffix in suffixes]
    splits = defaultdict(list)
    for file in files:
        splits[file.parent / SHARD.sub("", file.stem), file.suffix].append(file)
    if not files:
        raise ValueError(f"{folder}: no captions in it; expected {FORMS}")
    if len(splits) > 1:
        names = [str(some[0].relative_to(folder)) for some in splits.values()]
        raise ValueError(
            f"{folder}: {len(names)} splits or tables: {', '.join(names)}; name one of"
            " them, or a folder with one alone"
        )
    shard = SHARD.search(files[0].stem)
    if shard and shard["all"] and int(shard["all"]) != len(files):
        raise ValueError(
            f"{folder}: {len(files)} of {int(shard['all'])} shards are there, as"
            f" {files[0].name}; fetch the others"
        )
    return files


def _rows(path: Path, notes: dict[str, Any]) -> Iterator[Row]:
    """Yield a file's rows in the form that its suffix says, JSON where none does."""
    suffix = path.suffix.lower()
    if suffix in (".csv", ".tsv", ".tab", ".txt"):
        return _table(path)
    if suffix in (".parquet", ".arrow", ".feather"):
        return _arrow(path)
    text = path.read_text(encoding="utf-8-sig")
    try:
        content = json.loads(text, object_pairs_hook=unique_keys)
    except json.JSONDecodeError as broken:
        if broken.msg == "Extra data" and broken.lineno > 1:
            return _lines(text)
        raise ValueError(f"{broken}; expected {FORMS}") from broken
    return _records(content, notes)


def _table(path: Path) -> Iterator[Row]:
    """Yield the rows of a table, as `tables` reads it; an empty field is ""."""
    table = tables.open_table(path)
    ids, _ = names = _pick(table.names)
    rows = table.read(names)
    table.refuse_misfits()
    if (empty := rows[ids].isna()).any():
        raise table.fault(empty.argmax(), f"no {ids} in {empty.sum():,} rows, first")
    for number, row in enumerate(rows.fillna("").to_dict("records"), 1):
        yield f"row {number}", row


def _arrow(path: Path) -> Iterator[Row]:
    """Yield the rows of a parquet or arrow file; a picture's bytes are not read."""
    import pyarrow as pa
    from pyarrow import ipc, parquet

    try:
        if path.suffix.lower() == ".parquet":
            with parquet.ParquetFile(path) as file:
                names = file.schema_arrow.empty_table().flatten().column_names
                table = file.read(columns=_pick(names)).flatten()
        else:
            with pa.memory_map(str(path)) as file:
                stream = file.read(6) != b"ARROW1"  # as `datasets` writes it
                file.seek(0)
                opened = ipc.open_stream(file) if stream else ipc.open_file(file)
                table = opened.read_all().flatten()
                table = table.select(_pick(table.column_names))
    except pa.ArrowException as broken:
        raise ValueError(f"{broken}; expected {FORMS}") from broken
    for number, row in enumerate(table.to_pylist(), start=1):
        yield f"row {number}", row


def _lines(text: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield f"line {number}", json.loads(line, object_pairs_hook=unique_keys)
            except ValueError as broken:
                raise ValueError(f"line {number}: {broken}") from broken


def _records(content: Any, notes: dict[str, Any]) -> Iterator[Row]:
    """Yield the rows of a JSON file: of its list, or an entry each of its keys."""
    if isinstance(content, dict):
        lists = [key for key, value in content.items() if _is_list_of_rows(key, value)]
        lists = ["annotations"] if "annotations" in content else lists
        if len(lists) > 1:
            raise ValueError(
                f"{len(lists)} lists of captions: {', '.join(lists[:5])}; leave one"
            )
        if lists:
            if bare_images := _bare_images(content):
                notes["images without annotations"] = bare_images
            content = content[lists[0]]
        elif all(map(len, _columns(content))):
            content = [content]  # JSON lines of one line
    if isinstance(content, list):
        return ((f"row {number}", row) for number, row in enumerate(content, start=1))
    if isinstance(content, dict):
        pairs = content.items()
        return ((f"key {key!r}", {ITEM: key, CAPTION: value}) for key, value in pairs)
    raise ValueError(f"found a {type(content).__name__}, expected {FORMS}")


def _is_list_of_rows(key: str, value: Any) -> bool:
    """Return whether what stands under a key are rows of other ids than the key."""
    first = value[0] if isinstance(value, list) and value else None
    names = IDS[0] if isinstance(first, dict) else ()
    return any(bare(str(first.get(name, key))) != bare(key) for name in names)


def _bare_images(content: dict[str, Any]) -> int:
    """Count COCO's images that no annotation speaks of."""
    images, rows = (
        {_shown(row.get(name)) for row in content.get(key) or () if type(row) is dict}
        for key, name in (("images", "id"), ("annotations", "image_id"))
    )
    return len(images - rows)


def _columns(names: Iterable[Any]) -> tuple[list[str], list[str]]:
    """Return the names that can be the id's and those that can be the caption's."""
    plain = [(str(name).strip().lower(), name) for name in names]
    *ids, texts = (
        [name for key, name in plain if key in some] for some in (*IDS, TEXTS)
    )
    return next(filter(None, ids), []), texts


def _pick(names: Iterable[Any]) -> list[str]:
    """Return the columns of ids and of captions; ValueError unless one of each."""
    names = list(names)
    ids, texts = _columns(names)
    if len(ids) != 1 or len(texts) != 1:
        raise ValueError(
            f"found columns {', '.join(map(str, names)):.200}, of which ids:"
            f" {', '.join(ids) or '-'}, captions: {', '.join(texts) or '-'}; expected"
            f" one of {', '.join(IDS[0])} (else id, file_name, image) and one of"
            f" {', '.join(TEXTS)}"
        )
    return [*ids, *texts]


def _entries(
    rows: Iterable[Row], notes: dict[str, Any]
) -> Iterator[tuple[str, str | int | float, list[str]]]:
    """Yield place, id and captions of each row, by the first row's columns."""
    columns = None
    for place, row in rows:
        if not isinstance(row, dict):
            raise ValueError(f"{place}: found {_shown(row)}, expected an object")
        if not columns:
            columns = _pick(row)
            if columns != [ITEM, CAPTION]:
                notes["columns"] = ", ".join(columns)
        if absent := [name for name in columns if name not in row]:
            raise ValueError(f"{place}: no {', '.join(absent)}: {_shown(row)}")
        item, entry = (row[name] for name in columns)
        if type(item) not in (str, int, float) or item == "" or item != item:
            raise ValueError(f"{place}: found {_shown(item)}, expected an id")
        texts = _texts(entry)
        if not texts or not all(isinstance(text, str) for text in texts):
            raise ValueError(
                f"{place}: found {_shown(entry)}, expected a caption, or a list of"
                ' them or of {"caption": "<text>"}'
            )
        if HALF.search("".join([str(item), *texts])):
            raise ValueError(f"{place}: half a character in {_shown([item, *texts])}")
        yield place, item, texts


def _texts(entry: Any) -> list[Any]:
    """Return the captions in an entry, "" for an empty field; others as they are."""
    if isinstance(entry, list):
        return [text for one in entry for text in _texts(one)]
    if isinstance(entry, dict):
        _, texts = _columns(entry)
        return _texts(entry[texts[0]]) if len(texts) == 1 else [entry]
    return ["" if entry is None else entry]


def _shown(content: Any) -> str:
    return f"{json.dumps(content, default=repr):.80}"
