"""Files: outputs that would overwrite what is read."""

import json

import pandas as pd
import pytest

from fashionlib.data import files
from fashionlib.data.files import refuse_clash


def test_an_output_is_no_folder_no_input_and_named_once(tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("a\n")
    refuse_clash([tmp_path / "new.csv", tmp_path / "other.csv"], [table])
    clashes = (
        [tmp_path],
        [tmp_path / "new.csv", tmp_path / "x" / ".." / "new.csv"],
        [tmp_path / "x" / ".." / "table.csv"],
    )
    for outputs in clashes:
        with pytest.raises(
            ValueError,
            match="is there and is no plain file|named twice|one of the inputs",
        ):
            refuse_clash(outputs, [table])


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
