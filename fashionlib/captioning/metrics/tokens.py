"""Tokens of captions, as every metric but SPICE counts them.

They are of Stanford's PTB tokeniser or, without Java, of one in Python.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from fashionlib.captioning.metrics import java

JAR = "stanford-corenlp-3.4.1.jar"
# Label of each tokeniser. The agreement is of the 21,702 held-out of H&M's 43,404
# distinct descriptions, word for word (benchmarks/scores.py measures it on any file);
# what is left is mostly sentences without a space between them.
TOKENISERS = {
    "ptb": f"PTBTokenizer, {JAR}",
    "python": "PTB-like, in Python: 99.8 % of H&M's captions tokenised alike",
}
# pycocoevalcap's list as it is. -lowerCase makes brackets -lrb- and -rrb-, which the
# list lacks, so they stay.
PUNCTUATION = frozenset(
    [
        "''",
        "'",
        "``",
        "`",
        "-LRB-",
        "-RRB-",
        "-LCB-",
        "-RCB-",
        ".",
        "?",
        "!",
        ",",
        ":",
        "-",
        "--",
        "...",
        ";",
    ]
)
BRACKETS = {
    "(": "-lrb-",
    ")": "-rrb-",
    "[": "-lsb-",
    "]": "-rsb-",
    "{": "-lcb-",
    "}": "-rcb-",
}
ALIKE = str.maketrans(
    {
        "‘": "'",
        "’": "'",
        '"': "'",
        "“": "'",
        "”": "'",
        "–": "-- ",
        "—": "-- ",
        "…": "...",
        "½": " 1/2 ",
        "¼": " 1/4 ",
        "¾": " 3/4 ",
    }
)
TOKENS = re.compile(
    r"""(?:www\.|https?://)\S*[^\W_]
      | \d+(?:[.,]\d+)+(?:-[^\W_]+)*          # 10.5, 1,200, 3.5-5
      | (?<=1/2[ ])-\d+                       # of 1 1/2 -4 y, which was 1½-4y
      | \d+/\d+(?:-[^\W_]+)*(?![^\W_/])       # 1/2, 3/4-length
      | [^\W\d_]+(?=n't\b) | n't\b            # ca n't
      | '(?:s|m|d|re|ve|ll)\b                 # of it 's, we 'll
      | [^\W\d_]+&[^\W\d_]+                   # h&m
      | [^\W_]+(?:/[^\W_]+){1,2}              # red/white
      | [^\W_]+(?:-[^\W_]+)*                  # v-neck, 10x27x33, 2-3y
      | \.\d+ | --+ | \.\.\. | \S""",
    re.VERBOSE,
)


def tokenise(
    captions: Sequence[str], tokeniser: str = "ptb", seconds: float = 300
) -> list[str]:
    """Return each caption as lower-case tokens with spaces between, no punctuation.

    Line ends count as spaces. "ptb": equal to pycocoevalcap's PTBTokenizer, one Java
    start for all captions. "python": nearly equal, see `TOKENISERS`. FileNotFoundError
    without Java, RuntimeError with the end of its error output where it fails or
    answers another number of lines, TimeoutError after `seconds`; ValueError for
    another tokeniser.
    """
    if tokeniser not in TOKENISERS:
        raise ValueError(
            f"unknown tokeniser {tokeniser!r}; known: {', '.join(TOKENISERS)}"
        )
    if not captions:
        return []
    lines = [java.one_line(caption) for caption in captions]
    split = _ptb(lines, seconds) if tokeniser == "ptb" else map(_python, lines)
    return [
        " ".join(word for word in words if word not in PUNCTUATION) for words in split
    ]


def _python(line: str) -> list[str]:
    words = TOKENS.findall(line.lower().translate(ALIKE))
    return [BRACKETS.get(word, word) for word in words]


def _ptb(lines: list[str], seconds: float) -> list[list[str]]:
    jar = java.jar_folder("tokenizer") / JAR
    command = [java.runtime(), *java.FLAGS, "-cp", str(jar)]
    command += ["edu.stanford.nlp.process.PTBTokenizer", "-preserveLines", "-lowerCase"]
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "captions.txt"
        source.write_bytes("\n".join(lines).encode())
        try:
            done = subprocess.run(
                [*command, str(source)],
                capture_output=True,
                timeout=seconds,
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired as slow:
            raise TimeoutError(
                f"PTB tokeniser: no end after {seconds:g} s for {len(lines)} captions"
            ) from slow
    answers = done.stdout.decode("utf-8").split("\n")[: len(lines)]
    if done.returncode != 0 or len(answers) != len(lines):
        tail = done.stderr.decode("utf-8", "replace")[-1000:]
        raise RuntimeError(
            f"PTB tokeniser: {len(answers)} lines for {len(lines)} captions, exit"
            f" status {done.returncode}; {tail}"
        )
    return [line.rstrip().split(" ") for line in answers]
