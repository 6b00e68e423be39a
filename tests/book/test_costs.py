"""What a run costs: measured, kept as budgets, compared with them."""

import subprocess
import sys
import time

import pytest

from fashionlib import commands
from fashionlib.book import costs, runs
from fashionlib.data.files import write_json

NAMES = ("00_draw", "01_train", "02_score")


def record(name, **changes):
    """A record of 10 processor seconds and 100 MiB, at the budgets' speed."""
    known = {
        "notebook": f"{name}.ipynb",
        "profile": "tiny",
        "commit": "0123456789ab",
        "hardware": {"processor": "an abacus", "cores": 2},
        "seconds": 8.0,
        "processor_seconds": 10.0,
        "peak_memory_mib": 100,
        "peak_tree_mib": 90,
        "bytes_read": 3 * 2**20,
        "bytes_written": None,
        "gflops": 50.0,
    }
    return known | changes


def budget(seconds=10, mib=100, gflops=50.0):
    notebooks = {n: {"processor_seconds": seconds, "peak_mib": mib} for n in NAMES}
    return {"gflops": gflops, "notebooks": notebooks}


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A repository of three notebooks, budgets of its own, and a run's records."""
    (tmp_path / "_toc.yml").touch()
    (tmp_path / "notebooks").mkdir()
    for name in NAMES:
        (tmp_path / "notebooks" / f"{name}.ipynb").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(costs, "BUDGETS", tmp_path / "budgets")

    def recorded(*records):
        for one in records:
            stem = one["notebook"].removesuffix(".ipynb")
            write_json(tmp_path / "_run" / "tiny" / "records" / f"{stem}.json", one)

    return recorded


def burn(seconds: float, mib: int) -> list[str]:
    """A command that keeps a core busy and holds memory."""
    code = (
        "import time; held = bytearray(b'x') * ({mib} << 20)\n"
        "while time.process_time() < {seconds}: pass"
    )
    return [sys.executable, "-c", code.format(mib=mib, seconds=seconds)]


def test_a_childs_work_is_counted_and_waiting_is_not():
    with costs.measured() as idle:
        time.sleep(0.4)
    with costs.measured() as busy:
        subprocess.run(burn(0.6, 300), check=True)
    assert idle["seconds"] >= 0.4 > 0.3 > idle["processor_seconds"]
    assert 0.5 <= busy["processor_seconds"] < 3
    assert busy["peak_memory_mib"] >= 300


def test_the_trees_peak_holds_processes_side_by_side():
    with costs.measured() as cost:
        together = [subprocess.Popen(burn(2.5, 200)) for _ in range(2)]
        for one in together:
            one.wait()
    assert cost["peak_tree_mib"] is None or cost["peak_tree_mib"] >= 400


def test_bytes_of_files_are_counted_cached_or_not(tmp_path):
    place = tmp_path / "two_mib"
    with costs.measured() as cost:
        place.write_bytes(bytes(2 << 20))
        copy = "import sys; open(sys.argv[1], 'rb').read()"
        subprocess.run([sys.executable, "-c", copy, place], check=True)
    if cost["bytes_read"] is None:
        pytest.skip("this system has no /proc/self/io")
    assert cost["bytes_written"] >= 2 << 20 and cost["bytes_read"] >= 2 << 20


def test_the_machine_is_as_fast_twice():
    first, second = costs.gflops(0.2), costs.gflops(0.2)
    assert first > 0.1 and 1 / 3 < first / second < 3


def test_a_budget_passed_by_half_is_told_with_both_numbers():
    kept = budget()
    assert not costs.excess(record("00_draw", processor_seconds=14.9), kept)
    told = costs.excess(record("00_draw", processor_seconds=15.6), kept)
    assert "00_draw" in told and "processor_seconds 16 (budget 10)" in told
    assert "peak_mib" not in told
    told = costs.excess(record("00_draw", peak_tree_mib=151), kept)
    assert "peak_mib 151 (budget 100)" in told


def test_a_slower_machine_may_take_longer_and_a_faster_one_as_long():
    kept = budget(gflops=50.0)
    slow = record("00_draw", processor_seconds=28.0, gflops=25.0)
    assert costs.comparable_seconds(slow, 50.0) == 14 and not costs.excess(slow, kept)
    assert costs.excess(slow | {"processor_seconds": 31.0}, kept)
    fast = record("00_draw", processor_seconds=14.0, gflops=200.0)
    assert not costs.excess(fast, kept)


def test_a_notebook_without_a_budget_passes_none():
    assert not costs.excess(record("99_new", processor_seconds=1e6), budget())
    before = record("00_draw")
    del before["gflops"], before["processor_seconds"]  # of an earlier edition
    assert not costs.excess(before, budget())


def test_the_table_has_the_dearest_first_and_sums():
    older = record("02_score", peak_memory_mib=700, peak_tree_mib=None)
    del older["processor_seconds"], older["bytes_read"], older["bytes_written"]
    dear = record("01_train", processor_seconds=1234.0, seconds=900.0)
    rows = costs.table([record("00_draw"), older, dear], budget())
    assert [row[0] for row in rows] == ["01_train", "00_draw", "02_score", "together"]
    assert all(len(row) == len(costs.HEAD) for row in rows)
    last = dict(zip(costs.HEAD, rows[-1], strict=True))
    assert last["processor s"] == "1,244" and last["budget"] == "30"
    assert last["wall s"] == "916" and last["peak MiB"] == "700"
    assert rows[2][1] == "–" and last["read MiB"] == "6"


def test_a_clusters_job_asks_for_more_than_the_budget():
    asked = costs.reservation({"processor_seconds": 600, "peak_mib": 1000})
    assert asked == {"mem_mb": 1500, "runtime": 45}
    assert costs.reservation(None) == {}


def test_budgets_are_written_from_a_whole_run_and_read_back(book, capsys):
    book(record("00_draw", processor_seconds=9.2), record("01_train", gflops=70.0))
    keep = ["keep", "--cost", "--profile", "tiny"]
    assert commands.main(keep) == 2
    assert "02_score" in capsys.readouterr().err
    book(record("02_score", peak_tree_mib=130, gflops=60.0))
    assert commands.main(keep) == 0
    assert capsys.readouterr().out == "budgets/tiny.yaml\n"
    kept = costs.budgets("tiny")
    assert kept["gflops"] == 60.0 and list(kept["notebooks"]) == list(NAMES)
    assert kept["notebooks"]["00_draw"] == {"processor_seconds": 10, "peak_mib": 100}
    assert kept["notebooks"]["02_score"]["peak_mib"] == 130
    assert costs.budgets("smoke") == {"notebooks": {}}


def test_the_summary_prints_the_table_and_what_is_too_dear(book, capsys):
    assert commands.main(["summary", "--cost"]) == 2
    assert "make book PROFILE=tiny" in capsys.readouterr().err
    book(*map(record, NAMES))
    assert commands.main(["keep", "--cost", "--profile", "tiny"]) == 0
    book(record("01_train", processor_seconds=40.0))
    capsys.readouterr()
    assert commands.main(["summary", "--cost"]) == 0
    printed = capsys.readouterr()
    names = [line.split()[0] for line in printed.out.splitlines()]
    assert names == ["notebook", "01_train", "00_draw", "02_score", "together"]
    assert printed.err.startswith("01_train.ipynb passes its budget by half")
    assert printed.err.count("\n") == 1


def test_every_budget_is_of_a_profile_and_a_notebook_that_there_are():
    notebooks = costs.BUDGETS.parents[2] / "notebooks"
    names = {path.stem for path in notebooks.glob("*.ipynb")}
    for path in costs.BUDGETS.glob("*.yaml"):
        assert path.stem in runs.profile_names()
        assert set(costs.budgets(path.stem)["notebooks"]) <= names, path
