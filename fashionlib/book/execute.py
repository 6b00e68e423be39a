"""Execute one notebook with papermill, and say what its result depends on."""

from __future__ import annotations

import ast
import hashlib
import json
import logging
import re
from functools import cache
from pathlib import Path
from typing import Any

from fashionlib.book import costs, runs
from fashionlib.data import provenance
from fashionlib.data.files import atomic, read_json, write_json

ROOT = Path(__file__).parents[2]  # of the packages below
PACKAGES = ("fashionlib", "wardrobe", "benchmarks")
LINE = (  # a line, not a bar: notebooks may run side by side
    "{desc}: cell {n_fmt} of {total_fmt}, {elapsed}\n"
)
CURSOR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
KERNEL_FILE = re.compile(r"\S*ipykernel_\d+/\d+\.py")
PROGRESS = re.compile(
    r"\d+%\||\b(it|cell|batch|step|model|caption|pair|shopper)s?/s|\?/s|IProgress|notebook_tqdm"
)


class NotebookError(RuntimeError):
    """Say that a notebook raised or its kernel died.

    The message names the notebook, the error and the copy with the traceback.
    """


def imported_modules(source: str) -> set[Path]:
    """List the project's files (`PACKAGES`) that code imports, and theirs in turn.

    Read from the syntax tree, so imports inside functions count and nothing is run. As
    in Python, importing a module imports the `__init__.py` of each package above it.
    """
    modules: set[Path] = set()
    waiting = [source]
    while waiting:
        new = _imports(waiting.pop(), ROOT) - modules
        modules |= new
        waiting += [file.read_text(encoding="utf-8") for file in new]
    return modules


@cache  # a module is parsed once, whoever imports it
def _imports(source: str, root: Path) -> frozenset[Path]:
    """List the files below `root` that this code itself imports."""
    names = [name for node in ast.walk(ast.parse(source)) for name in _names(node)]
    ours = {name for name in names if name.split(".")[0] in PACKAGES}
    return frozenset(file for name in ours for file in _files(name, root))


def _names(node: ast.AST) -> list[str]:
    """List what an import statement names, of any other node nothing."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def _files(dotted: str, root: Path) -> set[Path]:
    """List the files that importing this name reads: its module, its packages' init."""
    files = set()
    path = root
    for part in dotted.split("."):
        path = path / part
        files |= {path / "__init__.py", path.with_suffix(".py")}
    return {file for file in files if file.is_file()}


def code(notebook: Path) -> str:
    """Return the notebook's code, IPython's own lines (`%`, `!`) as `pass`.

    Outputs, prose and metadata don't count.
    """
    cells = read_json(notebook)["cells"]
    sources = ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
    return re.sub(r"^([ \t]*)[%!].*", r"\1pass", "\n".join(sources), flags=re.M)


def dependencies(notebook: Path, profile: str) -> str:
    """Hash what decides a notebook's result beside artefacts of earlier ones.

    That is its code with what that imports (`digest`), and its parameters.
    """
    given = runs.profile(profile).get(notebook.stem, {})
    return digest(code(notebook), json.dumps(given, sort_keys=True))


def digest(source: str, *settings: str) -> str:
    """Hash code, its settings, and the modules of the project that it imports.

    YAML, JavaScript, CSS and HTML beside the modules count too.
    """
    modules = imported_modules(source)
    beside = {
        path
        for folder in {module.parent for module in modules}
        for path in folder.iterdir()
        if path.suffix in (".yaml", ".js", ".css", ".html")
    }
    parts = [source, *settings]
    parts += [path.read_text(encoding="utf-8") for path in sorted(modules | beside)]
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part.encode()).digest())
    return whole.hexdigest()[:16]


def parameters(notebook: Path, profile: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return the profile's parameters for this notebook, with `given` over them.

    ValueError on one that the notebook doesn't have.
    """
    from papermill import inspect_notebook

    known = inspect_notebook(str(notebook))
    if not known:
        raise ValueError(
            f"{notebook} has no cell tagged 'parameters'; tag the one with its defaults"
        )
    own = runs.profile(profile).get(notebook.stem, {})
    chosen = {"profile": profile, **own, **given}
    if unknown := sorted(set(chosen) - set(known)):
        raise ValueError(
            f"{notebook.name} has no parameter {', '.join(unknown)}; known:"
            f" {', '.join(known)}"
        )
    return chosen


def run(notebook: Path, profile: str, given: dict[str, Any] | None = None) -> Path:
    """Run a notebook at a profile; return its copy in `_run/<profile>/notebooks`.

    Its cost (`book.costs`) is in the record; a warning says where it passes its budget.
    A notebook that raises, or whose kernel dies, leaves its copy with the traceback in
    `_run/<profile>/failed` and raises NotebookError. Papermill's metadata calls a
    notebook with a dead kernel completed, so it isn't asked.
    """
    if not notebook.is_file():
        known = ", ".join(sorted(p.name for p in notebook.parent.glob("*.ipynb")))
        raise FileNotFoundError(f"no notebook {notebook}; known: {known or 'none'}")
    chosen = parameters(notebook, profile, given or {})
    repository = runs.repository()
    root = repository / "_run" / profile
    running = root / "failed" / notebook.name  # it stays there unless it ends well
    done = root / "notebooks" / notebook.name
    running.parent.mkdir(parents=True, exist_ok=True)
    with costs.measured() as cost:
        _papermill(notebook, running, chosen)
    text = running.read_text(encoding="utf-8")
    with atomic(done) as part:
        part.write_text(publishable(text, repository, chosen), "utf-8")
    running.unlink()
    record = {
        "notebook": notebook.name,
        "profile": profile,
        "commit": provenance.commit(repository),
        "dependencies": dependencies(notebook, profile),
        "hardware": provenance.hardware(),
        "versions": provenance.versions(),
        **cost,
        "gflops": costs.gflops(0.2),
    }
    write_json(root / "records" / f"{notebook.stem}.json", record)
    if warning := costs.excess(record, costs.budgets(profile)):
        logging.getLogger(__name__).warning(warning)
    return done


def _papermill(notebook: Path, copy: Path, chosen: dict[str, Any]) -> None:
    """Execute into `copy`; NotebookError with the notebook's own error."""
    import papermill
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    repository = runs.repository()
    bar = {"desc": notebook.stem, "mininterval": 5, "bar_format": LINE}
    failures = (papermill.PapermillExecutionError, CellExecutionError, DeadKernelError)
    try:
        papermill.execute_notebook(
            str(notebook),
            str(copy),
            parameters=chosen,
            cwd=str(repository),
            kernel_name="python3",
            extra_arguments=["--IPKernelApp.log_level=40"],
            progress_bar=bar,
        )
    except failures as error:
        what = f"the kernel died ({error})"
        if hasattr(error, "ename"):
            what = f"{error.ename}: {error.evalue}"
        raise NotebookError(
            f"{notebook.name} failed at profile {chosen['profile']}: {what}; "
            f"executed copy with the traceback: {copy.relative_to(repository)}"
        ) from error


def publishable(text: str, repository: Path, chosen: dict[str, Any]) -> str:
    """Clean an executed notebook: no papermill metadata, progress bars, local paths.

    Folders that parameters name go by their own names. Warnings stay: of what went to
    stderr, only the lines of progress bars are dropped.
    """
    notebook = json.loads(text)
    notebook["metadata"].pop("papermill", None)
    for cell in notebook["cells"]:
        cell["metadata"].pop("papermill", None)
        outputs = cell.get("outputs", [])
        for output in outputs:
            if output.get("name") == "stderr":
                output["text"] = _without_bars("".join(output["text"]))
        if outputs:
            cell["outputs"] = [o for o in outputs if o.get("text") != ""]
    texts = [value for value in chosen.values() if value and isinstance(value, str)]
    folders = [path for path in map(Path, texts) if path.is_dir()]
    places = {p: p.name for folder in folders for p in (folder.resolve(), folder)}
    places |= {repository: ".", Path.home(): "~"}
    places = {
        str(place): name
        for place, name in places.items()
        if place.is_absolute() and len(place.parts) > 2
    }
    return json.dumps(_replaced(notebook, places), indent=1, ensure_ascii=False) + "\n"


def _without_bars(text: str) -> str:
    text = KERNEL_FILE.sub("this cell", CURSOR.sub("", text))
    lines = re.split(r"[\r\n]+", text)
    return "\n".join(x for x in lines if x.strip() and not PROGRESS.search(x))


def _replaced(value: Any, places: dict[str, str]) -> Any:
    """Put the places' names into all text of a value; leave encoded pictures alone."""
    if isinstance(value, dict):
        return {
            key: item if key.startswith("image/") else _replaced(item, places)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_replaced(item, places) for item in value]
    if isinstance(value, str):
        for place, name in places.items():
            pattern = rf"{re.escape(place)}(?![\w.-])"
            value = re.sub(pattern, lambda _, name=name: name, value)
    return value
