"""Tuples of captions that were parsed before: parsing is nearly all of SPICE-py's time,
and needs to be done once.
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
    """The file of JSON lines [caption's sha256, tuples] for this model and these rules,
    in `cache_folder`.

    FileNotFoundError where the spaCy model is not installed.
    """
    try:
        version = metadata.version(MODEL)
    except metadata.PackageNotFoundError as absent:
        raise FileNotFoundError(
            f"no spaCy model {MODEL}. Next step: pip install {MODEL}==3.8.0"
        ) from absent
    return cache_folder() / f"spice-{MODEL}-{version}-rules-{RULES}.jsonl"


def tuples(captions: Iterable[str]) -> dict[str, list[Tuple]]:
    """The tuples of each distinct caption. Those of no earlier call are parsed, with a
    progress bar, and kept.

    Where the cache folder can't be written a warning says so. ValueError where the kept
    file is spoilt.
    """
    path, distinct = place(), list(dict.fromkeys(captions))
    kept = _read(path)
    keys = {
        caption: hashlib.sha256(caption.encode("utf-8", "surrogatepass")).hexdigest()
        for caption in distinct
    }
    new = [caption for caption in distinct if keys[caption] not in kept]
    if new:
        parsed = tqdm(
            extract_all(new),
            total=len(new),
            desc="SPICE-py: parsing",
            unit="caption",
            disable=None,
        )
        kept |= {
            keys[caption]: found for caption, found in zip(new, parsed, strict=True)
        }
        try:
            with atomic(path) as part, part.open("w", encoding="utf-8") as file:
                file.writelines(
                    json.dumps(entry, ensure_ascii=False) + "\n"
                    for entry in kept.items()
                )
        except OSError as error:
            log.warning("SPICE-py parses these captions again next time: %s", error)
    return {caption: kept[keys[caption]] for caption in distinct}


def _read(path: Path) -> dict[str, list[Tuple]]:
    if not path.is_file():
        return {}
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    kept: dict[str, list[Tuple]] = {}
    for number, line in enumerate(lines, 1):
        try:
            key, found = json.loads(line)
            kept[key] = [tuple(map(str, parts)) for parts in found]
        except (ValueError, TypeError) as error:
            raise ValueError(
                f"{path}, line {number}: no kept tuples ({error}). Next step: delete"
                " the file"
            ) from error
    return kept
