"""Count tokens: what a reader has to read, whatever the layout.

    python tests/sizes.py        # the library's rooms and the notebooks

A token is a name, an operator, a number or a string of Python's `tokenize`; comments,
line ends and indentation don't count, nor do IPython's magics.
"""

from __future__ import annotations

import io
import json
import tokenize
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
COUNTED = {tokenize.NAME, tokenize.OP, tokenize.NUMBER, tokenize.STRING}
# From 3.12 on Python cuts an f-string into its parts; it counts as one all the same.
OPENS, CLOSES = (getattr(tokenize, f"FSTRING_{end}", None) for end in ("START", "END"))
# At commit 78ee4ca, before the rooms: the library without the wardrobe, the notebooks.
BEFORE = {"library": 118_604, "notebooks": 56_153}


def tokens(source: str) -> int:
    """Return the number of tokens of Python source."""
    count = inside = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        count += not inside and token.type in (*COUNTED, OPENS)
        inside += (token.type == OPENS) - (token.type == CLOSES)
    return count


def code_cells(notebook: Path) -> list[dict[str, Any]]:
    """Return the notebook's code cells."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def code_lines(cell: dict[str, Any]) -> list[str]:
    """Return a cell's lines that aren't blank."""
    return [line for line in "".join(cell["source"]).splitlines() if line.strip()]


def is_exercise(cell: dict[str, Any]) -> bool:
    """Say whether a cell is an exercise's solution or check."""
    return bool({"solution", "check"} & set(cell["metadata"].get("tags", [])))


def notebook_tokens(notebook: Path, exercises: bool = False) -> int:
    """Return the tokens of a notebook's code, its exercises' or all the others.

    A magic counts as one statement.
    """
    total = 0
    for cell in code_cells(notebook):
        if is_exercise(cell) != exercises:
            continue
        lines = "".join(cell["source"]).splitlines()
        plain = [
            "    " * line.startswith(" ") + "pass" if line.strip()[:1] in "!%" else line
            for line in lines
            if line.strip()
        ]
        total += tokens("\n".join(plain) + "\n")
    return total


def definitions(notebook: Path) -> int:
    """Return how many functions a notebook defines, those of its exercises left out."""
    lessons = [cell for cell in code_cells(notebook) if not is_exercise(cell)]
    lines = [line for cell in lessons for line in code_lines(cell)]
    return sum(line.strip().startswith("def ") for line in lines)


def library_tokens() -> dict[str, int]:
    """Return the tokens of each room of the library."""
    rooms: dict[str, int] = {}
    for path in sorted((ROOT / "fashionlib").rglob("*.py")):
        room = path.relative_to(ROOT / "fashionlib").parts[0].removesuffix(".py")
        rooms[room] = rooms.get(room, 0) + tokens(path.read_text(encoding="utf-8"))
    return rooms


def main() -> None:
    """Print the sizes, with those of before."""
    for room, count in library_tokens().items():
        print(f"{room:32}{count:9,}")
    total = sum(library_tokens().values())
    print(f"{'library':32}{total:9,}   before {BEFORE['library']:,}")
    for path in NOTEBOOKS:
        defined = definitions(path)
        print(f"{path.stem:32}{notebook_tokens(path):9,}   {defined} definitions")
    total = sum(map(notebook_tokens, NOTEBOOKS))
    print(f"{'notebooks':32}{total:9,}   before {BEFORE['notebooks']:,}")
    total = sum(notebook_tokens(path, exercises=True) for path in NOTEBOOKS)
    print(f"{'their exercises':32}{total:9,}")


if __name__ == "__main__":
    main()
