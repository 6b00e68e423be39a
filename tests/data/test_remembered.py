import logging

import pytest

from fashionlib.data.remembered import NAME, remembered


@pytest.fixture
def asked(tmp_path, monkeypatch) -> list[str]:
    """The texts that were computed, in order; the cache folder is the test's own."""
    monkeypatch.setenv("FASHIONLIB_CACHE", str(tmp_path))
    return []


def lengths(recipe: str, texts: list[str], asked: list[str]) -> dict[str, bytes]:
    def compute(new):
        for text in new:
            asked.append(text)
            yield str(len(text)).encode()

    return remembered(recipe, texts, compute)


def test_a_text_is_computed_once_for_each_recipe_short_ones_first(asked):
    first = lengths("length", ["abc", "a", "abc", "half \ud800 pair"], asked)
    assert first == {"a": b"1", "abc": b"3", "half \ud800 pair": b"11"}
    assert asked == ["a", "abc", "half \ud800 pair"]
    assert lengths("length", ["abc", "ab"], asked) == {"abc": b"3", "ab": b"2"}
    lengths("another", ["abc"], asked)
    assert asked[3:] == ["ab", "abc"]


def test_what_was_computed_before_an_error_stays(asked):
    def failing(new):
        for text in new[:-1]:
            yield text.encode()
        raise OSError("no model")

    texts = [f"{n:03}" for n in range(200)]
    with pytest.raises(OSError, match="no model"):  # it is no error of the database
        remembered("length", texts, failing)
    lengths("length", texts, asked)
    assert asked == texts[128:]  # the first portion was written


def test_a_spoilt_database_only_costs_time_and_a_warning_says_so(
    asked, tmp_path, caplog
):
    (tmp_path / NAME).write_text("no database, though a file of some length" * 99)
    with caplog.at_level(logging.WARNING):
        assert lengths("length", ["abc"], asked) == {"abc": b"3"}
    assert "computed anew. Next step: delete it" in caplog.text
    assert lengths("length", ["abc"], asked) and asked == ["abc", "abc"]


def test_results_must_be_as_many_as_texts(asked):
    with pytest.raises(ValueError, match="shorter"):
        remembered("length", ["a", "b"], lambda new: [b"1"])
