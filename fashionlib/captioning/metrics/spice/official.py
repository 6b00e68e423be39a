"""The official SPICE, by the jar that pycocoevalcap ships, where Stanford's models and
a fitting Java are at hand.

The jar needs what neither it nor pip brings: CoreNLP 3.6.0 with its models, and Java 8
to 14. `check` says which is missing before anything is run; the same diagnosis is made
of Java's error output, should it fail all the same.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fashionlib.captioning.metrics.java import FLAGS, jar_folder, one_line, runtime
from fashionlib.captioning.metrics.spice.graph import CATEGORIES
from fashionlib.captioning.metrics.spice.scores import Spice, check_lengths, from_counts

NAME = "SPICE"
MEMORY = "-Xmx4G"  # pycocoevalcap asks for 8, more than many machines have
# Each jar of CoreNLP 3.6.0 and an entry that SPICE reads in it: a file cut short has
# none.
MODELS = {
    "stanford-corenlp-3.6.0.jar": (
        "edu/stanford/nlp/semgraph/semgrex/SemgrexPattern.class"
    ),
    "stanford-corenlp-3.6.0-models.jar": (
        "edu/stanford/nlp/models/lexparser/englishPCFG.ser.gz"
    ),
}
NO_MODELS = (
    "Next step: download stanford-corenlp-full-2015-12-09.zip (385 MB: CoreNLP 3.6.0"
    " of 2015-12-09, from the release history on the CoreNLP page of the Stanford NLP"
    f" Group) and put its {' and '.join(MODELS)} into"
)
NO_NASHORN = (
    "no JavaScript engine: SPICE writes its results with Nashorn, which Java has had"
    " from 8 to 14 only; no option helps. Next step: name a Java 8 to 14 (its java"
    " program) in `java`"
)
CLOSED = (
    "Java 16 or newer keeps fst, the serialiser of -cache, out of its own classes. Next"
    " step: leave -cache out or pass --add-opens=java.base/java.lang=ALL-UNNAMED (and"
    " more), and name a Java 8 to 14 in `java`, which is needed anyway"
)
NO_MEMORY = (
    f"too little memory for {MEMORY}. Next step: free 4 GiB, or score fewer captions at"
    " a time"
)
# What Java's error output shows, and its cause; the first that is found names the
# failure.
FAILURES = {
    "InaccessibleObjectException": CLOSED,
    r'"scriptEngine" is null|NullPointerException\s+at edu\.anu\.spice\.SpiceScorer\.scoreBatch': (
        NO_NASHORN
    ),
    r"NoClassDefFoundError: (\w+/)*nlp/": (
        f"no CoreNLP 3.6.0. {NO_MODELS} the folder of models"
    ),
    "Unable to (resolve|open) .*models": (
        f"no models of CoreNLP 3.6.0. {NO_MODELS} the folder of models"
    ),
    "OutOfMemoryError|Could not reserve enough space": NO_MEMORY,
}


def check(models: Path, java: str | None = None) -> None:
    """Nothing where `models` holds CoreNLP's two jars whole, and `java` (default: the
    one at hand) is 8 to 14.

    FileNotFoundError for a jar that isn't there, ValueError for one that is cut short,
    RuntimeError for another Java; each names the next step.
    """
    missing = [name for name in MODELS if not (Path(models) / name).is_file()]
    if missing:
        raise FileNotFoundError(
            f"{NAME}: no {' and no '.join(missing)} in {models}. {NO_MODELS} {models}"
        )
    for name, entry in MODELS.items():
        path = Path(models) / name
        if not zipfile.is_zipfile(path) or not zipfile.Path(path, entry).exists():
            size = f"{path.stat().st_size / 1e6:.1f} MB"
            raise ValueError(
                f"{NAME}: {path} ({size}) has no {entry}: cut short, or another jar."
                f" {NO_MODELS} {models}"
            )
    release = version(java or runtime())
    if release > 14:
        raise RuntimeError(
            f"{NAME}: {java or runtime()} is Java {release}: {NO_NASHORN}"
        )
    if release < 8:
        raise RuntimeError(
            f"{NAME}: {java or runtime()} is Java {release}. Next step: name a Java 8"
            " to 14 in `java`"
        )


def version(java: str) -> int:
    """Feature release of a Java runtime: 8 of "1.8.0_392", 17 of "17.0.15".
    RuntimeError where it tells none.
    """
    try:
        done = subprocess.run(
            [java, "-version"], capture_output=True, text=True, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RuntimeError(
            f"{NAME}: {java} -version fails ({error}). Next step: name another in"
            " `java`"
        ) from error
    told = re.search(r'version "(?:1\.)?(\d+)', done.stderr + done.stdout)
    if told is None:
        raise RuntimeError(
            f"{NAME}: {java} -version says {done.stderr[:200]!r}. Next step: name"
            " another in `java`"
        )
    return int(told[1])


def score(
    references: Sequence[Sequence[str]],
    captions: Sequence[str],
    models: Path,
    java: str | None = None,
    seconds: float | None = None,
) -> Spice:
    """Official SPICE of one system's raw captions (items,) against raw references
    (items, any number).

    All files it writes are temporary ones. Raises what `check` raises; ValueError where
    the lengths differ; RuntimeError with the cause, or the end of Java's error output,
    where the jar fails; TimeoutError after `seconds` (when none are given: five minutes
    and half a second per caption and reference).
    """
    check_lengths(NAME, references, [captions])
    check(models, java)
    texts = len(captions) + sum(map(len, references))
    rows = [
        {
            "image_id": row,
            "test": one_line(caption),
            "refs": [one_line(text) for text in refs],
        }
        for row, (refs, caption) in enumerate(zip(references, captions, strict=True))
    ]
    limit = 300 + 0.5 * texts if seconds is None else seconds
    return _read(run(rows, Path(models), java or runtime(), limit), len(rows))


def run(rows: list[dict[str, Any]], models: Path, java: str, seconds: float) -> Any:
    """The jar's answer to its JSON input. -cache is left out: no result needs it, and
    its library fails on many.
    """
    folder = jar_folder("spice")
    jars = [
        folder / "spice-1.0.jar",
        *sorted((folder / "lib").glob("*.jar")),
        *(models / name for name in MODELS),
    ]
    with tempfile.TemporaryDirectory() as place:
        source, out, told = (
            Path(place) / name
            for name in ("captions.json", "scores.json", "errors.txt")
        )
        source.write_text(json.dumps(rows), encoding="utf-8")
        options = [
            "edu.anu.spice.SpiceScorer",
            str(source),
            "-out",
            str(out),
            "-subset",
            "-silent",
        ]
        command = [
            java,
            MEMORY,
            *FLAGS,
            "-cp",
            os.pathsep.join(map(str, jars)),
            *options,
        ]
        try:
            with told.open("wb") as file:
                streams = {
                    "stdin": subprocess.DEVNULL,
                    "stdout": subprocess.DEVNULL,
                    "stderr": file,
                }
                done = subprocess.run(command, timeout=seconds, **streams)
        except subprocess.TimeoutExpired as slow:
            raise TimeoutError(
                f"{NAME}: no end after {seconds:g} s for {len(rows)} items"
            ) from slow
        errors = told.read_bytes().decode("utf-8", "replace")
        if done.returncode != 0 or not out.is_file() or not out.stat().st_size:
            cause = (
                diagnosis(errors)
                or f"exit status {done.returncode}; its errors end: {errors[-1000:].strip()!r}"
            )
            raise RuntimeError(f"{NAME}: Java failed: {cause}")
        return json.loads(out.read_text(encoding="utf-8"))


def diagnosis(errors: str) -> str | None:
    """The cause and the next step for Java's error output; None where it is none of the
    known failures.
    """
    return next(
        (cause for sign, cause in FAILURES.items() if re.search(sign, errors)), None
    )


def _read(answer: Any, items: int) -> Spice:
    """Scores from the jar's output, which may list the items in any order."""
    found = {row["image_id"]: row["scores"] for row in answer}
    if sorted(found) != list(range(items)):
        raise RuntimeError(
            f"{NAME}: {len(found)} items answered of {items} asked, or other ones"
        )
    counts = [
        [
            [found[item][name.capitalize()][count] for count in ("tp", "fp", "fn")]
            for name in CATEGORIES
        ]
        for item in range(items)
    ]
    made = from_counts(np.array(counts))
    told = np.nan_to_num(
        np.array([found[item]["All"]["f"] for item in range(items)], float)
    )
    if not np.allclose(made.per_item, told, rtol=1e-9):
        row = int(np.abs(made.per_item - told).argmax())
        raise RuntimeError(
            f"{NAME}: row {row} has F {told[row]}, but {made.per_item[row]} by its"
            " counts"
        )
    return made
