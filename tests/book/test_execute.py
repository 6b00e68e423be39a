"""Executing a notebook: what it depends on, what a failure leaves behind, what is
published.
"""

import json
from pathlib import Path

import nbformat
import pytest

from fashionlib import commands
from fashionlib.book import execute

HERE = Path(__file__).parents[2]


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A folder that passes for the book's, and a function that writes a notebook of
    given cells into it.
    """
    (tmp_path / "_toc.yml").touch()
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path)

    def write(*cells: str, parameters: str = 'profile: str = "tiny"\nn: int = 1'):
        tagged = nbformat.v4.new_code_cell(
            parameters, metadata={"tags": ["parameters"]}
        )
        notebook = nbformat.v4.new_notebook(
            cells=[tagged, *(nbformat.v4.new_code_cell(cell) for cell in cells)]
        )
        notebook.metadata["kernelspec"] = {
            "name": "python3",
            "display_name": "Python 3",
            "language": "python",
        }
        nbformat.write(notebook, tmp_path / "notebooks" / "x.ipynb")
        return Path("notebooks/x.ipynb")

    return write


def test_a_notebook_runs_with_its_parameters_and_leaves_a_record(book, tmp_path):
    done = execute.run(
        book("import os\nprint(profile, n + 1, os.getcwd())"), "smoke", {"n": 41}
    )
    text = done.read_text()
    assert (
        "smoke 42" in text
        and str(tmp_path) not in text
        and "papermill" not in json.loads(text)["metadata"]
    )
    record = json.loads((tmp_path / "_run/smoke/records/x.json").read_text())
    assert record["notebook"] == "x.ipynb" and record["seconds"] > 0
    assert record["peak_memory_mib"] > 10 and record["gflops"] > 0


def test_processor_time_and_reading_of_a_kernel_are_recorded(book, tmp_path):
    (tmp_path / "a").write_bytes(bytes(50 << 20))
    work = (
        "import time\nfrom pathlib import Path\nPath('a').read_bytes()\n"
        "while time.process_time() < {}: pass"
    )
    records = []
    for seconds in (0, 5):
        execute.run(book(work.format(seconds)), "smoke")
        text = (tmp_path / "_run/smoke/records/x.json").read_text()
        records.append(json.loads(text))
    idle, busy = (record["processor_seconds"] for record in records)
    assert busy > max(5, idle)
    assert records[0]["bytes_read"] is None or records[0]["bytes_read"] > 50 << 20


def test_a_notebook_that_passes_its_budget_says_so(book, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(execute.costs, "BUDGETS", tmp_path)
    budgets = "gflops: 0.001\nnotebooks: {x: {processor_seconds: 0.1, peak_mib: 9999}}"
    (tmp_path / "smoke.yaml").write_text(budgets)
    execute.run(book("n"), "smoke")
    assert "x.ipynb passes its budget by half: processor_seconds" in caplog.text
    assert "peak_mib" not in caplog.text


def test_a_failed_notebook_keeps_its_copy_with_the_traceback(book, tmp_path):
    with pytest.raises(
        execute.NotebookError, match=r"ZeroDivisionError.*_run/smoke/failed/x.ipynb"
    ):
        execute.run(book("1 / 0"), "smoke")
    assert "ZeroDivisionError" in (tmp_path / "_run/smoke/failed/x.ipynb").read_text()
    assert not (tmp_path / "_run/smoke/notebooks/x.ipynb").exists()


def test_a_killed_kernel_is_a_failure(book, tmp_path):
    notebook = book("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(execute.NotebookError, match="kernel died"):
        execute.run(notebook, "smoke")
    assert not (tmp_path / "_run/smoke/notebooks/x.ipynb").exists()


def test_an_unknown_parameter_is_refused_with_the_known(book, capsys):
    assert (
        commands.main(
            ["execute", str(book("n")), "--profile", "smoke", "-p", "epochs=3"]
        )
        == 2
    )
    error = capsys.readouterr().err
    assert "epochs" in error and "known: profile, n" in error and error.count("\n") == 1


def test_outputs_prose_and_metadata_do_not_count(book):
    notebook = book("from fashionlib.recommending import ranking")
    before = execute.dependencies(notebook, "smoke")
    content = nbformat.read(notebook, 4)
    content.cells.insert(0, nbformat.v4.new_markdown_cell("# A title"))
    content.cells[-1].outputs = [nbformat.v4.new_output("stream", text="hello")]
    content.metadata["touched"] = True
    nbformat.write(content, notebook)
    assert execute.dependencies(notebook, "smoke") == before
    content.cells[-1].source += "\n1 + 1"
    nbformat.write(content, notebook)
    assert execute.dependencies(notebook, "smoke") != before


def test_only_the_imported_modules_count(book, tmp_path, monkeypatch):
    package = tmp_path / "fashionlib"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "near.py").write_text("def f():\n    from fashionlib import far\n")
    (package / "far.py").write_text("x = 1\n")
    (package / "other.py").write_text("x = 1\n")
    monkeypatch.setattr(execute, "ROOT", tmp_path)
    notebook = book("from fashionlib import near")
    before = execute.dependencies(notebook, "smoke")
    (package / "other.py").write_text("x = 2\n")
    assert execute.dependencies(notebook, "smoke") == before
    (package / "far.py").write_text("x = 2\n")
    assert execute.dependencies(notebook, "smoke") != before


def test_shell_and_magic_lines_do_not_stop_the_reading(book):
    shell = "import sys\nif 'x' in sys.modules:\n    %pip install y\n    !ls\n%cd x\n"
    notebook = book(shell + "from fashionlib.recommending import ranking")
    names = {path.name for path in execute.imported_modules(execute.code(notebook))}
    assert {"ranking.py", "__init__.py"} <= names and "vbpr.py" not in names


def test_progress_bars_are_dropped_and_warnings_stay(book):
    noisy = (
        "import warnings\nfrom tqdm import"
        " tqdm\nlist(tqdm(range(9)))\nwarnings.warn('look here')"
    )
    done = execute.run(book(noisy), "smoke")
    outputs = json.dumps(
        [cell.get("outputs") for cell in json.loads(done.read_text())["cells"]]
    )
    assert (
        "look here" in outputs and "9/9" not in outputs and "ipykernel" not in outputs
    )


def test_this_machines_paths_are_not_published(tmp_path):
    notebook = {
        "metadata": {"papermill": {"input_path": "/x"}},
        "cells": [
            {
                "metadata": {"papermill": {}},
                "source": f"data = '{tmp_path}/some/hm'",
                "outputs": [{"name": "stdout", "text": f"{tmp_path}/book/a.py"}],
            }
        ],
    }
    folder = tmp_path / "some" / "hm"
    folder.mkdir(parents=True)
    text = execute.publishable(
        json.dumps(notebook), tmp_path / "book", {"data": str(folder), "seed": 1}
    )
    assert (
        str(tmp_path) not in text and "data = 'hm'" in text and "papermill" not in text
    )


TYPED = {
    "rate": ("float", "1.2e-3"),
    "steps": ("int", "100"),
    "flip": ("bool", "True"),
    "split": ("str", '"article"'),
    "seeds": ("list", "[42]"),
    "weights": ("list[float]", "[]"),
    "only": ("list", "[]"),
    "data": ("list", '["public", "public + labelled"]'),
    "sizes": ("dict", '{"small": "blip2-small"}'),
    "counts": ("dict[str, int]", "{}"),
}
CELL = "\n".join(
    f"{name}: {kind} = {default}" for name, (kind, default) in TYPED.items()
)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("rate=1e-4", 1e-4),
        ("rate=1e4", 1e4),
        ("rate=.5", 0.5),
        ("rate=1", 1.0),
        ("steps=20", 20),
        ("steps=1_000", 1000),
        ("flip=false", False),
        ("flip=True", True),
        ("split=2020", "2020"),
        ("split=1e-4", "1e-4"),
        ("split=no", "no"),
        ("split=null", "null"),
        ("split=", ""),
        ("split=a: [b", "a: [b"),
        ("split=a=b", "a=b"),
        ("seeds=[1, 2]", [1, 2]),
        ("seeds=[]", []),
        ("seeds=[010]", [10]),  # YAML 1.1 reads 8
        ("weights=[1e-4, 2]", [1e-4, 2.0]),
        ("only=[blip2-small, 'no', 1e-4]", ["blip2-small", "no", "1e-4"]),
        ("data=[public + labelled]", ["public + labelled"]),
        ('data=["public"]', ["public"]),
        ("sizes={large: blip2-medium}", {"large": "blip2-medium"}),
        ('sizes={"a": "b", "c": "12:30"}', {"a": "b", "c": "12:30"}),
        ("counts={a: 3}", {"a": 3}),
    ],
)
def test_a_value_is_read_by_its_annotation(book, word, value):
    notebook = book("n", parameters=f'profile: str = "tiny"\n{CELL}')
    name, _, text = word.partition("=")
    read = execute.parameters(notebook, "smoke", {name: text})[name]
    assert read == value and type(read) is type(value)


@pytest.mark.parametrize(
    ("word", "example"),
    [
        ("rate=fast", "-p rate=0.0012"),
        ("rate=", "-p rate=0.0012"),
        ("rate=nan", "-p rate="),
        ("rate=1e999", "-p rate="),
        ("rate=-1", "-p rate="),
        ("steps=1e3", "-p steps=100"),
        ("steps=2.5", "-p steps=100"),
        ("steps=-1", "-p steps=100"),
        ("steps=99999999999999999999", "-p steps=100"),
        ("flip=maybe", "-p flip=True"),
        ("seeds=3", "-p 'seeds=[42]'"),
        ("seeds=[a]", "-p 'seeds=[42]'"),
        ("seeds=[-1]", "-p 'seeds=[42]'"),
        ("seeds=[[1]]", "-p 'seeds=[42]'"),
        ("seeds=[1", "-p 'seeds=[42]'"),
        ("only=blip2-small", "-p 'only=[one, two]'"),
        ("data=path/to/hm", "-p 'data=["),
        ("sizes=[a]", "-p 'sizes={"),
        ("sizes={[a]: b}", "-p 'sizes={"),
    ],
)
def test_a_value_of_another_type_is_refused_with_an_example(
    book, capsys, word, example
):
    notebook = book("n", parameters=f'profile: str = "tiny"\n{CELL}')
    words = ["execute", str(notebook), "--profile", "smoke", "-p", word]
    assert commands.main(words) == 2
    error = capsys.readouterr().err
    name, _, given = word.partition("=")
    assert f"x.ipynb: {name} is of type {TYPED[name][0]}, " in error, error
    assert repr(given)[1:-1] in error and error.count("\n") == 1
    assert example in error.replace("'\"'\"'", '"')
    assert not Path("_run").exists()


def test_the_profile_is_no_parameter_of_p(book, capsys):
    words = ["execute", str(book("n")), "--profile", "smoke", "-p", "profile=tiny"]
    assert commands.main(words) == 2
    assert "--profile NAME" in capsys.readouterr().err


def test_a_list_named_data_runs_and_folders_in_lists_are_not_published(book, tmp_path):
    notebook = book(
        "print(data, encoders)",
        parameters=f'profile: str = "tiny"\n{CELL}\nencoders: list = []',
    )
    (tmp_path / "models" / "clip").mkdir(parents=True)
    given = {"data": "[public]", "encoders": f"[{tmp_path}/models/clip]"}
    text = execute.run(notebook, "smoke", given).read_text()
    assert "['public'] ['clip']" in text and str(tmp_path) not in text
