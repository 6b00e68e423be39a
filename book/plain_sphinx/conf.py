"""Sphinx's settings for the staged book, without jupyter-book.

What `_config.yml` says is read from there; the rest is what jupyter-book adds to it.
"""

import shutil
import sys
from pathlib import Path

import yaml

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BOOK = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
sys.path.insert(0, str(HERE.parent / "_ext"))

globals().update(BOOK["sphinx"]["config"])
project = html_title = BOOK["title"]
author = BOOK["author"]
copyright = BOOK["copyright"]
extensions = [
    "myst_nb",
    "sphinx_book_theme",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_external_toc",
    "sphinx_multitoc_numbering",
    "sphinx_togglebutton",
    "sphinxcontrib.bibtex",
    *BOOK["sphinx"]["local_extensions"],
]
bibtex_bibfiles = [str(ROOT / name) for name in BOOK["bibtex_bibfiles"]]
external_toc_exclude_missing = BOOK["only_build_toc_files"]
myst_enable_extensions = BOOK["parse"]["myst_enable_extensions"]
nb_execution_mode = BOOK["execute"]["execute_notebooks"]
nb_output_stderr = "show"
numfig = True
html_static_path = [
    str(ROOT / name) for name in BOOK["sphinx"]["config"]["html_static_path"]
]
html_favicon = str(ROOT / BOOK["sphinx"]["config"]["html_favicon"])
html_theme = "sphinx_book_theme"
html_theme_options = BOOK["sphinx"]["config"]["html_theme_options"] | {
    "extra_footer": BOOK["html"]["extra_footer"],
    "home_page_in_toc": True,
    "launch_buttons": BOOK["launch_buttons"],
    "repository_branch": BOOK["repository"]["branch"],
    "repository_url": BOOK["repository"]["url"],
    "use_issues_button": BOOK["html"]["use_issues_button"],
    "use_repository_button": BOOK["html"]["use_repository_button"],
}


def setup(app):
    """Put the gallery's pictures beside the pages, as `fashionlib site` does."""

    def copy_gallery(app, error):
        if not error:
            places = (Path(folder, "gallery") for folder in (app.srcdir, app.outdir))
            shutil.copytree(*places, dirs_exist_ok=True)

    app.connect("build-finished", copy_gallery)
