"""METEOR 1.5 (Denkowski and Lavie 2014) by the jar that pycocoevalcap ships; its scores
of each item to the last bit.

The jar is started once for all systems, with the paraphrases that can match
(`paraphrases`); every distinct pair is asked once, and all are written by a thread
while the answers are read.
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
PAIRS_A_JAR = (
    1000  # distinct pairs that are worth another JVM, where there is a core for it
)
OPTIONS = ["-", "-", "-stdio", "-l", "en", "-norm"]
FIELDS = 23  # lengths, function words, matches of four stages, chunks, matched words
ALPHA, BETA, GAMMA, DELTA = 0.85, 0.2, 0.6, 0.75  # the jar's for English
STAGES = np.array(
    [1.0, 0.6, 0.8, 0.6]
)  # weights of exact, stem, synonym and paraphrase matches


@dataclass(frozen=True)
class Meteor:
    """One system's METEOR: fractions per item, the corpus value (of the summed
    statistics, no mean), the statistics.
    """

    per_item: np.ndarray  # (items,)
    corpus: float
    statistics: np.ndarray  # (items, 23), summable: see `_summable`


def score_many(
    references: Sequence[Sequence[str]],
    systems: Sequence[Sequence[str]],
    seconds: float | None = None,
) -> list[Meteor]:
    """METEOR of each system's tokenised captions (items,) against the same tokenised
    references (items, any number).

    Line ends and "|||" within a text are removed, so no caption can shift the answers.
    Raises ValueError where the lengths differ, RuntimeError with the end of Java's
    error output where Java dies or answers nonsense, and TimeoutError after `seconds`
    (when none are given: two minutes and a tenth of a second per pair).
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
        _line(refs, caption)
        for captions in systems
        for refs, caption in zip(references, captions, strict=True)
    ]
    limit = 120 + 0.1 * len(lines) if seconds is None else seconds
    distinct = {line: row for row, line in enumerate(dict.fromkeys(lines))}
    table, asked = paraphrases.table(distinct), list(distinct)
    count = max(1, min(os.cpu_count() or 1, len(asked) // PAIRS_A_JAR))
    bar = tqdm(
        total=len(asked), desc="METEOR", unit="pair", mininterval=1, disable=None
    )
    with (
        ThreadPoolExecutor(count) as pool,
        ExitStack() as stack,
    ):  # a jar that fails ends the others, then the pool
        stack.enter_context(bar)
        jars = [stack.enter_context(_Jar(limit, table, bar)) for _ in range(count)]
        answers = np.concatenate(
            list(pool.map(lambda n: jars[n].ask(asked[n::count]), range(count)))
        )
        order = np.argsort(
            np.concatenate([np.arange(n, len(asked), count) for n in range(count)])
        )
        answers = answers[order][[distinct[line] for line in lines]]
        size = len(references)
        return [
            jars[0].evaluate(answers[start : start + size])
            for start in range(0, len(lines), size)
        ]


def score(
    references: Sequence[Sequence[str]],
    captions: Sequence[str],
    seconds: float | None = None,
) -> Meteor:
    """METEOR of one system; see `score_many`."""
    return score_many(references, [captions], seconds)[0]


def from_statistics(statistics: np.ndarray) -> np.ndarray:
    """METEOR (...,) of statistics (..., 23); a corpus or a resample is scored by its
    summed statistics.

    Weighted precision P and recall R give P R / (alpha P + (1 - alpha) R), less a share
    gamma * fragmentation^beta.
    """
    s = np.asarray(statistics, float)
    stages = s[..., 4:20].reshape(
        *s.shape[:-1], 4, 4
    )  # (..., stage, content and function words of test and reference)
    matched_test = (DELTA * stages[..., 0] + (1 - DELTA) * stages[..., 2]) @ STAGES
    matched_reference = (DELTA * stages[..., 1] + (1 - DELTA) * stages[..., 3]) @ STAGES
    words_test = DELTA * (s[..., 0] - s[..., 2]) + (1 - DELTA) * s[..., 2]
    words_reference = DELTA * (s[..., 1] - s[..., 3]) + (1 - DELTA) * s[..., 3]
    with np.errstate(divide="ignore", invalid="ignore"):
        precision, recall = (
            matched_test / words_test,
            matched_reference / words_reference,
        )
        mean = 1 / ((1 - ALPHA) / precision + ALPHA / recall)
        fragmentation = s[..., 20] / ((s[..., 21] + s[..., 22]) / 2)
        value = mean * (1 - GAMMA * fragmentation**BETA)
    return np.where(matched_test * matched_reference > 0, value, 0.0)


def of_2005(statistics: np.ndarray) -> np.ndarray:
    """METEOR (...,) by the formula of Banerjee and Lavie 2005 on METEOR 1.5's matches,
    statistics (..., 23).

    10 P R / (R + 9 P), less a share (chunks / matches)^3 / 2; every match counts whole.
    NLTK's METEOR and Thesis B's equations 4.6 and 4.7 have this form. Their matches
    know no paraphrases, so they are fewer.
    """
    s = np.asarray(statistics, float)
    matched = (
        s[..., 4:20].reshape(*s.shape[:-1], 4, 2, 2).sum(axis=(-3, -2))
    )  # (..., words of test and reference)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision, recall = matched[..., 0] / s[..., 0], matched[..., 1] / s[..., 1]
        mean = 10 * precision * recall / (recall + 9 * precision)
        value = mean * (1 - (s[..., 20] / matched.mean(axis=-1)) ** 3 / 2)
    return np.where(matched.prod(axis=-1) > 0, value, 0.0)


def _summable(statistics: np.ndarray) -> np.ndarray:
    """The jar's statistics (items, 23) as it sums them: a caption matched whole, in one
    chunk, adds no chunk.
    """
    stages = (
        statistics[:, 4:20].reshape(-1, 4, 2, 2).sum(axis=(1, 2))
    )  # (items, matched words of test and reference)
    summable = statistics.copy()
    summable[
        (stages == statistics[:, :2]).all(axis=1) & (statistics[:, 20] == 1), 20
    ] = 0
    return summable


def _clean(text: str) -> str:
    return java.one_line(text).replace("|||", "").replace("  ", " ")


def _line(references: Sequence[str], caption: str) -> str:
    """One question in the jar's protocol. pycocoevalcap cleans the caption the same
    way.
    """
    if not references:
        raise ValueError(f"METEOR: no reference for the caption {caption[:60]!r}")
    texts = [java.one_line(text).replace("|||", "") for text in references]
    return " ||| ".join(["SCORE", *texts, _clean(caption)]) + "\n"


class _Jar:
    """The running jar, for a `with` block. Every way out of the block ends the JVM."""

    def __init__(self, limit: float, table: Path, bar: tqdm) -> None:
        self.limit, self.bar, self.late, self.errors = (
            limit,
            bar,
            False,
            tempfile.TemporaryFile(),
        )
        command = [
            java.runtime(),
            *MACHINE,
            *java.FLAGS,
            "-jar",
            JAR,
            *OPTIONS,
            "-a",
            str(table),
        ]
        self.process = subprocess.Popen(
            command,
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
        """End the JVM and what a launcher script may have started, or its pipe would
        stay open and be read for ever.
        """
        with contextlib.suppress(ProcessLookupError):
            if os.name == "posix":
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.kill()

    def _write(self, lines: list[str]) -> None:
        with contextlib.suppress(
            OSError, ValueError
        ):  # a dead JVM: the reader finds the end of its output and tells
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
        """Statistics (pairs, 23) of the SCORE lines, which a thread writes while the
        answers are read.
        """
        writer = threading.Thread(target=self._write, args=(lines,), daemon=True)
        writer.start()
        answers = []
        for row in range(len(lines)):
            answers.append(self._numbers(FIELDS, f"pair {row + 1} of {len(lines)}"))
            self.bar.update()
        writer.join()
        return np.array(answers)  # (pairs, 23)

    def evaluate(self, statistics: np.ndarray) -> Meteor:
        """The jar's own scores of one system's statistics (items, 23): one line each,
        then the corpus.
        """
        self._write(
            [
                " ||| ".join(
                    ["EVAL", *(" ".join(map(str, row)) for row in statistics.tolist())]
                )
                + "\n"
            ]
        )
        scores = [
            self._numbers(1, f"score {row + 1} of {len(statistics)}")[0]
            for row in range(len(statistics) + 1)
        ]
        return Meteor(np.array(scores[:-1]), scores[-1], _summable(statistics))
