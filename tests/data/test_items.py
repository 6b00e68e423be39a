"""What two splits share, one product's rows, and words of captions."""

import pandas as pd
import pytest

from fashionlib.data.items import (
    caption_words,
    one_product,
    shared_by_splits,
    split_leaks,
)


def test_leaks_are_shares_of_the_test():
    split = pd.DataFrame(
        {
            "caption": ["a", "b", "a", "c", "b"],
            "product_id": ["1", "2", "1", "2", "3"],
            "split": ["train", "train", "test", "test", "validation"],
        }
    )
    assert split_leaks(split) == {
        "train": 2,
        "test": 2,
        "caption stands in train": 1 / 2,  # "a"
        "product stands in train": 2 / 2,  # 1 and 2
    }


def test_what_each_pair_of_splits_shares():
    rows = [("a", "train"), ("b", "train"), (None, "train"), ("a", "test")]
    rows += [("a", "test"), (None, "test"), ("c", "validation"), ("c", "validation")]
    items = pd.DataFrame(rows, columns=["caption", "split"])
    shared = shared_by_splits(items, "caption")
    assert {pair: found.tolist() for pair, found in shared.items()} == {
        "train and test": ["a", "a", "a"]
    }


def test_one_product_has_about_so_many_pictures_and_a_caption():
    rows = [("1", "x.jpg")] * 2 + [("2", "y.jpg")] * 5 + [("3", None)] * 6
    items = pd.DataFrame(rows, columns=["product_id", "image"])
    items = items.assign(caption="text", category="top")
    assert one_product(items)["product_id"].tolist() == ["2"] * 5
    assert len(one_product(pd.concat([items[:1]] * 9))) == 8


@pytest.mark.parametrize("text", ["Two-tone, 50% wool", "two TONE (50) wool."])
def test_words_are_letters_and_digits(text):
    words = caption_words(pd.Series([text, None]))
    assert words.tolist() == [["two", "tone", "50", "wool"]]
