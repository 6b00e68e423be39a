"""The kept long run of chapter 16: what is compared with what, and where it lies."""

import pandas as pd

from benchmarks import trade, trade_runs


def test_each_condition_is_compared_with_its_own_public_captions():
    both = "public + labelled"
    systems = ["EfficientNet", "before fine-tuning", "public", both]
    systems += [f"rank 8, {both}", "600 steps, public", f"600 steps, {both}"]
    found = trade.pairs(systems)
    assert (both, "public") in found
    assert (f"600 steps, {both}", "600 steps, public") in found
    assert (f"rank 8, {both}", "EfficientNet") in found
    assert not any(
        more.startswith("rank 8") and less == "public" for more, less in found
    )


def test_a_condition_is_read_from_the_name_of_its_file():
    data = trade_runs.Wardrobe(7)
    for name, condition in trade_runs.CONDITIONS:
        path = trade_runs.place(data, name, condition, 200)
        assert trade_runs.named(path) == (name, condition, 200)


def test_what_a_caption_says_of_sleeves():
    said = {
        "A Long-sleeved top": "long",
        "has short sleeves": "short",
        "sleeveless dress": "sleeveless",
    }
    for text, length in said.items():
        match = trade.SLEEVES.search(text)
        assert (match[1] or match[2]).lower() == length
    assert not trade.SLEEVES.search("ankle-length skirt")


def test_what_is_said_of_photos_unlike_the_training_data():
    worn = pd.DataFrame({"sleeve_length": ["long", "short", "none", "none"]})
    texts = ["a short-sleeved top", "a short-sleeved top", "a long-sleeved top", "hat"]
    said = trade.said(worn, texts)
    assert list(said[trade.FALSE]) == [True, False, True, False]
    assert list(said[trade.OWN]) == [False, False, True, True]
