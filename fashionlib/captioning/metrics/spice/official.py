"""The official SPICE, by the jar that pycocoevalcap ships.

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
    r'"scriptEngine" is null': NO_NASHORN,
    r"NullPointerException\s+at edu\.anu\.spice\.SpiceScorer\.scoreBatch": NO_NASHORN,
    r"NoClassDefFoundError: (\w+/)*nlp/": (
        f"no CoreNLP 3.6.0. {NO_MODELS} the folder of models"
    ),
    "Unable to (resolve|open) .*models": (
        f"no models of CoreNLP 3.6.0. {NO_MODELS} the folder of models"
    ),
    "OutOfMemoryError|Could not reserve enough space": NO_MEMORY,
}


def check(models: Path, java: str | None = None) -> None:
    """Raise unless `models` holds CoreNLP's two jars whole, and `java` is 8 to 14.

    `java` is the one at hand where none is given. FileNotFoundError for a jar that
    isn't there, ValueError for one that is cut short, RuntimeError for another Java;
    each names the next step.
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
    java = java or runtime()
    release = version(java)
    if not 8 <= release <= 14:
        older = "Next step: name a Java 8 to 14 in `java`"
        fault = f": {NO_NASHORN}" if release > 14 else f". {older}"
        raise RuntimeError(f"{NAME}: {java} is Java {release}{fault}")


def version(java: str) -> int:
    """Return the feature release of a Java runtime: 8 of "1.8.0_392", 17 of "17.0.15".

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
    match = re.search(r'version "(?:1\.)?(\d+)', done.stderr + done.stdout)
    if match is None:
        raise RuntimeError(
            f"{NAME}: {java} -version says {done.stderr[:200]!r}. Next step: name"
            " another in `java`"
        )
    return int(match[1])


def score(
    references: Sequence[Sequence[str]],
    captions: Sequence[str],
    models: Path,
    java: str | None = None,
    seconds: float | None = None,
) -> Spice:
    """Score one system's raw captions (items,) against raw references (items, any).

    All files it writes are temporary ones. Raises what `check` raises; ValueError where
    the lengths differ; RuntimeError with the cause, or the end of Java's error output,
    where the jar fails; TimeoutError after `seconds` (when none are given: five minutes
    and half a second per caption and reference).
    """
    check_lengths(NAME, references, [captions])
    check(models, java)
    rows = [
        {
            "image_id": row,
            "test": one_line(caption),
            "refs": [one_line(text) for text in texts],
        }
        for row, (texts, caption) in enumerate(zip(references, captions, strict=True))
    ]
    count = len(captions) + sum(map(len, references))
    limit = 300 + 0.5 * count if seconds is None else seconds
    return _read(run(rows, Path(models), java or runtime(), limit), len(rows))


def run(rows: list[dict[str, Any]], models: Path, java: str, seconds: float) -> Any:
    """Return the jar's answer to its JSON input.

    -cache is left out: no result needs it, and its library fails on many.
    """
    folder = jar_folder("spice")
    jars = [folder / "spice-1.0.jar", *sorted((folder / "lib").glob("*.jar"))]
    jars += [models / name for name in MODELS]
    command = [java, MEMORY, *FLAGS, "-cp", os.pathsep.join(map(str, jars))]
    with tempfile.TemporaryDirectory() as name:
        source, out, log = (
            Path(name) / file for file in ("captions.json", "scores.json", "errors.txt")
        )
        source.write_text(json.dumps(rows), encoding="utf-8")
        command += ["edu.anu.spice.SpiceScorer", str(source), "-out", str(out)]
        try:
            with log.open("wb") as file:
                done = subprocess.run(
                    [*command, "-subset", "-silent"],
                    timeout=seconds,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=file,
                )
        except subprocess.TimeoutExpired as slow:
            raise TimeoutError(
                f"{NAME}: no end after {seconds:g} s for {len(rows)} items"
            ) from slow
        errors = log.read_bytes().decode("utf-8", "replace")
        if done.returncode != 0 or not out.is_file() or not out.stat().st_size:
            end = f"exit status {done.returncode}; its errors end: "
            cause = diagnosis(errors) or end + repr(errors[-1000:].strip())
            raise RuntimeError(f"{NAME}: Java failed: {cause}")
        return json.loads(out.read_text(encoding="utf-8"))


def diagnosis(errors: str) -> str | None:
    """Return cause and next step of a known failure in Java's error output."""
    causes = (cause for sign, cause in FAILURES.items() if re.search(sign, errors))
    return next(causes, None)


def _read(answer: Any, items: int) -> Spice:
    """Read scores from the jar's output, which may list the items in any order."""
    answered = {row["image_id"]: row["scores"] for row in answer}
    if sorted(answered) != list(range(items)):
        raise RuntimeError(
            f"{NAME}: {len(answered)} items answered of {items} asked, or other ones"
        )
    rows = [answered[item] for item in range(items)]
    counts, stated = [], []
    for row in rows:
        of_categories = [row[name.capitalize()] for name in CATEGORIES]
        counts.append([[one["tp"], one["fp"], one["fn"]] for one in of_categories])
        stated.append(row["All"]["f"])
    scores = from_counts(np.array(counts))
    stated = np.nan_to_num(np.array(stated, float))
    if not np.allclose(scores.per_item, stated, rtol=1e-9):
        row = int(np.abs(scores.per_item - stated).argmax())
        raise RuntimeError(
            f"{NAME}: row {row} has F {stated[row]}, but {scores.per_item[row]} by its"
            " counts"
        )
    return scores
