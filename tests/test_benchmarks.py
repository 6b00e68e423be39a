"""What was measured for speed: kept whole, told stale, shown as it is kept."""

import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from benchmarks import __main__ as bench
from benchmarks import kept
from benchmarks.measuring import ROOT, Figure
from fashionlib.book import execute, runs
from fashionlib.data import provenance

FAST = Figure("counted", 2.0, peer="peer 1.0", theirs=34.0, goal=15)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one benchmark, of a module that imports another."""
    monkeypatch.setattr(execute, "ROOT", tmp_path)
    monkeypatch.setattr(kept, "ROOT", tmp_path)
    monkeypatch.setattr(kept, "FILE", tmp_path / "kept.json")
    monkeypatch.setattr(kept, "PAGES", [tmp_path / "README.md"])
    files = {
        "README.md": f"# Speed\n\n{kept.BEGIN}\nold\n{kept.END}\n\nA story.\n",
        "benchmarks/counting.py": "from fashionlib.data import items\n",
        "benchmarks/other.py": "import numpy\n",
        "fashionlib/data/items.py": "from fashionlib.data import files\n",
        "fashionlib/data/files.py": "BLOCK = 1\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def measured(name: str) -> dict:
    origin = {
        "commit": "abc",
        "date": "2026-12-01",
        "code": kept.code(name),
        "hardware": provenance.hardware(),
        "seconds": 1,
        "processor_seconds": 1,
    }
    return {"provenance": origin, "figures": [asdict(FAST)], "values": {}}


def test_the_pages_show_what_is_kept():
    entries = kept.read()
    figures = kept.render(entries, kept.changed(entries))
    for page in kept.PAGES:
        text = page.read_text(encoding="utf-8")
        step = "python -m benchmarks --pages"
        assert text == kept.with_figures(text, figures), f"{page}: run {step}"


def test_what_is_kept_belongs_to_a_benchmark_that_is_there():
    folder = Path(kept.__file__).parent
    for name in {*kept.read(), *bench.USUAL}:
        assert (folder / f"{name.split()[0]}.py").is_file(), name


def test_a_changed_module_makes_a_figure_stale(house: Path):
    entries = {
        name: measured(name) for name in ("counting", "counting --full", "other")
    }
    assert kept.changed(entries) == set()
    (house / "fashionlib" / "data" / "files.py").write_text("BLOCK = 2\n")
    assert kept.changed(entries) == {"counting", "counting --full"}
    fresh, stale = kept.render(entries, kept.changed(entries)).split("## `other`")[::-1]
    assert stale.count(kept.STALE) == 2
    assert kept.STALE not in fresh


@pytest.mark.parametrize(
    ("figure", "row"),
    [
        (FAST, ["counted", "2 s", "peer 1.0: 34 s", "17 ×", "≥ 15 ×: met"]),
        (
            Figure("slow", 4.0, "ms", "peer", 34.0, 15, "all alike"),
            [
                "slow (all alike)",
                "4 ms",
                "peer: 34 ms",
                "8.5 ×",
                "≥ 15 ×: **missed**",
            ],
        ),
        (Figure("short", 1.9, goal=2), ["short", "1.9 s", "", "", "≤ 2 s: met"]),
        (Figure("long", 2.1, goal=2), ["long", "2.1 s", "", "", "≤ 2 s: **missed**"]),
        (Figure("large", 1811.4, "MiB"), ["large", "1,811 MiB", "", "", ""]),
    ],
)
def test_a_figure_says_whether_its_goal_is_met(figure: Figure, row: list[str]):
    assert kept.render({}, set()) == "0 of 0 goals are met.\n"
    entry = {"provenance": measured_on(), "figures": [asdict(figure)]}
    page = kept.render({"counting": entry}, set()).replace("\N{NO-BREAK SPACE}", " ")
    assert f"| {' | '.join(row)} |\n" in page


def measured_on() -> dict:
    machine = {"processor": "Chip", "cores": 2, "accelerator": None}
    return {"commit": "abc", "date": "2026-12-01", "hardware": machine}


def test_a_run_goes_on_after_a_failure_and_where_it_was_cut_off(
    house: Path, monkeypatch: pytest.MonkeyPatch
):
    asked = []

    def measure(command: str, commit: str) -> dict:
        asked.append(command)
        if len(asked) == 1:
            raise subprocess.CalledProcessError(1, command)
        return measured(command)

    monkeypatch.setattr(bench, "USUAL", ("counting", "other"))
    monkeypatch.setattr(bench, "measure", measure)
    monkeypatch.setattr(sys, "argv", ["benchmarks"])
    with pytest.raises(SystemExit, match="not measured, see above: counting"):
        bench.main()
    assert kept.read().keys() == {"other"}
    page = (house / "README.md").read_text()
    assert "1 of 1 goals are met." in page
    assert page.startswith("# Speed\n")
    assert page.endswith(f"{kept.END}\n\nA story.\n")
    bench.main()
    bench.main()
    assert asked == ["counting", "other", "counting"]
    entries = kept.read()
    entries["other"]["provenance"]["hardware"]["processor"] = "another"
    kept.keep("other", entries["other"])
    bench.main()
    assert asked[3:] == ["other"]


def test_profiles_say_what_the_kept_estimate_of_accelerators_says():
    hours = {
        profile: sum(one["fine-tuning"] + one["captions"] for one in models.values())
        for profile, models in kept.read()["accelerators"]["values"].items()
        if profile != "assumed"
    }
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    minutes, whole = (
        f"about {60 * hours['colab']:.0f} min",
        f"about {hours['paper']:.0f}",
    )
    for profile, words in (("colab", minutes), ("paper", f"{whole} hours")):
        assert words in runs.profile(profile)["takes"] and words in readme
