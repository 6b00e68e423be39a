"""Set a drawing of book/_static/diagrams into a page, with its caption.

```{diagram} lora
Where LoRA sits: beside a frozen weight, in the layers that a recipe names.
```

The SVG stands inline: a picture behind <img> can't see the theme's switch, and book.css
colours its classes by the theme's variables, so that it is light or dark as the page.
"""

from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

FOLDER = Path("book", "_static", "diagrams")


def file_of(source, name):
    """Return a diagram's file; ValueError for an unknown name, with those known."""
    known = {path.stem: path for path in sorted((source / FOLDER).glob("*.svg"))}
    if name not in known:
        raise ValueError(f"unknown diagram {name!r}; known: {', '.join(known)}")
    return known[name]


class Diagram(SphinxDirective):
    """A figure named diagram-NAME, so that {numref} finds it."""

    required_arguments = 1
    has_content = True

    def run(self):
        """Read the drawing; an unknown name is an error of the build."""
        [name] = self.arguments
        try:
            path = file_of(Path(self.env.srcdir), name)
        except ValueError as error:
            raise self.error(str(error)) from error
        self.env.note_dependency(str(path))
        drawing = nodes.raw("", path.read_text(encoding="utf-8"), format="html")
        words, messages = self.state.inline_text(" ".join(self.content), self.lineno)
        caption = nodes.caption("", "", *words)
        figure = nodes.figure("", drawing, caption, classes=["diagram"])
        self.options["name"] = f"diagram-{name}"
        self.add_name(figure)
        return [figure, *messages]


def setup(app):
    """Register the directive with Sphinx."""
    app.add_directive("diagram", Diagram)
    return {"version": "1", "parallel_read_safe": True}
