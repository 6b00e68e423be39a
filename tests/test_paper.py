"""The printed numbers, checked by the arithmetic that they must obey."""

import ast
from pathlib import Path

import pandas as pd
import pytest

import fashionlib
from fashionlib import paper

SEVEN = ["BLEU-4", "METEOR", "ROUGE-L", "CIDEr", "SPICE", "attribute precision", "category accuracy"]


@pytest.mark.parametrize("table", ["paper_a/table3", "paper_a/table4"])
def test_percent_improvement_follows_from_the_other_columns(table):
    improvement = paper.published(table).query("column == '% improvement'").set_index("row").value
    for model, printed in improvement.items():
        before, after = (paper.printed(table, model, setting)[SEVEN] for setting in ("PT", "FT"))
        assert (100 * (after - before) / before).mean() == pytest.approx(printed, abs=0.006), model


def test_table_1_adds_up():
    rows = paper.published("paper_a/table1")
    counts = rows[rows.column == "transactions"].pivot(index="row", columns="setting", values="value")
    for row in ("Filtered", "Unfiltered + Augmented"):
        assert counts.loc[row, "train"] + counts.loc[row, "test"] == counts.loc[row, "all"]


def test_section_3_adds_up_but_for_one_printed_sum():
    rows = paper.published("paper_a/section3")
    hm, facad = (rows.query("row == @name and column == @what").set_index("setting").value
                 for name, what in (("H&M", "articles"), ("FACAD", "images")))
    assert hm["train"] + hm["validation"] + hm["test"] == hm["product type is fashion"]
    table1 = paper.published("paper_a/table1").query("row == 'Filtered' and setting == 'all'").set_index("column").value
    assert hm["product type is fashion"] == table1["items"]
    assert facad["all"] - (facad["train"] + facad["validation"] + facad["test"]) == 30  # the paper's own sum is off


def test_table_5_has_ten_rows_of_eight_numbers():
    rows = paper.published("paper_a/table5")
    assert rows.groupby("row").size().to_dict() == dict.fromkeys(rows.row.unique(), 8) and rows.row.nunique() == 10


def test_an_unknown_table_or_row_names_the_known():
    with pytest.raises(ValueError, match="paper_a/table3"):
        paper.published("table3")
    with pytest.raises(ValueError, match="'BLIP-3'"):
        paper.printed("paper_a/table3", "BLIP-3", "FT")


def test_no_library_module_imports_the_printed_numbers():
    for path in Path(fashionlib.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                names = {alias.name for alias in node.names} | {node.module}
                assert not names & {"paper", "fashionlib.paper"}, path


def test_table_formats_are_tidy():
    tables = [f"paper_a/{table}" for table in ("section3", "table1", "table2", "table3", "table4", "table5")]
    for table in [*tables, "thesis_b/section3"]:
        rows = paper.published(table)
        assert list(rows.columns) == ["row", "column", "setting", "value", "unit"]
        assert not rows.duplicated(["row", "column", "setting"]).any()
        assert pd.api.types.is_numeric_dtype(rows.value)
