"""The page of flaws and the checklist: complete, bound to numbers, linked both ways."""

import re
import sys
from pathlib import Path

import pytest

from fashionlib.book import plan

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "book" / "_ext"))
PAGE = (ROOT / "book" / "forensics.md").read_text(encoding="utf-8")
CHECKLIST = (ROOT / "book" / "checklist.md").read_text(encoding="utf-8")
NAMES = re.findall(r"^\(forensics-(\w+)\)=\n## \d+\. ", PAGE, re.MULTILINE)
SECTIONS = re.split(r"^\(forensics-\w+\)=\n## ", PAGE, flags=re.MULTILINE)[1:]
LINES = re.split(r"^\d+\. \(check-\w+\)=\n", CHECKLIST, flags=re.MULTILINE)[1:]
PARTS = "Published", "Seen", "Weight", "Open"


@pytest.fixture(scope="module")
def saved():
    """What the notebooks save in a run."""
    works = plan.notebooks(ROOT / "notebooks").values()
    return {path for work in works for path in work.makes}


def test_there_are_thirteen_flaws_in_order():
    numbers = [int(section.partition(".")[0]) for section in SECTIONS]
    assert numbers == list(range(1, 14))
    assert len(set(NAMES)) == 13


@pytest.mark.parametrize("section", SECTIONS, ids=NAMES)
def test_a_section_has_its_parts_in_at_most_150_words(section):
    heads = re.findall(r"^\*\*(\w+)\b", section, re.MULTILINE)
    assert heads == [*PARTS, "A", "Instead"]
    text = re.sub(r"\{\w+\}`[^`]+`|`[^`]+`", "x", section.partition("\n")[2])
    assert len(text.split()) <= 150


@pytest.mark.parametrize("section", SECTIONS, ids=NAMES)
def test_the_reviewers_question_has_as_many_words_as_it_says(section):
    [(count, question)] = re.findall(r"in (\d+) words:\*\* \*([^*]+)\*", section)
    assert len(question.split()) == int(count)


@pytest.mark.parametrize("section", SECTIONS, ids=NAMES)
def test_what_to_do_instead_has_a_command_a_chapter_and_a_line(section):
    instead = section[section.index("**Instead: ") :]
    assert re.search(r"`(fashionlib|make) [^`]+`", instead)
    chapters = re.findall(r"\{doc\}`\.\./notebooks/(\w+)`", instead)
    assert len(chapters) == 1
    assert (ROOT / "notebooks" / f"{chapters[0]}.ipynb").is_file()


@pytest.mark.parametrize("section", SECTIONS, ids=NAMES)
def test_every_number_is_bound_to_a_result(section, saved):
    from run_results import look_up, read

    cited = re.findall(r"\{result\}`([^:`]+)::([^|`]+)\|([^`]+)`", section)
    assert len(cited) == section.count("{result}") > 0
    for name, key, form in cited:
        if "/" in name:
            values, _ = read(ROOT, name)
            assert format(look_up(values, key), form), (name, key)
        else:  # of this run, which the strict build reads
            assert f"results/{name}.json" in saved


def test_each_line_of_the_checklist_and_its_section_name_each_other():
    labels = re.findall(r"^\d+\. \(check-(\w+)\)=$", CHECKLIST, re.MULTILINE)
    assert sorted(labels) == sorted(NAMES)
    for number, (label, line) in enumerate(zip(labels, LINES, strict=True), start=1):
        assert re.findall(r"<forensics-(\w+)>", line) == [label]
        section = SECTIONS[NAMES.index(label)]
        assert f"{{ref}}`line {number} <check-{label}>`" in section
