"""Fold the code of a formula under it.

After "In code:" a paragraph has dotted names of the library's functions or classes;
each one's source follows it, folded and highlighted. It is read from the file, so that
no page needs torch; a name that isn't there is an error of the build.
"""

import ast
from pathlib import Path

from docutils import nodes
from sphinx.util import logging

import fashionlib

LIBRARY = Path(fashionlib.__file__).parent
OPENING = "In code:"
FOLDED = '<details class="formula-code"><summary>Code of <code>{}</code></summary>'


def source(name):
    """Return the source of a function or class of the library, and its file.

    ValueError where the library has no such name.
    """
    *parts, wanted = name.split(".")
    path = LIBRARY.joinpath(*parts[1:]).with_suffix(".py")
    if parts[:1] != ["fashionlib"] or not path.is_file():
        raise ValueError(f"no module of {name}")
    text = path.read_text(encoding="utf-8")
    for node in ast.parse(text).body:
        if getattr(node, "name", "") == wanted:
            first = min(part.lineno for part in (node, *node.decorator_list))
            return "\n".join(text.splitlines()[first - 1 : node.end_lineno]), path
    raise ValueError(f"{path} has no {wanted}")


def named(paragraph):
    """Return the dotted names that a paragraph has after "In code:"."""
    before, opening, _ = paragraph.astext().rpartition(OPENING)
    names = [literal.astext() for literal in paragraph.findall(nodes.literal)]
    names = [name for name in names if name.startswith("fashionlib.")]
    return [name for name in names if opening and name not in before]


def show_code(app, doctree):
    """Put each name's code under the paragraph that names it."""
    for said in list(doctree.findall(nodes.paragraph)):
        folded = []
        for name in named(said):
            try:
                code, path = source(name)
            except ValueError as error:
                logging.getLogger(__name__).warning("%s", error, location=said)
                continue
            app.env.note_dependency(str(path))
            last = name.rpartition(".")[2]
            folded += [
                nodes.raw("", FOLDED.format(last), format="html"),
                nodes.literal_block(code, code, language="python"),
                nodes.raw("", "</details>", format="html"),
            ]
        said.parent.insert(said.parent.index(said) + 1, folded)


def setup(app):
    """Register the step with Sphinx."""
    app.connect("doctree-read", show_code)
    return {"version": "1", "parallel_read_safe": True}
