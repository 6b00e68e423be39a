"""The official SPICE's jar: its three known failures by name, with a stand-in for Java
and with the Java at hand.
"""

import json
import os
import shutil
import stat
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest

from fashionlib.captioning.metrics.java import jar_folder
from fashionlib.captioning.metrics.spice import official

pytest.importorskip("pycocoevalcap")
posix = pytest.mark.skipif(
    os.name != "posix", reason="the stand-in for Java is a shell script"
)
JAVA_8, JAVA_17 = 'openjdk version "1.8.0_392"', 'openjdk version "17.0.15" 2025-04-15'


@pytest.fixture
def models(tmp_path) -> Path:
    """A folder with jars that pass for CoreNLP's."""
    folder = tmp_path / "models"
    folder.mkdir()
    for name, entry in official.MODELS.items():
        with zipfile.ZipFile(folder / name, "w") as jar:
            jar.writestr(entry, "")
    return folder


@pytest.fixture
def fake(tmp_path):
    """Makes a java program that tells a version, and runs a script for anything else;
    $out is the file it owes.
    """

    def make(version: str, script: str = "exit 0") -> str:
        path = tmp_path / "java"
        asked = f"[ \"$1\" = -version ] && {{ echo '{version}' >&2; exit 0; }}"
        out = (
            'while [ "$1" ]; do [ "$1" = -out ] && out="$2" && source="$last";'
            ' last="$1"; shift; done'
        )
        path.write_text(f"#!/bin/sh\n{asked}\n{out}\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    return make


def answer(*rows: tuple[int, list[list[int]]]) -> str:
    """The jar's output: per item its id, and counts of objects, attributes and
    relations.
    """

    def score(tp: int, fp: int, fn: int) -> dict:
        return {
            "tp": tp,
            "fp": fp,
            "fn": fn,
            "f": 2 * tp / (2 * tp + fp + fn) if tp else 0.0,
        }

    return json.dumps(
        [
            {
                "image_id": item,
                "scores": (
                    {"All": score(*np.sum(counts, axis=0).tolist())}
                    | dict(
                        zip(
                            ("Object", "Attribute", "Relation"),
                            (score(*row) for row in counts),
                            strict=True,
                        )
                    )
                ),
            }
            for item, counts in rows
        ]
    )


def test_without_models_the_message_says_what_where_and_how(tmp_path):
    with pytest.raises(FileNotFoundError) as error:
        official.check(tmp_path)
    for words in (
        *official.MODELS,
        "stanford-corenlp-full-2015-12-09.zip",
        "Stanford NLP Group",
        str(tmp_path),
    ):
        assert words in str(error.value)


@posix
def test_a_jar_cut_short_is_told_from_a_whole_one(models, fake):
    official.check(models, fake(JAVA_8))
    whole = models / "stanford-corenlp-3.6.0-models.jar"
    whole.write_bytes(whole.read_bytes()[:50])
    with pytest.raises(
        ValueError, match="models.jar .0.0 MB. has no .*englishPCFG.*cut short"
    ):
        official.check(models, fake(JAVA_8))


@posix
@pytest.mark.parametrize(
    ("told", "words"),
    [
        (JAVA_17, "is Java 17: no JavaScript engine.*Java 8 to 14"),
        ('java version "15"', "is Java 15: no JavaScript engine"),
        ('java version "1.7.0_80"', "is Java 7. Next step"),
        ("Picked up nothing", "says 'Picked up nothing"),
    ],
)
def test_java_of_another_age_is_an_error(models, fake, told, words):
    with pytest.raises(RuntimeError, match=words):
        official.check(models, fake(told))


@posix
@pytest.mark.parametrize(
    "told", [JAVA_8, 'openjdk version "11.0.2" 2019-01-15', 'java version "14"']
)
def test_java_8_to_14_fits(models, fake, told):
    official.check(models, fake(told))


def test_a_java_that_is_not_there_is_an_error(models):
    with pytest.raises(RuntimeError, match="no/such/java -version fails"):
        official.check(models, "/no/such/java")


@posix
def test_scores_are_the_jars_in_the_order_asked(models, fake, tmp_path):
    shuffled = answer(
        (1, [[1, 0, 0], [0, 0, 0], [0, 0, 0]]), (0, [[2, 0, 1], [1, 1, 0], [0, 0, 2]])
    )
    java = fake(
        JAVA_8,
        f'cp "$source" {tmp_path}/asked.json; cat > "$out" <<\'END\'\n{shuffled}\nEND',
    )
    found = official.score(
        [["a red\ndress", "a frock"], ["a hat"]], ["a dress", "“hat”"], models, java
    )
    np.testing.assert_allclose(found.per_item, [2 * 3 / (2 * 3 + 1 + 3), 1])
    np.testing.assert_allclose(found.by_category[0], [4 / 5, 2 / 3, 0])
    asked = json.loads((tmp_path / "asked.json").read_text())
    assert asked[0] == {
        "image_id": 0,
        "test": "a dress",
        "refs": ["a red dress", "a frock"],
    }
    assert asked[1]["test"] == "“hat”"


@posix
@pytest.mark.parametrize(
    ("script", "error", "words"),
    [
        (
            "echo 'java.lang.reflect.InaccessibleObjectException: x' >&2; exit 1",
            RuntimeError,
            "leave -cache out",
        ),
        (
            "echo 'because \"scriptEngine\" is null' >&2; exit 1",
            RuntimeError,
            "no JavaScript engine",
        ),
        (
            (
                "printf 'java.lang.NullPointerException\\n\\tat"
                " edu.anu.spice.SpiceScorer.scoreBatch(X)' >&2; exit 1"
            ),
            RuntimeError,
            "no JavaScript engine",
        ),
        (
            (
                "echo 'java.lang.NoClassDefFoundError: edu/stanford/nlp/pipeline/A'"
                " >&2; exit 1"
            ),
            RuntimeError,
            "no CoreNLP",
        ),
        (
            "echo 'Unable to resolve \"edu/stanford/nlp/models/p.gz\"' >&2; exit 1",
            RuntimeError,
            "no models of CoreNLP",
        ),
        (
            "echo 'java.lang.OutOfMemoryError: heap' >&2; exit 1",
            RuntimeError,
            "too little memory",
        ),
        (
            "echo 'something else' >&2; exit 3",
            RuntimeError,
            "exit status 3; .*something else",
        ),
        ("exit 0", RuntimeError, "exit status 0"),
        ("echo '[]' > \"$out\"", RuntimeError, "0 items answered of 1"),
        ("sleep 30; true", TimeoutError, "no end after 0.5 s for 1 items"),
    ],
)
def test_a_failing_jar_is_an_error_that_names_the_cause(
    models, fake, script, error, words
):
    with pytest.raises(error, match=words):
        official.score(
            [["a"]],
            ["b"],
            models,
            fake(JAVA_8, script),
            seconds=0.5 if error is TimeoutError else 30,
        )


@posix
def test_counts_that_do_not_give_the_jars_f_are_an_error(models, fake):
    wrong = answer((0, [[2, 0, 1], [0, 0, 0], [0, 0, 0]])).replace(
        '"f": 0.8', '"f": 0.5', 1
    )
    with pytest.raises(RuntimeError, match="row 0 has F 0.5, but 0.8 by its counts"):
        official.score(
            [["a"]], ["b"], models, fake(JAVA_8, f"echo '{wrong}' > \"$out\"")
        )


def test_lengths_must_agree(models):
    with pytest.raises(ValueError, match="SPICE: 1 captions for 2 lists"):
        official.score([["a"], ["b"]], ["a"], models)


@pytest.mark.skipif(shutil.which("java") is None, reason="no java on PATH")
def test_the_three_failures_of_the_jar_itself_are_diagnosed(tmp_path):
    """The jar without CoreNLP; with its classes (3.4.1's, of the tokeniser) but no
    models; and on Java 15 or newer.
    """
    java = shutil.which("java")
    one = [{"image_id": 0, "test": "a dress", "refs": ["a dress"]}]
    with pytest.raises(
        RuntimeError,
        match="no CoreNLP 3.6.0. Next step: download stanford-corenlp-full",
    ):
        official.run(one, tmp_path, java, 60)
    shutil.copy(
        next(jar_folder("tokenizer").glob("*.jar")),
        tmp_path / "stanford-corenlp-3.6.0.jar",
    )
    with pytest.raises(RuntimeError, match="no models of CoreNLP 3.6.0"):
        official.run(one, tmp_path, java, 60)
    if official.version(java) < 16:
        pytest.skip("Java 16 or newer is needed for the rest")
    with pytest.raises(RuntimeError, match="no JavaScript engine"):
        official.run(
            [], tmp_path, java, 60
        )  # nothing to parse: it comes as far as writing its results
    jars = [
        *jar_folder("spice").glob("*.jar"),
        *(jar_folder("spice") / "lib").glob("*.jar"),
        *tmp_path.glob("*.jar"),
    ]
    command = [
        java,
        "-cp",
        os.pathsep.join(map(str, jars)),
        "edu.anu.spice.SpiceScorer",
        os.devnull,
    ]
    done = subprocess.run(
        [*command, "-cache", tmp_path / "cache"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert official.diagnosis(done.stderr) == official.CLOSED
