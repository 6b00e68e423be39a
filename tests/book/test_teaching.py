"""What a teacher finds: goals, minutes and exercises in each chapter, a syllabus."""

import json
import re
import sys
from pathlib import Path

import pytest
from sizes import NOTEBOOKS

from fashionlib.book import costs

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "book" / "_ext"))
PAGE = (ROOT / "book" / "teaching.md").read_text(encoding="utf-8")


def texts(path):
    """The Markdown of each cell, without those of folded solutions and checks."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [
        "".join(cell["source"]) if cell["cell_type"] == "markdown" else ""
        for cell in cells
        if not {"solution", "check"} & set(cell["metadata"].get("tags", []))
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_chapter_opens_with_goals_minutes_and_what_it_presumes(path):
    cells = texts(path)
    learn, takes = cells[1].split("**Takes** ")
    goals = re.findall(r"^- ([a-z]+) ", learn, re.MULTILINE)
    assert learn.startswith("**You will learn** to\n") and 2 <= len(goals) <= 3
    assert not {"understand", "know", "learn"} & set(goals), "nobody can test that"
    minutes, presumed = re.match(
        r"(\d+) minutes of reading\. \*\*Presumes\*\* (.+)", takes
    ).groups()
    words = sum(len(cell.split()) for cell in cells)
    assert 15 <= words / int(minutes) <= 75, f"{words} words in {minutes} minutes"
    asked = re.findall(r"<(\w+)>`", presumed)
    assert asked or "no other chapter" in presumed or path.stem[:2] == "19", presumed
    assert all((ROOT / "notebooks" / f"{name}.ipynb").is_file() for name in asked)
    assert path.stem not in asked


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_chapter_closes_with_two_sentences_and_exercises_that_say_where(path):
    cells = texts(path)
    [take] = [cell for cell in cells if cell.startswith("## To take away\n")]
    [exercises] = [cell for cell in cells if cell.startswith("## Exercises\n")]
    assert cells.index(take) < cells.index(exercises) >= len(cells) - 3
    sentences = re.split(r"(?<=\.)\s+(?=[A-Z])", take.split("\n", 2)[2])
    assert len(sentences) == 2 and not re.search(r"\d", take), take
    asked = re.split(r"^\d+\. ", exercises, flags=re.MULTILINE)[1:]
    assert 3 <= len(asked) <= 5
    assert all(" *Where:* " in question for question in asked)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_parameters_that_an_exercise_sets_are_its_chapter_s(path):
    for cell in texts(path):
        for command in re.findall(r"`(fashionlib execute [^`]+)`", cell):
            [name] = re.findall(r"notebooks/(\w+)\.ipynb", command)
            source = (ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8")
            given = re.findall(r"-p '?(\w+)=", command)
            assert given, command
            assert all(re.search(rf'"{word}: \w+ = ', source) for word in given)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_teaching_page_names_every_chapter(path):
    assert f"../notebooks/{path.stem}" in PAGE


def test_costs_of_the_teaching_page_are_sums_of_budgets():
    from run_results import cost

    known = costs.budgets("tiny")["notebooks"]
    one, three = known["01_two_catalogues"], known["03_who_leaks"]
    seconds = one["processor_seconds"] + three["processor_seconds"]
    peak = max(one["peak_mib"], three["peak_mib"])
    assert cost("tiny 01 03")[0] == f"{seconds:,} s, {peak:,} MiB"
    assert cost("tiny 01 03 x30")[0] == f"{30 * seconds:,} s, {30 * peak:,} MiB"
    whole = sum(budget["processor_seconds"] for budget in known.values())
    assert cost("tiny")[0].startswith(f"{whole:,} s")
    for words in set(re.findall(r"\{cost\}`([^`]+)`", PAGE)):
        assert cost(words)
    for wrong in ("tiny 77", "paper"):
        with pytest.raises(ValueError, match="no budget"):
            cost(wrong)


def test_a_session_of_each_course_fits_its_minutes():
    """Minutes of class that the instructor's table plans, against 90 or 180 a row."""
    rows = re.findall(r"^\| \{doc\}`(\d+) <.+?` \| (\d+) min", PAGE, re.MULTILINE)
    minutes = {int(number): int(planned) for number, planned in rows}
    assert sorted(minutes) == list(range(21))
    courses = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:4]
    for course, room in zip(courses, (90, 180, 180), strict=True):
        for row in re.findall(r"^\| \d.+$", course, re.MULTILINE):
            chapters = row.split("|")[2].split("at home")[0]
            shorter = 60 * chapters.count("(to *")  # a chapter read in part
            taught = [int(n) for n in re.findall(r"`(\d+) <", chapters)]
            assert sum(minutes[n] for n in taught) - shorter <= room, row
