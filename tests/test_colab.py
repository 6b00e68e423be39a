"""The install on Colab: it adds what is missing, changes nothing, and says both."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "book" / "colab.py"
THERE = ROOT / "tests" / "colab.txt"  # what Colab has, and where the list is from
# torch is there, with its CUDA packages under other names than those of PyPI's torch
SETTINGS = """
[[dependency-metadata]]
name = "torch"
version = "{}"
requires-dist = []
"""
NO_INDEX = re.compile("error sending request|dns error|Failed to fetch|timed out")


@pytest.fixture
def colab():
    return runpy.run_path(str(SCRIPT))


def pins(text):
    found = re.findall(r"^([\w.\-]+)==([^\s;+]+)", text, flags=re.M)
    return {canonicalize_name(name): version for name, version in found}


def resolve(tmp_path, extras, *lines):
    """Resolve what Colab would install, with these lines in place of the list's."""
    held = pins(THERE.read_text()) | dict(line.split("==") for line in lines)
    (tmp_path / "held.txt").write_text("\n".join(f"{n}=={v}" for n, v in held.items()))
    (tmp_path / "uv.toml").write_text(SETTINGS.format(held["torch"]))
    command = [
        *(sys.executable, "-m", "uv", "pip", "compile", "--quiet"),
        *("--no-header", "--no-annotate", "--python-version", "3.13"),
        *("--python-platform", "x86_64-manylinux_2_35", "--only-binary", ":all:"),
        *("--config-file", str(tmp_path / "uv.toml")),
        *("--constraint", str(tmp_path / "held.txt")),
        *(word for extra in extras.split(",") for word in ("--extra", extra)),
        str(ROOT / "pyproject.toml"),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode and NO_INDEX.search(done.stderr):
        pytest.skip(f"no package index: {done.stderr.splitlines()[-1]}")
    return done, held


def test_the_install_resolves_on_colab_and_changes_nothing(tmp_path, colab):
    done, held = resolve(tmp_path, colab["EXTRAS"])
    assert not done.returncode, done.stderr
    wanted = pins(done.stdout)
    assert {"numpy", "pandas", "torch", "transformers"} <= wanted.keys() & held.keys()
    assert {n: v for n, v in wanted.items() if held.get(n, v) != v} == {}
    added = wanted.keys() - held.keys()
    assert {"cornac", "lancedb", "stanza"} <= added and len(added) < 30


def test_a_colab_that_ours_cannot_do_with_is_refused(tmp_path, colab):
    done, _ = resolve(tmp_path, colab["EXTRAS"], "typer==0.12.0")
    assert done.returncode and "typer" in done.stderr


def test_what_was_found_and_added_is_said(colab, monkeypatch, capsys):
    found = [{"numpy": "2.1.3", "pandas": "2.2.3"}, {"numpy": "2.1.3", "pandas": "3"}]
    found[1] |= {"cornac": "3.0.1"}
    held = []

    def pip(command, check):
        assert check
        held.append(Path(command[command.index("--constraint") + 1]).read_text())

    monkeypatch.setattr(subprocess, "run", pip)
    install = colab["install"]
    monkeypatch.setitem(install.__globals__, "installed", lambda: found.pop(0))
    install()
    assert held == ["numpy==2.1.3\npandas==2.2.3\n"]
    first, changed, added = capsys.readouterr().out.splitlines()
    assert first.endswith("2 packages: numpy 2.1.3, pandas 2.2.3")
    assert changed == "Changed: pandas" and added.endswith("s: cornac 3.0.1")


def test_a_run_on_drive_is_there_in_the_next_session(colab, tmp_path, monkeypatch):
    class Drive:
        mount = staticmethod(os.makedirs)

    for session in ("first", "second"):
        clone = tmp_path / session
        clone.mkdir()
        monkeypatch.setitem(sys.modules, "google", type(sys)("google"))
        module = type(sys)("google.colab")
        module.drive = Drive
        monkeypatch.setitem(sys.modules, "google.colab", module)
        keep = colab["keep_on_drive"]
        monkeypatch.setitem(keep.__globals__, "ROOT", clone)
        monkeypatch.setattr(Drive, "mount", lambda place: None)
        keep(tmp_path / "drive")
        place = clone / "_run" / "tiny" / "checkpoints" / "step"
        assert place.is_file() == (session == "second")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("8")
