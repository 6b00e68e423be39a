"""Read anybody's tables: CSV, TSV and RecBole's .inter as text, and parquet.

The rules are the same for every command. Only an empty field is missing: "NA", "None"
and "null" are text. Ids stay text. A line has as many fields as the header, else it is
refused. Blank lines are passed over, and a line's number is its number in the file. The
header's commonest of comma, semicolon and tab parts the fields; text is UTF-8.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv as arrow_csv
from tqdm import tqdm

from fashionlib.data.items import IMAGE, ITEM, PRODUCT

BLOCK = 1 << 25  # bytes of a table read at once; a row may have no more
SHOWN = 3  # lines whose text an error or report shows
NOT_TEXT = {  # how a file begins: what it is
    b"PK\x03\x04": "a spreadsheet or a zip archive; save the sheet as CSV (UTF-8)",
    b"\xd0\xcf\x11\xe0": "a spreadsheet; save the sheet as CSV (UTF-8)",
    b"\x1f\x8b": "compressed; unpack it first",
    b"\xff\xfe": "UTF-16; save it as UTF-8",
    b"\xfe\xff": "UTF-16; save it as UTF-8",
}
KINDS = {",": "comma", ";": "semicolon", "\t": "tab", " ": "space"}
TEXT = pa.string()
CODES = pa.dictionary(pa.int32(), TEXT)


@dataclass
class Table:
    """A table's file, not read yet.

    `names` are its columns in order. `misfits`, after reading, are the rows (from 0)
    that have another number of fields than `names`; they were passed over.
    """

    path: Path
    names: list[str]
    delimiter: str | None = None  # None: parquet
    header: bool = True
    quote: bool = True
    misfits: dict[int, int] = field(default_factory=dict)  # row: its fields

    def require(self, columns: Iterable[str]) -> None:
        """Raise ValueError for columns that are absent or there twice."""
        counts = {name: self.names.count(name) for name in columns}
        for count, what in ((0, "no column"), (2, "several columns")):
            if wrong := [name for name, n in counts.items() if min(n, 2) == count]:
                raise ValueError(
                    f"{self.path}: {what} {', '.join(wrong)}; found"
                    f" {', '.join(self.names) or 'none'}"
                )

    def read(self, columns: Sequence[str], codes: bool = False) -> pd.DataFrame:
        """Return the columns as text, or with `codes` as categories (4 bytes a row).

        An empty field is missing, but "" among categories. ValueError naming file and
        line for what is no table.
        """
        self.require(columns)
        self.misfits = {}
        kind = CODES if codes else TEXT
        try:
            batches = list(self._batches(columns, kind))
        except (pa.ArrowException, OSError) as error:
            raise ValueError(f"{self.path}{self._explained(error)}") from error
        self._refuse_open_quote()
        table = pa.Table.from_batches(batches, pa.schema(dict.fromkeys(columns, kind)))
        if not codes:
            return table.to_pandas()
        table = table.unify_dictionaries()
        return pd.DataFrame({name: _categories(table[name]) for name in columns})

    def _batches(
        self, columns: Sequence[str], kind: pa.DataType
    ) -> Iterator[pa.RecordBatch]:
        if self.delimiter is None:
            yield from self._parquet(columns, kind)
            return
        read = arrow_csv.ReadOptions(
            use_threads=False,  # else a misfit's row isn't numbered
            block_size=BLOCK,
            column_names=self.names,
            skip_rows_after_names=int(self.header),
        )
        parse = arrow_csv.ParseOptions(
            delimiter=self.delimiter,
            quote_char='"' if self.quote else False,
            newlines_in_values=self.quote,
            invalid_row_handler=self._pass_over,
        )
        convert = arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(columns, kind),
            include_columns=columns,
            null_values=[""],
            strings_can_be_null=kind == TEXT,
        )
        size, name = self.path.stat().st_size, self.path.name
        bar = tqdm(total=size, desc=f"read {name}", unit="B", unit_scale=True, delay=1)
        with (
            bar,
            pa.OSFile(str(self.path)) as file,
            arrow_csv.open_csv(file, read, parse, convert) as reader,
        ):
            for batch in reader:
                yield batch
                bar.update(min(file.tell(), size) - bar.n)

    def _pass_over(self, row: arrow_csv.InvalidRow) -> str:
        self.misfits[row.number - 1 - self.header] = row.actual_columns
        return "skip"

    def _parquet(
        self, columns: Sequence[str], kind: pa.DataType
    ) -> Iterator[pa.RecordBatch]:
        with pq.ParquetFile(self.path) as file:
            schema = file.schema_arrow
            wanted = [schema.names[self.names.index(name)] for name in columns]
            for batch in file.iter_batches(columns=wanted):
                values = [_as_text(batch[name]) for name in wanted]
                if kind == CODES:
                    values = [v.fill_null("").dictionary_encode() for v in values]
                yield pa.RecordBatch.from_arrays(values, names=list(columns))

    def kind(self, column: str) -> pa.DataType:
        """Return the type in which the column is stored; text but in parquet."""
        if self.delimiter is not None:
            return TEXT
        return pq.read_schema(self.path).types[self.names.index(column)]

    def fault(self, row: int, what: str) -> ValueError:
        """Return the error of a row that was read: "FILE, line N: WHAT: TEXT"."""
        line, _, text = self.places([row])[0].partition(": ")
        return ValueError(f"{self.path}, {line}: {what}: {text!r}")

    def places(self, rows: Iterable[int]) -> list[str]:
        """Return "line N: TEXT" of the first `SHOWN` rows that were read, "" of others.

        Rows count from 0, without those passed over.
        """
        wanted = [int(row) for row in rows]
        for misfit in sorted(self.misfits):
            wanted = [row + (row >= misfit) for row in wanted]
        return self._lines(wanted)

    def misfit_places(self) -> list[str]:
        """Return "line N: 26 fields for 25: TEXT" of the rows passed over."""
        places = self._lines(sorted(self.misfits))
        return [
            place.replace(": ", f": {count} fields for {len(self.names)}: ", 1)
            for place, (_, count) in zip(
                places, sorted(self.misfits.items()), strict=True
            )
        ]

    def refuse_misfits(self) -> None:
        """Raise ValueError for rows with another number of fields than the header."""
        if self.misfits:
            line, fields, text = self.misfit_places()[0].split(": ", 2)
            kind = KINDS[self.delimiter]
            raise ValueError(
                f"{self.path}, {line}: {fields} {kind}-separated ones: {text!r};"
                f" {len(self.misfits):,} such lines. Quote a field that holds a {kind}"
            )

    def _lines(self, rows: list[int]) -> list[str]:
        """Return "line N: TEXT" of the first `SHOWN` of all rows, "" of the others."""
        shown = rows[:SHOWN]
        if self.delimiter is None:
            texts = {row: f"row {row}" for row in shown}
        else:
            texts = dict(self._raw_lines(set(shown)))
        return [texts.get(row, "") for row in rows]

    def _raw_lines(self, rows: set[int]) -> Iterator[tuple[int, str]]:
        row, last, left = -1 - self.header, 0, len(rows)
        csv.field_size_limit(BLOCK)
        with self.path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            lines: list[str] = []  # of the row being read

            def kept() -> Iterator[str]:
                for line in file:
                    lines.append(line)
                    yield line

            for fields in csv.reader(kept(), **self._dialect()):
                first, last = last + 1, last + len(lines)
                row += bool(fields)
                if fields and row in rows:
                    text = "".join(lines).strip("\r\n")
                    yield row, f"line {first}: {text[:200]}"
                    left -= 1
                if not left:
                    return
                lines.clear()

    def _refuse_open_quote(self) -> None:
        """Raise ValueError where a quote is never closed: Arrow reads on to the end."""
        if self.delimiter is None or not self.quote:
            return
        with self.path.open("rb") as file:
            blocks = iter(lambda: file.read(BLOCK), b"")
            if sum(block.count(b'"') for block in blocks) % 2 == 0:
                return
        last = 1
        with self.path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            rows = csv.reader(file, strict=True, **self._dialect())
            try:
                for _ in rows:
                    last = rows.line_num + 1
            except csv.Error as error:
                raise ValueError(
                    f"{self.path}, line {last}: a quote that opens a field is never"
                    f" closed ({error})"
                ) from error

    def _dialect(self) -> dict[str, Any]:
        quoting = csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE
        return {"delimiter": self.delimiter, "quoting": quoting}

    def _explained(self, error: Exception) -> str:
        text = str(error)
        if "UTF8" in text:
            return undecodable(self.path)
        if "straddling" in text:
            return (
                f": a quote that opens a field is never closed, or a row has more than"
                f" {BLOCK:,} bytes"
            )
        return f" can't be read: {text}"


def open_table(path: Path, renamed: Mapping[str, str | None] | None = None) -> Table:
    """Find out what a table with a header holds; `renamed` is {our name: its name}.

    FileNotFoundError; ValueError for a spreadsheet, another encoding, an empty file, or
    a renamed column that isn't there.
    """
    path = Path(path)
    if beginning(path).startswith(b"PAR1"):
        table = Table(path, _parquet_names(path))
    else:
        line = first_line(path)
        delimiter = max(",;\t", key=line.count)
        if path.suffix == ".inter":
            delimiter = "\t"
        table = Table(path, [], delimiter)
        table.names = _header(table)
    if not table.names:
        raise ValueError(f"{path}: the file is empty; a table begins with a header")
    for ours, theirs in (renamed or {}).items():
        if theirs is None or theirs == ours:
            continue
        table.require([theirs])
        table.names = ["" if name == ours else name for name in table.names]
        table.names[table.names.index(theirs)] = ours
    return table


def beginning(path: Path) -> bytes:
    """Return a file's first bytes; ValueError where they are of no table."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    with path.open("rb") as file:
        head = file.read(8)
    for magic, what in NOT_TEXT.items():
        if head.startswith(magic):
            raise ValueError(f"{path} is {what}")
    return head


def first_line(path: Path) -> str:
    """Return the first line that isn't blank."""
    with path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
        line = next((line for line in file if line.strip()), "").rstrip("\n")
    if any("\ud800" <= sign <= "\udfff" for sign in line):
        raise ValueError(f"{path}{undecodable(path)}")
    return line


def undecodable(path: Path) -> str:
    """Say which line of a file is no UTF-8, and what to do."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                return (
                    f", line {number}: byte 0x{line[error.start]:02x} is no utf-8:"
                    f" {line.decode('utf-8', 'replace').strip()[:200]!r}; save it as"
                    " UTF-8"
                )
    return ": no utf-8"


def _header(table: Table) -> list[str]:
    with table.path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        rows = csv.reader(file, **table._dialect())
        names = next((row for row in rows if row), [])
    return [name.strip() for name in names]


def _parquet_names(path: Path) -> list[str]:
    try:
        return list(pq.read_schema(path).names)
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{path} is no whole parquet: {error}") from error


def _as_text(values: pa.Array) -> pa.Array:
    """Return a parquet's column as text; "" is missing."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    midnight = r" 00:00:00(\.0+)?$" if pa.types.is_timestamp(values.type) else ""
    values = values.cast(TEXT)
    if midnight:  # a day
        values = pc.replace_substring_regex(values, midnight, "")
    return pc.if_else(pc.equal(values, ""), pa.scalar(None, TEXT), values)


def _categories(column: pa.ChunkedArray) -> pd.Categorical:
    chunks = [chunk.indices.to_numpy() for chunk in column.chunks]
    codes = np.concatenate(chunks) if chunks else np.empty(0, np.int32)
    values = column.chunk(0).dictionary.to_pandas() if chunks else []
    return pd.Categorical.from_codes(codes, values, validate=False)


def read_table(
    path: Path,
    columns: Iterable[str] = (ITEM, IMAGE),
    renamed: Mapping[str, str | None] | None = None,
) -> pd.DataFrame:
    """Read anybody's table of items with at least these columns, all as text.

    `renamed` is {our column: the table's own}. A relative path in `image` counts from
    the table's folder. A parquet's lists and bytes, as a box or a vector, are left out.
    FileNotFoundError; ValueError naming the file, and what it lacks and has; a line
    without id or with another number of fields; ids that a parquet holds as numbers.
    """
    table = open_table(path, renamed)
    if absent := [name for name in columns if name not in table.names]:
        raise ValueError(
            f"{path}: no column {', '.join(absent)}; found"
            f" {', '.join(filter(None, table.names))}. Rename them, or say which is"
            " meant: --id, --photo, --caption, --category, --product"
        )
    refuse_numbers(table, [ITEM, PRODUCT])
    wanted = dict.fromkeys(filter(None, table.names))
    rows = table.read([name for name in wanted if not _is_nested(table.kind(name))])
    table.refuse_misfits()
    empty = np.flatnonzero(rows[ITEM].isna())
    if len(empty):
        raise table.fault(empty[0], f"no {ITEM} in {len(empty):,} rows, first")
    if IMAGE in rows:
        rows[IMAGE] = text(rows[IMAGE].map(lambda name: _beside(path, name)))
    return rows


def refuse_numbers(table: Table, columns: Iterable[str]) -> None:
    """Raise ValueError where a parquet holds these columns as numbers."""
    for name in columns:
        if name in table.names and not _holds_text(kind := table.kind(name)):
            raise ValueError(
                f"{table.path}: {name} is {kind}, and a number loses leading zeros"
                " (0108775015 becomes 108775015). Save it as text where it is still"
                f" whole: table.astype({{{name!r}: 'str'}}).to_parquet(...)"
            )


def _holds_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _is_nested(kind: pa.DataType) -> bool:
    return pa.types.is_nested(kind) or pa.types.is_binary(kind)


def text(values: Any) -> Any:
    """Return a column or table as text; what lacks stays missing, in pandas 2 too."""
    return values.astype("str").where(values.notna())


def _beside(path: Path, name: object) -> object:
    if not isinstance(name, str) or Path(name).is_absolute():
        return name
    return str(Path(path).absolute().parent / name)


def ten_digits(ids: pd.Series) -> pd.Series | None:
    """Return H&M's article ids with the zeros that a number lost, or None.

    As a number 0108775015 is 108775015 or 108775015.0. That all lost theirs is sure
    where no id begins with a zero; else a short id is a wrong one, as is one of fewer
    than nine digits.
    """
    known = ids.dropna()
    if not known.str.fullmatch(r"[1-9][0-9]{8,9}(\.0)?").all():
        return None
    return ids.str.removesuffix(".0").str.zfill(10)


def distinct(column: pd.Series) -> pd.Series:
    """Return the distinct texts of a column of categories, in the order of codes."""
    return pd.Series(column.cat.categories, dtype="str")


def rows_with(column: pd.Series, values: pd.Series) -> np.ndarray:
    """Return the rows of a column of categories whose distinct value is marked."""
    return np.flatnonzero(values.to_numpy(bool)[column.cat.codes])


def days(texts: pd.Series) -> pd.Series:
    """Return texts YYYY-MM-DD as days; what has another form is missing."""
    formed = texts.where(texts.str.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"))
    return pd.to_datetime(formed, format="%Y-%m-%d", errors="coerce")


def is_id(texts: pd.Series) -> pd.Series:
    """Return which texts can be ids: not blank, without tab or line break."""
    return (texts.str.strip() != "") & ~texts.str.contains(r"[\t\n\r]")
