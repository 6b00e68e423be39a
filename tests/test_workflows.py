"""Workflows, containers and pages against the Makefile."""

import inspect
import json
import re
from pathlib import Path

import pytest
import yaml

from fashionlib.book import runs
from fashionlib.commands import bundle

ROOT = Path(__file__).parents[1]
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([\w./-]+):(?!=)", MAKEFILE, flags=re.M)) - {".PHONY"}
VARIABLES = set(re.findall(r"^(\w+) \?=", MAKEFILE, flags=re.M))
WORKFLOWS = {
    path.stem: yaml.safe_load(path.read_text())
    for path in sorted((ROOT / ".github" / "workflows").glob("*.yml"))
}
JOBS = {
    f"{name}: {job}": steps
    for name, workflow in WORKFLOWS.items()
    for job, steps in workflow["jobs"].items()
}
SETUP = ROOT / ".github" / "actions" / "setup" / "action.yml"
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "Makefile")),
    *sorted((ROOT / "book").glob("*.md")),
]


def used(job):
    """Names of a job's actions, without their versions."""
    return [step["uses"].split("@")[0] for step in job["steps"] if "uses" in step]


def test_there_is_a_workflow_for_each_purpose():
    assert WORKFLOWS.keys() == {"tests", "links", "pages", "weekly", "release"}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_may_read_only_and_says_how_long_it_may_take(name):
    workflow = WORKFLOWS[name]
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]["group"]
    for job in workflow["jobs"].values():
        assert 0 < job["timeout-minutes"] <= 240


@pytest.mark.parametrize("job", JOBS.values(), ids=list(JOBS))
def test_a_job_runs_one_target_of_the_makefile_and_nothing_else(job):
    commands = [step["run"] for step in job["steps"] if "run" in step]
    if "actions/checkout" not in used(job):
        assert not commands
        return
    (command,) = commands
    make, target, *given = command.split()
    assert make == "make" and target in TARGETS - {".venv/ready"}
    for name, value in (word.split("=") for word in given):
        assert name in VARIABLES
        assert name != "PROFILE" or value in runs.profile_names()
    assert used(job)[:2] == ["actions/checkout", "./.github/actions/setup"]


@pytest.mark.parametrize("job", JOBS.values(), ids=list(JOBS))
def test_what_may_write_runs_no_code_of_the_project(job):
    if "write" in job.get("permissions", {}).values():
        assert "actions/checkout" not in used(job)
    for step in job["steps"]:
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_actions_are_pinned_to_a_commit_whose_release_is_named():
    files = [SETUP, *(ROOT / ".github" / "workflows").glob("*.yml")]
    found = [u for f in files for u in re.findall(r"uses: (.+)", f.read_text())]
    assert len(found) > 10
    commits = {}
    for action in found:
        if action.startswith("./"):
            assert (ROOT / action / "action.yml").is_file()
            continue
        pinned = re.fullmatch(r"([\w./-]+)@([0-9a-f]{40})  # v\d+\.\d+\.\d+", action)
        assert pinned, action
        assert commits.setdefault(pinned[1], action) == action
    bot = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())
    [asked] = bot["updates"]
    assert asked["package-ecosystem"] == "github-actions"
    assert all((ROOT / place.lstrip("/")).is_dir() for place in asked["directories"])


def test_the_tests_run_on_every_python_that_the_makefile_takes():
    low, high = map(int, re.findall(r"\(3, (\d+)\)", MAKEFILE)[:2])
    matrix = WORKFLOWS["tests"]["jobs"]["test"]["strategy"]["matrix"]
    assert matrix["python"] == [f"3.{minor}" for minor in range(low, high)]


def test_what_is_published_is_what_the_targets_write():
    def handed(workflow, job, action):
        steps = WORKFLOWS[workflow]["jobs"][job]["steps"]
        return next(s["with"] for s in steps if action in s.get("uses", ""))

    archive = inspect.signature(bundle.run).parameters["out"].default
    assert handed("release", "bundle", "upload-artifact")["path"] == f"{archive}*"
    attached = handed("release", "attach", "release")["files"]
    assert attached == f"{archive.name}*"
    assert handed("pages", "book", "upload-pages")["path"] == "_build/html"
    assert "Open _build/html/index.html" in MAKEFILE


@pytest.mark.parametrize(
    "path",
    [
        ".ci/run",
        ".devcontainer/devcontainer.json",
        ".github/actions/setup/action.yml",
        "README.md",
        "apt.txt",
        "book/run_anywhere.md",
    ],
)
def test_every_machine_gets_the_libraries_that_the_makefile_asks_for(path):
    asked = re.search(r'apt-get install ([\w ]+)"', MAKEFILE)[1].split()
    assert len(asked) == 2
    words = re.findall(r"\w+", (ROOT / path).read_text())
    assert set(asked) <= set(words)


def test_the_setup_installs_no_more_than_these():
    runs = [s["run"] for s in yaml.safe_load(SETUP.read_text())["runs"]["steps"][1:]]
    assert len(runs) == 1 and "apt-get install" in runs[0]


def test_the_devcontainer_makes_the_environment_that_it_points_to():
    path = ROOT / ".devcontainer" / "devcontainer.json"
    settings = json.loads(path.read_text())
    assert settings["postCreateCommand"].split() == ["make", ".venv/ready"]
    python = settings["customizations"]["vscode"]["settings"].values()
    assert "${containerWorkspaceFolder}/.venv/bin/python" in python
    low, high = map(int, re.findall(r"\(3, (\d+)\)", MAKEFILE)[:2])
    assert low <= int(re.search(r"python:3\.(\d+)", settings["image"])[1]) < high


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_target_that_a_page_names_exists(page):
    named = re.findall(r"(?:`!?|^# |^!?|&& )make ([\w./]\S*)", page.read_text(), re.M)
    assert {re.split("[`,;)]", name)[0] for name in named} <= TARGETS


def test_the_makefile_s_head_names_every_target():
    head = set(re.findall(r"^# make (\S+)", MAKEFILE, flags=re.M))
    phony = set(re.search(r"^\.PHONY: (.+)", MAKEFILE, flags=re.M)[1].split())
    assert head == phony - {"clean"} and phony <= TARGETS
