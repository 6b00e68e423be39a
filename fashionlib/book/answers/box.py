"""Show a chapter's Answer: real data first, then this run, each labelled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from IPython.display import HTML

from fashionlib.book import figures, paper
from fashionlib.book.runs import Run

Answer = Callable[[Mapping[str, Any]], str]
REAL, DRAWN, HERE = "Real H&M data", "This run, drawn garments", "This run"
EXPERIMENT = "Kept experiment, drawn garments"


def show(
    run: Run, answer: Answer, unasked: str = "", experiments: Sequence[Answer] = ()
) -> HTML:
    """Write a chapter's Answer box: real data first, then this run, each labelled.

    The rendered page moves it under the title. `answer` has the name of the result,
    which `run` has saved. `unasked` says why real data can't be asked, where so: then
    this run's garments are drawn too, whatever its data folder. `experiments` answer
    from the kept benchmarks of their names, on drawn garments.
    FileNotFoundError where this run has no such result yet.
    """
    name = answer.__name__
    kept = None if run.profile == "sample" else paper.measured("sample", name)
    parts = [(REAL, origin(kept), answer(kept["values"]))] if kept else []
    if unasked:
        parts = [(REAL, "", unasked)]
    for asked in experiments:
        kept = paper.benchmark(asked.__name__)
        since = "{date}, commit {commit:.7}".format_map(kept["provenance"])
        parts.append((EXPERIMENT, since, asked(kept["values"])))
    here = run.read(f"results/{name}.json")
    drawn = unasked or here["provenance"]["data"]["synthetic"]
    source = origin(here, "wardrobe" if unasked else "")
    parts.append((DRAWN if drawn else HERE, source, answer(here["values"])))
    return HTML(figures.TEMPLATES.get_template("answer.html").render(parts=parts))


def origin(result: Mapping[str, Any], data: str = "") -> str:
    """Say where a saved result comes from: data, profile, day and commit.

    `data` is the name of its data where they aren't those of the run.
    """
    about = result["provenance"]
    said = f"{data or about['data']['name']}, profile {about['profile']}"
    return f"{said}, {about['finished'][:10]}, commit {about['commit'][:7]}"
