"""Write the cell that installs the library on Colab into every notebook.

    python -m fashionlib.book.colab_cell

The cell carries the tag `colab`. A test holds that every notebook has it as it is here.
"""

from __future__ import annotations

import json
from pathlib import Path

from fashionlib.book.runs import repository
from fashionlib.data.files import read_json

TAG = "colab"
SOURCE = """\
import sys

if "google.colab" in sys.modules:  # elsewhere the library is already installed
    !git clone -q --depth 1 https://github.com/fashion-captioned/fashion-captioned
    %cd -q fashion-captioned
    %run book/colab.py
"""


def write(path: Path) -> bool:
    """Write the cell into a notebook and return whether it has changed.

    ValueError where the notebook doesn't have exactly one cell with the tag.
    """
    notebook = read_json(path)
    tagged = [
        cell for cell in notebook["cells"] if TAG in cell["metadata"].get("tags", [])
    ]
    if len(tagged) != 1:
        raise ValueError(f"{path}: {len(tagged)} cells with the tag {TAG!r}, not one")
    lines = SOURCE.rstrip().splitlines(keepends=True)
    changed = tagged[0]["source"] != lines
    if changed:
        tagged[0]["source"] = lines
        text = json.dumps(notebook, indent=1, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8")
    return changed


def main() -> None:
    """Write the cell into all notebooks and print the names of those that changed."""
    for path in sorted((repository() / "notebooks").glob("*.ipynb")):
        if write(path):
            print(path.name)


if __name__ == "__main__":
    main()
