"""Tuples of captions: parsing is nearly all of SPICE-py's time, so it is done once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from tqdm import tqdm

from fashionlib.captioning.metrics.attributes import installed
from fashionlib.captioning.metrics.spice.graph import Tuple
from fashionlib.captioning.metrics.spice.tuples import MODEL, RULES, extract_all
from fashionlib.data.remembered import remembered


def recipe() -> str:
    """Name the model and the rules by which captions are parsed.

    FileNotFoundError where the spaCy model is not installed.
    """
    return f"spice by {installed(MODEL)}, rules {RULES}"


def tuples(captions: Iterable[str]) -> dict[str, list[Tuple]]:
    """Return the tuples of each distinct caption; see `remembered`."""
    made = remembered(recipe(), captions, _parsed)
    return {text: [tuple(t) for t in json.loads(row)] for text, row in made.items()}


def _parsed(captions: list[str]) -> Iterator[bytes]:
    bar = {"total": len(captions), "unit": "caption", "disable": None}
    for tuples in tqdm(extract_all(captions), "SPICE-py: parsing", **bar):
        yield json.dumps(tuples).encode()
