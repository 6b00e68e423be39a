"""Composed retrieval: a photo and another colour, on vectors with known answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fashionlib.features import Features, unit
from fashionlib.retrieval.composed import Composed, questions

COLOURS = {"red": 0, "blue": 1, "green": 2}


def planted() -> tuple[pd.DataFrame, Features]:
    """Twelve items of two categories and three hues; vectors say both, and no more."""
    rows, vectors = [], []
    for n in range(12):
        category, hue = "dress" if n < 6 else "coat", list(COLOURS)[n % 3]
        rows.append({"item_id": f"i{n}", "category": category, "hue": hue})
        vectors.append(np.zeros(5))
        vectors[-1][[COLOURS[hue], 3 if category == "dress" else 4]] = 1
    items = pd.DataFrame(rows)
    return items, Features(list(items["item_id"]), unit(np.stack(vectors)))


@pytest.fixture
def task() -> Composed:
    items, space = planted()
    queries = items[:2].assign(wanted=["green", "red"])
    return Composed(space, items, queries)


def test_the_wanted_hue_is_another_that_the_category_has() -> None:
    items, _ = planted()
    asked = questions(items, items, 3)
    assert (asked["wanted"] != asked["hue"]).all() and set(asked["wanted"]) <= {
        *COLOURS
    }
    assert asked.equals(questions(items, items, 3))
    lonely = items.assign(hue=["red"] * 6 + ["blue"] * 5 + ["other"])
    assert questions(lonely, lonely[:1], 3)["wanted"].isna().all()  # "other" is no hue


def test_a_question_finds_the_other_colour_and_never_itself(task: Composed) -> None:
    red, blue = task.space.rows(["i0", "i1"])
    words = np.zeros((2, 5))
    words[[0, 1], [2, 0]] = 2
    mixed = task.first(np.stack([red, blue]) + words, k=2)
    assert sorted(mixed[0]) == [2, 5] and sorted(mixed[1]) == [0, 3]  # the dresses
    alone = task.first(task.space.rows(task.queries["item_id"]), k=1)
    assert alone[:, 0].tolist() == [3, 4]  # the other red dress, the other blue one


def test_shares_are_of_ten_results(task: Composed) -> None:
    near = task.space.rows(task.queries["item_id"])
    allowed = task.in_colour & task.in_category  # two items for each question
    filtered = task.shares(near, allowed)
    assert filtered.to_numpy().tolist() == [[2 / 10] * 3] * 2
    assert task.at_most().tolist() == [2 / 10, 2 / 10]
    assert task.by_chance().to_numpy().tolist() == [[4 / 12, 6 / 12, 2 / 12]] * 2
