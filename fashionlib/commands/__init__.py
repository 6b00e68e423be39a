"""The command line: the functions that the notebooks call, for anybody's files."""

from fashionlib.commands.entry import main

__all__ = ["main"]
