"""pyproject, the pinned set and the conda file say the same."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from chromium import demand
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def pins(path: Path) -> dict[str, str]:
    """Return the version of each package that a file pins."""
    lines = re.findall(r"^([\w.\-]+)==([^\s;]+)(?:; .+)?$", path.read_text(), re.M)
    return {canonicalize_name(name): version for name, version in lines}


PINNED = pins(ROOT / "requirements.lock")


def test_the_pinned_set_satisfies_pyproject():
    wanted = [
        *PROJECT["dependencies"],
        *(r for extra in PROJECT["optional-dependencies"].values() for r in extra),
    ]
    for requirement in map(Requirement, wanted):
        pinned = PINNED.get(canonicalize_name(requirement.name))
        assert pinned and requirement.specifier.contains(pinned), (
            f"{requirement}: pinned {pinned}"
        )


def test_every_line_of_the_pinned_set_is_a_pin():
    lines = [
        line
        for line in (ROOT / "requirements.lock").read_text().splitlines()
        if not line.startswith("#")
    ]
    assert len(lines) == len(PINNED)


def test_the_conda_file_installs_the_pinned_set():
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    python = next(line for line in listed if str(line).startswith("python="))
    assert Requirement("python" + PROJECT["requires-python"]).specifier.contains(
        python.split("=")[1] + ".0"
    )
    assert next(line for line in listed if isinstance(line, dict))["pip"] == [
        "-r requirements.lock",
        "-e .",
    ]


def test_the_project_names_one_torch_and_installs_it_first():
    make = (ROOT / "Makefile").read_text()
    assert (
        make.index("PINNED,torch") < make.index("--requirements requirements.lock")
        and "+" not in PINNED["torch"]
    )


def test_a_missing_browser_fails_a_test_in_ci_and_skips_it_elsewhere(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("CI", "1")
    with pytest.raises(pytest.fail.Exception, match="no Chromium"):
        demand()
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception, match="no Chromium"):
        demand()


def test_ci_installs_the_browser_that_it_demands():
    run = (ROOT / ".ci" / "run").read_text()
    assert "export CI=" in run and "chromium" in run
    assert "playwright" in PINNED
