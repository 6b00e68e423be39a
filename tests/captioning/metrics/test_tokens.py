import os
from pathlib import Path

import pytest
from test_meteor import fake_java

from fashionlib.captioning.metrics import java, tokens

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


def test_tokenises_as_pycocoevalcap(monkeypatch):
    ptb = pytest.importorskip("pycocoevalcap.tokenizer.ptbtokenizer")
    monkeypatch.setenv(
        "PATH", f"{Path(java.runtime()).parent}{os.pathsep}{os.environ['PATH']}"
    )
    official = ptb.PTBTokenizer().tokenize(
        {i: [{"caption": text}] for i, text in enumerate(HOSTILE)}
    )
    ours = tokens.tokenise(HOSTILE)
    assert ours == [official[i][0] for i in range(len(HOSTILE))]
    assert ours[0].startswith(
        "dress -lrb- lined -rrb- in a cotton-blend 10x27x33"
    )  # brackets stay: see PUNCTUATION


@pytest.mark.parametrize("tokeniser", tokens.TOKENISERS)
def test_other_line_ends_and_half_characters_keep_captions_apart(tokeniser):
    texts = ["a\rb\x85c\u2028d", "e\x0bf\x0c", "half \ud83d", "g"]
    found = tokens.tokenise(texts, tokeniser)
    assert [found[0], found[1], found[3]] == ["a b c d", "e f", "g"] and found[
        2
    ].startswith("half")
    assert tokens.tokenise([], tokeniser) == []


SHOP = [  # the kinds of text in which catalogues are hard to tokenise
    (
        "Knee-length dress in a soft, airy weave with a V-neck, 3/4-length sleeves and"
        " buttons down the front. Unlined."
    ),
    (
        "Cotton-blend joggers (ages 1½-4Y) in the children's range; it's lined & can't"
        " crease. From H&M/Baby."
    ),
    (
        "Bag. Size 10x27.5x33 cm, strap 22-25.5 cm, holds 1,200 g – 70% recycled…"
        " “soft” red/white [new] {x}"
    ),
    (
        "Trainers with thick, 3.5-5 cm soles -- we'll say no more! Www.shop.com/care."
        " Top/bow/tie, 50's style: ‘A-line’?"
    ),
]


def test_pythons_tokeniser_agrees_where_catalogues_are_hard():
    pytest.importorskip("pycocoevalcap")
    assert tokens.tokenise(SHOP, "python") == tokens.tokenise(SHOP, "ptb")


def test_pythons_tokeniser_agrees_on_every_style_of_the_wardrobe():
    pytest.importorskip("pycocoevalcap")
    import numpy as np

    import wardrobe
    from wardrobe.words import STYLES

    rows = wardrobe.articles(60, seed=1).to_dict("records")
    captions = [
        write(wardrobe.garment_of(row), row["colour"], np.random.default_rng(n))
        for n, row in enumerate(rows)
        for write in STYLES.values()
    ]
    assert tokens.tokenise(captions, "python") == tokens.tokenise(captions, "ptb")


def test_an_unknown_tokeniser_is_named():
    with pytest.raises(
        ValueError, match="unknown tokeniser 'nltk'; known: ptb, python"
    ):
        tokens.tokenise(["a"], "nltk")


@pytest.mark.skipif(
    os.name != "posix", reason="the stand-in for Java is a shell script"
)
def test_a_tokeniser_that_fails_or_loses_lines_is_an_error(tmp_path, monkeypatch):
    for script, words in (
        ("echo broken >&2; exit 1", "exit status 1; broken"),
        ("echo one line", "lines for 3 captions"),
    ):
        fake = fake_java(tmp_path, script)
        monkeypatch.setattr(java, "runtime", lambda fake=fake: fake)
        with pytest.raises(RuntimeError, match=words):
            tokens.tokenise(["a", "b", "c"])
