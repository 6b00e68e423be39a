"""`fashionlib question`: one question, a class set, and what it refuses."""

import json
import re
from pathlib import Path

import pytest

from fashionlib import commands
from questions.draw import draw, seeds

CLASS = ["question", "--topic", "ap", "--seed", "90125", "--class", "3"]


def refused(capsys, words: list[str], *told: str) -> None:
    assert commands.main(words) == 2
    error = capsys.readouterr().err
    assert error.startswith("fashionlib question: ") and error.count("\n") == 1
    assert all(text in error for text in told), error


def test_one_question_shows_its_solution_only_if_asked(capsys):
    words = ["question", "--topic", "ndcg", "--seed", "4"]
    assert commands.main(words) == 0
    asked = capsys.readouterr().out
    assert commands.main([*words, "--solution"]) == 0
    solved = capsys.readouterr().out
    answer = draw("ndcg", 4).answer
    assert answer not in asked and solved.startswith(asked.rstrip("\n"))
    assert solved.rstrip().splitlines()[-1] == f"Answer: {answer}"


def test_json_has_the_data_and_an_answer_only_if_asked(capsys):
    words = ["question", "--topic", "leak", "--seed", "4", "--format", "json"]
    assert commands.main(words) == 0
    asked = json.loads(capsys.readouterr().out)
    assert asked.keys() == {"topic", "seed", "title", "question", "given"}
    assert commands.main([*words, "--solution"]) == 0
    solved = json.loads(capsys.readouterr().out)
    assert solved["answer"] == draw("leak", 4).answer
    assert solved["solution"].endswith(f"Answer: {solved['answer']}")


@pytest.mark.parametrize("form", ["md", "json"])
def test_a_class_set_holds_no_answer_and_no_seed(form, tmp_path, capsys):
    words = [*CLASS, "--out", str(tmp_path / "week"), "--format", form]
    assert commands.main(words) == 0
    files = sorted((tmp_path / "week").iterdir())
    names = [f"student-{n:02}.{form}" for n in (1, 2, 3)]
    assert [path.name for path in files] == names
    assert [path.name for path in tmp_path.iterdir()] == ["week"]
    texts = [path.read_text(encoding="utf-8") for path in files]
    assert len(set(texts)) == 3
    for text, seed in zip(texts, seeds(90125, 3), strict=True):
        question = draw("ap", seed)
        for secret in (question.answer, *question.wrong, str(seed), "90125", "Answer"):
            assert secret not in text
    assert "answer" not in capsys.readouterr().out.replace("without answers", "")


@pytest.mark.parametrize("form", ["md", "json"])
def test_the_answer_sheet_leads_back_to_each_question(form, tmp_path):
    sheet = tmp_path / f"sheet.{form}"
    out = ["--out", str(tmp_path / "week"), "--answers", str(sheet)]
    assert commands.main([*CLASS, *out, "--format", form]) == 0
    text = sheet.read_text(encoding="utf-8")
    if form == "json":
        found = [(row["file"], row["seed"], row["answer"]) for row in json.loads(text)]
    else:
        rows = re.findall(r"\| (student-\d+) \| (\d+) \| ([\d.]+) \|", text)
        found = [(name, int(seed), answer) for name, seed, answer in rows]
        assert text.count("\nAnswer: ") == 3
    assert len(found) == 3
    for name, seed, answer in found:
        asked = (tmp_path / "week" / f"{name}.{form}").read_text(encoding="utf-8")
        question = draw("ap", seed)
        assert question.answer == answer and question.text[-1] in asked


def test_nothing_is_replaced_and_nothing_is_left_half_written(tmp_path, capsys):
    full, sheet = tmp_path / "full", tmp_path / "sheet.md"
    full.mkdir()
    (full / "mine.txt").write_text("mine")
    sheet.write_text("mine")
    new = ["--out", str(tmp_path / "new")]
    refused(capsys, [*CLASS, "--out", str(full)], f"{full} is there")
    refused(capsys, [*CLASS, "--out", str(sheet)], f"{sheet} is there")
    refused(capsys, [*CLASS, *new, "--answers", str(sheet)], f"{sheet} is there")
    inside = ["--answers", str(tmp_path / "new" / "sheet.md")]
    refused(capsys, [*CLASS, *new, *inside], "in the students' folder")
    refused(capsys, [*CLASS, *new, "--answers", str(tmp_path / "new")], "folder")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["full", "sheet.md"]
    assert [p.read_text() for p in (full / "mine.txt", sheet)] == ["mine", "mine"]


def test_a_failure_on_the_way_leaves_neither_folder_nor_sheet(
    tmp_path, capsys, monkeypatch
):
    def full(self, text, **_):
        if self.name != "student-01.md":
            raise OSError(28, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_text", full)
    out = ["--out", str(tmp_path / "week"), "--answers", str(tmp_path / "s.md")]
    refused(capsys, [*CLASS, *out], "No space left on device")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--topic", "rouge", "--seed", "1"], "'attributes'"),
        (["--topic", "ap"], "Missing option '--seed'"),
        (["--topic", "ap", "--seed", "-1"], "'--seed'"),
        (["--topic", "ap", "--seed", "1", "--format", "pdf"], "'json'"),
        (["--topic", "ap", "--seed", "1", "--class", "3"], "belong together"),
        (["--topic", "ap", "--seed", "1", "--out", "x"], "belong together"),
        (["--topic", "ap", "--seed", "1", "--answers", "x"], "give --class"),
        ([*CLASS[1:-1], "0", "--out", "x"], "'--class'"),
        ([*CLASS[1:-1], "1001", "--out", "x"], "'--class'"),
        ([*CLASS[1:], "--out", "x", "--solution"], "give --answers"),
    ],
)
def test_wrong_words_are_one_line(words, told, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(capsys, ["question", *words], told)
    assert not list(tmp_path.iterdir())
