"""`fashionlib retrieve`: top-k accuracy of anybody's vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def add(command: Callable[..., Any]) -> None:
    """Add the command's parser; `command(name, run, help, *examples)` returns it."""
