"""Execute one notebook with papermill, and say what its result depends on."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import resource
import time
from pathlib import Path
from typing import Any

from fashionlib.book import runs
from fashionlib.data import provenance
from fashionlib.data.files import atomic, write_json

ROOT = Path(__file__).parents[2]  # of the packages below
PACKAGES = ("fashionlib", "wardrobe")
LINE = (  # a line, not a bar: notebooks may run side by side
    "{desc}: cell {n_fmt} of {total_fmt}, {elapsed}\n"
)
CURSOR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
KERNEL_FILE = re.compile(r"\S*ipykernel_\d+/\d+\.py")
PROGRESS = re.compile(
    r"\d+%\||\b(it|cell|batch|step|model|caption|pair|shopper)s?/s|\?/s|IProgress|notebook_tqdm"
)


class NotebookFailed(RuntimeError):
    """A notebook raised or its kernel died; the message names the notebook, the error
    and the kept copy.
    """


def imported_modules(source: str) -> set[Path]:
    """Files of fashionlib and wardrobe that Python code imports, and those that they
    import in turn.

    Read from the syntax tree, so imports inside functions count and nothing is run. As
    in Python, importing a module imports the `__init__.py` of each package above it.
    """
    modules: set[Path] = set()
    waiting = [source]
    while waiting:
        for node in ast.walk(ast.parse(waiting.pop())):
            for name in _imported_names(node):
                new = _files(name) - modules
                modules |= new
                waiting += [file.read_text(encoding="utf-8") for file in new]
    return modules


def _imported_names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        names = [f"{node.module}.{alias.name}" for alias in node.names]
    else:
        names = []
    return [name for name in names if name.split(".")[0] in PACKAGES]


def _files(dotted: str) -> set[Path]:
    """Files that importing this name reads: its packages' `__init__.py` and its module,
    where there is one.
    """
    files = set()
    path = ROOT
    for part in dotted.split("."):
        path = path / part
        files |= {path / "__init__.py", path.with_suffix(".py")}
    return {file for file in files if file.is_file()}


def code(notebook: Path) -> str:
    """The notebook's code cells, IPython's own syntax (`%`, `!`) left out: outputs,
    prose and metadata don't count.
    """
    cells = json.loads(Path(notebook).read_text(encoding="utf-8"))["cells"]
    lines = "\n".join(
        "".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"
    ).splitlines()
    return "\n".join(re.sub(r"^(\s*)[%!].*", r"\1pass", line) for line in lines)


def dependencies(notebook: Path, profile: str) -> str:
    """A hash of what decides a notebook's result beside upstream artefacts: code,
    parameters, fashionlib modules.
    """
    digest = hashlib.sha256()
    source = code(notebook)
    parts = [
        source,
        json.dumps(runs.profile(profile).get(Path(notebook).stem, {}), sort_keys=True),
    ]
    modules = imported_modules(source)
    folders = {module.parent for module in modules}
    data = {
        path
        for folder in folders
        for suffix in ("yaml", "js", "css")
        for path in folder.glob(f"*.{suffix}")
    }
    parts += [path.read_text(encoding="utf-8") for path in sorted(modules | data)]
    for part in parts:
        digest.update(hashlib.sha256(part.encode()).digest())
    return digest.hexdigest()[:16]


def parameters(notebook: Path, profile: str, given: dict[str, Any]) -> dict[str, Any]:
    """The profile's parameters for this notebook, with `given` over them; ValueError on
    one that it doesn't have.
    """
    from papermill import inspect_notebook

    known = inspect_notebook(str(notebook))
    if not known:
        raise ValueError(
            f"{notebook} has no cell tagged 'parameters'; tag the one with its defaults"
        )
    chosen = {
        "profile": profile,
        **runs.profile(profile).get(Path(notebook).stem, {}),
        **given,
    }
    unknown = sorted(set(chosen) - set(known))
    if unknown:
        raise ValueError(
            f"{Path(notebook).name} has no parameter {', '.join(unknown)}; known:"
            f" {', '.join(known)}"
        )
    return chosen


def execute(notebook: Path, profile: str, given: dict[str, Any] | None = None) -> Path:
    """Run `notebook` at `profile`; return its executed copy, below
    `_run/<profile>/notebooks`.

    A notebook that raises, or whose kernel dies, leaves its copy with the traceback in
    `_run/<profile>/failed` and raises NotebookFailed. Papermill's metadata calls a
    notebook with a dead kernel completed, so it isn't asked.
    """
    import papermill
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    notebook = Path(notebook)
    if not notebook.is_file():
        raise FileNotFoundError(
            f"no notebook {notebook}; known: "
            f"{', '.join(sorted(p.name for p in notebook.parent.glob('*.ipynb'))) or 'none'}"
        )
    chosen = parameters(notebook, profile, given or {})
    repository = runs.repository()
    root = repository / "_run" / profile
    kept, done = root / "failed" / notebook.name, root / "notebooks" / notebook.name
    kept.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    try:
        papermill.execute_notebook(
            str(notebook),
            str(kept),
            parameters=chosen,
            cwd=str(repository),
            kernel_name="python3",
            extra_arguments=["--IPKernelApp.log_level=40"],
            progress_bar={"desc": notebook.stem, "mininterval": 5, "bar_format": LINE},
        )
    except (
        papermill.PapermillExecutionError,
        CellExecutionError,
        DeadKernelError,
    ) as error:
        what = (
            f"{error.ename}: {error.evalue}"
            if hasattr(error, "ename")
            else f"the kernel died ({error})"
        )
        raise NotebookFailed(
            f"{notebook.name} failed at profile {profile}: {what}; "
            f"executed copy with the traceback: {kept.relative_to(repository)}"
        ) from error
    content = publishable(
        kept.read_text(encoding="utf-8"), repository, chosen.get("data", "")
    )
    with atomic(done) as part:
        part.write_text(content, encoding="utf-8")
    kept.unlink()
    write_json(
        root / "records" / f"{notebook.stem}.json",
        {
            "notebook": notebook.name,
            "profile": profile,
            "commit": provenance.commit(repository),
            "dependencies": dependencies(notebook, profile),
            "hardware": provenance.hardware(),
            "versions": provenance.versions(),
            "seconds": round(time.monotonic() - started, 1),
            "peak_memory_mib": (
                resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
            ),
        },
    )
    return done


def publishable(text: str, repository: Path, data: str) -> str:
    """An executed notebook without papermill's metadata, progress bars, and this
    machine's paths, anywhere in it.

    Warnings stay: of what went to stderr, only the lines of progress bars are dropped.
    """
    notebook = json.loads(text)
    notebook["metadata"].pop("papermill", None)
    for cell in notebook["cells"]:
        cell["metadata"].pop("papermill", None)
        for output in cell.get("outputs", []):
            if output.get("name") == "stderr":
                text = KERNEL_FILE.sub(
                    "this cell", CURSOR.sub("", "".join(output["text"]))
                )
                lines = re.split(r"[\r\n]+", text)
                output["text"] = "\n".join(
                    line for line in lines if line.strip() and not PROGRESS.search(line)
                )
        if "outputs" in cell:
            cell["outputs"] = [
                output for output in cell["outputs"] if output.get("text") != ""
            ]
    places = {str(repository): ".", str(Path.home()): "~"}
    if data:
        places = {
            str(Path(data).resolve()): Path(data).resolve().name,
            str(data): Path(data).name,
        } | places
    places = {
        place: name
        for place, name in places.items()
        if Path(place).is_absolute() and len(Path(place).parts) > 2
    }
    return json.dumps(_replaced(notebook, places), indent=1, ensure_ascii=False) + "\n"


def _replaced(value: Any, places: dict[str, str]) -> Any:
    """`value` with the places' names in all its text; encoded pictures are left
    alone.
    """
    if isinstance(value, dict):
        return {
            key: item if key.startswith("image/") else _replaced(item, places)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_replaced(item, places) for item in value]
    if isinstance(value, str):
        for place, name in places.items():
            value = re.sub(
                rf"{re.escape(place)}(?![\w.-])", lambda _, name=name: name, value
            )
    return value
