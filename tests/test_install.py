"""The Makefile's install: on which Pythons, which torch, what a cut-off one leaves."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
# stands in for a venv's python: it logs its words, and `-m pip install torch` finds no
# wheel on this disk
PYTHON = """#!/bin/sh
echo python "$@" >> log
case "$*" in *torch*) exit 1;; esac
"""
UV = """#!/bin/sh
echo uv "$@" >> log
case "$*" in *--requirements*) test ! -e offline;; esac
"""
# stands in for the machine's python, which makes the venv
MACHINE = """#!/bin/sh
echo machine "$@" >> log
case "$*" in *venv*) mkdir -p .venv/bin && cp stub/* .venv/bin/;; esac
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a folder with a space in its name, where installing runs stubs."""
    place = tmp_path / "a clone"
    for folder in ("stub", "bin"):
        (place / folder).mkdir(parents=True)
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, place)
    scripts = {"stub/python": PYTHON, "stub/uv": UV, "bin/machine": MACHINE}
    for name, text in scripts.items():
        (place / name).write_text(text)
        (place / name).chmod(0o755)
    return place


def make(place: Path, *words: str, **variables: str) -> subprocess.CompletedProcess:
    """Run make there, on a machine whose python is the stub."""
    path = f"{place / 'bin'}:{os.environ['PATH']}"
    environment = {"PATH": path, "HOME": str(place), **variables}
    return subprocess.run(
        ["make", "--silent", "PYTHON=machine", *words],
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
    )


def show(place: Path, words: str, **variables: str) -> str:
    """Return what a recipe of the Makefile would print for these words."""
    (place / "show.mk").write_text(f"show:\n\t@echo {words}\n")
    return make(place, "-f", "Makefile", "-f", "show.mk", "show", **variables).stdout


def calls(place: Path, who: str) -> list[str]:
    """Return what was asked of `who` so far."""
    lines = (place / "log").read_text().splitlines()
    return [line for line in lines if line.startswith(who)]


def test_an_install_that_was_cut_off_starts_from_an_empty_venv(clone):
    (clone / "offline").touch()
    assert make(clone, ".venv/ready").returncode
    assert not (clone / ".venv/ready").exists()
    (clone / "offline").unlink()
    assert not make(clone, ".venv/ready").returncode
    assert calls(clone, "machine -m") == ["machine -m venv --clear .venv"] * 2
    before = (clone / "log").read_text()
    assert not make(clone, ".venv/ready").returncode
    assert (clone / "log").read_text() == before


def test_a_new_lock_goes_into_the_venv_that_is_there(clone):
    make(clone, ".venv/ready")
    os.utime(clone / ".venv/ready", (0, 0))
    (clone / "offline").touch()
    assert make(clone, ".venv/ready").returncode
    assert len(calls(clone, "machine -m")) == 1
    # cut off, so it isn't taken for whole
    assert not (clone / ".venv/ready").exists()


@pytest.mark.parametrize(
    ("driver", "words", "build"),
    [
        (False, [], "--torch-backend=cpu "),
        (True, [], ""),
        (False, ["TORCH="], ""),
        (True, ["TORCH=cu126"], "--torch-backend=cu126 "),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere PyPI's torch is small")
def test_torch_is_for_cuda_only_where_a_driver_is(clone, driver, words, build):
    smi = clone / "bin" / "nvidia-smi"
    smi.write_text(f"#!/bin/sh\nexit {int(not driver)}\n")
    smi.chmod(0o755)
    assert not make(clone, ".venv/ready", *words).returncode
    pin = re.search("^torch==.*", (clone / "requirements.lock").read_text(), re.M)
    assert pin
    wanted = f"uv pip install --quiet --python .venv {build}{pin[0]}"
    assert calls(clone, "uv")[0] == wanted


@pytest.mark.parametrize(
    ("version", "compiler", "said"),
    [
        ((3, 10), True, "Python 3.11 to 3.14 is needed"),
        ((3, 15), True, "Python 3.11 to 3.14 is needed"),
        ((3, 14), False, "needs a C"),
        ((3, 14), True, None),
        ((3, 11), False, None),
    ],
)
def test_a_python_that_the_lock_is_not_for_is_refused_in_one_line(
    clone, monkeypatch, version, compiler, said
):
    check = show(clone, '"$$CHECK"')
    monkeypatch.setattr(sys, "version_info", version)
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr(shutil, "which", lambda _: "/bin/cc" if compiler else None)
    monkeypatch.setattr("ctypes.CDLL", str)
    if said is None:
        exec(check, {})
        return
    with pytest.raises(SystemExit, match=said) as refusal:
        exec(check, {})
    assert "\n" not in str(refusal.value)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere Skia brings its own")
def test_a_machine_without_libEGL_is_told_so_in_one_line(clone, monkeypatch):
    def missing(name: str) -> None:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr("ctypes.CDLL", missing)
    with pytest.raises(SystemExit, match="libEGL.so.1.*apt-get install libegl1"):
        exec(show(clone, '"$$CHECK"'), {})


def test_a_home_that_cannot_be_written_is_replaced(clone):
    assert show(clone, "$$HOME").strip() == str(clone)
    elsewhere = show(clone, "$$HOME", HOME="/proc/nowhere").strip()
    assert elsewhere == str(clone / "_run" / "home")
    assert Path(elsewhere).is_dir()


# Packages that come as source: one needs no compiler, on some machines two do.
SOURCES = {
    "3.14": ["connection-pool", "immutables"],
    "aarch64-manylinux_2_28": ["cornac"],
}
MACHINES = [
    *((python, "x86_64-manylinux_2_28") for python in ("3.11", "3.12", "3.13", "3.14")),
    ("3.13", "aarch64-manylinux_2_28"),
    ("3.13", "aarch64-apple-darwin"),
]


@pytest.mark.skipif("CI" not in os.environ, reason="asks PyPI")
@pytest.mark.parametrize(("python", "machine"), MACHINES)
def test_the_lock_resolves(python, machine, tmp_path):
    sources = {"connection-pool", *SOURCES.get(python, ()), *SOURCES.get(machine, ())}
    resolved = subprocess.run(
        [
            *(sys.executable, "-m", "uv", "pip", "compile", "--quiet"),
            "--no-header",
            *("--no-annotate", "--python-version", python),
            *("--python-platform", machine, "--only-binary", ":all:"),
            *(word for name in sources for word in ("--no-binary", name)),
            str(ROOT / "requirements.lock"),
        ],
        capture_output=True,
        text=True,
        env=os.environ | {"MACOSX_DEPLOYMENT_TARGET": "14.0"},
    )
    assert not resolved.returncode, resolved.stderr
    locked = map(Requirement, (ROOT / "requirements.lock").read_text().splitlines())
    pinned = {f"{canonicalize_name(r.name)}{r.specifier}" for r in locked}
    unpinned = set(resolved.stdout.split()) - pinned
    # what PyPI's torch brings for CUDA differs by machine; the CPU's build asks nothing
    cuda = {p for p in unpinned if p.startswith(("nvidia-", "cuda-", "triton="))}
    assert unpinned == cuda
