"""METEOR's table of five million paraphrases, cut to the words at hand.

Loading it all is most of a short scoring. A paraphrase can only match where every word
of both its phrases is in the texts, so a table without the others gives the same
scores; so does any larger one.
"""

from __future__ import annotations

import gzip
import hashlib
import logging
import re
from collections.abc import Iterable
from pathlib import Path

from tqdm import tqdm

from fashionlib.captioning.metrics import java
from fashionlib.data.files import atomic, cache_folder

MOST_TABLES = 4  # in the cache; another process may be reading an older one
MOST_WORDS = 100_000  # a vocabulary that grew beyond is begun anew
PIECES = (
    re.compile(r"[a-z0-9]+|[^a-z0-9\s]"),
    re.compile(r"'?[a-z0-9]+"),
    re.compile(r"[^\s'-]+"),
)
log = logging.getLogger(__name__)


def whole() -> Path:
    """Return the table that pycocoevalcap ships."""
    return java.jar_folder("meteor") / "data" / "paraphrase-en.gz"


def vocabulary(texts: Iterable[str]) -> set[str]:
    """Return every word that METEOR's own normalisation could make of the texts.

    It splits some of their tokens; there may be more words than it makes.
    """
    tokens = set().union(*(text.lower().split() for text in texts))
    pieces = (pattern.findall(token) for token in tokens for pattern in PIECES)
    return tokens.union(*pieces)


def table(texts: Iterable[str]) -> Path:
    """Return the path of a table with every paraphrase that can match in `texts`.

    It is from the cache if one there has all the words. A new one takes some seconds
    and has the words of the newest one too, so that the cache soon covers a project.
    Where the cache folder can't be written the whole table is used, and a warning says
    so.
    """
    words = vocabulary(texts)
    folder = cache_folder() / f"paraphrases-{whole().stat().st_size}"
    try:
        listed = sorted(
            folder.glob("*.txt"), key=lambda path: path.stat().st_mtime_ns, reverse=True
        )
        for path in listed:
            if words <= _words(path) and path.with_suffix(".gz").is_file():
                return path.with_suffix(".gz")
        if listed:
            grown = words | _words(listed[0])
            words = grown if len(grown) <= MOST_WORDS else words
        made = _cut(folder, sorted(words))
        for old in listed[MOST_TABLES - 1 :]:
            old.unlink(missing_ok=True)
            old.with_suffix(".gz").unlink(missing_ok=True)
        return made
    except OSError as error:
        log.warning("METEOR reads its whole paraphrase table, which is slow: %s", error)
        return whole()


def _words(path: Path) -> set[str]:
    return set(path.read_text(encoding="utf-8").split("\n"))


def _cut(folder: Path, words: list[str]) -> Path:
    """Write the table and then its vocabulary, by which it is listed."""
    name = hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]
    known = frozenset(words)
    with (
        atomic(folder / f"{name}.gz") as part,
        gzip.open(whole(), "rt", encoding="utf-8") as source,
        gzip.open(part, "wt", 1, encoding="utf-8") as cut,
    ):
        lines = tqdm(source, desc="METEOR's paraphrases", unit_scale=True, disable=None)
        entries = zip(lines, lines, lines, strict=True)  # probability, two phrases
        for chance, one, other in entries:
            if known.issuperset(one.split()) and known.issuperset(other.split()):
                cut.writelines((chance, one, other))
    with atomic(folder / f"{name}.txt") as part:
        part.write_text("\n".join(words), encoding="utf-8")
    return folder / f"{name}.gz"
