"""Files: outputs that would overwrite what is read."""

import errno
import json
import os
import re
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from fashionlib.data import files
from fashionlib.data.files import refuse_clash


@pytest.fixture
def table(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "table.csv").write_text("a\n")
    return tmp_path / "data" / "table.csv"


def test_an_output_is_a_plain_file_named_once(tmp_path, table):
    new = tmp_path / "new.csv"
    refuse_clash([new, tmp_path / "other.csv"], [table], [tmp_path])
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path, tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(ValueError, match="is there and is no plain file"):
            refuse_clash([place], [table])
    with pytest.raises(ValueError, match="is there and is no folder"):
        refuse_clash([], [], [table])
    with pytest.raises(ValueError, match="named twice"):
        refuse_clash([new, tmp_path / "x" / ".." / "new.csv"], [table])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "pipe"]


def test_an_input_is_known_by_what_it_is(tmp_path, table):
    (tmp_path / "link.csv").symlink_to(table)
    (tmp_path / "hard.csv").hardlink_to(table)
    (tmp_path / "linked").symlink_to(table.parent)
    (tmp_path / "far.csv").write_text("b\n")
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.jpg").write_bytes(b"a")
    (table.parent / "far.csv").symlink_to(tmp_path / "far.csv")
    (table.parent / "images").symlink_to(tmp_path / "pictures")
    names = ("data/table.csv", "data/../data/table.csv", "link.csv", "hard.csv")
    for name in (*names, "linked/table.csv"):
        for given in (table, table.parent):
            with pytest.raises(ValueError, match="is one of the inputs, or lies in"):
                refuse_clash([tmp_path / name], [given])
    for name in ("far.csv", "pictures/a.jpg"):  # linked from the data folder
        with pytest.raises(ValueError, match="is one of the inputs, or lies in"):
            refuse_clash([tmp_path / name], [table.parent])
        refuse_clash([tmp_path / name], [table])
    with pytest.raises(ValueError, match="is one of the inputs"):
        refuse_clash([], [table.parent], [tmp_path / "linked"])
    refuse_clash([table.parent / "new.csv"], [table.parent], [tmp_path / "index"])


def test_a_target_is_tried_and_nothing_stays(tmp_path, table, monkeypatch):
    with pytest.raises(OSError, match="Not a directory") as raised:
        refuse_clash([table / "x.json"], [])
    assert raised.value.filename == str(table / "x.json")

    def full(**_):
        raise OSError(errno.ENOSPC, "No space left on device", "/hidden")

    monkeypatch.setattr(files.tempfile, "TemporaryFile", full)
    with pytest.raises(OSError, match="No space left on device.*new/x.json"):
        refuse_clash([tmp_path / "new" / "x.json"], [])
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_replaced_file_keeps_its_permissions_and_its_links(tmp_path, table):
    table.chmod(0o640)
    (tmp_path / "link.csv").symlink_to(table)
    with files.atomic(tmp_path / "link.csv") as part:
        part.write_text("new\n")
    assert (tmp_path / "link.csv").is_symlink() and table.read_text() == "new\n"
    assert table.stat().st_mode & 0o777 == 0o640
    with pytest.raises(ValueError, match="/dev/null is a device or a pipe"):
        files.write_json(Path("/dev/null"), {})


def test_a_failing_write_names_the_users_path_and_keeps_the_old_file(table):
    def fail(part):
        raise OSError(errno.ENOSPC, "No space left on device")

    for spoil in (fail, lambda part: (part / "x").write_text("")):
        with (
            pytest.raises(OSError, match="table.csv") as raised,
            files.atomic(table) as part,
        ):
            part.write_text("half")
            spoil(part)
        assert raised.value.filename == str(table) and ".part" not in str(raised.value)
    assert [path.name for path in table.parent.iterdir()] == ["table.csv"]
    with pytest.raises(FileNotFoundError, match="other"), files.atomic(table):
        Path("other").read_text()


def test_what_a_killed_run_left_is_removed_by_the_next(table):
    run = subprocess.Popen(["true"])
    run.wait()  # its number is free now
    stem, here = files._stem(table), table.parent
    ours = (f"{stem}{run.pid}.part", f"{stem}{run.pid}.old")
    others = (f"{stem}1.part", f".table.csv.elsewhere.{run.pid}.part", f"{stem}x.part")
    (here / ours[1]).mkdir()
    for name in (ours[0], *others):
        (here / name).write_text("half")
    with files.atomic(table) as part:
        part.write_text("new")
    assert {path.name for path in here.iterdir()} == {"table.csv", *others}


def test_text_that_steers_a_terminal_is_escaped_and_json_stays_json(tmp_path):
    text = "a\x1b[2Jb\x9b\u202ec\u2066\ud800\x00\r\u2028"
    assert files.escaped("é 裙 \t\n👗") == "é 裙 \t\n👗"
    assert files.escaped(text) == (
        r"a\u001b[2Jb\u009b\u202ec\u2066\ud800\u0000\u000d\u2028"
    )
    raw = files.write_json(tmp_path / "x.json", {text: text}).read_bytes()
    assert json.loads(raw) == {text: text}
    assert not re.search("[\x80-\x9f\u202a-\u202e\u2066-\u2069]", raw.decode())


def test_a_table_is_nested_by_its_index():
    index = pd.MultiIndex.from_tuples([("a", "x"), ("a", "y"), ("b", "x")])
    table = pd.DataFrame({"n": [1, 2, 3]}, index)
    assert files.nested(table) == {
        "a": {"x": {"n": 1}, "y": {"n": 2}},
        "b": {"x": {"n": 3}},
    }


def test_json_holds_tables_with_null_for_what_is_missing(tmp_path):
    table = pd.DataFrame({"score": [0.5, float("nan")]}, ["a", "b"])
    content = {"table": table, "column": table.score, "n": 2}
    content["rows"] = table.reset_index(drop=True)
    written = files.write_json(tmp_path / "x.json", content)
    column = {"a": 0.5, "b": None}
    assert json.loads(written.read_text()) == {
        "table": {row: {"score": value} for row, value in column.items()},
        "column": column,
        "n": 2,
        "rows": [{"score": 0.5}, {"score": None}],
    }
    with pytest.raises(TypeError, match="set can't be written as JSON"):
        files.write_json(tmp_path / "y.json", {"names": {"a"}})
