"""Put this run's numbers and records into pages.

{result}`caption_scores::main.fine-tuned.BLEU-4|.1%` is a number in prose, read from a
result of this run; `sample/caption_scores::...` reads the kept one of the H&M sample,
`benchmarks/vbpr::...` the values of a kept benchmark,
`published/paper_a/table3::row.column.setting` a printed number. Of a list of rows
`column=text` keeps those that say so. A page that cites a changed result is rebuilt; a
missing file or key is an error of the strict build. The tooltip names the file, the
key, the profile and the commit that the number comes from.

```{run-banner}``` says what the run is made of; ```{run-records}``` lists what each
notebook cost and its commit, then hardware and versions.

{cost}`tiny 01 03` says what chapters cost at a profile, by their budgets, or all of it
without numbers; {cost}`tiny x30` what that is for thirty who run at once.

```{verdicts}``` draws how many claims of each work have which verdict.

What a notebook's cells tagged `answer` and `opening` show stands under its title.
"""

import csv
import json
from pathlib import Path
from zlib import crc32

import pandas as pd
from docutils import nodes
from sphinx.util.docutils import SphinxDirective, SphinxRole

from fashionlib.book import costs, figures, ledger


def file_of(source, name):
    """Return the file of a result of this run, or of a kept one ("sample/leakage").

    All kept benchmarks ("benchmarks/vbpr") stand in one file.
    """
    if name.startswith("published/"):
        return source / "data" / f"{name}.csv"
    if name.startswith("benchmarks/"):
        name = "benchmarks"
    elif "/" not in name:
        return source / "results" / f"{name}.json"
    return source / "data" / "measured" / f"{name}.json"


def read(source, name):
    """Return the values and the provenance of a result, by its name in the role.

    A printed table has no provenance of ours.
    """
    if name.startswith("published/"):
        printed = {}
        with file_of(source, name).open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                columns = printed.setdefault(row["row"], {})
                name, value = row["column"], float(row["value"])
                if row["setting"]:
                    columns.setdefault(name, {})[row["setting"]] = value
                else:
                    columns[name] = value
        return printed, {}
    result = json.loads(file_of(source, name).read_text(encoding="utf-8"))
    if name.startswith("benchmarks/"):
        result = result[name.removeprefix("benchmarks/")]
    return result["values"], result["provenance"]


def look_up(value, key):
    """Return what stands under a key such as "apart.data=hm-week.pair=A minus B.low".

    A name may hold a dot. ValueError for an unknown one, and unless the rows of a list
    are narrowed down to one, or numbered.
    """
    while key:
        if isinstance(value, dict):
            names = [name for name in value if f"{key}.".startswith(f"{name}.")]
            if not names:
                raise ValueError(f"no {key}; known: {', '.join(value)}")
            name = max(names, key=len)
            value, key = value[name], key[len(name) + 1 :]
            continue
        part, _, rest = key.partition(".")
        column, chooses, text = part.partition("=")
        if chooses:
            value, key = [row for row in value if str(row[column]) == text], rest
        elif part.isdigit():
            value, key = value[int(part)], rest
        else:
            [value] = value
    return value


class Result(SphinxRole):
    """A number of a result, with its origin as a tooltip."""

    def run(self):
        """Read the number; an unknown file, key or form is an error of the build."""
        reference, _, form = self.text.partition("|")
        name, _, key = reference.partition("::")
        source = Path(self.env.srcdir)
        self.env.note_dependency(str(file_of(source, name)))
        try:
            values, origin = read(source, name)
            text = format(look_up(values, key), form)
        except (OSError, KeyError, IndexError, ValueError, TypeError) as error:
            message = self.inliner.reporter.error(
                f"result {self.text!r}: {error!r}", line=self.lineno
            )
            return [self.inliner.problematic(self.rawtext, self.rawtext, message)], [
                message
            ]
        where = f"{file_of(source, name).name}, {key}; printed"
        if origin:
            profile = origin.get("profile", "of its own")  # a benchmark has none
            where = f"{name}.json, {key}; profile {profile}, commit {origin['commit']}"
        return [
            nodes.abbreviation(text, text, explanation=where, classes=["result"])
        ], []


def cost(words):
    """Return what "tiny 01 03 x30" costs by its budgets, as text, and their origin.

    ValueError for a profile or a chapter without a budget.
    """
    profile, *numbers = words.split()
    runners = int(numbers.pop()[1:]) if numbers and numbers[-1][0] == "x" else 1
    known = costs.budgets(profile)
    budgets = {name[:2]: budget for name, budget in known["notebooks"].items()}
    if not budgets or not set(numbers) <= set(budgets):
        raise ValueError(f"no budget; profile {profile} has: {', '.join(budgets)}")
    asked = [budgets[number] for number in numbers or budgets]
    seconds = runners * sum(budget["processor_seconds"] for budget in asked)
    peak = runners * max(budget["peak_mib"] for budget in asked)
    where = (
        f"budgets/{profile}.yaml, {known['processor']}, {', '.join(known['commits'])}"
    )
    return f"{seconds:,} s, {peak:,} MiB", where


class Cost(SphinxRole):
    """Processor seconds and peak memory of chapters, from their budgets."""

    def run(self):
        """Sum the budgets; one that isn't there is an error of the build."""
        try:
            text, where = cost(self.text)
        except ValueError as error:
            message = self.inliner.reporter.error(
                f"cost {self.text!r}: {error}", line=self.lineno
            )
            return [self.inliner.problematic(self.rawtext, self.rawtext, message)], [
                message
            ]
        return [
            nodes.abbreviation(text, text, explanation=where, classes=["result"])
        ], []


class RunBanner(SphinxDirective):
    """A box that says which profile and data this run has."""

    def run(self):
        """Read what the first notebook noted."""
        path = Path(self.env.srcdir) / "results" / "preflight.json"
        self.env.note_dependency(str(path))
        origin = json.loads(path.read_text(encoding="utf-8"))["provenance"]
        drawn = (
            "the synthetic wardrobe, drawn by this project. Its numbers show that the"
            " method runs and answer questions whose truth was planted; they are not"
            " H&M's, nor comparable with the paper's in size."
        )
        given = (
            f"the data folder {origin['data']['name']} (fingerprint"
            f" {origin['data']['fingerprint']})."
        )
        text = (
            f"“This run” is profile {origin['profile']} on"
            f" {drawn if origin['data']['synthetic'] else given}"
        )
        title = nodes.title(text="What this run is")
        return [
            nodes.admonition("", title, nodes.paragraph(text=text), classes=["warning"])
        ]


class Verdicts(SphinxDirective):
    """Bars of the ledger: how many claims of each work have which verdict."""

    def run(self):
        """Read what chapter 19 counted."""
        path = file_of(Path(self.env.srcdir), "scoreboard")
        self.env.note_dependency(str(path))
        counts = json.loads(path.read_text(encoding="utf-8"))["values"]["counts"]
        inks = dict(zip(ledger.VERDICTS, ledger.INKS, strict=True))
        bars = figures.tally(pd.DataFrame(counts).T, inks, "Rows of the ledger")
        return [nodes.raw("", bars.data, format="html")]


class RunRecords(SphinxDirective):
    """Tables of what each notebook cost, the dearest first, and of the machine."""

    def run(self):
        """Read all records; none is an error of the build."""
        folder = Path(self.env.srcdir)
        for path in (folder / "records").glob("*.json"):
            self.env.note_dependency(str(path))
        records = costs.records(folder)
        if not records:
            raise self.error(
                "no records of executed notebooks; build the book with `make book`"
            )
        profile = records[0]["profile"]
        facts = records[0]["hardware"] | records[0]["versions"]
        return [
            table(costs.HEAD, costs.table(records, costs.budgets(profile))),
            table(
                (f"profile {profile}", "value"),
                [(k, str(v)) for k, v in facts.items()],
            ),
        ]


def table(head, rows):
    """Return a table of texts."""
    group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in head), cols=len(head))

    def line(texts):
        return nodes.row(
            "", *(nodes.entry("", nodes.paragraph(text=text)) for text in texts)
        )

    group += nodes.thead("", line(head))
    group += nodes.tbody("", *(line(row) for row in rows))
    return nodes.table("", group)


def raise_openings(app, doctree):
    """Move what cells tagged `answer` and `opening` show to under the page's title."""
    cells = list(doctree.findall(nodes.container))
    for tag in ("tag_opening", "tag_answer"):
        for cell in cells:
            if tag in cell["classes"]:
                [shown] = [node for node in cell if "cell_output" in node["classes"]]
                cell.remove(shown)
                page = next(doctree.findall(nodes.section))
                page.insert(page.index(page.next_node(nodes.title)) + 1, shown)


def setup(app):
    """Register the roles and the directives with Sphinx."""
    app.connect("doctree-read", raise_openings)
    app.add_role("result", Result())
    app.add_role("cost", Cost())
    app.add_directive("run-banner", RunBanner)
    app.add_directive("run-records", RunRecords)
    app.add_directive("verdicts", Verdicts)
    # Where one of these files has changed, no page is as it was.
    code = b"".join(p.read_bytes() for p in sorted(Path(__file__).parent.glob("*.py")))
    return {"version": "1", "env_version": crc32(code), "parallel_read_safe": True}
