"""Pages without code of their own: what they name exists."""

import ast
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
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
