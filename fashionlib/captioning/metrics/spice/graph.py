"""Scene graphs of tuples, and how many tuples of one graph another has.

SPICE: Anderson et al. 2016, sections 3.1-3.2. The counts equal those of the official
classes. A tuple of one part is an object, of two an object and its attribute, of three
a relation: subject, object, predicate.
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
        """Return whether words and synsets are equal."""
        return self.words == other.words and self.synsets == other.synsets

    def similar(self, other: Concept) -> bool:
        """Return whether a word or a synset is shared."""
        words_apart = self.words.isdisjoint(other.words)
        return not (words_apart and self.synsets.isdisjoint(other.synsets))

    def likeness(self, other: Concept) -> float:
        """Return 1 where a word is shared, else the share of synsets both have."""
        if not self.words.isdisjoint(other.words):
            return 1.0
        either = len(self.synsets | other.synsets)
        return len(self.synsets & other.synsets) / max(either, 1)

    def merge(self, other: Concept) -> None:
        """Take over the other's words and synsets."""
        self.words |= other.words
        self.synsets |= other.synsets


@dataclass
class Graph:
    """Objects with their attributes, and relations between objects by place.

    It is filled by `add`; nothing is removed.
    """

    objects: list[Concept] = field(default_factory=list)
    attributes: list[list[Concept]] = field(default_factory=list)  # one list per object
    relations: dict[tuple[int, int], list[Concept]] = field(default_factory=dict)

    @classmethod
    def of(cls, tuples: Iterable[Sequence[str]]) -> Graph:
        """Build the graph of a caption's tuples, or of all references' of an item.

        The order decides what is merged.
        """
        graph = cls()
        for parts in tuples:
            graph.add(tuple(parts))
        return graph

    def add(self, parts: Tuple) -> None:
        """Add a tuple, merged with what is similar to it in the graph.

        ValueError for another length than 1, 2 or 3.
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
        """Return the place of the object that `word` names.

        It is the same one, else it is merged with the likest, else a new one.
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

    def tuples(self) -> list[list[tuple[Concept, ...]]]:
        """Return objects, attributes and relations, each a list of tuples."""
        attributes, relations = [], []
        for thing, its in zip(self.objects, self.attributes, strict=True):
            attributes += [(thing, attribute) for attribute in its]
        for (subject, other), predicates in self.relations.items():
            ends = self.objects[subject], self.objects[other]
            relations += [(*ends, predicate) for predicate in predicates]
        return [[(thing,) for thing in self.objects], attributes, relations]


def _add(new: Concept, known: list[Concept]) -> None:
    if any(new.same(concept) for concept in known):
        return
    for concept in known:
        if new.similar(concept):
            concept.merge(new)
            return
    known.append(new)


def counts(candidate: Graph, reference: Graph) -> np.ndarray:
    """Count (categories, 3): true positives, false positives, false negatives.

    A candidate's tuple is a true positive where some tuple of the reference is similar
    in every part. Several may match the same one, each is counted, and false negatives
    are what is left of the reference: they can be below zero.
    """
    rows = []
    for mine, theirs in zip(candidate.tuples(), reference.tuples(), strict=True):
        hits = sum(any(_match(one, other) for other in theirs) for one in mine)
        rows.append((hits, len(mine) - hits, len(theirs) - hits))
    return np.array(rows)


def _match(one: tuple[Concept, ...], other: tuple[Concept, ...]) -> bool:
    return all(map(Concept.similar, one, other))


def f_score(counts: np.ndarray) -> np.ndarray:
    """Return F1 (...,) of counts (..., 3).

    NaN where neither side has a tuple, 0 where one has none or nothing matches. A
    fraction, but above 1 where several tuples match the same one: frock and garment
    against dress give 4/3.
    """
    hits, wrong, missed = np.moveaxis(np.asarray(counts, float), -1, 0)
    with np.errstate(invalid="ignore"):
        return 2 * hits / (2 * hits + wrong + missed)
