"""METEOR's table of five million paraphrases, cut to the words at hand.

Loading it all is most of a short scoring. A paraphrase can only match where every word
of both its phrases is in the texts, so a table without the others gives the same
scores.
"""

from __future__ import annotations

import gzip
import logging
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import compute, csv
from tqdm import tqdm

from fashionlib.captioning.metrics import java
from fashionlib.data.files import atomic, cache_folder

PIECES = (
    re.compile(r"[a-z0-9]+|[^a-z0-9\s]"),
    re.compile(r"'?[a-z0-9]+"),
    re.compile(r"[^\s'-]+"),
)
BLOCK = 2**20  # bytes of the table that are numbered, and searched, at a time
ARRAYS = ("chances", "lengths", "words")  # of each block
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


@contextmanager
def table(texts: Iterable[str]) -> Iterator[Path]:
    """Yield the path of a table with every paraphrase that can match in `texts`.

    The words of all paraphrases are numbered once, which takes some seconds, and stay
    in the cache folder. Where that can't be written the whole table is used, and a
    warning says so.
    """
    index = cache_folder() / f"paraphrases-{whole().stat().st_size}-blocks.npz"
    try:
        if not index.is_file():
            _number(index)
    except OSError as error:
        log.warning("METEOR reads its whole paraphrase table, which is slow: %s", error)
        yield whole()
        return
    with tempfile.TemporaryDirectory() as folder:
        cut = Path(folder) / "paraphrases.gz"
        with gzip.open(cut, "wt", 1, encoding="utf-8") as lines:
            lines.writelines(_matching(index, vocabulary(texts)))
        yield cut


def _number(index: Path) -> None:
    """Write each block as numbers: its phrases' lengths, and their words one by one."""
    numbers: dict[str, int] = {}
    arrays: dict[str, np.ndarray] = {}
    for block, lines in enumerate(_blocks()):
        entries = np.arange(0, len(lines), 3)
        chances = lines.take(entries).cast("double").to_numpy()
        phrases = np.stack([entries + 1, entries + 2], 1).ravel()
        split = compute.split_pattern(lines.take(phrases), " ")
        lengths = compute.list_value_length(split).to_numpy().astype(np.uint8)
        coded = split.flatten().dictionary_encode()
        own = [numbers.setdefault(w, len(numbers)) for w in coded.dictionary.tolist()]
        words = np.array(own, np.uint16)[coded.indices.to_numpy()]
        made = zip(ARRAYS, (chances, lengths, words), strict=True)
        arrays |= {f"{name} {block}": array for name, array in made}
    with atomic(index) as part, part.open("wb") as file:
        np.savez(file, known=np.array(list(numbers)), **arrays)


def _blocks() -> Iterator[pa.StringArray]:
    """Yield the table's lines, three an entry: its probability and two phrases."""
    read = csv.ReadOptions(column_names=["line"], block_size=BLOCK, use_threads=False)
    plain = csv.ParseOptions(delimiter="\t", quote_char=False)
    convert = csv.ConvertOptions(column_types={"line": pa.string()})
    rest = pa.array([], pa.string())
    with csv.open_csv(whole(), read, plain, convert) as reader:
        for batch in tqdm(reader, "METEOR's paraphrases", unit="block", disable=None):
            lines = pa.concat_arrays([rest, batch.column("line")])
            entries = len(lines) // 3 * 3
            rest = lines[entries:]
            yield lines[:entries]


def _matching(index: Path, words: set[str]) -> Iterator[str]:
    """Yield each paraphrase of these words alone: its probability and two phrases."""
    with np.load(index) as file:
        known = file["known"]
        held = np.isin(known, list(words))
        for block in range(len(file.files) // len(ARRAYS)):
            chances, lengths, numbers = (file[f"{name} {block}"] for name in ARRAYS)
            ends = np.cumsum(lengths, dtype=np.int64)  # of each phrase, in numbers
            starts = ends - lengths
            whole_phrases = np.logical_and.reduceat(held[numbers], starts)
            for row in np.flatnonzero(whole_phrases.reshape(-1, 2).all(axis=1)):
                yield f"{chances[row]}\n"
                for phrase in (2 * row, 2 * row + 1):
                    text = known[numbers[starts[phrase] : ends[phrase]]]
                    yield " ".join(text) + "\n"
