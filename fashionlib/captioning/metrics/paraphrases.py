"""METEOR's table of five million paraphrases, cut to the words at hand: loading it all
is most of a short scoring.

A paraphrase can only match where every word of both its phrases is in the texts, so a
table without the others gives the same scores; so does any larger one.
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

KEPT = 4  # tables in the cache; another process may be reading an older one
MOST_WORDS = 100_000  # a vocabulary that grew beyond is begun anew
PIECES = (
    re.compile(r"[a-z0-9]+|[^a-z0-9\s]"),
    re.compile(r"'?[a-z0-9]+"),
    re.compile(r"[^\s'-]+"),
)
log = logging.getLogger(__name__)


def whole() -> Path:
    """The table that pycocoevalcap ships."""
    return java.jar_folder("meteor") / "data" / "paraphrase-en.gz"


def vocabulary(texts: Iterable[str]) -> set[str]:
    """Every word that METEOR's own normalisation could make of the texts' tokens, and
    more: it splits some of them.
    """
    tokens = set().union(*(text.lower().split() for text in texts))
    return tokens.union(
        *(pattern.findall(token) for token in tokens for pattern in PIECES)
    )


def table(texts: Iterable[str]) -> Path:
    """Path of a table with every paraphrase that can match in `texts`; from the cache
    if one there has all the words.

    A new table takes some seconds and has the words of the newest one too, so that the
    cache soon covers a project. Where the cache folder can't be written the whole table
    is used, and a warning says so.
    """
    words = vocabulary(texts)
    folder = cache_folder() / f"paraphrases-{whole().stat().st_size}"
    try:
        known = sorted(
            folder.glob("*.txt"), key=lambda path: path.stat().st_mtime_ns, reverse=True
        )
        for listed in known:
            if (
                words <= set(listed.read_text(encoding="utf-8").split("\n"))
                and listed.with_suffix(".gz").is_file()
            ):
                return listed.with_suffix(".gz")
        if known:
            grown = words | set(known[0].read_text(encoding="utf-8").split("\n"))
            words = grown if len(grown) <= MOST_WORDS else words
        made = _cut(folder, sorted(words))
        for old in known[KEPT - 1 :]:
            old.unlink(missing_ok=True)
            old.with_suffix(".gz").unlink(missing_ok=True)
        return made
    except OSError as error:
        log.warning("METEOR reads its whole paraphrase table, which is slow: %s", error)
        return whole()


def _cut(folder: Path, words: list[str]) -> Path:
    """Write the table and then its vocabulary, which is what makes it known."""
    name, within = (
        hashlib.sha256("\n".join(words).encode()).hexdigest()[:16],
        frozenset(words),
    )
    with atomic(folder / f"{name}.gz") as part:
        with (
            gzip.open(whole(), "rt", encoding="utf-8") as source,
            gzip.open(part, "wt", 1, encoding="utf-8") as kept,
        ):
            entries = zip(
                source, source, source, strict=True
            )  # probability, phrase, phrase
            for chance, one, other in tqdm(
                entries, desc="METEOR's paraphrases", unit_scale=True, disable=None
            ):
                if within.issuperset(one.split()) and within.issuperset(other.split()):
                    kept.writelines((chance, one, other))
    with atomic(folder / f"{name}.txt") as part:
        part.write_text("\n".join(words), encoding="utf-8")
    return folder / f"{name}.gz"
