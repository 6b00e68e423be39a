"""Make a deck of each chapter that a run has executed, and execute nothing.

A cell's place is its `slide_type` in the metadata `slideshow`, which JupyterLab edits
too: `slide` begins one, `fragment` comes at a key, `notes` are for the speaker. It is
read from the notebooks of the repository: no tag needs another run.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from fashionlib.book import runs, site
from fashionlib.data.files import read_json
from slides.prose import Prose

TEMPLATES = Environment(loader=PackageLoader("slides", ""), autoescape=True)
STATIC = Path(__file__).parent / "static"
CODE = HtmlFormatter(noclasses=True, style="a11y-high-contrast-light")
RAISED = {"opening": 0, "answer": 1}  # tags of what follows the title, as on the page


@dataclass
class Slide:
    """What is shown, part after part, and what the speaker says; all of it HTML."""

    title: str
    parts: list[tuple[str, bool]] = field(default_factory=list)  # waits for a key?
    notes: list[str] = field(default_factory=list)


def write(profile: str, out: Path) -> list[Path]:
    """Write a deck for each chapter of a run, their list, and what they load.

    FileNotFoundError where the run has no chapter, ValueError where a chapter's code
    has changed since, or where `out` holds something else.
    """
    runs.profile(profile)  # refuses an unknown one
    root = runs.repository()
    run = root / "_run" / profile
    executed = sorted((run / "notebooks").glob("*.ipynb"))
    if not executed:
        raise FileNotFoundError(
            f"run {profile} has no notebooks; make it first: make book"
            f" PROFILE={profile}"
        )
    if out.is_file() or (out.is_dir() and any(out.iterdir()) and not is_ours(out)):
        raise ValueError(f"{out} is there and holds no decks; name a new folder")
    prose = Prose(root)
    decks = {path.stem: deck(tagged(path, root), prose) for path in executed}
    for folder in (STATIC, root / "book" / "_static" / "mathjax"):
        shutil.copytree(folder, out / folder.name, dirs_exist_ok=True)
    shutil.copy(root / "book" / "_static" / "book.css", out / "static")
    synthetic = read_json(run / "data.json")["synthetic"]
    about = {"profile": profile, "synthetic": synthetic, "decks": decks}
    for name, slides in {**decks, "index": []}.items():
        template = TEMPLATES.get_template("deck.html" if slides else "index.html")
        page = template.render(about, name=name, slides=slides)
        (out / f"{name}.html").write_text(page, encoding="utf-8")
    return [out / f"{name}.html" for name in decks]


def tagged(executed: Path, root: Path) -> list[dict[str, Any]]:
    """Return an executed chapter's cells with the words and tags of the repository."""
    source = read_json(root / "notebooks" / executed.name)
    cells = site.with_prose(read_json(executed), source)["cells"]
    if not any(place(cell) == "slide" for cell in cells):
        raise ValueError(
            f"{executed} has 0 slides, as the chapter's code has changed since; run it"
            f" again: fashionlib execute notebooks/{executed.name} --profile"
            f" {executed.parts[-3]}"
        )
    return cells


def is_ours(folder: Path) -> bool:
    """Say whether a folder holds decks."""
    return (folder / "static" / "reveal" / "reveal.js").is_file()


def deck(cells: Iterable[dict[str, Any]], prose: Prose) -> list[Slide]:
    """Return a chapter's slides.

    The question with the pictures of its page comes first, then the Answer; all else is
    in the order of the cells. A slide without a heading has that of its section.
    """
    slides: list[Slide] = []
    heading = ""
    title, *rest = cells
    for cell in (title, *sorted(rest, key=lambda cell: RAISED.get(place(cell), 2))):
        where, said = place(cell), ""
        if cell["cell_type"] == "markdown":
            section = prose.section("".join(cell["source"]))
            heading = section.heading or heading
            shown, said = section.shown, section.said
        elif where:
            shown = output(cell, prose) or code(cell)
        if where in ("slide", "answer"):
            slides.append(Slide(heading if where == "slide" else "Answer"))
        if where == "notes":
            slides[-1].notes.append(said or shown)
        elif where:
            slides[-1].parts.append((shown, where == "fragment"))
            slides[-1].notes += [said] if said else []
    return slides


def place(cell: dict[str, Any]) -> str:
    """Return a cell's place in the deck; empty where it isn't in it."""
    tags = RAISED.keys() & cell["metadata"].get("tags", [])
    kind = cell["metadata"].get("slideshow", {}).get("slide_type", "")
    return next(iter(tags), kind)


def output(cell: dict[str, Any], prose: Prose) -> str:
    """Return what a cell has shown: figures with their alternative texts, tables."""
    about, html = cell["metadata"].get("mystnb", {}), []
    for made in cell["outputs"]:
        data = {kind: "".join(text) for kind, text in made.get("data", {}).items()}
        if "image/png" in data:
            page = TEMPLATES.get_template("figure.html")
            caption = prose.html(about.get("figure", {}).get("caption", ""))
            png = data["image/png"].strip()
            html.append(page.render(png=png, alt=about["image"]["alt"], words=caption))
        elif "text/markdown" in data:
            html.append(prose.html(data["text/markdown"]))
        else:
            html.append(data.get("text/html", ""))
    return "".join(html)


def code(cell: dict[str, Any]) -> str:
    """Return a cell's source, for one that has shown nothing."""
    return highlight("".join(cell["source"]), PythonLexer(), CODE)
