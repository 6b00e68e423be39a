"""Start a command line, and end it: an error or Ctrl-C is one line, and no traceback.

Nothing heavy is imported before that holds.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO

from fashionlib.data.files import escaped

EXTRAS = "app,captions,data,features,labels,recommend,scores,search,book"
INTERRUPTED = 130
BAR = re.compile(r"\r|\n*(\x1b\[A)+")  # how tqdm moves the cursor


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command of `fashionlib` and return its exit code; see `end`."""
    words = sys.argv[1:] if argv is None else list(argv)

    def program() -> int:
        from fashionlib.commands import line

        return line.run(line.commands(), words, "fashionlib")

    return end(" ".join(["fashionlib", *words[:1]]), program)


def package() -> int:
    """Run `program` of the module `command` in the package that the script is called.

    So an interruption of the package's own imports is one line too.
    """
    name = Path(sys.argv[0]).stem
    return end(name, lambda: import_module(f"{name}.command").program(sys.argv[1:]))


def end(name: str, program: Callable[[], int]) -> int:
    """Run a program and return its exit code.

    0: it went well. 1: what was checked or executed is broken. 2: bad input, told in
    one line after the `name`. 130: interrupted, told in one line; a second Ctrl-C
    ends it without tidying up. What it prints is `Printed`.
    """
    out, errors = Printed(sys.stdout), Printed(sys.stderr, bars=True)
    with redirect_stdout(out), redirect_stderr(errors), _interruptible() as stopped:
        try:
            code = program()
        except KeyboardInterrupt:
            code = INTERRUPTED
        except Exception as error:
            message = "" if stopped else _told(error)
            if message is None:
                raise
            code = 2
        if stopped or code == INTERRUPTED:
            code, message = INTERRUPTED, "interrupted"
        if code in (2, INTERRUPTED):
            errors.write(f"{name}: {message}\n")
    return code


def _told(error: Exception) -> str | None:
    """Say in one line what is wrong with the input; None for a fault of the program."""
    if hasattr(error, "format_message"):  # typer's, of the words themselves
        return f"{error.format_message().rstrip('.')}; see --help"
    if isinstance(error, ModuleNotFoundError):
        return f"{error}; pip install 'fashionlib[{EXTRAS}]'"
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, (ValueError, OSError, RuntimeError, MemoryError)):
        return " ".join(str(error).split()) or "stopped"
    return None


@contextmanager
def _interruptible() -> Iterator[list[int]]:
    """Note an interruption in the list, and keep libraries from printing theirs.

    A child process that gets it too just ends.
    """
    stopped: list[int] = []
    parent, before = os.getpid(), signal.getsignal(signal.SIGINT)

    def stop(number: int, _: Any) -> None:
        if os.getpid() != parent:
            os._exit(INTERRUPTED)
        stopped.append(number)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        sys.unraisablehook = threading.excepthook = lambda _: None
        raise KeyboardInterrupt

    ours = before is signal.default_int_handler
    ours = ours and threading.current_thread() is threading.main_thread()
    if ours:
        signal.signal(signal.SIGINT, stop)
    try:
        yield stopped
    finally:
        if ours and not stopped:
            signal.signal(signal.SIGINT, before)


class Printed:
    """A stream where text from data can't steer the terminal; nobody need read it.

    With `bars` tqdm may move the cursor.
    """

    def __init__(self, stream: TextIO, bars: bool = False) -> None:
        self.stream, self.bars = stream, bars

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        """Write the text, `escaped`."""
        move = BAR.match(text) if self.bars else None
        start = move.end() if move else 0
        printed = text[:start] + escaped(text[start:])
        if printed:  # click tries streams with "", and passes over what it raises
            with self._closable():
                self.stream.write(printed)
        return len(text)

    def flush(self) -> None:
        """Write what is held back."""
        with self._closable():
            self.stream.flush()

    @contextmanager
    def _closable(self) -> Iterator[None]:
        """Write to nowhere from where it fails on, in silence if the reader left."""
        try:
            yield
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.stream.fileno())
            if not isinstance(error, BrokenPipeError):
                raise
