"""Rules that read captions' text: planted faults are found, each by its own rule."""

import pytest

from fashionlib.captioning import faults
from fashionlib.captioning.captioners.architectures import IMAGE, LLAVA

MATERIALS = ["cotton", "wool"]
TRUE = "Shirt in cotton designed by Anna Glover. Height 33 cm, width 3.5 cm."


def kinds(caption: str, longest: int = 20) -> set[str]:
    row = faults.count({"a": caption}, {"a": TRUE}, longest, MATERIALS).loc["a"]
    return set(row.index[row.astype(bool)]) - {"words"}


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("Shirt with a V-neck and an Alice band.", set()),
        ("A woollen shirt (“classic.”)", {"unfinished"}),
        ("Shirt with a pocket and", {"unfinished"}),
        ("Short shirt. Short shirt.", {"repeats"}),
        ("Shirt with a bow at the back, with a bow at the front.", {"repeats"}),
        ("Red red red shirt.", {"repeats"}),
        ("Shirt in soft cotton.", {"material"}),
        ("Shirt in COTTON and wool.", {"material", "other material"}),
        ("Shirt, height 33 cm.", {"measure"}),
        ("Tights, 20 denier, 33.5cm.", {"measure", "other measure"}),
        ("Shirt in 3 colours, 5-pocket style.", set()),
        ("Shirt designed by Anna Glover.", {"name"}),
        ("MORRIS x H&M. Shirt.", {"name", "other name"}),
        ("USER: Shirt.", {"prompt"}),
    ],
)
def test_planted_faults_by_hand(caption: str, expected: set[str]) -> None:
    assert kinds(caption) == expected


def test_a_caption_is_too_long_above_the_longest_only() -> None:
    assert kinds("Wide red shirt.", 3) == set()
    assert kinds("Wide red shirt.", 2) == {"too long"}


def test_every_part_of_llavas_prompt_counts_as_its_echo() -> None:
    parts = LLAVA.prompt.split(IMAGE)
    assert len(parts) == 2
    assert all("prompt" in kinds(f"{part} Shirt.") for part in parts)


def test_shares_are_means_and_count_each_text_once() -> None:
    true = dict.fromkeys("abcd", TRUE)
    written = {"a": "Shirt.", "b": "Shirt.", "c": "Shirt in wool.", "d": "Hat"}
    row = faults.shares({"one": written}, true, 9, MATERIALS).loc["one"]
    assert row.words == (1 + 1 + 3 + 1) / 4
    assert row[["unfinished", "other material"]].tolist() == [1 / 4, 1 / 4]
    assert row[["distinct", "commonest"]].tolist() == [3 / 4, 2 / 4]


def test_a_caption_without_its_reference_is_named() -> None:
    with pytest.raises(KeyError, match="b"):
        faults.count({"b": "Shirt."}, {"a": TRUE}, 9, MATERIALS)
