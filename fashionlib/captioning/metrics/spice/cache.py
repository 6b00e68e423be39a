"""Tuples of captions that were parsed before.

Parsing is nearly all of SPICE-py's time, and needs to be done once.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from tqdm import tqdm

from fashionlib.captioning.metrics.spice.graph import Tuple
from fashionlib.captioning.metrics.spice.tuples import MODEL, RULES, extract_all
from fashionlib.data.files import atomic, cache_folder

log = logging.getLogger(__name__)


def place() -> Path:
    """Return the cache file for this model and these rules, in `cache_folder`.

    Its lines are JSON: [caption's sha256, tuples]. FileNotFoundError where the spaCy
    model is not installed.
    """
    try:
        version = metadata.version(MODEL)
    except metadata.PackageNotFoundError as absent:
        raise FileNotFoundError(
            f"no spaCy model {MODEL}. Next step: pip install {MODEL}==3.8.0"
        ) from absent
    return cache_folder() / f"spice-{MODEL}-{version}-rules-{RULES}.jsonl"


def tuples(captions: Iterable[str]) -> dict[str, list[Tuple]]:
    """Return the tuples of each distinct caption.

    Those of no earlier call are parsed, with a progress bar, and cached. Where the
    cache folder can't be written a warning says so. ValueError where the cache file is
    spoilt.
    """
    path = place()
    cached = _read(path)
    keys = {}
    for caption in captions:
        text = caption.encode("utf-8", "surrogatepass")
        keys[caption] = hashlib.sha256(text).hexdigest()
    new = [caption for caption, key in keys.items() if key not in cached]
    if new:
        parsed = extract_all(new)
        bar = tqdm(parsed, "SPICE-py: parsing", len(new), unit="caption", disable=None)
        for caption, parts in zip(new, bar, strict=True):
            cached[keys[caption]] = parts
        try:
            with atomic(path) as part, part.open("w", encoding="utf-8") as file:
                for entry in cached.items():
                    file.write(json.dumps(entry, ensure_ascii=False) + "\n")
        except OSError as error:
            log.warning("SPICE-py parses these captions again next time: %s", error)
    return {caption: cached[key] for caption, key in keys.items()}


def _read(path: Path) -> dict[str, list[Tuple]]:
    if not path.is_file():
        return {}
    cached: dict[str, list[Tuple]] = {}
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    for number, line in enumerate(lines, 1):
        try:
            key, tuples = json.loads(line)
            cached[key] = [tuple(map(str, parts)) for parts in tuples]
        except (ValueError, TypeError) as error:
            raise ValueError(
                f"{path}, line {number}: no kept tuples ({error}). Next step: delete"
                " the file"
            ) from error
    return cached
