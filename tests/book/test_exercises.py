"""Exercises: solutions pass their checks, empty ones don't, no student reads them."""

import ast
import json
import re
import subprocess
import sys

import nbformat
import pytest
from sizes import NOTEBOOKS

from fashionlib.book import student
from fashionlib.commands import main
from fashionlib.data.files import read_json


def source(cell):
    return "".join(cell["source"])


def tagged(path, tag, kind="code"):
    return [
        cell
        for cell in read_json(path)["cells"]
        if tag in cell["metadata"].get("tags", []) and cell["cell_type"] == kind
    ]


def coded(path):
    """Pairs of source: a solution and its check, which is the next cell."""
    cells = read_json(path)["cells"]
    solutions, checks = tagged(path, "solution"), tagged(path, "check")
    assert len(solutions) == len(checks)
    for solution, check in zip(solutions, checks, strict=True):
        assert cells.index(check) == cells.index(solution) + 1, solution["id"]
    return [(source(s), source(c)) for s, c in zip(solutions, checks, strict=True)]


def run(*sources):
    space = {}
    for code in sources:
        exec(code, space)


CODED = [
    pytest.param(*pair, id=f"{path.stem[:2]}-{n}")
    for path in NOTEBOOKS
    for n, pair in enumerate(coded(path), 1)
]


def test_a_class_gets_chapters_to_solve_and_chapters_with_solutions(tmp_path, capsys):
    folder = tmp_path / "class"
    assert main(["student", "--out", str(folder)]) == 0
    for path in NOTEBOOKS:
        theirs = json.loads((folder / "student" / path.name).read_text("utf-8"))
        ours = json.loads((folder / "teacher" / path.name).read_text("utf-8"))
        for notebook in (theirs, ours):
            nbformat.validate(notebook)
        assert theirs == student.student(read_json(path))
        assert [source(c) for c in ours["cells"]] == [
            source(c) for c in read_json(path)["cells"]
        ]
    assert main(["student", "--out", str(folder)]) == 2
    assert "nothing is replaced, name a new one" in capsys.readouterr().err


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_chapter_has_a_coded_exercise_and_every_other_one_is_answered(path):
    functions = [re.search(r"^def (\w+)", code, re.M)[1] for code, _ in coded(path)]
    assert 1 <= len(functions) <= 2
    [asked] = [
        source(cell)
        for cell in read_json(path)["cells"]
        if source(cell).startswith("## Exercises\n")
    ]
    [answers] = [source(cell) for cell in tagged(path, "solution", "markdown")]
    assert answers.startswith(":::{admonition} Solutions\n:class: dropdown\n")
    items = re.findall(r"^(\d+)\. ((?:.|\n(?!\d+\. ))+)", asked, re.M)
    for name in functions:
        assert sum(f"`{name}(" in text for _, text in items) == 1, name
    open_ones = [n for n, text in items if not any(f"`{f}(" in text for f in functions)]
    answered = re.findall(r"^(\d+)\. ", answers, re.M)
    assert set(open_ones) <= set(answered) <= {n for n, _ in items}
    assert answered == sorted(set(answered), key=int)


@pytest.mark.parametrize(("solution", "check"), CODED)
def test_a_solution_passes_its_check(solution, check):
    run(solution, check)


@pytest.mark.parametrize(("solution", "check"), CODED)
def test_an_empty_function_fails_its_check(solution, check):
    with pytest.raises(NotImplementedError, match="write this function"):
        run(student.BODY.sub(student.EMPTY, solution), check)
    with pytest.raises((AssertionError, TypeError)):
        run(student.BODY.sub("return None", solution), check)


@pytest.mark.parametrize(("solution", "check"), CODED)
def test_each_assert_says_what_is_wrong(solution, check):
    functions = [n for n in ast.parse(solution).body if isinstance(n, ast.FunctionDef)]
    assert len(functions) == 1 and ast.get_docstring(functions[0])
    asserts = [n for n in ast.walk(ast.parse(check)) if isinstance(n, ast.Assert)]
    assert asserts and all(node.msg for node in asserts)


def test_exercises_need_no_torch():
    codes = [code for case in CODED for code in case.values]
    imports = [line for code in codes for line in code.splitlines()]
    imports = [line for line in imports if re.match("(from|import) ", line)]
    roots = {re.split(r"[ .]", line)[1] for line in imports}
    known = {"fashionlib", "wardrobe", "numpy", "pandas", *sys.stdlib_module_names}
    assert roots <= known, roots - known
    program = "\n".join(["import sys", *sorted(set(imports))])
    program += "\nassert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_answer_is_in_a_student_s_notebook(path):
    notebook = read_json(path)
    for cell in notebook["cells"]:  # as a run, or somebody's Jupyter, leaves it
        cell["metadata"]["papermill"] = {"status": source(cell)}
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "stream", "text": source(cell)}]
            cell["execution_count"] = 3
    notebook["metadata"]["papermill"] = {"parameters": {}}
    given = student.student(notebook)
    text = json.dumps(given, ensure_ascii=False)
    others = "\n".join(
        source(cell)
        for cell in notebook["cells"]
        if "solution" not in cell["metadata"].get("tags", [])
    )
    secret = [student.BODY.search(code)[0] for code, _ in coded(path)]
    secret += [source(cell) for cell in tagged(path, "solution", "markdown")[:1]]
    for line in "\n".join(secret).splitlines()[1:]:
        inside = json.dumps(line.strip(), ensure_ascii=False)[1:-1]
        shared = len(inside) < 12 or line.strip() in others
        assert shared or inside not in text, line
    assert "SOLUTION" not in text and "papermill" not in text
    for cell in given["cells"]:
        assert cell["metadata"].keys() <= {*student.PUBLIC}
        assert not cell.get("outputs") and not cell.get("execution_count")
    code = [cell for cell in given["cells"] if cell["cell_type"] == "code"]
    assert len(code) == sum(c["cell_type"] == "code" for c in notebook["cells"])


def test_a_solution_without_marks_is_refused():
    [solution] = tagged(NOTEBOOKS[0], "solution")
    bare = solution | {"source": ["def f():\n", "    return 1\n"]}
    whole = read_json(NOTEBOOKS[0]) | {"cells": [bare]}
    with pytest.raises(ValueError, match=f"{bare['id']}.* has 0 bodies.*write these"):
        student.student(whole)
