"""Draw a question from a seed, and the seeds of a class."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

import numpy as np

from questions.question import Puzzle, Question

# topic: its module, which has a function of the topic's name; and its title
TOPICS: Mapping[str, tuple[str, str]] = {
    "bleu": ("captions", "BLEU-2 of a caption"),
    "cider": ("captions", "CIDEr-D of a caption"),
    "ap": ("lists", "Average precision of a list"),
    "ndcg": ("lists", "NDCG of a list"),
    "knn": ("lists", "A score of ItemKNN"),
    "leak": ("leaks", "What a split leaks"),
    "attributes": ("captions", "Attribute precision and recall"),
}
APART = 0.01  # between choices, so that rounding on the way leads to no other one
TRIES = 10_000


def draw(topic: str, seed: int) -> Question:
    """Draw a question; the same topic and seed give the same one.

    It is drawn again until three typical mistakes lead to other values. ValueError for
    an unknown topic or a negative seed.
    """
    if topic not in TOPICS:
        raise ValueError(f"unknown topic {topic!r}; known: {', '.join(TOPICS)}")
    if seed < 0:
        raise ValueError(f"seed {seed}: give a whole number from 0")
    module, title = TOPICS[topic]
    puzzle_of = getattr(import_module(f"questions.{module}"), topic)
    rng = np.random.default_rng([seed, *topic.encode()])
    for _ in range(TRIES):
        puzzle = puzzle_of(rng)
        wrong = puzzle and _wrong(puzzle)
        if wrong:
            answer = f"{puzzle.value:.3f}"
            solution = [*puzzle.steps, f"Answer: {answer}"]
            return Question(
                topic, title, puzzle.given, puzzle.text, answer, wrong, solution
            )
    raise RuntimeError(f"no question on {topic} in {TRIES} tries; give another seed")


def _wrong(puzzle: Puzzle) -> dict[str, str] | None:
    """Return the first three mistakes whose values stand apart.

    None if too few do, or if the first, the topic's lesson, doesn't.
    """
    wrong: dict[str, str] = {}
    for why, value in puzzle.mistakes.items():
        others = [puzzle.value, *map(float, wrong)]
        if all(abs(value - other) >= APART for other in others) and len(wrong) < 3:
            wrong[f"{value:.3f}"] = why
    lesson = next(iter(puzzle.mistakes))
    return wrong if len(wrong) == 3 and lesson in wrong.values() else None


def seeds(seed: int, students: int) -> list[int]:
    """Return a seed a student, all different.

    They follow from `seed`; those of a smaller class are the first of them.
    """
    drawn = np.random.SeedSequence(seed).generate_state(2 * students)
    return list(dict.fromkeys(drawn.tolist()))[:students]
