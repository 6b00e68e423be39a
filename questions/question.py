"""What a question is: a puzzle with its answer, three wrong ones, and the way there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple


class Table(NamedTuple):
    """A table in a question or a solution; every column has a head."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


Block = str | Table  # a paragraph or a table


class Puzzle(NamedTuple):
    """What a topic draws.

    `value` comes from the book's own code, `mistakes` are the values of typical slips,
    the topic's lesson first: it is always among the choices. The last of `steps` ends
    with the value by hand.
    """

    given: dict[str, Any]  # the data of the puzzle, for JSON
    text: Sequence[Block]
    value: float
    mistakes: Mapping[str, float]
    steps: Sequence[Block]


@dataclass(frozen=True)
class Question:
    """A puzzle and its answer, with three decimals.

    `wrong` has three other values and what leads to each. The solution's last block is
    "Answer: " and the answer.
    """

    topic: str
    title: str
    given: dict[str, Any]
    text: Sequence[Block]
    answer: str
    wrong: dict[str, str]
    solution: Sequence[Block]

    @property
    def choices(self) -> list[str]:
        """The answer and the wrong ones, the lowest first."""
        return sorted([self.answer, *self.wrong], key=float)


def markdown(blocks: Sequence[Block]) -> str:
    """Write paragraphs and tables in Markdown, with an empty line between."""
    return "\n\n".join(
        block if isinstance(block, str) else _rows(block) for block in blocks
    )


def _rows(table: Table) -> str:
    lines = [table.head, ["---"] * len(table.head), *table.rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
