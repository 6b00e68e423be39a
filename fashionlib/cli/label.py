"""`fashionlib label`: a vision LLM labels pictures by prompt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def add(command: Callable[..., Any]) -> None:
    """Add the command's parser; `command(name, run, help, *examples)` returns it."""
