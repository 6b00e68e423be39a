"""METEOR 1.5 (Denkowski and Lavie 2014) by the jar that pycocoevalcap ships.

Each item's score is the jar's to the last bit. Every distinct pair of references and
caption is asked once for all systems, in as many jars as there are cores for it, with
the paraphrases that can match (`paraphrases`).
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from fashionlib.captioning.metrics import java, paraphrases

VERSION = "1.5"
JAR = "meteor-1.5.jar"
# Without the second compiler and with one collector thread a start, and ten thousand
# pairs, cost half as much.
MACHINE = ("-Xmx2G", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
PAIRS_A_JAR = 1000  # distinct pairs that are worth another JVM
OPTIONS = ("-", "-", "-stdio", "-l", "en", "-norm")
ALPHA, BETA, GAMMA, DELTA = 0.85, 0.2, 0.6, 0.75  # the jar's for English
STAGES = {"exact": 1.0, "stem": 0.6, "synonym": 0.8, "paraphrase": 0.6}  # weights
SIDES = ("caption", "reference")
STATISTICS = (  # of an item, in the jar's order; they add up over items
    *(f"{side} words" for side in SIDES),
    *(f"{side} function words" for side in SIDES),
    *(
        f"{stage} {kind} matches of {side}"
        for stage in STAGES
        for kind in ("content", "function")
        for side in SIDES
    ),
    "chunks",
    *(f"matched words of {side}" for side in SIDES),
)


@dataclass(frozen=True)
class Meteor:
    """One system's METEOR; its corpus value is of the summed statistics, no mean."""

    per_item: np.ndarray  # (items,), fractions
    corpus: float
    statistics: np.ndarray  # (items, 23), STATISTICS, summable: see `_summable`


def score_many(
    references: Sequence[Sequence[str]],
    systems: Sequence[Sequence[str]],
    seconds: float | None = None,
) -> list[Meteor]:
    """Score each system's tokenised captions (items,) against the same references.

    References are tokenised too, any number an item. Line ends and "|||" within a text
    are removed, so no caption can shift the answers. ValueError where the lengths
    differ, RuntimeError with the end of Java's error output where Java dies or answers
    nonsense, and TimeoutError after `seconds` (when none are given: two minutes and a
    tenth of a second per pair).
    """
    for captions in systems:
        if len(captions) != len(references):
            raise ValueError(
                f"METEOR: {len(captions)} captions for {len(references)} lists of"
                " references"
            )
    if not references:
        raise ValueError("METEOR: no items to score")
    lines = [
        _line(texts, caption)
        for captions in systems
        for texts, caption in zip(references, captions, strict=True)
    ]
    limit = 120 + 0.1 * len(lines) if seconds is None else seconds
    places = {line: place for place, line in enumerate(dict.fromkeys(lines))}
    distinct = list(places)
    count = max(1, min(os.cpu_count() or 1, len(distinct) // PAIRS_A_JAR))
    with ThreadPoolExecutor(count) as pool, ExitStack() as stack:
        # a jar that fails ends the others, then the pool
        paraphrase_table = stack.enter_context(paraphrases.table(distinct))
        bar = stack.enter_context(
            tqdm(total=len(distinct), desc="METEOR", mininterval=1, disable=None)
        )
        jars = [
            stack.enter_context(_Jar(limit, paraphrase_table, bar))
            for _ in range(count)
        ]
        parts = [slice(n, None, count) for n in range(count)]
        answers = pool.map(lambda jar, part: jar.ask(distinct[part]), jars, parts)
        statistics = np.empty((len(distinct), len(STATISTICS)))
        for part, answer in zip(parts, answers, strict=True):
            statistics[part] = answer
        each = statistics[[places[line] for line in lines]]  # (systems * items, 23)
        of_systems = each.reshape(len(systems), len(references), -1)
        return [jars[0].evaluate(rows) for rows in of_systems]


def score(
    references: Sequence[Sequence[str]],
    captions: Sequence[str],
    seconds: float | None = None,
) -> Meteor:
    """Score one system; see `score_many`."""
    return score_many(references, [captions], seconds)[0]


def from_statistics(statistics: np.ndarray) -> np.ndarray:
    """Return METEOR (...,) of statistics (..., 23), also of summed ones.

    Weighted precision P and recall R give P R / (alpha P + (1 - alpha) R), less a share
    gamma * fragmentation^beta.
    """
    words, function_words, matches, chunks, matched_words = _named(statistics)
    content = words - function_words
    kinds = np.array([DELTA, 1 - DELTA])  # weights of content and function words
    matched = np.einsum("...skt,s,k->...t", matches, list(STAGES.values()), kinds)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = matched / (DELTA * content + (1 - DELTA) * function_words)
        precision, recall = shares[..., 0], shares[..., 1]
        mean = 1 / ((1 - ALPHA) / precision + ALPHA / recall)
        fragmentation = chunks / matched_words.mean(axis=-1)
        value = mean * (1 - GAMMA * fragmentation**BETA)
    return np.where(matched.prod(axis=-1) > 0, value, 0.0)


def of_2005(statistics: np.ndarray) -> np.ndarray:
    """Return METEOR (...,) by the formula of Banerjee and Lavie 2005 on 1.5's matches.

    Of statistics (..., 23): 10 P R / (R + 9 P), less a share (chunks / matches)^3 / 2;
    every match counts whole. NLTK's METEOR and Thesis B's equations 4.6 and 4.7 have
    this form. Their matches know no paraphrases, so they are fewer.
    """
    words, _, matches, chunks, _ = _named(statistics)
    matched = matches.sum(axis=(-3, -2))  # (..., sides)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = matched / words
        precision, recall = shares[..., 0], shares[..., 1]
        mean = 10 * precision * recall / (recall + 9 * precision)
        value = mean * (1 - (chunks / matched.mean(axis=-1)) ** 3 / 2)
    return np.where(matched.prod(axis=-1) > 0, value, 0.0)


def _named(statistics: np.ndarray) -> tuple[np.ndarray, ...]:
    """Split statistics (..., 23) into words, function words, matches, chunks, matched.

    Matches are (..., stages, kinds, sides), chunks (...,), the others (..., sides).
    """
    rows = np.asarray(statistics, float)
    matches = rows[..., 4:20].reshape(*rows.shape[:-1], len(STAGES), 2, len(SIDES))
    return rows[..., :2], rows[..., 2:4], matches, rows[..., 20], rows[..., 21:]


def _summable(statistics: np.ndarray) -> np.ndarray:
    """Return the jar's statistics (items, 23) as it sums them.

    A caption matched whole, in one chunk, adds no chunk.
    """
    words, _, matches, chunks, _ = _named(statistics)
    whole = (matches.sum(axis=(1, 2)) == words).all(axis=1) & (chunks == 1)
    summable = statistics.copy()
    summable[whole, STATISTICS.index("chunks")] = 0
    return summable


def _line(references: Sequence[str], caption: str) -> str:
    """Write one question in the jar's protocol, cleaned as pycocoevalcap does."""
    if not references:
        raise ValueError(f"METEOR: no reference for the caption {caption[:60]!r}")
    *texts, said = (
        java.one_line(text).replace("|||", "") for text in (*references, caption)
    )
    return " ||| ".join(["SCORE", *texts, said.replace("  ", " ")]) + "\n"


class _Jar:
    """The running jar, for a `with` block. Every way out of the block ends the JVM."""

    def __init__(self, limit: float, paraphrase_table: Path, bar: tqdm) -> None:
        self.limit, self.bar, self.late = limit, bar, False
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 (__exit__ closes it)
        command = [java.runtime(), *MACHINE, *java.FLAGS, "-jar", JAR, *OPTIONS]
        self.process = subprocess.Popen(
            [*command, "-a", str(paraphrase_table)],
            cwd=java.jar_folder("meteor"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        self.timer = threading.Timer(limit, self._out_of_time)
        self.timer.daemon = True

    def __enter__(self) -> _Jar:
        self.timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.timer.cancel()
        self._kill()
        self.process.wait()
        with contextlib.suppress(OSError):  # what was not yet written to a dead process
            self.process.stdin.close()
        self.process.stdout.close()
        self.errors.close()

    def _out_of_time(self) -> None:
        self.late = True
        self._kill()

    def _kill(self) -> None:
        """End the JVM and what a launcher script may have started.

        Else its pipe would stay open and be read for ever.
        """
        with contextlib.suppress(ProcessLookupError):
            if os.name == "posix":
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.kill()

    def _write(self, lines: list[str]) -> None:
        # of a dead JVM the reader finds the end of its output and tells
        with contextlib.suppress(OSError, ValueError):
            self.process.stdin.writelines(lines)
            self.process.stdin.flush()

    def _numbers(self, count: int, what: str) -> list[float]:
        answer = self.process.stdout.readline()
        try:
            numbers = [float(number) for number in answer.split()]
        except ValueError:
            numbers = []
        if len(numbers) == count:
            return numbers
        self._kill()
        status = self.process.wait()
        if self.late:
            raise TimeoutError(f"METEOR: stopped after {self.limit:g} s at {what}")
        self.errors.seek(0)
        tail = self.errors.read().decode("utf-8", "replace")[-1000:].strip()
        raise RuntimeError(
            f"METEOR: Java answered {answer[:80]!r} to {what}, exit status {status};"
            f" its errors: {tail!r}"
        )

    def ask(self, lines: list[str]) -> np.ndarray:
        """Return statistics (pairs, 23) of the SCORE lines.

        A thread writes the lines while the answers are read.
        """
        writer = threading.Thread(target=self._write, args=(lines,), daemon=True)
        writer.start()
        answers = []
        for row in range(1, len(lines) + 1):
            what = f"pair {row} of {len(lines)}"
            answers.append(self._numbers(len(STATISTICS), what))
            self.bar.update()
        writer.join()
        return np.array(answers)

    def evaluate(self, statistics: np.ndarray) -> Meteor:
        """Return the jar's own scores of one system's statistics (items, 23)."""
        rows = (" ".join(map(str, row)) for row in statistics.tolist())
        self._write([" ||| ".join(["EVAL", *rows]) + "\n"])
        items = len(statistics)  # it answers with one line each, then the corpus
        *scores, corpus = (
            self._numbers(1, f"score {row} of {items}")[0]
            for row in range(1, items + 2)
        )
        return Meteor(np.array(scores), corpus, _summable(statistics))
