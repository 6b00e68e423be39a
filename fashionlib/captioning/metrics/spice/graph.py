"""Scene graphs of tuples, and how many tuples of one graph another has (SPICE: Anderson
et al. 2016, sections 3.1-3.2).

The counts equal those of the official classes. A tuple of one part is an object, of two
an object and its attribute, of three a relation: subject, object, predicate.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from fashionlib.captioning.metrics.spice.wordnet import synsets

Tuple = tuple[str, ...]
CATEGORIES = ("object", "attribute", "relation")  # by the number of parts, from one


class Concept:
    """Words taken for one thing, and the union of their synsets."""

    __slots__ = ("synsets", "words")

    def __init__(self, word: str) -> None:
        self.words = {word.strip().lower()}
        self.synsets = set(synsets(word))

    def same(self, other: Concept) -> bool:
        return self.words == other.words and self.synsets == other.synsets

    def similar(self, other: Concept) -> bool:
        """Whether a word or a synset is shared."""
        return not (
            self.words.isdisjoint(other.words)
            and self.synsets.isdisjoint(other.synsets)
        )

    def likeness(self, other: Concept) -> float:
        """1 where a word is shared, else the share of synsets that both have among
        those that either has.
        """
        if not self.words.isdisjoint(other.words):
            return 1.0
        return len(self.synsets & other.synsets) / max(
            len(self.synsets | other.synsets), 1
        )

    def merge(self, other: Concept) -> None:
        self.words |= other.words
        self.synsets |= other.synsets


@dataclass
class Graph:
    """Objects, each with its attributes, and relations between them by place. Filled by
    `add`; nothing is removed.
    """

    objects: list[Concept] = field(default_factory=list)
    attributes: list[list[Concept]] = field(default_factory=list)  # one list per object
    relations: dict[tuple[int, int], list[Concept]] = field(default_factory=dict)

    def add(self, parts: Tuple) -> None:
        """Add a tuple. What is similar to something in the graph is merged with it.
        ValueError for other lengths.
        """
        if not 1 <= len(parts) <= 3:
            raise ValueError(
                f"{parts} has {len(parts)} parts; a tuple of a scene graph has 1, 2"
                " or 3"
            )
        first = self._object(parts[0])
        if len(parts) == 2:
            _add(Concept(parts[1]), self.attributes[first])
        if len(parts) == 3:
            second = self._object(parts[1])
            predicate = Concept(parts[2].removeprefix("be "))
            _add(predicate, self.relations.setdefault((first, second), []))

    def _object(self, word: str) -> int:
        """Place of the object that `word` names: the same one, else it is merged with
        the likest, else a new one.
        """
        new = Concept(word)
        best, place = 0.0, -1
        for i, known in enumerate(self.objects):
            if new.same(known):
                return i
            likeness = new.likeness(known)
            if likeness > best:
                best, place = likeness, i
        if place >= 0:
            self.objects[place].merge(new)
            return place
        self.objects.append(new)
        self.attributes.append([])
        return len(self.objects) - 1

    def tuples(self) -> tuple[list[tuple[Concept, ...]], ...]:
        """The graph's objects, attributes and relations, each as a list of tuples of
        concepts.
        """
        named = list(zip(self.objects, self.attributes, strict=True))
        return (
            [(thing,) for thing in self.objects],
            [
                (thing, attribute)
                for thing, attributes in named
                for attribute in attributes
            ],
            [
                (self.objects[subject], self.objects[other], predicate)
                for (subject, other), predicates in self.relations.items()
                for predicate in predicates
            ],
        )


def _add(new: Concept, known: list[Concept]) -> None:
    if any(new.same(concept) for concept in known):
        return None
    for concept in known:
        if new.similar(concept):
            return concept.merge(new)
    known.append(new)


def merged(tuples: Iterable[Sequence[str]]) -> Graph:
    """The scene graph of a caption's tuples, or of all references' of an item; the
    order decides what is merged.
    """
    made = Graph()
    for parts in tuples:
        made.add(tuple(parts))
    return made


def counts(candidate: Graph, reference: Graph) -> np.ndarray:
    """Counts (categories, 3): true positives, false positives, false negatives.

    A candidate's tuple is a true positive where some tuple of the reference is similar
    in every part. Several may match the same one, each is counted, and false negatives
    are what is left of the reference: they can be below zero.
    """
    rows = []
    for found, true in zip(candidate.tuples(), reference.tuples(), strict=True):
        hits = sum(
            any(all(map(Concept.similar, mine, other)) for other in true)
            for mine in found
        )
        rows.append((hits, len(found) - hits, len(true) - hits))
    return np.array(rows)


def f_score(counts: np.ndarray) -> np.ndarray:
    """F1 (...,) of counts (..., 3); NaN where neither side has a tuple, 0 where one has
    none or nothing matches.

    A fraction, but above 1 where several tuples match the same one: frock and garment
    against dress give 4/3.
    """
    hits, wrong, missed = np.moveaxis(np.asarray(counts, float), -1, 0)
    with np.errstate(invalid="ignore"):
        return 2 * hits / (2 * hits + wrong + missed)
