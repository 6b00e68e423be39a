"""Make what a class gets of the chapters: notebooks to solve, and those with solutions.

A coded exercise is a cell tagged `solution`, with a function's body between nbgrader's
marks, and one tagged `check`. Markdown tagged `solution` answers the other exercises.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from fashionlib.book import runs
from fashionlib.data.files import read_json, write_json

BODY = re.compile(r"### BEGIN SOLUTION\n.*?### END SOLUTION", re.DOTALL)
EMPTY = 'raise NotImplementedError("exercise: write this function")'
PUBLIC = ("tags", "mystnb")  # metadata of a cell that anybody may read


def student(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return a chapter for students: functions to write, and checks of them.

    A check that fails doesn't stop those who run all cells. ValueError for a solution
    in code without its marks.
    """
    whole, cells = teacher(notebook), []
    for cell in whole["cells"]:
        tags = cell["metadata"].get("tags", [])
        if "solution" in tags:
            if cell["cell_type"] == "markdown":
                continue
            source, found = BODY.subn(EMPTY, "".join(cell["source"]))
            if not found:
                raise ValueError(
                    f"cell {cell['id']} is tagged 'solution' and has 0 bodies between"
                    " ### BEGIN SOLUTION and ### END SOLUTION; write these marks"
                )
            cell["source"] = source.splitlines(keepends=True)
        if "check" in tags:
            cell["metadata"]["tags"] = [*tags, "raises-exception"]  # Jupyter goes on
        cells.append(cell)
    return whole | {"cells": cells}


def teacher(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return a chapter with everything but outputs and what a run has noted in it."""
    cells = []
    for cell in notebook["cells"]:
        metadata = {k: v for k, v in cell["metadata"].items() if k in PUBLIC}
        cells.append(cell | {"metadata": metadata})
        if cell["cell_type"] == "code":
            cells[-1] |= {"outputs": [], "execution_count": None}
    kernel = {"kernelspec": notebook["metadata"]["kernelspec"]}
    return notebook | {"metadata": kernel, "cells": cells}


def write(folder: Path) -> None:
    """Write every chapter to `folder`/student and `folder`/teacher."""
    for path in sorted((runs.repository() / "notebooks").glob("*.ipynb")):
        for form in (student, teacher):
            write_json(folder / form.__name__ / path.name, form(read_json(path)))
