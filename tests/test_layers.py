"""The plan of the house: rooms, and the import arrows between them.

A new room or arrow is a design decision, so it fails here first.
"""

import ast
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parents[1]
BESIDE = (
    "wardrobe",
    "questions",
    "slides",
)  # packages of their own; each may import those before
ARROWS = {  # room: the rooms that it may import
    "stats": set(),
    "data": set(),
    "features": {"data"},
    "labelling": {"data"},
    "captioning": {"data", "features", "stats"},
    "recommending": {"data", "features", "stats"},
    "retrieval": {"captioning", "data", "features", "stats"},
    "book": {"data", "features", "stats"},
    "app": {"book", "captioning", "data", "retrieval"},
    "commands": {
        "app",
        "book",
        "captioning",
        "data",
        "features",
        "labelling",
        "recommending",
        "retrieval",
        "stats",
    },
}
LIGHT = [
    "fashionlib.app",
    "fashionlib.book.execute",
    "fashionlib.book.figures",
    "fashionlib.book.gallery",
    "fashionlib.book.paper",
    "fashionlib.book.runs",
    "fashionlib.captioning.metrics",
    "fashionlib.captioning.metrics.attributes",
    "fashionlib.captioning.metrics.spice",
    "fashionlib.captioning.rerank",
    "fashionlib.commands",
    "fashionlib.data.download",
    "fashionlib.data.images",
    "fashionlib.data.interactions",
    "fashionlib.data.items",
    "fashionlib.data.readers.layouts",
    "fashionlib.features",
    "fashionlib.features.ducho",
    "fashionlib.labelling",
    "fashionlib.recommending",
    "fashionlib.retrieval",
    "fashionlib.retrieval.search",
    "fashionlib.stats",
    "questions.command",
    "slides.command",
    "wardrobe",
]


def imports(path: Path) -> set[str]:
    """Dotted names of what the file imports, inside functions too."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import; name it in full"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names


def rooms() -> dict[str, list[Path]]:
    """Each room's files; a module at the top is a room of its own."""
    package = ROOT / "fashionlib"
    modules = {p.stem: [p] for p in package.glob("*.py") if p.stem != "__init__"}
    folders = {p.parent.name: p.parent for p in package.glob("*/__init__.py")}
    return modules | {name: sorted(f.rglob("*.py")) for name, f in folders.items()}


def test_the_rooms_and_their_arrows():
    arrows = {}
    for room, files in rooms().items():
        names = set().union(*map(imports, files))
        reached = {n.split(".")[1] for n in names if n.startswith("fashionlib.")}
        arrows[room] = reached - {room, "__version__"}
    assert arrows.keys() == ARROWS.keys()
    extra = {room: arrows[room] - ARROWS[room] for room in arrows}
    assert not any(extra.values()), f"imports outside the agreed direction: {extra}"


def test_the_picture_of_the_rooms_shows_these_arrows():
    picture = ElementTree.parse(ROOT / "book" / "_static" / "rooms.svg")
    drawn = {
        group.attrib["data-room"]: set(group.attrib["data-imports"].split())
        for group in picture.iter("{http://www.w3.org/2000/svg}g")
    }
    assert drawn == ARROWS


def test_arrows_run_one_way():
    left = {room: set(reached) for room, reached in ARROWS.items()}
    while left:
        leaves = {room for room, reached in left.items() if not reached & left.keys()}
        assert leaves, f"a circle among {sorted(left)}"
        left = {room: left[room] for room in left.keys() - leaves}


def test_the_library_never_imports_what_stands_beside_it():
    packages = ("fashionlib", *BESIDE)
    for place, package in enumerate(packages):
        later = {*packages[place + 1 :]}
        for path in sorted((ROOT / package).rglob("*.py")):
            assert not {n.split(".")[0] for n in imports(path)} & later, path


def test_packages_re_export_and_hold_no_logic():
    kinds = (ast.Import, ast.ImportFrom, ast.Expr, ast.Assign)
    packages = [*(ROOT / "fashionlib").rglob("__init__.py")]
    for package in BESIDE:
        packages += (ROOT / package).rglob("__init__.py")
    for path in packages:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert all(isinstance(node, kinds) for node in tree.body), path


def test_the_tests_mirror_the_rooms():
    """A folder of tests is named as the room, or room in a room, that it tests."""
    tests = ROOT / "tests"
    folders = {path.parent.relative_to(tests) for path in tests.rglob("test_*.py")}
    names = {folder.as_posix() for folder in folders} - {"."}
    rooms = ARROWS.keys() - {"stats"} | {*BESIDE}
    assert {name.split("/")[0] for name in names} == rooms
    for name in names:
        room = ROOT / "fashionlib" / name
        assert name in BESIDE or (room / "__init__.py").is_file(), name


def test_light_modules_do_not_import_torch():
    """Import one after the other in a fresh process, and name the first that does."""
    code = (
        "import importlib, sys\n"
        f"for name in {LIGHT}:\n"
        "    importlib.import_module(name)\n"
        "    assert 'torch' not in sys.modules, name\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
