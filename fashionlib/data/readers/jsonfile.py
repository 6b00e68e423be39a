"""Read JSON lists of strangers element by element, with errors that name the file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

CHUNK = 1 << 12  # bytes read at once
LONGEST = 16 << 20  # bytes of one element
DEEPEST = 1000  # brackets open at once in one element


class _Bounded:
    """A file that refuses to be read on inside too long or too deep an element."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.start_element()

    def start_element(self) -> None:
        self.length, self.depth = 0, 0

    def read(self, size: int) -> bytes:
        data = self.file.read(size)
        self.length += len(data)
        self.depth += sum(map(data.count, b"[{")) - sum(map(data.count, b"]}"))
        if self.length > LONGEST or self.depth > DEEPEST:
            raise ValueError("too long or too deep")
        return data


def elements(path: Path) -> Iterator[Any]:
    """Yield the elements of a file that holds one JSON list, in bounded memory.

    FileNotFoundError without the file; ValueError, after the readable elements, where
    the list is broken or cut short.
    """
    import ijson

    row = 0
    with path.open("rb") as file:
        if not file.read(CHUNK).lstrip().startswith(b"["):
            raise ValueError(f"{path.name} holds no JSON list")
        file.seek(0)
        bounded = _Bounded(file)
        try:
            for element in ijson.items(bounded, "item", buf_size=CHUNK, use_float=True):
                yield element
                row += 1
                bounded.start_element()
        except (ijson.JSONError, ValueError) as error:
            raise ValueError(
                f"{path.name}: element {row} is broken, or the file is cut short."
                " Download it again."
            ) from error


def plain(text: str) -> str:
    """Return the text with lone surrogates, which no table can hold, as "?"."""
    return text.encode("utf-8", "replace").decode("utf-8")
