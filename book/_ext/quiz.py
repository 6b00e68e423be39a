"""Put a question into a page: ```{quiz} topic seed```.

The question is drawn when the page is built (package `questions`); an unknown topic or
a seed that is no number is an error of the build. The page is built again when the
package has changed.
"""

from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

import questions
from questions import quiz


class Quiz(SphinxDirective):
    """A question with four choices."""

    required_arguments = 2

    def run(self):
        """Draw the question."""
        for path in Path(questions.__file__).parent.iterdir():
            if path.is_file():
                self.env.note_dependency(str(path))
        topic, seed = self.arguments
        try:
            text = quiz.html(topic, int(seed))
        except ValueError as error:
            raise self.error(str(error)) from error
        return [nodes.raw("", text, format="html")]


def setup(app):
    """Register the directive with Sphinx."""
    app.add_directive("quiz", Quiz)
    return {"version": "1", "parallel_read_safe": True}
