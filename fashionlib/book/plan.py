"""Derive the order of work: what each notebook needs and makes, from its own calls.

Only calls on `run` count (`book.runs.Run`), with their paths written out. A name in an
f-string stands for each value of the loop over literals around it; any other stands for
"*", and the edge then goes to the whole notebook that makes such a path.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import product
from pathlib import Path

from fashionlib.book import execute

ITEMS = "items.parquet"
DATA = "data.json"
NEEDS = {  # method of Run: the path that its argument names
    "need": "{}",
    "read": "{}",
    "features": "features/{}.parquet",
    "result": "results/{}.json",
    "catalogue": ITEMS,
    "items": ITEMS,
    "splits": ITEMS,
}
MAKES = {"make": "{}", "write": "{}", "save": "results/{}.json", "use": DATA}
FOLDERS = {"folder": "{}"}


@dataclass(frozen=True)
class Work:
    """What one notebook needs and makes, paths below the run's folder, sorted.

    `after`: notebooks that make what a "*" stands for. `compares`: it reads printed or
    kept numbers. `accelerated`: it imports a module that computes with torch.
    """

    needs: tuple[str, ...]
    makes: tuple[str, ...]
    folders: tuple[str, ...]
    after: tuple[str, ...]
    compares: bool
    accelerated: bool


def notebooks(folder: Path) -> dict[str, Work]:
    """Read the work of every notebook in the folder, by stem, in order.

    ValueError where two notebooks make one path, or nobody makes what one needs.
    """
    paths = {path.stem: path for path in sorted(Path(folder).glob("*.ipynb"))}
    sources = {name: execute.code(path) for name, path in paths.items()}
    calls = {name: _calls(ast.parse(source)) for name, source in sources.items()}
    makers: dict[str, str] = {}
    for name, by_kind in calls.items():
        for path in by_kind["makes"] | by_kind["folders"]:
            other = makers.setdefault(path, name)
            if other != name:
                raise ValueError(f"both {other} and {name} make {path}; rename one")
    return {name: _work(name, sources[name], calls[name], makers) for name in paths}


def _work(
    name: str, source: str, calls: dict[str, set[str]], makers: dict[str, str]
) -> Work:
    needs, after = set(), set()
    for path in calls["needs"] - calls["makes"] | {DATA}:
        earlier = {maker for made, maker in makers.items() if fnmatch(made, path)}
        if not earlier:
            raise ValueError(f"{name} needs {path}, which no notebook makes")
        if path in makers and "*" not in path:
            needs.add(path)
        else:
            after |= earlier
    texts = [p.read_text(encoding="utf-8") for p in execute.imported_modules(source)]
    return Work(
        needs=tuple(sorted(needs - calls["makes"])),
        makes=tuple(sorted(path for path in calls["makes"] if "*" not in path)),
        folders=tuple(sorted(calls["folders"])),
        after=tuple(sorted(after - {name})),
        compares="paper." in source,
        accelerated=any("import torch" in text for text in texts),
    )


def _calls(tree: ast.AST) -> dict[str, set[str]]:
    """Collect the paths that calls on `run` name: needs, makes, folders."""
    kinds = {"needs": NEEDS, "makes": MAKES, "folders": FOLDERS}
    found: dict[str, set[str]] = {kind: set() for kind in kinds}
    loops = _literal_loops(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if getattr(node.func.value, "id", "") != "run":
            continue
        for kind, methods in kinds.items():
            if form := methods.get(node.func.attr):
                names = _texts(node.args[0], loops) if "{}" in form else {""}
                found[kind] |= {form.format(name) for name in names}
    return found


def _literal_loops(tree: ast.AST) -> dict[str, list[str]]:
    """Map each name that loops over a literal sequence of texts to these."""
    loops = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.For | ast.comprehension) and isinstance(
            node.iter, ast.Tuple | ast.List
        ):
            values = [getattr(item, "value", None) for item in node.iter.elts]
            if isinstance(node.target, ast.Name) and all(
                isinstance(value, str) for value in values
            ):
                loops[node.target.id] = values
    return loops


def _texts(node: ast.expr, loops: dict[str, list[str]]) -> set[str]:
    """List what the expression may say: a text, a loop's name, an f-string of them."""
    if isinstance(node, ast.Constant):
        return {node.value}
    if isinstance(node, ast.Name):
        return set(loops.get(node.id, ["*"]))
    if isinstance(node, ast.FormattedValue):
        return _texts(node.value, loops)
    if isinstance(node, ast.JoinedStr):
        parts = product(*(_texts(part, loops) for part in node.values))
        return {"".join(part) for part in parts}
    return {"*"}
