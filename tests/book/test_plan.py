"""The order of work, read from notebooks' own calls."""

import json
from fnmatch import fnmatch
from pathlib import Path

import pytest

from fashionlib.book import plan

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@pytest.fixture
def planned(tmp_path):
    """Plan notebooks given as {stem: code}."""

    def planned(**sources: str) -> dict[str, plan.Work]:
        first = {"a_first": 'run.use(root, True)\nrun.write("items.parquet", items)'}
        for name, source in (first | sources).items():
            cell = {"cell_type": "code", "source": source}
            (tmp_path / f"{name}.ipynb").write_text(json.dumps({"cells": [cell]}))
        return plan.notebooks(tmp_path)

    return planned


def test_calls_on_run_say_what_is_needed_and_made(planned):
    work = planned(
        b='run.save("one", {})\nrun.make("features/grid.parquet")\nrun.folder("album")',
        c='x = run.items()\nrun.result("one")\nrun.features("grid")\nrun.need("album")',
    )
    assert work["a_first"].makes == ("data.json", "items.parquet")
    assert work["b"].makes == ("features/grid.parquet", "results/one.json")
    assert work["b"].folders == ("album",)
    needs = ("album", "data.json", "features/grid.parquet", "items.parquet")
    assert work["c"].needs == (*needs, "results/one.json")


def test_a_loop_over_literals_stands_for_each_in_its_own_scope(planned):
    loops = (
        'for name in ("u", "v"):\n    run.make(f"features/{name}.parquet")\n'
        'both = {name: run.features(name) for name in ["u", "v"]}\n'
        "for name in other:\n    print(name)"
    )
    assert planned(b=loops)["b"].makes == ("features/u.parquet", "features/v.parquet")


def test_a_name_that_is_not_written_out_waits_for_the_whole_maker(planned):
    work = planned(
        b='for m in models:\n    run.make(f"captioner/{m}/base")',
        c='base = run.need(f"captioner/{model}/base")',
    )
    assert work["b"].makes == () and work["c"].after == ("b",)


def test_what_a_notebook_makes_itself_it_does_not_wait_for(planned):
    assert planned(b='run.write("x.json", 1)\nrun.read("x.json")')["b"].needs == (
        "data.json",
    )


def test_who_reads_a_longer_time_has_a_parameter_for_it(planned):
    work = planned(b='seed: int = 1\nlonger: str = ""', c="longer = 3")
    assert [name for name in work if work[name].longer] == ["b"]
    real = plan.notebooks(NOTEBOOKS)
    readers = [name for name in real if real[name].longer]
    assert readers == ["03_who_leaks", "15_why_item_knn_wins"]


def test_the_longest_path_is_the_dearest_chain_to_the_end(planned):
    work = planned(
        b='run.items()\nrun.save("one", {})\nrun.make(f"captioner/{m}")',
        c='run.items()\nrun.save("two", {})',
        d='run.need(f"captioner/{model}")\nrun.result("two")',
        e='run.result("one")',
    )
    seconds = {"a_first": 5, "b": 10, "c": 20, "d": 3, "e": 4}
    longest = {"a_first": 5 + 20 + 3, "b": 10 + 4, "c": 20 + 3, "d": 3, "e": 4}
    assert plan.longest_paths(work, seconds) == longest
    del seconds["c"]  # nobody has measured it
    assert plan.longest_paths(work, seconds)["a_first"] == 5 + 10 + 4


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('run.read("nobody.json")', "needs nobody.json, which no notebook makes"),
        ('run.write("items.parquet", x)', "both a_first and b make items.parquet"),
        ("run.need(place)", "needs its path written out"),
    ],
)
def test_a_plan_that_cannot_work_is_refused(planned, source, message):
    with pytest.raises(ValueError, match=message):
        planned(b=source)


def test_the_book_has_a_plan_in_reading_order():
    """Every notebook needs only what earlier ones make, and saves one result."""
    made, done = set(), set()
    for name, work in plan.notebooks(NOTEBOOKS).items():
        assert set(work.needs) <= made and set(work.after) <= done, name
        made |= {*work.makes, *work.folders}
        done.add(name)
        results = [path for path in work.makes if fnmatch(path, "results/*.json")]
        assert len(results) == 1, name
