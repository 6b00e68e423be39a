"""Execute one notebook with papermill, and say what its result depends on."""

from __future__ import annotations

import ast
import hashlib
import json
import logging
import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import yaml

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
TYPES = {kind.__name__: kind for kind in (str, int, float, bool, list, dict)}
MOST = 2**32 - 1  # of a parameter's numbers: NumPy takes no larger seed
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

    Each is read by its annotation, see `read`. ValueError on one that the notebook
    doesn't have, or of another type.
    """
    from papermill import inspect_notebook

    known = inspect_notebook(str(notebook))
    if not known:
        raise ValueError(
            f"{notebook} has no cell tagged 'parameters'; tag the one with its defaults"
        )
    if "profile" in given:
        raise ValueError("-p profile=…: the profile is chosen by --profile NAME")
    own = runs.profile(profile).get(notebook.stem, {})
    chosen = {"profile": profile, **own, **given}
    if unknown := sorted(set(chosen) - set(known)):
        raise ValueError(
            f"{notebook.name} has no parameter {', '.join(unknown)}; known:"
            f" {', '.join(known)}"
        )
    for name, value in chosen.items():
        kind = known[name]["inferred_type_name"]
        default = ast.literal_eval(known[name]["default"])
        try:
            chosen[name] = read(kind, value, default)
        except (ValueError, TypeError, RecursionError, yaml.YAMLError) as error:
            example = "[one, two]" if default == [] else default
            raise ValueError(
                f"{notebook.name}: {name} is of type {kind}, {str(value)[:80]!r} is"
                f" not ({str(error)[:80]}); e.g. -p {shlex.quote(f'{name}={example}')}"
            ) from error
    return chosen


def read(kind: str, given: Any, default: Any = None) -> Any:
    """Read a parameter's value as a type: str, int, float, bool, list or dict.

    A text is read as Python writes numbers, as true or false, or as YAML's [a, b] and
    {a: b}; for str it stays as it is. What a list or dict holds is of the type that its
    annotation names (list[int]), else that of its default's first value, else text.
    ValueError for what isn't of that type, and for a number that is no count, share or
    seed: below 0, above `MOST` or not finite.
    """
    outer, _, inner = kind.removesuffix("]").partition("[")
    form = TYPES.get(outer)
    if form in (list, dict) and isinstance(given, str):
        given = yaml.load(given, yaml.BaseLoader)  # which leaves 1e-4 and no as texts
    elif form is bool and isinstance(given, str):
        given = {"true": True, "false": False}.get(given.lower(), given)
    elif form is float or (form is int and isinstance(given, str)):
        given = form(given)
    if type(given) is not form:
        raise ValueError(f"it is of type {type(given).__name__}")
    if form in (int, float) and not 0 <= given <= MOST:
        raise ValueError(f"outside 0 to {MOST:,}")
    first = next(iter(_held(default)), "")
    inner = inner.rpartition(",")[2].strip() or type(first).__name__
    if form is dict:
        return {key: read(inner, value, first) for key, value in given.items()}
    return [read(inner, value, first) for value in given] if form is list else given


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
    folders = [path for path in map(Path, _texts(chosen)) if path.is_dir()]
    places = {p: p.name for folder in folders for p in (folder.resolve(), folder)}
    places |= {repository: ".", Path.home(): "~"}
    places = {
        str(place): name
        for place, name in places.items()
        if place.is_absolute() and len(place.parts) > 2
    }
    return json.dumps(_replaced(notebook, places), indent=1, ensure_ascii=False) + "\n"


def _held(value: Any) -> list[Any]:
    """List what a list or a dict holds; nothing of another value."""
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _texts(value: Any) -> list[str]:
    """List the texts that aren't empty in a parameter's value, or in what it holds."""
    own = [value] if value and isinstance(value, str) else []
    return own + [text for part in _held(value) for text in _texts(part)]


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
