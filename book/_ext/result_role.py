"""{result}`caption_scores::corpus.fine-tuned.BLEU-4|.1%`: a number in prose, read from a result of this run.

A page that cites a changed result is rebuilt; a missing file or key is an error of the strict build. The tooltip names the
file, the key, the profile and the commit that the number comes from.
"""

import json
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxRole


class Result(SphinxRole):
    def run(self):
        reference, _, form = self.text.partition("|")
        name, _, key = reference.partition("::")
        path = Path(self.env.srcdir) / "results" / f"{name}.json"
        self.env.note_dependency(str(path))
        try:
            result = json.loads(path.read_text(encoding="utf-8"))
            value = result["values"]
            for part in key.split("."):
                value = value[int(part)] if isinstance(value, list) else value[part]
            text = format(value, form)
        except (OSError, KeyError, IndexError, ValueError, TypeError) as error:
            message = self.inliner.reporter.error(f"result {self.text!r}: {error!r}", line=self.lineno)
            return [self.inliner.problematic(self.rawtext, self.rawtext, message)], [message]
        origin = result["provenance"]
        where = f"{name}.json, {key}; profile {origin['profile']}, commit {origin['commit']}"
        return [nodes.abbreviation(text, text, explanation=where, classes=["result"])], []


def setup(app):
    app.add_role("result", Result())
    return {"version": "1", "parallel_read_safe": True}
