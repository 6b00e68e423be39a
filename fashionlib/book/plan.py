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
KINDS = {"needs": NEEDS, "makes": MAKES, "folders": {"folder": "{}"}}
Loops = dict[str, list[str]]  # a loop's name: the texts that it stands for


@dataclass(frozen=True)
class Work:
    """What one notebook needs and makes, paths below the run's folder, sorted.

    `after`: notebooks that make what a "*" stands for. `compares`: it reads printed or
    kept numbers. `longer`: it also reads purchases of a longer time, where a folder of
    that name is given. `accelerated`: it imports a module that computes with torch.
    """

    needs: tuple[str, ...]
    makes: tuple[str, ...]
    folders: tuple[str, ...]
    after: tuple[str, ...]
    compares: bool
    longer: bool
    accelerated: bool


def notebooks(folder: Path) -> dict[str, Work]:
    """Read the work of every notebook in the folder, by stem, in order.

    ValueError where two notebooks make one path, or nobody makes what one needs.
    """
    sources = _sources(folder)
    calls = {name: _calls(ast.parse(source)) for name, source in sources.items()}
    makers = _makers(calls)
    return {name: _work(name, sources[name], calls[name], makers) for name in sources}


def maker(folder: Path, path: str) -> str:
    """Name the notebook in the folder that makes a path below the run's folder."""
    calls = {n: _calls(ast.parse(source)) for n, source in _sources(folder).items()}
    makers = _makers(calls).items()
    return next((n for made, n in makers if fnmatch(path, made)), "an earlier notebook")


def _sources(folder: Path) -> dict[str, str]:
    return {path.stem: execute.code(path) for path in sorted(folder.glob("*.ipynb"))}


def _makers(calls: dict[str, dict[str, set[str]]]) -> dict[str, str]:
    makers: dict[str, str] = {}
    for name, by_kind in calls.items():
        for path in by_kind["makes"] | by_kind["folders"]:
            other = makers.setdefault(path, name)
            if other != name:
                raise ValueError(f"both {other} and {name} make {path}; rename one")
    return makers


def longest_paths(work: dict[str, Work], seconds: dict[str, float]) -> dict[str, float]:
    """Return the seconds from each notebook's start to the end of what waits for it.

    That is its own and those of the longest chain behind it; `work` is in an order in
    which notebooks can run. What is not in `seconds` takes none.
    """
    makers = {path: n for n, w in work.items() for path in (*w.makes, *w.folders)}
    behind = dict.fromkeys(work, 0.0)
    paths = {}
    for name in reversed(work):
        paths[name] = seconds.get(name, 0) + behind[name]
        needed = {makers.get(path) for path in work[name].needs}
        for earlier in (needed | {*work[name].after}) & work.keys():
            behind[earlier] = max(behind[earlier], paths[name])
    return {name: paths[name] for name in work}


def _work(
    name: str, source: str, calls: dict[str, set[str]], makers: dict[str, str]
) -> Work:
    needs, after = set(), set()
    for path in calls["needs"] | {DATA}:
        if path in calls["makes"]:
            continue
        if path == "*":
            raise ValueError(f"{name}: a call on run needs its path written out")
        earlier = {maker for made, maker in makers.items() if fnmatch(made, path)}
        if not earlier:
            raise ValueError(f"{name} needs {path}, which no notebook makes")
        if path in makers and "*" not in path:
            needs.add(path)
        else:
            after |= earlier
    texts = [p.read_text(encoding="utf-8") for p in execute.imported_modules(source)]
    return Work(
        needs=tuple(sorted(needs)),
        makes=tuple(sorted(path for path in calls["makes"] if "*" not in path)),
        folders=tuple(sorted(calls["folders"])),
        after=tuple(sorted(after - {name})),
        compares="paper." in source,
        longer="\nlonger: str" in source,
        accelerated=any("\nimport torch" in text for text in texts),
    )


def _calls(tree: ast.AST) -> dict[str, set[str]]:
    """Collect the paths that calls on `run` name: needs, makes, folders."""
    paths: dict[str, set[str]] = {kind: set() for kind in KINDS}
    _collect(tree, {}, paths)
    return paths


def _collect(node: ast.AST, loops: Loops, paths: dict[str, set[str]]) -> None:
    """Add the paths named below this node, where `loops` says what loops run over."""
    if isinstance(node, ast.Call) and _is_of_run(node.func):
        for kind, methods in KINDS.items():
            if form := methods.get(node.func.attr):
                names = _texts(node.args[0], loops) if "{}" in form else {""}
                paths[kind] |= {form.format(name) for name in names}
    bound = [node] if isinstance(node, ast.For) else getattr(node, "generators", [])
    for loop in bound:
        loops = loops | _literals(loop.target, loop.iter)
    for child in ast.iter_child_nodes(node):
        _collect(child, loops, paths)


def _is_of_run(function: ast.expr) -> bool:
    value = getattr(function, "value", None)
    return isinstance(function, ast.Attribute) and getattr(value, "id", "") == "run"


def _literals(target: ast.expr, sequence: ast.expr) -> Loops:
    """Map a loop's name to the texts it loops over, else to "*"."""
    if not isinstance(target, ast.Name):
        return {}
    values = [getattr(item, "value", None) for item in getattr(sequence, "elts", [])]
    known = values and all(isinstance(value, str) for value in values)
    return {target.id: values if known else ["*"]}


def _texts(node: ast.expr, loops: Loops) -> set[str]:
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
