"""JSON lists of strangers, read element by element, with errors that name the file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CHUNK = 1 << 20  # characters
LONGEST = 16 << 20  # characters of one element
AFTER = re.compile(r"\s*([,\]])\s*")


def elements(path: Path) -> Iterator[Any]:
    """The elements of a file that holds one JSON list, in bounded memory whatever the
    list's length.

    FileNotFoundError without the file; ValueError, after the readable elements, where
    the list is broken or cut short.
    """
    decode, row = json.JSONDecoder().raw_decode, 0
    with _open(path) as file:
        text = file.read(CHUNK).lstrip()
        if not text.startswith("["):
            raise ValueError(f"{path.name} holds no JSON list")
        text = text[1:].lstrip()
        while not (row == 0 and text.startswith("]")):
            at = 0
            while element := _next(decode, text, at):
                value, at, closed = element
                yield value
                row += 1
                if closed:
                    return
            more = file.read(CHUNK)
            text = (text[at:] + more).lstrip()
            if not more or len(text) > LONGEST:
                raise ValueError(
                    f"{path.name}: element {row} is broken, or the file is cut short."
                    " Download it again."
                )


def _next(decode: Any, text: str, at: int) -> tuple[Any, int, bool] | None:
    """The element at a place, the place of the next and whether the list ends; None if
    the text ends before that.
    """
    try:
        value, end = decode(text, at)
    except (ValueError, RecursionError):
        return None
    after = AFTER.match(text, end)
    return (value, after.end(), after[1] == "]") if after else None


def plain(text: str) -> str:
    """The text with lone surrogates, which JSON may escape and no table can hold, as
    "?".
    """
    return text.encode("utf-8", "replace").decode("utf-8")


def _open(path: Path) -> Any:
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing")
    return open(path, encoding="utf-8", errors="replace")
