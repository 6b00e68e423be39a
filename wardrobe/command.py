"""`wardrobe`: draw the synthetic wardrobe into a folder."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from fashionlib.commands.entry import end


def main(argv: Sequence[str] | None = None) -> int:
    """Draw, and return the exit code; it ends as `fashionlib` does."""
    words = sys.argv[1:] if argv is None else list(argv)
    return end("wardrobe", lambda: program(words))


def program(words: Sequence[str]) -> int:
    """Run the command on its words; raises what is wrong with them."""
    from fashionlib.commands.line import run
    from wardrobe.line import commands

    return run(commands(), words, "wardrobe")
