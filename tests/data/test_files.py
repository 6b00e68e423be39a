"""Files: outputs that would overwrite what is read."""

import pytest

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
        with pytest.raises(ValueError, match="is a folder, one of the inputs, or"):
            refuse_clash(outputs, [table])
