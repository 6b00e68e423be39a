"""Keep what was measured, tell whose code has changed since, and write the pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.measuring import ROOT, Figure
from fashionlib.book import execute
from fashionlib.data.files import atomic, read_json, write_json

FILE = ROOT / "data" / "measured" / "benchmarks.json"
PAGES = (ROOT / "benchmarks" / "README.md", ROOT / "book" / "benchmarks.md")
BEGIN, END = "<!-- figures: `make bench` writes them -->", "<!-- end of figures -->"
HEAD = ["measured", "ours", "peer", "ratio", "goal"]
STALE = "Its code has changed since"
Kept = Mapping[str, Mapping[str, Any]]  # name: provenance, figures, values


def read() -> dict[str, dict[str, Any]]:
    """Read the kept benchmarks by name; {} where none is kept."""
    return read_json(FILE) if FILE.is_file() else {}


def keep(name: str, entry: Mapping[str, Any]) -> None:
    """Put a benchmark's result into the kept file, which is replaced whole."""
    write_json(FILE, dict(sorted({**read(), name: entry}.items())))


def code(name: str) -> str:
    """Hash a benchmark's module and what it imports of the project."""
    module = ROOT / "benchmarks" / f"{name.split()[0]}.py"
    return execute.digest(module.read_text(encoding="utf-8"))


def changed(kept: Kept) -> set[str]:
    """Name the benchmarks whose code isn't what was measured."""
    return {name for name in kept if kept[name]["provenance"]["code"] != code(name)}


def render(kept: Kept, stale: set[str]) -> str:
    """Return which goals are missed, and a section a benchmark with its figures.

    It says where and when they were measured, and of the `stale` that their code has
    changed.
    """
    sections = [_goals(kept)]
    for name, entry in kept.items():
        origin, figures = entry["provenance"], entry["figures"]
        machine = origin["hardware"]
        device = machine["accelerator"] or f"{machine['cores']} cores"
        about = (
            f"{origin['date']}, commit {origin['commit']}, on {machine['processor']}"
        )
        about += f", {device}" + (f". **{STALE}.**" if name in stale else ".")
        rows = [HEAD, ["---"] * len(HEAD), *(_row(Figure(**one)) for one in figures)]
        table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
        sections.append(f"## `{name}`\n\n{about}\n\n{table}")
    return "\n".join(sections)


def _goals(kept: Kept) -> str:
    figures = [
        (Figure(**one), name)
        for name, entry in kept.items()
        for one in entry["figures"]
    ]
    asked = [(figure, name) for figure, name in figures if figure.goal is not None]
    missed = [f"{figure.what} (`{name}`)" for figure, name in asked if not met(figure)]
    first = f"{len(asked) - len(missed)} of {len(asked)} goals are met."
    return f"{first} Missed: {'; '.join(missed)}.\n" if missed else f"{first}\n"


def met(figure: Figure) -> bool:
    """Say whether a figure reaches its goal."""
    if figure.theirs is None:
        return figure.ours <= figure.goal
    return figure.theirs / figure.ours >= figure.goal


def _row(figure: Figure) -> list[str]:
    """Return what was measured, ours, the peer's, the ratio, the goal (met or not)."""
    peer, ratio, goal = "", "", ""
    least = figure.theirs is not None
    if least:
        peer = f"{figure.peer}: {_amount(figure.theirs, figure.unit)}"
        ratio = _amount(figure.theirs / figure.ours, "×")
    if figure.goal is not None:
        wanted = ("≥ ", "×") if least else ("≤ ", figure.unit)
        goal = wanted[0] + _amount(figure.goal, wanted[1])
        goal += ": met" if met(figure) else ": **missed**"
    what = f"{figure.what} ({figure.note})" if figure.note else figure.what
    return [what, _amount(figure.ours, figure.unit), peer, ratio, goal]


def _amount(value: float, unit: str) -> str:
    """Write three digits and the unit: 0.0312 s, 14.2 ×, 2,340 MiB."""
    digits = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return f"{digits}\N{NO-BREAK SPACE}{unit}"


def write_pages() -> None:
    """Write the kept figures between the marks of each page."""
    kept = read()
    figures = render(kept, changed(kept))
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        with atomic(page) as part:
            part.write_text(with_figures(text, figures), encoding="utf-8")


def with_figures(page: str, figures: str) -> str:
    """Return a page with these between its marks; ValueError where it has none."""
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        raise ValueError(f"a page needs one line {BEGIN} and one {END}")
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n\n{figures}\n{END}{after}"
