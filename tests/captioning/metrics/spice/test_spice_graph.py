"""SPICE's merging and matching, and its synsets, against the official classes: frozen
counts, and live with javac.
"""

import json
import os
import random
import shutil
import subprocess
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from fashionlib.captioning.metrics.spice import graph, wordnet

pytest.importorskip("pycocoevalcap")
HERE = Path(__file__).parent
FROZEN = HERE / "official_counts.json"
NOUNS = [
    "jacket",
    "coat",
    "trousers",
    "pants",
    "jeans",
    "jean",
    "shirt",
    "top",
    "dress",
    "gown",
    "frock",
    "garment",
    "clothes",
    "apparel",
    "sweater",
    "jumper",
    "pullover",
    "hood",
    "collar",
    "neck",
    "neckline",
    "sleeve",
    "sleeves",
    "cuff",
    "pocket",
    "pockets",
    "button",
    "buttons",
    "zip",
    "zipper",
    "fastener",
    "belt",
    "waist",
    "hem",
    "edge",
    "lace",
    "cotton",
    "fabric",
    "cloth",
    "material",
    "side",
    "face",
    "front",
    "back",
    "foot",
    "feet",
    "shoe",
    "shoes",
    "sole",
    "soles",
    "heel",
    "man",
    "men",
    "woman",
    "women",
    "child",
    "children",
    "pair",
    "set",
    "piece",
    "bra",
    "bag",
    "purse",
    "handbag",
    "t-shirt",
    "v-neck",
    "v",
    "jersey",
    "weave",
    "trim",
    "shorts",
    "short",
    "polo_shirt",
    "swimming_costume",
    "colour",
    "colourful",
    "polo shirt",
    "bath towel",
    "swimming costume",
    "shoulder strap",
    "pair of jeans",
]
ADJECTIVES = [
    "red",
    "crimson",
    "long",
    "longer",
    "longest",
    "short",
    "big",
    "large",
    "small",
    "little",
    "soft",
    "softer",
    "wide",
    "broad",
    "fitted",
    "tight",
    "narrow",
    "slim",
    "thin",
    "washed",
    "printed",
    "striped",
    "ribbed",
    "lined",
    "round",
    "rounded",
    "dark",
    "blue",
    "navy",
    "two",
    "2",
    "three",
    "pair",
    "beautiful",
    "light blue",
    "hard-wearing",
]
PREDICATES = [
    "with",
    "in",
    "of",
    "have",
    "at",
    "on",
    "down",
    "around",
    "under",
    "wear",
    "make",
    "be",
    "be make of",
    "make of",
    "fasten with",
    "be at",
    "be wear",
    "have on",
    "come with",
    "close with",
    "be be",
]


def drawn(draw: random.Random, most: int) -> list[list[str]]:
    """Up to `most` tuples of real words: objects, attributes and relations."""
    kinds = draw.choices((1, 2, 3), weights=(4, 4, 3), k=draw.randint(0, most))
    nouns = draw.sample(NOUNS, 9)
    ends = {
        1: [[]],
        2: [[word] for word in ADJECTIVES + NOUNS],
        3: [[a, b] for a in nouns for b in PREDICATES],
    }
    return [[draw.choice(nouns), *draw.choice(ends[kind])] for kind in kinds]


def questions(seed: int, count: int) -> list[dict]:
    """Tuples of a caption and of one to four references; half of the captions share
    tuples with a reference.
    """
    draw = random.Random(seed)
    rows = []
    for i in range(count):
        references = [drawn(draw, 9) for _ in range(draw.randint(1, 4))]
        candidate = drawn(draw, 9)
        if i % 2 and references[0]:
            candidate += draw.sample(references[0], draw.randint(1, len(references[0])))
        rows.append({"candidate": candidate, "references": references})
    return rows


def ours(row: dict) -> tuple[float, list[int]]:
    """F, and (tp, fp, fn) of all tuples and of each category, in one list."""
    reference = graph.Graph.of(list(chain(*row["references"])))
    counts = graph.counts(graph.Graph.of(row["candidate"]), reference)
    whole = counts.sum(axis=0)
    f = float(np.nan_to_num(graph.f_score(whole)))
    return f, [*whole.tolist(), *counts.ravel().tolist()]


def line(row: dict) -> str:
    sides = []
    for tuples in (row["candidate"], chain(*row["references"])):
        sides.append(";;".join("|".join(parts) for parts in tuples))
    return "\t".join(["match", *sides])


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """A function that puts lines to Oracle.java, compiled against the jars that
    pycocoevalcap ships.
    """
    from fashionlib.captioning.metrics.java import FLAGS, jar_folder

    compiler, runtime = shutil.which("javac"), shutil.which("java")
    if compiler is None or runtime is None:
        pytest.skip("no javac on PATH: the frozen counts are compared all the same")
    folder = tmp_path_factory.mktemp("oracle")
    spice = jar_folder("spice")
    jars = [
        spice / "spice-1.0.jar",
        *sorted((spice / "lib").glob("*.jar")),
        *jar_folder("tokenizer").glob("*.jar"),
    ]
    path = os.pathsep.join(map(str, [*jars, folder]))
    subprocess.run(
        [compiler, "-cp", path, "-d", folder, HERE / "Oracle.java"],
        check=True,
        timeout=100,
    )

    def answers(lines: Iterable[str]) -> list[str]:
        (folder / "lines.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        command = [
            runtime,
            *FLAGS,
            "-cp",
            path,
            "edu.anu.spice.Oracle",
            str(folder / "lines.tsv"),
        ]
        done = subprocess.run(
            command, check=True, timeout=100, capture_output=True, text=True
        )
        return done.stdout.split("\n")[:-1]

    return answers


def test_counts_equal_the_official_classes_frozen():
    rows = json.loads(FROZEN.read_text(encoding="utf-8"))
    assert len(rows) == 200 and {len(row["references"]) for row in rows} == {1, 2, 3, 4}
    assert [ours(row)[1] for row in rows] == [row["official"] for row in rows]


def test_counts_equal_the_official_classes_live(ask):
    frozen = json.loads(FROZEN.read_text(encoding="utf-8"))
    assert [answer.split()[1:] for answer in ask(map(line, frozen))] == [
        [*map(str, row["official"])] for row in frozen
    ]
    rows = questions(seed=2, count=600)
    rows.append({"candidate": [["frock"], ["garment"]], "references": [[["dress"]]]})
    rows.append({"candidate": [], "references": [[]]})
    theirs = [
        list(map(float, answer.split())) for answer in ask([line(row) for row in rows])
    ]
    assert [ours(row)[1] for row in rows] == [numbers[1:] for numbers in theirs]
    np.testing.assert_allclose(
        [ours(row)[0] for row in rows], [numbers[0] for numbers in theirs], rtol=1e-12
    )


def test_synsets_equal_the_official_dictionary_live(ask):
    draw = random.Random(3)
    tables = sorted(wordnet._synsets())
    words = NOUNS + ADJECTIVES + PREDICATES + draw.sample(sorted(wordnet._bases()), 300)
    endings = [
        "s",
        "es",
        "ies",
        "ed",
        "ing",
        "er",
        "est",
        "ful",
        "men",
        "ves",
        "ss",
        "'s",
    ]
    words += [
        word.replace("_", " ") + draw.choice(endings)
        for word in draw.sample(tables, 1500)
    ]
    words += [word[:-1] + draw.choice(endings) for word in draw.sample(tables, 1500)]
    theirs = ask([f"synsets\t{word}" for word in words])
    mine = [
        " ".join(map(str, sorted(map(int, wordnet.synsets(word))))) for word in words
    ]
    assert [(w, a) for w, a in zip(words, mine, strict=True)] == list(
        zip(words, theirs, strict=True)
    )
    assert sum(map(bool, mine)) > 1000


def test_synonyms_share_a_synset_and_others_do_not():
    for one, other in (
        ("pants", "trousers"),
        ("jeans", "denim"),
        ("women", "woman"),
        ("went", "go"),
        ("big", "large"),
    ):
        assert wordnet.synsets(one) & wordnet.synsets(other), (one, other)
    for one, other in (
        ("sleeve", "collar"),
        ("colourful", "colour"),
        ("dress", "dres"),
    ):
        assert not wordnet.synsets(one) & wordnet.synsets(other), (one, other)
    assert wordnet.synsets("xyzzy") == wordnet.synsets("") == frozenset()
    assert wordnet.synsets("polo shirt") == wordnet.synsets("polo_shirt") != frozenset()


def test_a_jar_that_is_not_there_is_an_error_with_a_next_step(monkeypatch, tmp_path):
    monkeypatch.setattr(wordnet, "jar_folder", lambda part: tmp_path)
    with pytest.raises(FileNotFoundError, match="pip install pycocoevalcap"):
        list(wordnet._pairs("synsets"))


def test_hand_counted():
    mine = [
        ["dress"],
        ["dress", "red"],
        ["dress", "sleeve", "with"],
        ["sleeve", "long"],
    ]
    other = [["dress"], ["dress", "crimson"], ["dress", "sleeve", "with"], ["belt"]]
    found = graph.counts(graph.Graph.of(mine), graph.Graph.of(other))
    # objects dress, sleeve against dress, sleeve, belt; red is crimson's synonym;
    # (sleeve, long) is nowhere
    np.testing.assert_array_equal(found, [[2, 0, 1], [1, 1, 0], [1, 0, 0]])
    np.testing.assert_allclose(graph.f_score(found), [4 / 5, 2 / 3, 1])
    assert graph.f_score(found.sum(axis=0)) == 8 / 10


def test_several_may_match_the_same_one_and_f_pass_1():
    mine = graph.Graph.of(
        [["frock"], ["garment"]]
    )  # no synset in common, but each shares one with dress
    found = graph.counts(mine, graph.Graph.of([["dress"]]))[0]
    assert found.tolist() == [2, 0, -1] and graph.f_score(found) == 2 * 2 / (2 + 1)


def test_a_relation_has_a_direction_and_be_is_no_part_of_it():
    facts = [
        graph.Graph.of([["man", "hat", predicate]])
        for predicate in ("wear", "be wear", "carry")
    ]
    assert graph.counts(facts[0], facts[1])[2].tolist() == [1, 0, 0]
    assert graph.counts(facts[0], facts[2])[2].tolist() == [0, 1, 1]
    assert graph.counts(facts[0], graph.Graph.of([["hat", "man", "wear"]]))[
        2
    ].tolist() == [0, 1, 1]


def test_an_empty_side():
    nothing, something = graph.Graph.of([]), graph.Graph.of([["dress", "red"]])
    assert graph.counts(nothing, something).sum(axis=0).tolist() == [0, 0, 2]
    assert graph.f_score(graph.counts(nothing, something).sum(axis=0)) == 0
    assert np.isnan(graph.f_score(graph.counts(nothing, nothing)[0]))
    with pytest.raises(ValueError, match="has 4 parts"):
        graph.Graph.of([["a", "b", "c", "d"]])
