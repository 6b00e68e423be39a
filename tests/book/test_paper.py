"""The printed numbers, checked by the arithmetic that they must obey."""

import ast
from itertools import combinations
from pathlib import Path

import pandas as pd
import pytest

import fashionlib
from fashionlib.book import paper
from fashionlib.stats import Estimate

COLUMNS = [*paper.IMPROVED, "attribute recall"]
TABLES = ["paper_a/table3", "paper_a/table4"]
PRINTED = [
    (table, *row)
    for table in TABLES
    for row in (
        paper.published(table)
        .query("column == '% improvement'")[["row", "value"]]
        .values
    )
]


def scores(table: str, model: str) -> tuple[pd.Series, pd.Series]:
    return tuple(
        paper.printed(table, model, setting)[COLUMNS] for setting in ("PT", "FT")
    )


def test_each_table_prints_the_improvement_of_four_models():
    assert [table for table, _, _ in PRINTED] == [
        table for table in TABLES for _ in range(4)
    ]


@pytest.mark.parametrize(("table", "model", "value"), PRINTED)
def test_percent_improvement_comes_out_to_the_digit(table, model, value):
    pretrained, fine_tuned = (row[list(paper.IMPROVED)] for row in scores(table, model))
    assert round(paper.improvement(pretrained, fine_tuned)["% improvement"], 2) == value


def test_no_other_set_of_the_printed_columns_gives_any_of_the_eight_figures():
    changes = [
        (value, paper.improvement(*scores(table, model)))
        for table, model, value in PRINTED
    ]
    found = {
        chosen
        for size in range(1, 9)
        for chosen in combinations(COLUMNS, size)
        if any(
            round(change[list(chosen)].mean(), 2) == value for value, change in changes
        )
    }
    assert found == {paper.IMPROVED}


def test_improvement_by_hand():
    change = paper.improvement(
        pd.Series({"a": 0.2, "b": 8.0}), pd.Series({"b": 2.0, "a": 0.5})
    )
    assert change.to_dict() == pytest.approx(
        {"a": 150.0, "b": -75.0, "% improvement": (150 - 75) / 2}
    )


def test_a_pretrained_score_of_zero_has_no_improvement_and_is_not_filled():
    change = paper.improvement(
        pd.Series({"a": 0.0, "b": 1.0, "c": 0.0}),
        pd.Series({"a": 3.0, "b": 2.0, "c": 0.0}),
    )
    assert change.isna().to_dict() == {
        "a": True,
        "b": False,
        "c": True,
        "% improvement": True,
    }


def test_table_1_adds_up():
    rows = paper.published("paper_a/table1")
    counts = rows[rows.column == "transactions"].pivot(
        index="row", columns="setting", values="value"
    )
    for row in ("Filtered", "Unfiltered + Augmented"):
        assert (
            counts.loc[row, "train"] + counts.loc[row, "test"] == counts.loc[row, "all"]
        )


def test_section_3_adds_up_but_for_one_printed_sum():
    rows = paper.published("paper_a/section3")
    hm, facad = (
        rows.query("row == @name and column == @what").set_index("setting").value
        for name, what in (("H&M", "articles"), ("FACAD", "images"))
    )
    assert hm["train"] + hm["validation"] + hm["test"] == hm["product type is fashion"]
    table1 = (
        paper.published("paper_a/table1")
        .query("row == 'Filtered' and setting == 'all'")
        .set_index("column")
        .value
    )
    assert hm["product type is fashion"] == table1["items"]
    assert (
        facad["all"] - (facad["train"] + facad["validation"] + facad["test"]) == 30
    )  # the paper's own sum is off


def test_table_5_has_ten_rows_of_eight_numbers():
    rows = paper.published("paper_a/table5")
    assert (
        rows.groupby("row").size().to_dict() == dict.fromkeys(rows.row.unique(), 8)
        and rows.row.nunique() == 10
    )


def test_what_is_read_otherwise_than_printed_says_so():
    assert paper.readings("paper_a/table5") == {}
    assert paper.readings("paper_a/table2") == {
        ("H&M", "caption length"): "239 (read as 23.9)"
    }
    assert paper.printed("paper_a/table2", "H&M")["caption length"] == 23.9
    here = {"H&M": {"caption length": 20.0}}
    rows = ["H&M"], ["caption length"]
    both = paper.beside(here, "paper_a/table2", "none", *rows, dict, ".1f", 1)
    assert both.iloc[0].tolist() == ["239 (read as 23.9)", None, "20.0"]


def test_an_unknown_table_or_row_names_the_known():
    with pytest.raises(ValueError, match="paper_a/table3"):
        paper.published("table3")
    with pytest.raises(ValueError, match="'BLIP-3'"):
        paper.printed("paper_a/table3", "BLIP-3", "FT")


def test_kept_rows_come_first_and_say_whose_they_are():
    here = pd.DataFrame({"score": [1.0], "articles": [2]}, ["one"])
    kept = {"other": {"articles": 3, "score": 0.5, "of another table": 9}}
    assert paper.above(kept, here).to_dict("index") == {
        "H&M sample: other": {"score": 0.5, "articles": 3},
        "this run: one": {"score": 1.0, "articles": 2},
    }
    assert list(paper.above({}, here).index) == ["this run: one"]


def test_kept_shares_stay_where_this_runs_are_all_zero_or_one():
    here = pd.DataFrame({"share": [1.0, 0.0], "articles": [3, 4]}, ["one", "other"])
    both = paper.above({"one": {"share": 0.61}}, here)
    assert both["share"].tolist() == [0.61, 1.0, 0.0]
    assert both["articles"].isna().tolist() == [True, False, False]


def test_no_library_module_imports_the_printed_numbers():
    paths = set(Path(fashionlib.__file__).parent.rglob("*.py"))
    answers = {path for path in paths if path.parent.name == "answers"}
    for path in paths - answers:  # these are sentences of the notebooks
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                names = {alias.name for alias in node.names} | {node.module}
                assert not names & {"paper", "fashionlib.book.paper"}, path


def test_table_formats_are_tidy():
    names = ("section2", "section3", "table1", "table2", "table3", "table4", "table5")
    tables = [f"paper_a/{name}" for name in names]
    for table in [*tables, "thesis_b/section3", "thesis_b/table4.2"]:
        rows = paper.published(table)
        assert list(rows.columns) == ["row", "column", "setting", "value", "unit"]
        assert not rows.duplicated(["row", "column", "setting"]).any()
        assert pd.api.types.is_numeric_dtype(rows.value)


@pytest.fixture
def kept(monkeypatch):
    """Stand in for the H&M sample: one kept result."""
    values = {"table": {"VBPR, text": {"NDCG@5": 0.05, "NDCG@12": 0.06}}}
    monkeypatch.setattr(
        paper, "measured", lambda profile, result: {"values": values} | {"p": profile}
    )


def estimates(values):
    return values["table"]


def test_beside_sets_published_sample_and_run_side_by_side(kept):
    run = {"table": {"VBPR, text": {"NDCG@5": Estimate(0.5, 0.4, 0.6)}}}
    both = paper.beside(
        run,
        "paper_a/table5",
        result="recommenders",
        rows={("Textual (SentenceBERT)", "Original"): "VBPR, text"},
        columns={"NDCG@5": "NDCG@5", "NDCG@12": "NDCG@12"},
        read=estimates,
        form=".3f",
        scale=1,
    )
    five = both.loc[("Textual (SentenceBERT) Original", "NDCG@5")]
    table = "paper_a/table5"
    value = paper.printed(table, "Textual (SentenceBERT)", "Original")["NDCG@5"]
    expected = [f"{value:.3f}", "0.050", "0.500 [0.400, 0.600]"]
    assert list(both.columns) == list(paper.ORIGINS) and list(five) == expected
    assert both[paper.HERE].isna().tolist() == [False, True]


def test_beside_scales_fractions_to_percent_and_shows_no_sample_where_none_is_kept():
    both = paper.beside(
        {"corpus": {"mini": {"BLEU-4": 0.25}}},
        "paper_a/table3",
        result="nobody kept this",
        rows={("BLIP-2-2.7B", "FT"): "mini"},
        columns={"BLEU-4": "BLEU-4"},
        read=lambda values: values["corpus"],
    )
    published = 100 * paper.printed("paper_a/table3", "BLIP-2-2.7B", "FT")["BLEU-4"]
    assert both.iloc[0].tolist() == [f"{published:.1f}", None, "25.0"]


def test_the_improvements_of_a_table_with_their_rounding():
    table = paper.improvements("paper_a/table3")
    assert len(table) == 4
    assert (table["% improvement"].astype(float).round(2) == table["printed"]).all()
    assert (table.lowest < table.printed).all() and (
        table.printed < table.highest
    ).all()
    first = table.iloc[0]
    assert first["without BLEU-4"] == pytest.approx(first[COLUMNS[1:7]].mean())


def test_beside_finds_a_column_that_is_printed_under_a_setting():
    both = paper.beside(
        {"ours": {"street": 0.5}},
        "thesis_b/table4.1",
        result="not kept",
        rows={"OPT-2.7b w/o Generated": "ours"},
        columns={("DeepFashion", "crop"): "street", "BLEU-4": "BLEU-4"},
        read=lambda values: values,
    )
    assert both.index.tolist() == [
        ("OPT-2.7b w/o Generated", "DeepFashion, crop"),
        ("OPT-2.7b w/o Generated", "BLEU-4"),
    ]
    assert both[paper.PUBLISHED].tolist() == ["15.8", "1.8"]
    assert both[paper.HERE].fillna("").tolist() == ["50.0", ""]


def test_a_printed_table_as_one_column_is_labelled_by_row_column_and_setting():
    printed = paper.flat("paper_a/table1")
    assert printed["Original: users"] == 1_372_980
    assert printed["Filtered: transactions, train"] == 24_516_873


def test_columns_of_three_origins_have_the_rows_of_this_run():
    table = paper.columns({"a": 1, "z": 9}, {}, {"b": 3, "a": 2})
    assert list(table.columns) == list(paper.ORIGINS)
    assert table[paper.HERE].to_dict() == {"b": 3, "a": 2}
    assert table[paper.PUBLISHED]["a"] == 1
    assert table[paper.SAMPLE].isna().all()


def test_rows_of_the_sample_stand_above_those_of_this_run(monkeypatch):
    rows = {"facts": [{"data": "hm", "value": 1}]}
    monkeypatch.setattr(paper, "sample", lambda result: rows)
    here = pd.DataFrame({"data": ["drawn"], "value": [2]})
    both = paper.stacked("r", "tiny", "facts", here)
    assert both.data.tolist() == ["H&M sample: hm", "this run: drawn"]
    alone = paper.stacked("r", "sample", "facts", here)
    assert alone.data.tolist() == ["this run: drawn"]
    newer = paper.stacked("r", "tiny", "a key that was not kept yet", here)
    assert newer.data.tolist() == ["this run: drawn"]


def test_beside_shows_a_row_that_is_not_printed_and_saved_intervals():
    saved = {"frozen": {"top-1": {"accuracy": 0.5, "low": 0.4, "high": 0.6, "n": 3}}}
    both = paper.beside(
        saved,
        "thesis_b/table4.3",
        result="not kept",
        rows={("raw encoder", None): "frozen"},
        columns=["top-1"],
        read=paper.estimates,
    )
    row = both.loc[("raw encoder", "top-1")]
    assert row[paper.HERE] == "50.0 [40.0, 60.0]" and row.isna().sum() == 2


def test_the_samples_rows_are_above_this_runs(monkeypatch):
    row = {"value": 1.0, "low": 0.0, "high": 2.0}
    saved = {"gaps": {"a": row}, "deep": {"x": {"top-1": row, "top-10": row}}}
    monkeypatch.setattr(paper, "sample", {"result": saved}.get)
    here = pd.DataFrame([row], ["b"])
    gaps = paper.intervals_above("result", "gaps", here)
    assert gaps.index.tolist() == [(paper.SAMPLE, "a"), (paper.HERE, "b")]
    deep = paper.intervals_above("result", "deep", pd.concat({"y": here}))
    names = [(paper.SAMPLE, "x", "top-1"), (paper.SAMPLE, "x", "top-10")]
    assert deep.index.tolist() == [*names, (paper.HERE, "y", "b")]
    alone = paper.intervals_above("result", "not kept", here)
    assert alone.index.tolist() == [(paper.HERE, "b")]
