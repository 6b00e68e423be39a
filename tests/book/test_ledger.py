"""The ledger's rules on intervals made by hand, and its table on what is kept."""

import re
from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path

import pandas as pd
import pytest
from docutils.nodes import make_id

from fashionlib import stats
from fashionlib.book import answers, ledger, paper, plan
from fashionlib.data.files import read_json

UP, OPEN, DOWN = (
    {"difference": value, "low": value - 1, "high": value + 1} for value in (2, 0, -2)
)
ROOT = Path(__file__).parents[2]
CLAIMS = paper.published("claims")
EXPERIMENTS = ("trade", "facad")  # benchmarks whose values answer, on drawn data
STARTS = "starts"  # one on real purchases
RARE = (  # models that not every run trains, and measures that not every edition has
    "caption_scores:*=llava-*",
    "caption_scores:*=blip2-medium*=blip2-small*",
    "one_model:*/large*",
    "trade:*/own caption, street",
    "trade:*/false sleeves",
    "-recommenders:over_k/UserKNN*minus VBPR",
)
WORKS = ("paper_a", "thesis_b")
ANSWERED = [  # a row, a number of its cell, and the Answer that says it too
    ("C012", "variants: joint minus EfficientNet, top-1", "street_to_shop"),
    ("B011", "EfficientNet, top-1", "street_to_shop"),
    ("B011", "joint, top-1", "street_to_shop"),
    ("B175", "picture, both", "search"),
    ("B175", "picture and colour, both", "search"),
    ("B175", "picture, filter by colour, both", "search"),
    ("B006", "public + labelled, less public, DeepFashion2, full", "trade"),
    ("A102", "of filled articles", "missing_captions"),
    ("A276", "hm-week, published, all its customers", "why_item_knn"),
]
PERCENT = ("street_to_shop", "search", "trade")  # their Answers say shares times 100
MEANS = (  # a machine, or somebody's time
    r"\b(?:cores?|accelerators?|people|library|authors? says?"
    r"|a second|minutes?|hours?|days?|weeks?)\b"
)
PARTS = answers.recommending, answers.retrieval
KINDS = {"number", "comparison", "cause", "method step", "figure", "outlook"}


def keys(column: str) -> pd.DataFrame:
    rows = CLAIMS.assign(key=CLAIMS[column].map(ledger.keys)).explode("key").dropna()
    return rows[["id", "rule", "key"]]


def printed_tables() -> dict[str, pd.DataFrame]:
    return {
        name: paper.published(name) for name in keys("published").key.map(ledger.result)
    }


def kept() -> dict[str, object]:
    sample = {name: paper.sample(name) for name in keys("real").key.map(ledger.result)}
    measured = read_json(ROOT / "data/measured/benchmarks.json")
    benchmarks = *EXPERIMENTS, STARTS
    return sample | {n: measured[n]["values"] for n in benchmarks if n in measured}


def claim(rule: str, real: str = "", drawn: str = "", published: str = "") -> dict:
    return {"rule": rule, "real": real, "drawn": drawn, "published": published}


def judged(row: dict, results: dict, real: bool = True, tables=None) -> pd.Series:
    sources = {"one": ledger.Source(results, real)}
    return ledger.judge(pd.DataFrame([row]), sources, tables or {}).iloc[0]


# ---- the rules


@pytest.mark.parametrize(
    ("rule", "row", "verdict"),
    [
        ("above", UP, ledger.HOLDS),
        ("above", OPEN, ledger.OPEN),
        ("above", DOWN, ledger.FAILS),
        ("below", DOWN, ledger.HOLDS),
        ("above", UP | {"seeds": [3, -1]}, ledger.OPEN),
        ("cause", UP, ledger.OPEN),
    ],
)
def test_a_rule_reads_one_interval(rule, row, verdict):
    assert judged(claim(rule, "r:a"), {"r": {"a": row}}).verdict == verdict


def test_experiments_that_disagree_leave_a_claim_open_and_all_are_shown():
    rows = {"week": UP, "year": DOWN}
    one = judged(claim("above", "r:*"), {"r": rows})
    assert one.verdict == ledger.OPEN
    assert one.one == "week +2 [+1, +3]; year -2 [-3, -1]"
    many = judged(claim("above", "r:*"), {"r": rows | {"a": UP, "b": OPEN, "c": UP}})
    assert many.one == "as claimed in 3 of 5; year direction fails; b open"
    assert ledger.cautious([ledger.REPRODUCED, ledger.HOLDS]) == ledger.HOLDS
    assert ledger.cautious([ledger.HOLDS, ledger.OPEN]) == ledger.OPEN


def test_a_large_number_is_written_in_full_and_none_with_an_exponent():
    rows = {"n": 1009433.2, "loss": 0.00001234, "share": 0.51239, "of": 1009433}
    one = judged(claim("beside", "r:*; because it is"), {"r": rows}).one
    assert one.startswith("n 1,009,433; loss 0.00001234; share 0.5124; of 1,009,433;")
    row = {"difference": -12345.6, "low": -0.00002, "high": 3}
    one = judged(claim("above", "r:a"), {"r": {"a": row}}).one
    assert one == "a -12,346 [-0.00002, +3]"


def test_drawn_data_count_only_where_no_real_data_can():
    sources = {
        "real": ledger.Source({"r": {"a": UP}}, real=True),
        "drawn": ledger.Source({"r": {"a": DOWN}}, real=False),
    }
    rows = [claim("above", "r:a", "r:a"), claim("above", "because nobody", "r:a")]
    both = ledger.judge(pd.DataFrame(rows), sources, {})
    assert both.verdict.tolist() == [ledger.HOLDS, ledger.FAILS]
    assert both.on.tolist() == ["real", "drawn"]
    assert both.real.tolist()[1] == f"{ledger.UNTESTED}, because nobody"


def test_what_was_not_kept_gives_no_verdict_and_says_so():
    row = judged(claim("above", "r:a"), {"r": None})
    assert (row.verdict, row.one) == (ledger.UNTESTED, "not kept yet")
    other = judged(claim("above", "s:a"), {"r": None})  # nobody asked this source
    assert other.one == "–"
    with_reason = judged(claim("beside", "r:a; because of b; or c"), {"r": None})
    assert with_reason.one == (f"not kept yet; {ledger.UNTESTED}, because of b; or c")


def test_a_number_beside_the_printed_settles_nothing():
    table = pd.DataFrame([["A", "x", "", 40.8, "percent"]])
    table.columns = ["row", "column", "setting", "value", "unit"]
    row = claim("beside", "r:a; because it is a mini", published="t:A/x/")
    one = judged(row, {"r": {"a": 0.25}}, tables={"t": table})
    assert one.verdict == ledger.UNTESTED
    assert one.one == f"a 25; {ledger.UNTESTED}, because it is a mini"


@pytest.mark.parametrize(
    ("ours", "verdict"),
    [(105542, "reproduced"), (105541, "direction fails")],
)
def test_a_number_is_reproduced_on_the_same_data(ours, verdict):
    row = claim("same", "r:a", published="paper_a/table1:Original/items/all")
    tables = {"paper_a/table1": paper.published("paper_a/table1")}
    assert judged(row, {"r": {"a": ours}}, tables=tables).verdict == verdict


def test_a_model_that_was_still_rising_has_no_rank():
    table = {"FREEDOM": {"still rising": True}, "ItemKNN": {"still rising": False}}
    differences = {"ItemKNN minus MostPop": UP, "FREEDOM minus MostPop": UP}
    results = {"recommenders": {"table": table, "differences": differences}}
    key = "recommenders:differences/{} minus MostPop"
    assert judged(claim("above", key.format("ItemKNN")), results).verdict == (
        ledger.HOLDS
    )
    rising = judged(claim("above", key.format("FREEDOM")), results)
    assert (rising.verdict, rising.one) == (
        ledger.UNTESTED,
        "not ranked: FREEDOM still rising",
    )


def test_a_key_finds_names_records_and_intervals():
    results = {"r": {"a": [{"m": "x", "v": 1}, {"m": "xy", "v": 2}], "b": {"c/d": 3}}}
    results["r"]["t"] = {"k": 5, "k low": 4, "k high": 6}
    assert ledger.resolve(results, "r:a/m=x/v") == [(["a", "x", "v"], 1)]
    assert ledger.resolve(results, "r:a/m=x*/v") == [
        (["a", "x", "v"], 1),
        (["a", "xy", "v"], 2),
    ]
    assert ledger.resolve(results, "r:b/c?d") == [(["b", "c/d"], 3)]
    assert ledger.resolve(results, "r:t/k")[0][1] == {"value": 5, "low": 4, "high": 6}
    turned = {"value": -5, "low": -6, "high": -4, "seeds": []}
    assert ledger.resolve(results, "-r:t/k") == [(["t", "minus (k)"], turned)]
    results["r"]["d"] = {"k": {"difference": 5, "low": 4, "high": 6, "seeds": [9, -1]}}
    [(_, against)] = ledger.resolve(results, "-r:d/k")
    assert against == turned | {"seeds": [-9, 1]}
    assert ledger.resolve(results, "r:t/none/none") == []
    assert ledger.resolve({"r": None}, "r:a") == []


@pytest.mark.parametrize(
    ("rule", "numbers", "word"),
    [
        ("sum", (7, 3, 4), "agrees"),
        ("sum", (8, 3, 4), "differs"),
        ("difference", (0.029, 0.297, 0.268), "agrees"),
        ("ratio", (10, 993, 104), "agrees"),
        ("percent", (75, 99, 100), "differs"),
        ("count", (2, 9, 9), "agrees"),
        ("same as", (0.532, 0.297), "differs"),
        ("mean change", (75.0, 2, 4, 4, 6), "agrees"),
    ],
)
def test_printed_numbers_are_calculated_from_their_parts(rule, numbers, word):
    found = [("key", [([""], {"value": number}) for number in numbers])]
    assert ledger.check(rule, found).verdict == word


def test_the_highest_of_a_printed_column_may_be_shared():
    found = [(["a"], {"value": 2}), (["b"], {"value": 2}), (["c"], {"value": 1})]
    assert ledger.check("highest: b", [("k", found)]).verdict == "agrees"
    assert ledger.check("highest: c", [("k", found)]).text == (
        "differs: highest in 0 of 1; first: a = b"
    )
    assert ledger.check("highest", [("k", found)]).text == "highest: a = b"


def test_the_harvest_counts_each_work():
    rows = {
        "work": ["A", "A", "B"],
        "kind": ["cause", "number", "cause"],
        "verdict": [ledger.OPEN, ledger.ARITHMETIC, ledger.OPEN],
        ledger.PRINTED: ["–", "differs: 1", "–"],
    }
    text = (
        "A, 2 rows: 1 open, 1 arithmetic (1 of the open are causes;"
        " 1 of the arithmetic differ)"
    )
    assert ledger.harvest(pd.DataFrame(rows), "A") == text


def test_a_missing_key_is_looked_up_as_none():
    results = {"street": {"full": {"joint": 0.5}}, "kept": None}
    assert ledger.look_up(results, "street", "full", "joint") == 0.5
    assert ledger.look_up(results, "street", "crop", "joint") is None
    assert ledger.look_up(results, "kept", "full") is None


def test_kept_models_that_used_all_their_epochs_are_still_rising():
    table = {"BM3": {}, "VBPR, text": {}, "FREEDOM": {"still rising": False}}
    used = {"BM3": 20, "VBPR, text": 14, "FREEDOM": 20}
    epochs = {name: {"epochs": count, "of": 20} for name, count in used.items()}
    assert ledger.still_rising({"table": table, "epochs": epochs}) == {"BM3"}


def test_only_the_own_results_models_lose_their_rank():
    results = {
        "recommenders": {"table": {"VBPR, text": {"still rising": True}}},
        "missing_captions": {"against": {"written minus zeros": UP}, "rising": []},
        "why_item_knn": {"gaps": {"VBPR, text minus ItemKNN": UP}},
    }
    other = claim("above", "why_item_knn:gaps/VBPR, text minus ItemKNN")
    assert judged(other, results).verdict == ledger.HOLDS
    filled = claim("above", "missing_captions:against/written minus zeros")
    assert judged(filled, results).verdict == ledger.HOLDS
    results["missing_captions"]["rising"] = ["written", "mean"]
    assert judged(filled, results).one == "not ranked: written still rising"


# ---- the table


def test_the_table_is_tidy():
    assert CLAIMS.id.is_unique and not CLAIMS.isna().any(axis=None)
    assert CLAIMS.work.unique().tolist() == ["Paper A", "Thesis B", "this book"]
    assert set(CLAIMS.kind) == KINDS
    long = CLAIMS[CLAIMS.claim.str.split().str.len() > 15]
    assert long.empty, long.id.tolist()
    for column in ("place", "asked", "settle", "where"):
        assert CLAIMS[column].str.len().gt(0).all(), column
    told = CLAIMS.settle.str.contains(f"^Nothing to settle|{MEANS}")
    assert told.all(), CLAIMS.id[~told].tolist()
    repeated = Counter(zip(CLAIMS.work, CLAIMS.place, CLAIMS.claim, strict=True))
    assert repeated.most_common(1)[0][1] == 1


def test_every_rule_is_known_and_no_cause_is_settled():
    rules = CLAIMS.rule.str.partition(": ")[0]
    known = {*ledger.RULES, *ledger.CHECKS, "untested"}
    assert set(rules) <= known, set(rules) - known
    assert set(rules[CLAIMS.kind == "cause"]) <= {"cause", "untested"}
    assert set(CLAIMS.kind[rules == ledger.FOLLOWED]) <= KINDS - {"comparison", "cause"}


def test_every_quoted_value_stands_in_the_published_tables():
    trees = {name: ledger.nested(table) for name, table in printed_tables().items()}
    for row in CLAIMS.itertuples():
        values = []
        for key in ledger.keys(row.published):
            found = ledger.resolve(trees, key)
            assert found, (row.id, key)
            values += [number["value"] for _, number in found]
        quoted = [float(text) for text in row.printed.split(", ") if text]
        assert quoted == values, row.id


def test_every_number_of_the_published_tables_is_quoted():
    trees = {name: ledger.nested(table) for name, table in printed_tables().items()}
    folder = ROOT / "data" / "published"
    files = [p.relative_to(folder) for w in WORKS for p in (folder / w).glob("*.csv")]
    assert {file.with_suffix("").as_posix() for file in files} == set(trees)
    quoted = {
        id(number)
        for key in keys("published").key
        for _, number in ledger.resolve(trees, key)
    }
    for name, tree in trees.items():
        for row, columns in tree.items():
            for column, settings in columns.items():
                for setting, number in settings.items():
                    assert id(number) in quoted, (name, row, column, setting)


def test_every_key_resolves_on_what_is_kept():
    """A result kept from an older run may lack what a notebook now saves."""
    results, real = kept(), set(keys("real").key)
    code = "".join(path.read_text() for path in (ROOT / "notebooks").glob("*.ipynb"))
    for row in pd.concat([keys("real"), keys("drawn")]).itertuples():
        name, first = ledger.result(row.key), row.key.partition(":")[2].split("/")[0]
        if name not in results or (name not in EXPERIMENTS and row.key not in real):
            continue  # what only drawn data answer isn't in the sample
        found = ledger.resolve(results, row.key)
        if not found and not any(fnmatchcase(row.key, f"{form}*") for form in RARE):
            older = name not in EXPERIMENTS and first not in results[name]
            assert older and f'\\"{first}\\"' in code, (row.id, row.key)
        for place, value in found:
            interval = isinstance(value, dict) and {"low", "high"} <= value.keys()
            assert interval or isinstance(value, int | float), (row.id, place)


def test_every_row_of_what_is_kept_has_a_verdict_or_says_why_not():
    results = kept()
    sources = {
        "sample": ledger.Source(results, real=True),
        "experiments": ledger.Source(
            {name: results[name] for name in EXPERIMENTS if name in results}, real=False
        ),
    }
    rows = ledger.judge(CLAIMS, sources, printed_tables())
    assert set(rows.verdict) <= set(ledger.VERDICTS)
    silent = rows[
        (rows.verdict == ledger.UNTESTED)
        & ~(rows.real + rows.drawn).str.contains("because ")
        & ~rows.drawn.str.contains(":")  # this run's drawn data may still answer
    ]
    assert silent.empty, silent.id.tolist()
    assert rows.on[rows.kind == "cause"].isin(["real", "drawn", ""]).all()
    assert set(rows.verdict[rows.kind == "cause"]) <= {ledger.OPEN, ledger.UNTESTED}


def test_the_scoreboard_reads_every_result_that_a_key_names():
    notebooks = plan.notebooks(ROOT / "notebooks")
    made = notebooks["19_scoreboard"].needs
    read = {Path(path).stem for path in made if path.startswith("results/")}
    named = set(pd.concat([keys("real"), keys("drawn")]).key.map(ledger.result))
    code = (ROOT / "notebooks/19_scoreboard.ipynb").read_text(encoding="utf-8")
    read |= {name for name in (*EXPERIMENTS, STARTS) if f'\\"{name}\\"' in code}
    assert named <= read, named - read


def test_every_row_leads_to_a_section_of_a_notebook():
    for where in CLAIMS["where"].unique():
        notebook, _, title = where.partition("#")
        cells = read_json(ROOT / "notebooks" / f"{notebook}.ipynb")["cells"]
        texts = "\n".join(
            "".join(c["source"]) for c in cells if c["cell_type"][0] == "m"
        )
        assert title in re.findall(r"^#+ (.+)$", texts, re.M), where
        assert ledger.link(where) == f"{notebook}.html#{make_id(title)}"


def test_a_leader_is_a_row_of_the_printed_table():
    trees = {name: ledger.nested(table) for name, table in printed_tables().items()}
    led = CLAIMS[CLAIMS.rule.str.startswith("highest: ")]
    for row in led.itertuples():
        for key in ledger.keys(row.published):
            names = [label[0] for label, _ in ledger.resolve(trees, key)]
            assert row.rule.removeprefix("highest: ") in names, (row.id, key, names)


@pytest.mark.parametrize(("claim", "label", "name"), ANSWERED)
def test_no_answer_contradicts_its_row(claim, label, name):
    real = name not in EXPERIMENTS
    values = paper.sample(name) if real else paper.benchmark(name)["values"]
    row = ledger.judge(
        CLAIMS[CLAIMS.id == claim], {"kept": ledger.Source({name: values}, real)}, {}
    ).iloc[0]
    written = re.search(re.escape(label) + r" ([-+]?[\d.,]*\d)", row.kept)[1]
    number = (100 if name in PERCENT else 1) * float(written.replace(",", ""))
    [part] = [p for p in PARTS if hasattr(p, name)]
    text = getattr(part, name)(values)
    near = [
        abs(float(said.replace(",", "")) - number)
        < 10.0 ** -len(said.partition(".")[2])
        for said in re.findall(r"[-+]?\d[\d,]*(?:\.\d+)?", text)
        if ("." in said) == ("." in written)
    ]
    assert any(near), (row.kept, text)


@pytest.mark.parametrize("claim", ["A007", "C007"])
def test_the_recommenders_answer_keeps_the_order_of_a_row(claim):
    """The Answer's levels are of one training, a row's difference may be of several."""
    values = paper.sample("recommenders")
    rising = ledger.still_rising(values)
    text = answers.recommending.recommenders(values)
    level = r"\b{}(?: \(the|, (?:on|which|with)) [^;]*?(\d\.\d+)"  # after its name
    [real] = CLAIMS.real[CLAIMS.id == claim]
    found = []
    for key in ledger.keys(real):
        found += ledger.resolve({"recommenders": values}, key)
    compared = 0
    for label, row in found:
        pair = label[-1].split(" minus ")
        levels = [re.search(level.format(re.escape(name)), text) for name in pair]
        side = stats.agreed(row, 1)
        if all(levels) and side != stats.OPEN and not rising & set(pair):
            first, second = (float(one[1]) for one in levels)
            assert (first > second) == (side == stats.HOLDS), (label, text)
            compared += 1
    assert compared, (found, text)
