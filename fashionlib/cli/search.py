"""`fashionlib index` and `fashionlib search`: a catalogue in a vector database, asked by picture and by words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def add(command: Callable[..., Any]) -> None:
    """Add the command's parser; `command(name, run, help, *examples)` returns it."""
