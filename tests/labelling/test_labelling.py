"""Labels by prompt without an endpoint: the schema, what is read from replies, retries,
the simulator, the report.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import ExifTags, Image

import wardrobe
from fashionlib import labelling
from fashionlib.data import images
from fashionlib.labelling import (
    cost,
    export,
    prompts,
    quality,
    records,
    replies,
    templates,
)
from fashionlib.labelling.attribute_schema import ATTRIBUTES, DETAILS, SUBCATEGORIES
from fashionlib.labelling.replies import Reply
from wardrobe import simulator

SKIRT = {
    "image": 1,
    "subcategory": "mini skirt",
    "colour": ["red", "white"],
    "tone": "vivid",
    "total_length": "thigh",
    "fabric": "denim",
    "pattern": "stripe",
    "zip_up": "none",
    "button": "full",
}
SKIRT |= {detail: detail == "pocket" for detail in DETAILS}
TRUTH = (
    wardrobe.articles(300, 3).query("category != 'accessory'").reset_index(drop=True)
)
TRUE = {row["item_id"]: records.of_row(row) for row in TRUTH.to_dict("records")}


def entry(record: records.Record, number: int) -> dict[str, Any]:
    keys = ("subcategory", *records.ASKED[record["category"]], *DETAILS)
    return {"image": number} | {key: record[key] for key in keys}


# The schema


def test_every_garment_of_the_wardrobe_is_a_record_and_reads_as_itself() -> None:
    for record in TRUE.values():
        assert records.read(record["category"], entry(record, 1)) == record


def test_a_record_has_every_column_and_none_where_its_category_has_no_such_thing() -> (
    None
):
    record = records.read("skirt", SKIRT)
    assert tuple(record) == records.COLUMNS
    assert record["neckline"] == record["sleeve_length"] == record["shoulder"] == "none"
    assert records.row(record)["colour"] == "red, white"
    assert records.of_row(records.row(record) | {"item_id": "x"}) == record


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"colour": ["teal"]}, r"colour\[0\]: 'teal' is not one of 'red', 'orange'"),
        ({"colour": []}, "colour: give at least one"),
        ({"colour": ["red"] * 2}, "colour: red, red names one twice"),
        ({"colour": ["red", "blue", "pink", "mint"]}, "colour: more than 3"),
        ({"colour": "red"}, "colour: 'red' is no list"),
        ({"subcategory": "coat"}, "subcategory: 'coat' is not one of 'long skirt'"),
        ({"pocket": "yes"}, "pocket: 'yes' is neither true nor false"),
        ({"pocket": 1}, "pocket: 1 is neither true nor false"),
        ({"tone": None}, "tone: None is not one of"),
        ({"tone": "Vivid"}, "tone: 'Vivid' is not one of"),
        ({"neckline": "round"}, "neckline is no key of this list"),
        ({"a\nkey" * 99: 1}, r"a\\nkey"),
    ],
)
def test_a_fault_is_named(change: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told) as caught:
        records.read("skirt", SKIRT | change)
    assert len(str(caught.value)) < 600


def test_missing_keys_are_named_and_many_faults_are_counted() -> None:
    with pytest.raises(ValueError, match="tone is missing"):
        records.read(
            "skirt", {key: value for key, value in SKIRT.items() if key != "tone"}
        )
    with pytest.raises(ValueError, match="; and 14 more faults"):
        records.read("skirt", {})
    with pytest.raises(ValueError, match="3 is no JSON object"):
        records.read("skirt", 3)
    with pytest.raises(ValueError, match="unknown stage 'sock'"):
        records.read("sock", {})


def test_prompts_name_every_value_that_is_accepted() -> None:
    for category in records.CATEGORIES:
        text = prompts.instructions(category)
        values = {v for a in records.ASKED[category] for v in ATTRIBUTES[a]}
        assert all(
            value in text for value in {*values, *SUBCATEGORIES[category], *DETAILS}
        )
        assert ("neckline" in text) == (category in ("top", "dress"))
        assert category in prompts.instructions("category")


# What is read from a reply


def kinds(read: replies.Parsed) -> list[str]:
    return (
        [read.fault.kind]
        if read.fault
        else [fault.kind for fault in read.faults.values()]
    )


GOOD = json.dumps([SKIRT, SKIRT | {"image": 2}])


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(GOOD, finish="length"), "cut off"),
        (Reply(GOOD, finish="content_filter"), "refused"),
        (Reply(GOOD, refusal="I won't."), "refused"),
        (Reply(GOOD[:-40]), "not JSON"),
        (Reply("Sorry, I can't look at people."), "not JSON"),
        (Reply(f"Here you are: {GOOD} and once more: {GOOD}"), "not JSON"),
        (Reply(f"Photo [1] and [2]: {GOOD}"), "not JSON"),
        (Reply(f"```json\n{GOOD}\n```\n```json\n{GOOD}\n```"), "not JSON"),
        (Reply(f"Here you are: {GOOD[:-1]}"), "not JSON"),
        (Reply(GOOD.replace('"image": 2', '"image": 2,,')), "not JSON"),
        (Reply(json.dumps(SKIRT)), "not JSON"),
        (Reply(json.dumps({"a": [SKIRT], "b": [SKIRT | {"image": 2}]})), "not JSON"),
        (Reply(json.dumps({"a": SKIRT, "b": 3})), "not JSON"),
        (Reply(json.dumps({"error": "no photos"})), "not JSON"),
        (Reply(json.dumps("no list")), "not JSON"),
        (Reply("```\n```"), "not JSON"),
        (Reply(""), "not JSON"),
        (Reply("[" * 200_000), "not JSON"),
        (Reply(json.dumps({"items": [SKIRT, SKIRT]})), "wrong order"),
        (Reply(json.dumps({"2": SKIRT | {"image": 2}, "1": SKIRT})), "wrong order"),
        (Reply(json.dumps({"items": [SKIRT]})), "wrong length"),
        (Reply('[{"image": 1, "image": 1}, {"image": 2}]'), "not JSON"),
        (Reply(GOOD.replace('"vivid"', "NaN")), "not JSON"),
        (Reply(json.dumps([SKIRT])), "wrong length"),
        (Reply(json.dumps([SKIRT | {"image": n} for n in (1, 2, 3)])), "wrong length"),
        (Reply(json.dumps([SKIRT | {"image": 2}, SKIRT])), "wrong order"),
        (Reply(json.dumps([SKIRT | {"image": 0}, SKIRT])), "wrong order"),
    ],
)
def test_a_reply_that_cannot_be_laid_beside_the_photos_is_refused_whole(
    reply: Reply, kind: str
) -> None:
    read = replies.parse(reply, "skirt", 2)
    assert kinds(read) == [kind] and not read.accepted and not read.faults
    assert read.fault and len(read.fault.text) < 400


def test_one_bad_entry_leaves_the_others_alone() -> None:
    bad = [SKIRT, "skirt", SKIRT | {"image": 3, "tone": "loud"}, SKIRT | {"image": 4}]
    read = replies.parse(Reply(json.dumps(bad)), "skirt", 4)
    assert (
        sorted(read.accepted) == [0, 3]
        and sorted(read.faults) == [1, 2]
        and read.fault is None
    )
    assert read.accepted[0] == records.read("skirt", SKIRT)


TWO = [SKIRT, SKIRT | {"image": 2}]
COMMAS = f"[{json.dumps(TWO[0])[:-1]},}}, {json.dumps(TWO[1])}, ]"


@pytest.mark.parametrize(
    ("text", "wrappings"),
    [
        (GOOD, []),
        (f"```json\n{GOOD}\n```", ["in a fence"]),
        (f"```JSON\n{GOOD}\n```", ["in a fence"]),
        (f"```\n{GOOD}\n```", ["in a fence"]),
        (f"``` json5\n{GOOD}```", ["in a fence"]),
        (f"````json\r\n{GOOD}\r\n````", ["in a fence"]),
        (f"~~~json\n{GOOD}\n~~~", ["in a fence"]),
        (f"`{GOOD}`", ["in a fence"]),
        (f"```json\n{GOOD}", ["in a fence"]),
        (f"Sure!\n```json\n{GOOD}\n```", ["in a fence", "with words around"]),
        (f"```json\n{GOOD}\n```\nDone.", ["in a fence", "with words around"]),
        (f"Here you are: {GOOD}", ["with words around"]),
        (f"<think>[1] or {{2}}?</think>\n{GOOD}", ["after thoughts"]),
        (f"so [1]</think>```json\n{GOOD}\n```", ["after thoughts", "in a fence"]),
        (COMMAS, ["with a comma at an end"]),
        (json.dumps({"items": TWO}), ["in an object"]),
        (json.dumps({"model": "m", "photos": TWO, "n": 2}), ["in an object"]),
        (json.dumps({"a": {"b": TWO}}), ["in an object"] * 2),
        (json.dumps(GOOD), ["encoded twice"]),
        (json.dumps(json.dumps(GOOD)), ["encoded twice"] * 2),
        (json.dumps({"json": GOOD}), ["in an object", "encoded twice"]),
        (json.dumps({"photo 1": TWO[0], "photo 2": TWO[1]}), ["an object of objects"]),
    ],
)
def test_what_lies_around_the_list_is_taken_off_and_told(
    text: str, wrappings: list[str]
) -> None:
    read = replies.parse(Reply(text), "skirt", 2)
    assert read.fault is None and read.faults == {}
    assert read.accepted == {n: records.read("skirt", SKIRT) for n in (0, 1)}
    assert read.wrappings == wrappings


@pytest.mark.parametrize(
    ("entry", "wrappings"),
    [
        ({"image": 1, "categories": []}, ["one object for one photo"]),
        (
            {"1": {"image": 1, "categories": []}},
            ["in an object"] * 1 + ["one object for one photo"],
        ),
        ([{"image": 1, "categories": []}], []),
    ],
)
def test_one_object_is_the_list_of_one_photo(entry: Any, wrappings: list[str]) -> None:
    read = replies.parse(Reply(json.dumps(entry)), "category", 1)
    assert read.accepted == {0: []} and read.wrappings == wrappings


def test_an_entry_is_not_taken_for_an_object_around_a_list() -> None:
    read = replies.parse(Reply('{"categories": ["top"]}'), "category", 1)
    assert kinds(read) == ["wrong record"] and "image is missing" in read.faults[0].text


# Asking: accepted, asked again, set aside


class Scripted:
    """Answers each request by what `answer` makes of it, and remembers what it was
    asked.
    """

    def __init__(self, answer: Callable[[labelling.Request], str | Reply]) -> None:
        self.answer = answer
        self.asked: list[labelling.Request] = []

    def __call__(self, requests: Sequence[labelling.Request]) -> list[Reply]:
        self.asked += requests
        found = [self.answer(request) for request in requests]
        return [reply if isinstance(reply, Reply) else Reply(reply) for reply in found]


def honest(request: labelling.Request) -> str:
    if request.stage == "category":
        return json.dumps(
            [
                {"image": n, "categories": ["skirt"]}
                for n, _ in enumerate(request.images, 1)
            ]
        )
    return json.dumps([SKIRT | {"image": n} for n, _ in enumerate(request.images, 1)])


def photos(count: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "item_id": [f"i{n}" for n in range(count)],
            "image": [f"{n}.jpg" for n in range(count)],
        }
    )


def test_all_good_is_two_requests_a_batch() -> None:
    ask = Scripted(honest)
    found = labelling.label(photos(5), ask, batch_size=2)
    assert [(r.stage, len(r.images)) for r in ask.asked] == [
        (s, n) for s in ("category", "skirt") for n in (2, 2, 1)
    ]
    assert found.records["item_id"].tolist() == [f"i{n}" for n in range(5)]
    assert found.set_aside.empty and found.empty == [] and found.counts["requests"] == 6


def test_a_bad_entry_alone_is_asked_again_with_its_fault_named() -> None:
    def answer(request: labelling.Request) -> str:
        text = honest(request)
        return (
            text.replace("vivid", "loud", 1)
            if request.stage == "skirt" and request.attempt == 1
            else text
        )

    ask = Scripted(answer)
    found = labelling.label(photos(4), ask)
    again = ask.asked[-1]
    assert again.images == ("0.jpg",) and again.attempt == 2 and len(ask.asked) == 3
    assert "Photo 1: tone: 'loud' is not one of 'normal', 'vivid'" in again.question
    assert len(found.records) == 4 and found.counts["wrong record"] == 1


def test_an_entry_that_stays_bad_is_set_aside_with_its_reason() -> None:
    def answer(request: labelling.Request) -> str:
        entries = json.loads(honest(request))
        for item, image in zip(entries, request.images, strict=True):
            if image == "2.jpg" and request.stage == "skirt":
                item["fabric"] = "moon dust"
        return json.dumps(entries)

    ask = Scripted(answer)
    found = labelling.label(photos(4), ask, attempts=3)
    assert [len(r.images) for r in ask.asked] == [4, 4, 1, 1]
    assert found.records["item_id"].tolist() == ["i0", "i1", "i3"]
    (row,) = found.set_aside.to_dict("records")
    assert (row["item_id"], row["stage"], row["kind"]) == (
        "i2",
        "skirt",
        "wrong record",
    )
    assert "'moon dust' is not one of" in row["reason"]


def test_a_list_that_cannot_be_aligned_is_asked_again_then_halved() -> None:
    def answer(request: labelling.Request) -> str:
        good = json.loads(honest(request))
        return json.dumps(good[:-1] if "3.jpg" in request.images else good)

    ask = Scripted(answer)
    found = labelling.label(photos(5), ask, batch_size=4, attempts=2)
    sizes = [len(r.images) for r in ask.asked if r.stage == "category"]
    assert sizes == [
        4,
        1,
        4,
        2,
        2,
        2,
        1,
        1,
        1,
    ]  # whole twice, halves, the half with 3.jpg twice, singles, 3.jpg twice
    assert "The list had 3 entries for 4 photos." in ask.asked[2].question
    assert found.set_aside[["item_id", "kind"]].values.tolist() == [
        ["i3", "wrong length"]
    ]
    assert len(found.records) == 4


def test_a_refusal_is_halved_at_once_and_costs_one_photo() -> None:
    def answer(request: labelling.Request) -> str | Reply:
        return (
            Reply(refusal="No people.")
            if "5.jpg" in request.images
            else honest(request)
        )

    ask = Scripted(answer)
    found = labelling.label(photos(8), ask)
    assert [len(r.images) for r in ask.asked if r.stage == "category"] == [
        8,
        4,
        4,
        2,
        2,
        1,
        1,
    ]
    assert found.set_aside[["item_id", "reason"]].values.tolist() == [
        ["i5", "No people."]
    ]
    assert len(found.records) == 7


def test_a_model_that_never_answers_is_not_asked_for_all_photos() -> None:
    ask = Scripted(lambda request: "I am only a language model.")
    with pytest.raises(
        ValueError,
        match=r"the first 16 photos .* \(16 not JSON\); the last .* only a language",
    ):
        labelling.label(photos(1000), ask)
    assert max(int(image.split(".")[0]) for r in ask.asked for image in r.images) == 15
    assert (
        len(ask.asked) <= 2 * 15 * 3
    )  # batches, their halves down to photos, attempts


@pytest.mark.parametrize("text", ["", " \n", "<think>One red", "<think>.</think>"])
def test_a_reply_cut_off_before_its_first_word_ends_the_run(text: str) -> None:
    ask = Scripted(lambda request: Reply(text, finish="length", tokens_out=4096))
    told = "category: the reply was cut off before .* 4096 tokens; --max-tokens raises"
    with pytest.raises(ValueError, match=told):
        labelling.label(photos(6), ask)
    assert len(ask.asked) == 1  # and no halves


def test_later_such_a_reply_is_halved_as_another_that_was_cut_off() -> None:
    def answer(request: labelling.Request) -> str | Reply:
        spoilt = "20.jpg" in request.images
        return Reply("", finish="length") if spoilt else honest(request)

    found = labelling.label(photos(24), Scripted(answer))
    assert found.set_aside["item_id"].tolist() == ["i20"] and len(found.records) == 23
    assert "before its first word" in found.set_aside["reason"][0]


def test_wrappings_are_counted_by_kind() -> None:
    ask = Scripted(lambda request: json.dumps({"items": json.loads(honest(request))}))
    found = labelling.label(photos(16), ask)
    assert found.counts["in an object"] == found.counts["requests"] == 4


def test_photos_without_a_garment_and_with_two() -> None:
    def answer(request: labelling.Request) -> str:
        if request.stage == "category":
            seen = {"0.jpg": [], "1.jpg": ["skirt", "top"]}
            return json.dumps(
                [
                    {"image": n, "categories": seen.get(image, ["skirt"])}
                    for n, image in enumerate(request.images, 1)
                ]
            )
        top = next(record for record in TRUE.values() if record["category"] == "top")
        return json.dumps(
            [
                entry(top, n) if request.stage == "top" else SKIRT | {"image": n}
                for n, _ in enumerate(request.images, 1)
            ]
        )

    found = labelling.label(photos(3), Scripted(answer))
    assert found.empty == ["i0"]
    assert sorted(found.records[["item_id", "category"]].values.tolist()) == [
        ["i1", "skirt"],
        ["i1", "top"],
        ["i2", "skirt"],
    ]


def test_items_that_share_a_picture_are_asked_once() -> None:
    items = pd.DataFrame({"item_id": ["a", "b"], "image": ["one.jpg", "one.jpg"]})
    ask = Scripted(honest)
    assert labelling.label(items, ask).records["item_id"].tolist() == ["a", "b"]
    assert [r.images for r in ask.asked] == [("one.jpg",)] * 2


@pytest.mark.parametrize(
    ("items", "told"),
    [
        (photos(2).drop(columns="image"), "no column image"),
        (pd.concat([photos(2)] * 2), "i0 comes twice"),
        (photos(2).assign(image=None), "2 of 2 items have no image"),
    ],
)
def test_unusable_items_are_refused(items: pd.DataFrame, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        labelling.label(items, Scripted(honest))


# Captions


def test_captions_are_clean_english_compact_and_steady() -> None:
    found = {item: templates.caption(record, item) for item, record in TRUE.items()}
    wrong = re.compile(
        r"\ba (?!one)[aeiou]|\ban [^aeiou]|  |[{}_/]|\bnone\b|\bnan\b|a pair of a",
        re.IGNORECASE,
    )
    assert not [text for text in found.values() if wrong.search(text)]
    assert 15 < np.mean([len(text.split()) for text in found.values()]) < 20
    assert found == {
        item: templates.caption(record, item) for item, record in TRUE.items()
    }
    again = [templates.caption(record, item, seed=1) for item, record in TRUE.items()]
    assert (
        0.3
        < np.mean([text == found[item] for item, text in zip(TRUE, again, strict=True)])
        < 0.6
    )  # 3 templates


def test_a_caption_says_all_colours_and_plural_trousers_are_plural() -> None:
    red = templates.caption(records.read("skirt", SKIRT), "x")
    assert "red and white striped" in red and "denim" in red and "pocket" in red
    trousers = [
        templates.caption(r, i) for i, r in TRUE.items() if r["category"] == "pants"
    ]
    assert not [text for text in trousers if re.search(r"\bThis\b|^An? (?!pair)", text)]


def test_a_shop_captions_by_its_own_columns() -> None:
    row = ["Dark", "Red", "Trousers", "Stripe", "Womens Casual"]
    articles = pd.DataFrame(
        [row, [None, *row[1:]]], columns=list(templates.SHOP_COLUMNS)
    )
    assert templates.shop_captions(articles) == [
        "dark red trousers, stripe, womens casual",
        " red trousers, stripe, womens casual",
    ]


# The simulator


def test_a_simulator_without_errors_tells_the_truth() -> None:
    items = TRUTH[["item_id"]].assign(image=TRUTH["item_id"])
    found = labelling.label(items, simulator.Simulator(TRUE, rates={}, bad={}))
    assert quality.agreement(found.records, TRUTH)["right"].eq(1).all()
    assert found.counts["requests"] == -(-len(items) // 8) + sum(
        -(-n // 8) for n in TRUTH.category.value_counts()
    )


def test_the_simulator_answers_alike_wherever_the_photos_lie() -> None:
    given = []
    for folder in ("/a", "/somewhere/else"):
        photos = [f"{folder}/wardrobe/images/010/{n}.jpg" for n in range(40)]
        items = pd.DataFrame({"item_id": range(40), "image": photos})
        truth = dict.fromkeys(photos, next(iter(TRUE.values())))
        found = labelling.label(items, simulator.Simulator(truth, seed=1), 8)
        given.append(found.records.drop(columns="image"))
    pd.testing.assert_frame_equal(*given)


def test_the_simulator_errs_at_the_rates_that_it_states() -> None:
    rates = {"colour": 0.3, "neckline": 0.5, "pattern": 0.1, "details": 0.05}
    truth = {f"{item}-{n}": record for n in range(4) for item, record in TRUE.items()}
    items = pd.DataFrame({"item_id": list(truth), "image": list(truth)})
    found = labelling.label(items, simulator.Simulator(truth, rates, bad={}))
    true = pd.DataFrame(
        [{"item_id": item} | records.row(record) for item, record in truth.items()]
    )
    table = quality.agreement(found.records, true)
    expected = {
        "category": 0,
        "tone": 0,
        "subcategory": 0,
        "hood": 0.05,
        "lace": 0.05,
    } | rates
    for attribute in expected.keys() - {"details"}:
        wrong, slack = (
            expected[attribute],
            4 * np.sqrt(expected[attribute] / table["labelled"][attribute]),
        )
        assert abs(1 - table["right"][attribute] - wrong) <= slack
    pairs = quality.confusions(found.records, true, "colour")
    assert set(pairs.loc[pairs["true"] == "navy", "label"]) <= {"black", "blue"}


def test_errors_at_a_higher_rate_include_those_at_a_lower() -> None:
    record = next(r for r in TRUE.values() if r["category"] == "top")

    def wrong(seed: int, rate: float) -> set[str]:
        told = simulator.spoilt(
            record,
            "top",
            dict.fromkeys(simulator.RATES, rate),
            np.random.default_rng(seed),
        )
        return {name for name, value in told.items() if value != record[name]}

    assert all(wrong(seed, 0.1) <= wrong(seed, 0.4) for seed in range(30))
    assert (
        np.mean([len(wrong(seed, 0.4)) - len(wrong(seed, 0.1)) for seed in range(30)])
        > 2
    )


def test_bad_replies_are_overcome_or_counted() -> None:
    bad = dict.fromkeys(
        ("refused", "cut off", "not JSON", "wrong length", "unknown value"), 0.15
    )
    items = TRUTH[["item_id"]].assign(image=TRUTH["item_id"])
    found = labelling.label(items, simulator.Simulator(TRUE, {}, bad))
    assert {
        "refused",
        "cut off",
        "not JSON",
        "wrong length",
        "wrong record",
    } <= found.counts.keys()
    labelled, aside = set(found.records["item_id"]), set(found.set_aside["item_id"])
    assert (
        labelled | aside == set(items["item_id"])
        and not labelled & aside
        and 0 < len(aside) < 0.3 * len(items)
    )
    assert (
        quality.agreement(found.records, TRUTH)["right"].eq(1).all()
    )  # what is accepted is what was meant
    shares = quality.coverage(found, len(items))
    assert shares["labelled"] + shares["set aside"] == pytest.approx(1)
    assert shares["set aside: refused"] > 0


def test_a_wrong_category_is_labelled_as_such_a_garment() -> None:
    items = TRUTH[["item_id"]].assign(image=TRUTH["item_id"])
    found = labelling.label(items, simulator.Simulator(TRUE, {"category": 1.0}, bad={}))
    table = quality.agreement(found.records, TRUTH)
    assert (
        table["right"]["category"] == 0
        and table["labelled"]["colour"] == 0
        and np.isnan(table["right"]["colour"])
    )


# The report


def test_agreement_by_hand() -> None:
    base = records.row(records.read("skirt", SKIRT))
    truth = pd.DataFrame([{"item_id": item} | base for item in "abcd"])
    told = truth.assign(
        tone=["vivid", "normal", "vivid", "vivid"],
        colour=["white, red", "red", "red, white", "blue"],
    )
    told = pd.concat([told[:3], told[3:].assign(category="pants")])
    table = quality.agreement(told, truth)
    assert table.loc["category", ["labelled", "right"]].tolist() == [4, 3 / 4]
    assert table.loc["tone", ["labelled", "right"]].tolist() == [3, 2 / 3]
    assert (
        table.loc["colour", "right"] == 2 / 3
    )  # an order is no error, a missing colour is
    assert table.loc["tone", "kappa"] == 0 and np.isnan(table.loc["fabric", "kappa"])
    low, high = table.loc["category", ["low", "high"]]
    z = 1.959964
    middle, half = (
        (3 / 4 + z**2 / 8) / (1 + z**2 / 4),
        z * np.sqrt(3 / 64 + z**2 / 64) / (1 + z**2 / 4),
    )
    assert (low, high) == pytest.approx((middle - half, middle + half), rel=1e-5)
    pairs = quality.confusions(told, truth, "tone")
    assert pairs.values.tolist() == [["vivid", "normal", 1, 1 / 3]]


def test_mistakes_are_said_and_a_right_garment_has_none() -> None:
    truth = pd.DataFrame(
        [{"item_id": item} | records.row(records.read("skirt", SKIRT)) for item in "ab"]
    )
    wrong = truth[::-1].assign(tone=["normal", "vivid"], pocket=[True, False])
    assert quality.mistakes(wrong, truth) == ["normal for vivid", "no pocket"]
    assert quality.mistakes(truth.assign(hood=True), truth) == ["a hood", "a hood"]


def test_a_learner_is_trained_on_labels_and_judged_by_the_truth() -> None:
    from sklearn.neighbors import KNeighborsClassifier

    features = np.array([[0.0], [1.0], [0.1], [0.9]])
    truth = pd.DataFrame({"pattern": ["dot", "check", "dot", "check"]})
    labels = pd.DataFrame({"pattern": ["dot", "dot", "check", "dot"]})
    found = quality.learn(
        {"nearest": KNeighborsClassifier(1)},
        features,
        labels,
        truth,
        np.array([0, 1]),
        np.array([2, 3]),
    )
    # it says dot of both: right of the first, and as the second is labelled
    assert found.values.tolist() == [["nearest", "pattern", 1 / 2, 1 / 2]]


def test_spoilt_records_err_at_their_rate_alike_or_in_any_way() -> None:
    rates = {"pattern": 0.3}
    spoilt = pd.DataFrame(simulator.spoil_all(TRUE.values(), rates, 1, 2))["pattern"]
    true = pd.DataFrame(list(TRUE.values()))[["pattern", "fabric"]]
    swapped = simulator.swap_any(true, 0.3, 1, 2)
    for labels in (spoilt, swapped["pattern"], swapped["fabric"]):
        wrong = (labels != true[labels.name]).mean()
        assert abs(wrong - 0.3) < 4 * np.sqrt(0.21 / len(true))
    assert simulator.swap_any(true, 0, 1).equals(true)
    assert set(swapped["fabric"]) <= set(true["fabric"])


def test_an_estimate_by_hand() -> None:
    found = cost.estimate(
        16, batch_size=8, side=512, price_in=1, price_out=10, garments=1
    )
    asked = [len(prompts.instructions(stage)) for stage in ("category", "top")]
    questions = 2 * len(prompts.Request("top", ("",) * 8).question)
    assert found.requests == 4
    assert found.tokens_in == pytest.approx(
        2 * (sum(asked) + questions) / 4 + 2 * 16 * (16 * 16 + 4), abs=2
    )
    assert found.cost == pytest.approx((found.tokens_in + 10 * found.tokens_out) / 1e6)
    assert cost.estimate(16, 8, 512, 1, 1, image_tokens=2833).tokens_in > 3 * 16 * 2833


# Export


def test_the_export_is_an_image_folder_whose_paths_stay_inside(
    tmp_path,
) -> None:
    photo = Image.new("RGB", (40, 60), "navy")
    exif = Image.Exif()
    exif[0x010E] = "at home"
    photo.save(tmp_path / "a.jpg", exif=exif)
    ids = ["good-1", "../../escape", "a/b", "..", "x" * 300]
    found = pd.DataFrame(
        [
            {"item_id": i, "image": str(tmp_path / "a.jpg")}
            | records.row(records.read("skirt", SKIRT))
            for i in ids
        ]
    )
    folder = export.write(tmp_path / "labelled", export.captioned(found))
    lines = [
        json.loads(line)
        for line in (folder / "metadata.jsonl").read_text().splitlines()
    ]
    assert [line["item_id"] for line in lines] == ids and lines[0][
        "file_name"
    ] == "images/good-1.jpg"
    places = [(folder / line["file_name"]).resolve() for line in lines]
    assert len(set(places)) == len(ids) and all(
        p.parent == (folder / "images").resolve() for p in places
    )
    assert {*records.COLUMNS, "caption"} <= lines[0].keys() and "image" not in lines[0]
    assert images.size(places[0]) == (40, 60) and not Image.open(places[0]).getexif()
    assert sorted(p.name for p in folder.iterdir()) == ["images", "metadata.jsonl"]
    assert all(
        p.stat().st_mode & 0o777 == places[0].stat().st_mode & 0o777 for p in places
    )
    with pytest.raises(ValueError, match="no labelled garment"):
        export.write(tmp_path / "none", found[:0])


def test_an_exported_picture_stands_upright_on_white(tmp_path) -> None:
    """The export loses the tag that turns it, and the alpha; the pixels have both."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.new("RGB", (60, 40), "navy").save(tmp_path / "a.jpg", exif=exif, comment="me")
    Image.new("RGBA", (60, 40), (0, 0, 0, 0)).save(tmp_path / "b.png")
    rows = [
        {"item_id": name[0], "image": str(tmp_path / name)}
        | records.row(records.read("skirt", SKIRT))
        for name in ("a.jpg", "b.png")
    ]
    folder = export.write(tmp_path / "out", export.captioned(pd.DataFrame(rows)))
    with Image.open(folder / "images" / "a.jpg") as turned:
        assert turned.size == (40, 60) and not turned.getexif()
        assert "comment" not in turned.info
    with Image.open(folder / "images" / "b.jpg") as clear:
        assert clear.getpixel((5, 5)) == (255, 255, 255)
