"""The import arrows of fashionlib, as a table; a new arrow is a design decision, so it fails here first."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import fashionlib

PACKAGE = Path(fashionlib.__file__).parent
ALLOWED = {
    "paper": {"runs"},
    "runs": set(),
    "execute": {"runs"},
    "cli": {"annotation", "app", "caption_scores", "datasets", "execute", "finetune", "images", "purchases",
            "recommend", "retrieval", "runs", "search", "wardrobe"},
    "figures": {"images"},
    "images": set(),
    "schema": set(),
    "datasets": {"images", "runs"},
    "wardrobe": {"datasets", "runs", "schema"},
    "attributes": {"runs"},
    "java": set(),
    "spice": {"java", "runs"},
    "caption_scores": {"attributes", "java", "runs", "spice"},
    "gallery": {"images", "runs"},
    "features": {"images", "runs"},
    "captioners": {"features", "images", "runs"},
    "consensus": set(),
    "finetune": {"captioners", "runs"},
    "ranking": set(),
    "purchases": {"runs"},
    "recommend": {"features", "purchases", "ranking", "runs"},
    "annotation": {"images", "runs", "schema", "wardrobe"},
    "retrieval": {"datasets", "features", "images", "ranking", "runs"},
    "search": {"captioners", "features", "gallery", "images", "runs"},
    "app": {"attributes", "caption_scores", "captioners", "gallery", "images", "runs", "search"},
}
LIGHT = ["annotation", "app", "app.answers", "app.photo", "attributes", "caption_scores", "cli", "consensus",
         "datasets", "datasets.download", "datasets.facad", "datasets.hm", "datasets.hm_hub", "datasets.layouts",
         "execute", "features", "features.ducho", "figures", "gallery", "images", "java", "paper", "purchases",
         "ranking", "recommend", "retrieval", "runs", "schema", "search", "spice", "wardrobe"]


def arrows(path: Path) -> set[str]:
    """Names of the fashionlib modules that the file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").split(".")[0] == "fashionlib"):
            tail = (node.module or "").removeprefix("fashionlib").strip(".")
            found |= {tail.split(".")[0]} if tail else {alias.name for alias in node.names}
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("fashionlib.")}
    return found


def test_only_the_listed_arrows():
    modules = {path.stem: [path] for path in PACKAGE.glob("*.py") if path.stem != "__init__"}
    modules |= {path.parent.name: sorted(path.parent.rglob("*.py")) for path in PACKAGE.glob("*/__init__.py")}
    assert modules.keys() == ALLOWED.keys()
    found = {name: set().union(*map(arrows, paths)) - {name} for name, paths in modules.items()}
    extra = {name: found[name] - ALLOWED[name] for name in found if found[name] - ALLOWED[name]}
    assert not extra, f"imports outside the agreed direction: {extra}"


@pytest.mark.parametrize("module", LIGHT)
def test_light_modules_do_not_import_torch(module):
    code = f"import sys, fashionlib.{module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
