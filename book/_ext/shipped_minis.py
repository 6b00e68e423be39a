"""List the pretrained minis that the repository ships: ```{minis}```.

Numbers come from their own files: the weights' header, and the record of their
pretraining.
"""

import json
import math

from run_results import table
from sphinx.util.docutils import SphinxDirective

from fashionlib.data.files import read_json
from wardrobe import minis

HEAD = ("mini", "weights", "steps", "loss, held-out products", "seconds", "commit")


def weights(name):
    """Return how many numbers a mini's file of weights has."""
    with (minis.FOLDER / name / "model.safetensors").open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    header.pop("__metadata__", None)
    return sum(math.prod(tensor["shape"]) for tensor in header.values())


def rows():
    """Return a row of texts for each mini, under `HEAD`."""
    records = read_json(minis.RECORDS)
    found = []
    for name in minis.shipped():
        record, curve = records[name], minis.curve(name)
        losses = curve.validation.dropna()
        found.append(
            (
                name,
                f"{weights(name):,}",
                f"{record['steps']:,}",
                f"{losses.iloc[0]:.2f} to {losses.iloc[-1]:.2f}",
                f"{curve.seconds.iloc[-1]:,.0f}",
                record["provenance"]["commit"],
            )
        )
    return found


class Minis(SphinxDirective):
    """A table of the shipped minis."""

    def run(self):
        """Read their files; the page is built again when these have changed."""
        self.env.note_dependency(str(minis.RECORDS))
        return [table(HEAD, rows())]


def setup(app):
    """Register the directive with Sphinx."""
    app.add_directive("minis", Minis)
    return {"version": "1", "parallel_read_safe": True}
