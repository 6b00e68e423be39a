"""Every notebook with a list or a dict among its parameters, at profile smoke, with one
value of each: the first, and the last. `make test-all` runs these; `make test` doesn't.
"""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from papermill import inspect_notebook
from sizes import NOTEBOOKS

from fashionlib.book import runs


def held(notebook: Path) -> dict[str, Any]:
    """The parameters of profile smoke that hold several values."""
    defaults = {
        name: ast.literal_eval(known["default"])
        for name, known in inspect_notebook(str(notebook)).items()
    }
    chosen = defaults | runs.profile("smoke").get(notebook.stem, {})
    return {n: value for n, value in chosen.items() if isinstance(value, list | dict)}


def one(value: Any, place: int) -> Any:
    """The value of which one part is left."""
    if isinstance(value, dict):
        return dict([list(value.items())[place]])
    return [value[place]] if value else value


# The later first: those that wait for what an earlier one made find it whole.
CASES = [
    pytest.param(path.stem, given, id=f"{path.stem}-{json.dumps(given)}")
    for path in reversed(NOTEBOOKS)
    for values in [held(path)]
    for place in (0, -1)
    for given in [{name: one(value, place) for name, value in values.items()}]
    if given != values
]


def test_the_cases_are_the_lists_with_several_values():
    names = [case.values[0] for case in CASES]
    assert {"05_out_of_the_box", "16_one_model_two_tasks"} <= set(names)
    assert names == sorted(names, reverse=True)
    assert one({"a": 1, "b": 2}, -1) == {"b": 2} and one([1, 2], 0) == [1]


@pytest.mark.all
@pytest.mark.parametrize(("name", "given"), CASES)
def test_a_notebook_runs_with_one_value_of_each(copy, name, given):
    words = [f"{key}={json.dumps(value)}" for key, value in given.items()]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "fashionlib.commands", "execute"),
            *(f"notebooks/{name}.ipynb", "--profile", "smoke"),
            *(word for pair in words for word in ("-p", pair)),
        ],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
