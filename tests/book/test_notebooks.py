"""What every notebook in the repository must be: prose, without outputs, with
parameters that the profiles know.
"""

import ast
import json
import re
import statistics
import subprocess
from pathlib import Path

import pytest
import yaml
from papermill import inspect_notebook
from sizes import NOTEBOOKS, code_cells, code_lines

from fashionlib.book import colab_cell, runs

ROOT = Path(__file__).parents[2]
LINES, MEDIAN, WIDTH = 15, 8, 88  # of formatted code


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return request.param, json.loads(request.param.read_text(encoding="utf-8"))


def cells(content, kind):
    return [cell for cell in content["cells"] if cell["cell_type"] == kind]


def test_without_outputs(notebook):
    path, content = notebook
    assert not any(
        cell["outputs"] or cell["execution_count"] for cell in cells(content, "code")
    ), path
    assert content["metadata"]["kernelspec"]["name"] == "python3"


def test_one_typed_and_explained_parameters_cell(notebook):
    path, content = notebook
    tagged = [
        cell
        for cell in cells(content, "code")
        if "parameters" in cell["metadata"].get("tags", [])
    ]
    assert len(tagged) == 1, path
    known = inspect_notebook(str(path))
    assert {"profile", "seed"} <= known.keys()
    assert all(spec["inferred_type_name"] != "None" for spec in known.values()), known


def test_the_colab_cell_is_the_one_source_and_the_command_mends_another(
    notebook, tmp_path
):
    path, content = notebook
    copy = tmp_path / path.name
    copy.write_text(path.read_text())
    assert not colab_cell.write(copy), "run: python -m fashionlib.book.colab_cell"
    cell = next(c for c in content["cells"] if "colab" in c["metadata"].get("tags", []))
    cell["source"].append("\nimport os")
    copy.write_text(json.dumps(content))
    assert colab_cell.write(copy) and copy.read_text() == path.read_text()
    cell["metadata"]["tags"] = []
    copy.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="0 cells with the tag 'colab'"):
        colab_cell.write(copy)


def test_profiles_name_real_notebooks_and_parameters():
    words = {"takes", "needs", "expect"}
    for name in runs.profile_names():
        for section, given in runs.profile(name).items():
            if section not in words:
                known = inspect_notebook(str(ROOT / "notebooks" / f"{section}.ipynb"))
                assert set(given) <= set(known), (name, section)


@pytest.mark.parametrize("profile", runs.profile_names())
def test_a_profile_pretrains_every_mini_that_its_chapters_ask(profile):
    def given(notebook: str, name: str) -> object:
        path = ROOT / "notebooks" / f"{notebook}.ipynb"
        default = ast.literal_eval(inspect_notebook(str(path))[name]["default"])
        return runs.profile(profile).get(notebook, {}).get(name, default)

    opened = given("05_out_of_the_box", "models")
    asked = {given(n, "model") for n in ("07_one_change_at_a_time", "10_copy_or_write")}
    asked.update(given("16_one_model_two_tasks", "sizes").values())
    assert asked <= set(opened)
    names = {Path(name).name for name in opened}
    assert set(given("06_fine_tuning", "only")) <= names


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_cells_are_sentences(path):
    sizes = []
    for cell in code_cells(path):
        lines = code_lines(cell)
        assert len(lines) <= LINES, lines[0]
        assert max(map(len, lines)) <= WIDTH, max(lines, key=len)
        sizes.append(len(lines))
    assert statistics.median(sizes) <= MEDIAN, sizes


def test_the_formatter_decides_the_layout_of_notebooks():
    done = subprocess.run(
        ["ruff", "format", "--check", *NOTEBOOKS], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_chapter_asks_and_answers(notebook):
    path, content = notebook
    title = "".join(content["cells"][0]["source"]).splitlines()[0]
    assert title.startswith("# ") and title.endswith("?"), path
    last = cells(content, "code")[-1]
    boxed = "answer" in last["metadata"].get("tags", [])
    assert boxed or "**Answer.**" in "".join(last["source"]), path


def test_every_plot_has_words_for_those_who_cannot_see_it(notebook):
    path, content = notebook
    for cell in cells(content, "code"):
        source = "".join(cell["source"])
        if re.search(
            r"figures\.(bars|curves|intervals|contact_sheet|picture_rows|shares)\(|\.plot[.(]|plt\.|scatter\(",
            source,
        ):
            assert cell["metadata"].get("mystnb", {}).get("image", {}).get("alt"), (
                path,
                source,
            )


def test_the_table_of_contents_and_the_folder_agree_in_reading_order():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    chapters = [c["file"] for part in toc["parts"] for c in part["chapters"]]
    listed = [Path(f).name for f in chapters if f.startswith("notebooks/")]
    assert listed == [path.stem for path in NOTEBOOKS]
