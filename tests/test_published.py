"""What others take from the book: its citation, its archive, its cards, its pages."""

import inspect
import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from jupyter_book.config import get_final_config
from test_environment import PINNED, pins

import fashionlib
import wardrobe
from wardrobe import minis

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "book" / "_ext"))
PLAIN = ROOT / "book" / "plain_sphinx"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PAGES = [*sorted((ROOT / "book").glob("*.md")), *NOTEBOOKS]
CARDS = (ROOT / "book" / "cards.md").read_text(encoding="utf-8")
SCHEMAS = {
    "citation-file-format": ["CITATION.cff"],
    "dependabot": [".github/dependabot.yml"],
    "github-actions": [".github/actions/setup/action.yml"],
    "github-workflows": [
        f".github/workflows/{name}.yml" for name in ("pages", "tests")
    ],
}


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_file_is_as_its_schema_says(schema):
    words = ["check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
    subprocess.run(
        [sys.executable, "-m", *words, *SCHEMAS[schema]], cwd=ROOT, check=True
    )


def test_an_archive_gets_what_the_citation_says():
    cff = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    archive = json.loads((ROOT / ".zenodo.json").read_text(encoding="utf-8"))
    assert cff["version"] == archive["version"] == fashionlib.__version__
    assert archive["description"] == cff["abstract"]
    for key in ("title", "keywords", "license"):
        assert archive[key] == cff[key]
    assert archive["creators"] == [{"name": who["name"]} for who in cff["authors"]]


def test_every_work_of_the_bibliography_is_cited_and_every_citation_is_in_it():
    text = (ROOT / "book" / "references.bib").read_text(encoding="utf-8")
    entries = dict(
        re.findall(r"^@\w+\{(\w+),\n(.*?)^\}", text, re.MULTILINE | re.DOTALL)
    )
    for key, entry in entries.items():
        assert {"author", "title", "year"} <= set(re.findall(r"(\w+) = \{", entry)), key
    cited = set()
    for page in PAGES:
        for keys in re.findall(
            r"\{cite:p\}`([^`]+)`", page.read_text(encoding="utf-8")
        ):
            cited |= set(keys.split(","))
    assert cited == entries.keys()


@pytest.mark.parametrize(
    ("chapter", "words", "key"),
    [
        ("08", "*BLEU*", "bleu"),
        ("08", "*ROUGE-L*", "rouge"),
        ("08", "The *bootstrap*", "bootstrap,efron1993"),
        ("14", "*NDCG*", "ndcg,elliot"),
        ("14", "*BPR*", "bpr"),
    ],
)
def test_a_formula_cites_where_it_comes_from(chapter, words, key):
    [path] = [path for path in NOTEBOOKS if path.stem.startswith(chapter)]
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    [formulas] = [cell for cell in cells if cell["id"] == f"formulas{chapter}"]
    [line] = re.findall(
        rf"^{re.escape(words)} measures.*", "".join(formulas["source"]), re.M
    )
    assert f"{{cite:p}}`{key}`" in line


def test_plain_sphinx_is_pinned_and_differs_only_where_it_must():
    plain = pins(PLAIN / "requirements.lock")
    assert plain["sphinx"].startswith("9.") and "jupyter-book" not in plain
    apart = {name for name, version in plain.items() if PINNED.get(name) != version}
    new = {"roman-numerals"}  # which Sphinx 9 asks for
    moved = {"alabaster", "docutils", "markdown-it-py", "myst-parser", "packaging"}
    assert apart == {"sphinx", *new, *moved}


def test_plain_sphinx_is_told_what_jupyter_book_tells_it():
    theirs, _ = get_final_config(
        user_yaml=ROOT / "_config.yml",
        sourcedir=ROOT,
        cli_config={"latex_individualpages": False},
    )
    ours = runpy.run_path(str(PLAIN / "conf.py"))
    left = set(theirs["extensions"]) - set(ours["extensions"])
    comments = {"sphinx_comments", "sphinx_thebe", "sphinx.ext.intersphinx"}
    assert left == {"jupyter_book", "sphinx_jupyterbook_latex", *comments}
    apart = {name for name, said in theirs.items() if said and ours.get(name) != said}
    assert apart == {
        *("extensions", "bibtex_bibfiles", "html_static_path", "html_theme_options"),
        "html_favicon",
        # of extensions that are left out
        *("comments_config", "latex_engine", "use_jupyterbook_latex"),
        "use_multitoc_numbering",
        # the table of contents, the theme and the default say it; nothing is executed
        *("exclude_patterns", "pygments_style", "myst_url_schemes"),
        "nb_execution_timeout",
    }
    for name in ("html_static_path", "bibtex_bibfiles"):
        assert ours[name] == [str(ROOT / place) for place in theirs[name]]
    assert ours["html_favicon"] == str(ROOT / theirs["html_favicon"])
    for name, said in ours["html_theme_options"].items():
        given = theirs["html_theme_options"][name]
        assert said == given or said.items() <= given.items()


def test_plain_sphinx_has_a_target_that_runs_every_week():
    make = (ROOT / "Makefile").read_text(encoding="utf-8")
    [recipe] = re.findall(r"^sphinx9: book\n((?:\t.+\n)+)", make, re.MULTILINE)
    for name in ("requirements.lock", "conf.py"):
        assert (PLAIN / name).is_file()
    assert "PLAIN = book/plain_sphinx\n" in make
    assert "$(SPHINX9) " in recipe and "tests/links.py _build/sphinx9" in recipe
    [command] = re.findall(r"^SPHINX9 = ((?:.*\\\n)*.+)", make, re.MULTILINE)
    assert " -W -n " in command
    weekly = yaml.safe_load((ROOT / ".github" / "workflows" / "weekly.yml").read_text())
    assert {"run": "make sphinx9"} in weekly["jobs"]["book"]["steps"]


def test_the_card_of_the_wardrobe_says_what_the_command_draws():
    assert set(wardrobe.LAYOUTS) <= set(re.findall(r"`(\w+)`", CARDS))
    given = inspect.signature(wardrobe.write).parameters
    words = [
        f"--{name} {given[name].default}" for name in ("items", "shoppers", "seed")
    ]
    assert f"`wardrobe DEST {' '.join(words)} --layout hm`" in CARDS


def test_the_card_of_the_minis_says_what_their_own_cards_say():
    from shipped_minis import rows

    assert [row[0] for row in rows()] == minis.shipped()
    for name in minis.shipped():
        card = (minis.FOLDER / name / "README.md").read_text(encoding="utf-8")
        facts = dict(
            re.findall(r"^\| (articles|split) \| (.+) \|$", card, re.MULTILINE)
        )
        assert f"{int(facts['articles']):,} drawn articles" in CARDS
        assert facts["split"].replace("held", "were held") in CARDS
    assert f"{minis.SIZE} x {minis.SIZE} pixels" in CARDS
