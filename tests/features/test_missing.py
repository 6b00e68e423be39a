"""Filled rows come from known items only, and every way says what it did."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fashionlib.data.readers import hm
from fashionlib.features import Features, missing

KNOWN = Features(
    ["a", "b", "c"],
    np.array([[1, 2], [3, 4], [8, 0]], dtype=np.float32),
    {"encoder": "e"},
)
PICTURES = Features(
    ["x", "c", "a", "b", "y"],
    np.array([[9, 1], [1, 0], [0, 1], [1, 1], [0, 5]], dtype=np.float32),
)


def test_zeros_and_mean_by_hand() -> None:
    assert missing.zeros(KNOWN, ["x", "y"]).matrix.tolist() == [[0, 0], [0, 0]]
    assert (
        missing.mean(KNOWN, ["x", "y"]).matrix.tolist()
        == [[(1 + 3 + 8) / 3, (2 + 4 + 0) / 3]] * 2
    )


def test_the_nearest_picture_gives_its_items_row() -> None:
    donors = missing.nearest_donors(
        KNOWN, ["x", "y"], PICTURES
    )  # cosine: x is nearest to c, y to a
    assert donors == {"x": "c", "y": "a"}
    filled = missing.borrowed(KNOWN, donors, "nearest picture")
    assert filled.ids == ["x", "y"] and filled.matrix.tolist() == [[8, 0], [1, 2]]
    assert filled.made_by == {"encoder": "e", "filled": "nearest picture"}


def test_fillings_are_the_four_ways_for_the_same_items() -> None:
    random = missing.random_donors(KNOWN, ["x", "y"], seed=0)
    rows = missing.fillings(KNOWN, random, {"x": "c", "y": "a"})
    assert list(rows) == ["zeros", "mean", "random caption", "nearest picture"]
    assert all(space.ids == ["x", "y"] for space in rows.values())
    assert rows["nearest picture"].matrix.tolist() == [[8, 0], [1, 2]]


def test_an_item_is_never_the_donor_of_another_filled_item() -> None:
    twins = Features(
        ["x", "y", "a", "b", "c"],
        np.array([[1, 0], [1, 0], [0, 1], [0, 1], [-1, 1]], dtype=np.float32),
    )
    assert missing.nearest_donors(KNOWN, ["x", "y"], twins) == {
        "x": "a",
        "y": "a",
    }  # x and y are each other's nearest


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 40))
def test_random_donors_are_known_and_depend_on_the_seed_alone(
    seed: int, count: int
) -> None:
    ids = [f"m{n}" for n in range(count)]
    donors = missing.random_donors(KNOWN, ids, seed)
    assert list(donors) == ids and set(donors.values()) <= set(KNOWN.ids)
    assert donors == missing.random_donors(KNOWN, ids, seed)


def test_random_donors_are_uniform() -> None:
    donors = missing.random_donors(KNOWN, [f"m{n}" for n in range(3000)], seed=0)
    counts = [list(donors.values()).count(item) for item in KNOWN.ids]
    assert (
        min(counts) > 1000 - 4 * (3000 * 2 / 9) ** 0.5
    )  # four standard deviations of a binomial


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_joined_keeps_known_rows_and_their_type(kind: type) -> None:
    known = Features(KNOWN.ids, KNOWN.matrix.astype(kind), KNOWN.made_by)
    whole = missing.joined(known, missing.mean(known, ["x"]))
    assert whole.ids == ["a", "b", "c", "x"] and whole.matrix.dtype == kind
    assert np.array_equal(whole.rows(known.ids), known.matrix)
    assert whole.made_by == {
        "known": {"encoder": "e"},
        "filled": {"encoder": "e", "filled": "mean"},
        "filled items": 1,
    }


def test_a_grid_is_filled_as_well() -> None:
    grid = Features(["a", "b"], np.arange(12.0).reshape(2, 2, 3))
    assert missing.mean(grid, ["x"]).matrix.tolist() == [[[3, 4, 5], [6, 7, 8]]]


def test_nothing_missing_changes_nothing() -> None:
    for filled in (
        missing.zeros(KNOWN, []),
        missing.mean(KNOWN, []),
        missing.borrowed(KNOWN, missing.random_donors(KNOWN, [], 0), "random"),
        missing.borrowed(
            KNOWN, missing.nearest_donors(KNOWN, [], PICTURES), "nearest picture"
        ),
    ):
        assert np.array_equal(missing.joined(KNOWN, filled).matrix, KNOWN.matrix)


@pytest.mark.parametrize(
    "fill",
    [
        lambda ids: missing.zeros(KNOWN, ids),
        lambda ids: missing.mean(KNOWN, ids),
        lambda ids: missing.random_donors(KNOWN, ids, 0),
        lambda ids: missing.nearest_donors(KNOWN, ids, PICTURES),
        lambda ids: missing.borrowed(KNOWN, dict.fromkeys(ids, "a"), "by hand"),
        lambda ids: missing.joined(KNOWN, Features(ids, np.zeros((len(ids), 2)))),
    ],
)
def test_an_item_with_a_row_of_its_own_is_not_filled(fill) -> None:
    with pytest.raises(
        ValueError, match="1 of 2 items have a row of their own, first 'b'"
    ):
        fill(["x", "b"])


def test_faults_name_both_numbers() -> None:
    with pytest.raises(ValueError, match="0 known items to fill 1 from"):
        missing.mean(Features([], np.zeros((0, 2))), ["x"])
    with pytest.raises(
        ValueError, match=r"known rows of shape \(2,\), filled rows of shape \(3,\)"
    ):
        missing.joined(KNOWN, Features(["x"], np.zeros((1, 3))))
    with pytest.raises(
        ValueError, match=r"features for 1 of 2 items; missing: \['z'\]"
    ):
        missing.nearest_donors(KNOWN, ["x", "z"], PICTURES)


def table(tmp_path: Path, *rows: str) -> Path:
    (tmp_path / "generated.csv").write_text(
        "\n".join(["article_id,prod_name,detail_desc", *rows]) + "\n"
    )
    return tmp_path / "generated.csv"


def test_generated_captions_get_the_zero_back_that_their_table_lost(
    tmp_path: Path,
) -> None:
    path = table(
        tmp_path,
        '351332007,Top,"Jumper, in wool. "',
        "420049002,OL,Ankle boots.",
        "420049003,OL,  ",
    )
    assert hm.generated_captions(path) == {
        "0351332007": "Jumper, in wool.",
        "0420049002": "Ankle boots.",
    }


def test_generated_captions_name_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="none.csv"):
        hm.generated_captions(tmp_path / "none.csv")
    with pytest.raises(ValueError, match="1 x article id twice: '0351332007'"):
        hm.generated_captions(
            table(tmp_path, "351332007,Top,Jumper.", "351332007.0,Top,Boots.")
        )
    with pytest.raises(
        ValueError, match="2 x article id not of 10 digits.*'351332007', 'abc12'"
    ):
        hm.generated_captions(
            table(tmp_path, "351332007,Top,Jumper.", "abc12,Top,Boots.")
        )
    (tmp_path / "articles.csv").write_text("article_id,text\n1,a\n")
    with pytest.raises(ValueError, match="column missing: 'articles.csv: detail_desc'"):
        hm.generated_captions(tmp_path / "articles.csv")
