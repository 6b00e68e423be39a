"""Questions: the answer is the metric's, the way there is right, mistakes are none."""

import re
from functools import cache
from typing import Literal, get_args, get_type_hints

import numpy as np
import pytest
from scipy import sparse

from fashionlib.captioning.metrics import attributes, overlap, score
from fashionlib.data.overlap import closest
from fashionlib.recommending import ItemKNN, ranking
from questions import command
from questions.draw import APART, TOPICS, draw, seeds
from questions.question import Question, Table, markdown

SEEDS = range(200)
ALL = pytest.mark.parametrize("topic", TOPICS)


@cache
def drawn(topic: str) -> list[Question]:
    return [draw(topic, seed) for seed in SEEDS]


def bleu(given: dict) -> float:
    texts = {"1": [given["reference"]]}, {"1": given["caption"]}
    return score(*texts, ["BLEU-2"], "python").corpus["BLEU-2"]


def cider(given: dict) -> float:
    """CIDEr-D of orders 1 and 2 as the library gives it of texts cut to them."""
    measure = overlap.Cider([[text] for text in given["references"]])
    own, true = measure.count([given["caption"], given["references"][0]]), None
    true = [counts[[1]] for counts in own[:2]]
    return float(measure.compare([counts[[0]] for counts in own[:2]], true)[0])


def listed(metric: str, given: dict) -> float:
    size = len(given["hits"])
    missed = given["bought"] - sum(given["hits"])
    relevant = sparse.csr_matrix([given["hits"] + [1] * missed])
    found = ranking.per_user(np.arange(size)[None], relevant, [size])
    return float(found[f"{metric}@{size}"][0])


def knn(given: dict) -> float:
    train = sparse.csr_matrix(given["bought"])
    model = ItemKNN(2).fit(train)
    return float((train[[0]] @ model.similar).toarray()[0, 0])


def named(given: dict) -> float:
    words = given["captions"], given["references"], given["pool"]
    return attributes.macro(attributes.precision_recall(*words))[given["asked"]]


ANSWERS = {
    "bleu": bleu,
    "cider": cider,
    "ap": lambda given: listed("AP", given),
    "ndcg": lambda given: listed("NDCG", given),
    "knn": knn,
    "leak": lambda given: closest(given["test"], given["train"])[1].mean(),
    "attributes": named,
}


@ALL
def test_the_answer_is_the_books_own_score(topic):
    for question in drawn(topic):
        assert question.answer == f"{ANSWERS[topic](question.given):.3f}"


@ALL
def test_the_way_by_hand_ends_at_the_answer(topic):
    for question in drawn(topic):
        by_hand, last = question.solution[-2:]
        assert last == f"Answer: {question.answer}"
        assert by_hand.endswith(f" = {question.answer}"), by_hand


@ALL
def test_four_choices_stand_apart_and_only_one_is_right(topic):
    for question in drawn(topic):
        assert len(question.wrong) == 3 and question.answer not in question.wrong
        values = sorted(map(float, question.choices))
        assert min(np.diff(values)) > APART - 0.0011  # each is rounded
        assert len(set(question.wrong.values())) == 3


@ALL
def test_the_same_seed_gives_the_same_question_and_others_differ(topic):
    again = [draw(topic, seed) for seed in SEEDS[:10]]
    assert again == drawn(topic)[:10]
    texts = {markdown(question.text) for question in drawn(topic)}
    assert len(texts) > 0.95 * len(SEEDS)


@ALL
def test_it_can_be_done_by_hand(topic):
    for question in drawn(topic):
        tables = [b for b in (*question.text, *question.solution) if type(b) is Table]
        assert all(len(table.rows) <= 32 for table in tables)
        assert all(head for table in tables for head in table.head)
        widths = {len(row) - len(table.head) for table in tables for row in table.rows}
        assert widths == {0}
        given = question.given
        if "hits" in given:
            assert 5 <= len(given["hits"]) <= 8
        for name in ("caption", "reference", "references", "train", "test"):
            texts = given.get(name, [])
            for text in [texts] if isinstance(texts, str) else texts:
                words = text.split() if isinstance(text, str) else text
                assert 4 <= len(words) <= 9


LESSONS = {
    "bleu": "not clipped",
    "cider": "weights are missing",
    "ap": "Elliot's MAP",
    "ndcg": "only the hits that were found",
    "knn": "not the 2 nearest",
    "leak": "word for word",
    "attributes": "This is ",
}


@ALL
def test_the_mistake_that_the_chapters_warn_of_is_always_a_choice(topic):
    for question in drawn(topic):
        assert any(LESSONS[topic] in why for why in question.wrong.values())


def test_an_elliot_map_among_the_choices_is_elliots():
    for question in drawn("ap"):
        for value, why in question.wrong.items():
            if "Elliot" in why:
                assert value == f"{listed('Elliot MAP', question.given):.3f}"


def test_a_worked_solution_of_bleu_counts_as_the_library_does():
    for question in drawn("bleu")[:50]:
        table = next(block for block in question.solution if type(block) is Table)
        clipped = {1: 0, 2: 0}
        for gram, _, _, kept in table.rows:
            clipped[len(gram.split())] += int(kept)
        given = question.given
        counts = overlap.measure([[given["reference"]]], [given["caption"]]).bleu_counts
        assert [*clipped.values()] == counts[0, :2].tolist()


def test_an_item_knn_says_how_it_is_summed_and_sums_only_several():
    for question in drawn("knn"):
        asked = " ".join(block for block in question.text if type(block) is str)
        assert "the sum of its cosines with those of its neighbours" in asked
        summed = question.solution[-2].removeprefix("Score = ").split(" = ")
        assert len(summed) == 1 + ("+" in summed[0]) and summed[-1] == question.answer


def test_a_class_has_different_seeds_and_grows_at_its_end():
    assert len(set(seeds(5, 300))) == 300
    assert seeds(5, 300)[:20] == seeds(5, 20) != seeds(6, 20)


def test_an_unknown_topic_names_those_that_are():
    with pytest.raises(ValueError, match="'rouge'; known: bleu, cider"):
        draw("rouge", 1)
    with pytest.raises(ValueError, match="seed -1"):
        draw("bleu", -1)


def test_the_command_offers_every_topic():
    hints = get_type_hints(command.run)
    assert hints["topic"] == Literal[tuple(TOPICS)]
    assert get_args(hints["form"]) == ("md", "json")


def test_markdown_has_a_table_line_a_row():
    text = markdown(["One.", Table(("a", "b"), [("1", "2")])])
    assert text == "One.\n\n| a | b |\n| --- | --- |\n| 1 | 2 |"
    assert not re.search(r"\n\n\n", markdown(draw("cider", 1).solution))
