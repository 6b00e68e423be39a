"""Pages without code of their own: what they name exists."""

import ast
import importlib
import re
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "book" / "_ext"))
PAGES = [*sorted((ROOT / "book").glob("*.md")), *sorted(ROOT.glob("*.md"))]
CURRENT = [page for page in PAGES if page.name != "CHANGELOG.md"]


@pytest.mark.parametrize("page", CURRENT, ids=lambda page: page.name)
def test_what_a_page_imports_can_be_imported(page):
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom):
                module = importlib.import_module(node.module)
                for alias in node.names:
                    if not hasattr(module, alias.name):
                        importlib.import_module(f"{node.module}.{alias.name}")


@pytest.mark.parametrize("page", CURRENT, ids=lambda page: page.name)
def test_files_and_modules_that_a_page_names_exist(page):
    text = page.read_text()
    folders = r"(?:fashionlib|wardrobe|tests|benchmarks|notebooks|data|book)"
    for path in re.findall(rf"`({folders}/[\w./-]*)`", text):
        assert (ROOT / path).exists(), path
    for path in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text):
        assert (ROOT / path).is_file(), path
    for name in re.findall(r"`(fashionlib(?:\.\w+)+)`", text):
        parent, _, last = name.rpartition(".")
        if not hasattr(importlib.import_module(parent), last):
            importlib.import_module(name)


def test_every_kept_number_of_a_page_is_there():
    from run_results import look_up, read

    cited = []
    for page in PAGES:
        cited += re.findall(
            r"\{result\}`(\w+/[\w./]+)::([^|`]+)\|([^`]+)`", page.read_text()
        )
    assert len(cited) > 20
    for name, key, form in cited:
        values, _ = read(ROOT, name)
        assert format(look_up(values, key), form), (name, key)


def test_a_key_that_leaves_several_rows_is_refused():
    from run_results import look_up

    rows = {"rows": [{"k": 5, "m": "AP", "v": 1}, {"k": 12, "m": "AP", "v": 2}]}
    assert look_up(rows, "rows.m=AP.k=12.v") == 2
    for wrong in ("rows.m=AP.v", "rows.k=7.v"):
        with pytest.raises(ValueError):
            look_up(rows, wrong)


def test_answer_and_pictures_are_under_the_title():
    from docutils import nodes
    from docutils.utils import new_document
    from run_results import raise_openings

    def cell(tag, words):
        shown = nodes.container(
            "", nodes.paragraph(text=words), classes=["cell_output"]
        )
        code = nodes.container("", classes=["cell_input"])
        return nodes.container("", code, shown, classes=["cell", tag])

    page = new_document("notebook")
    chapter = nodes.section("", nodes.title(text="Why?"), nodes.paragraph(text="So."))
    chapter += [cell("tag_opening", "pictures"), cell("tag_none", "a table")]
    chapter += cell("tag_answer", "Because.")
    page += chapter
    raise_openings(None, page)
    words = [node.astext().strip() for node in chapter]
    assert words == ["Why?", "Because.", "pictures", "So.", "", "a table", ""]


def test_the_citation_of_the_page_is_that_of_the_file():
    page = (ROOT / "book" / "bibliography.md").read_text(encoding="utf-8")
    cff = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    of_page = dict(re.findall(r"^  (\w+) *= \{+(.*?)\}+,?$", page, re.MULTILINE))
    assert of_page == {
        "author": cff["authors"][0]["name"],
        "title": cff["title"],
        "version": cff["version"],
        "year": str(cff["date-released"].year),
        "url": config["repository"]["url"],
    }
    assert cff["title"] == config["title"]
