"""Puzzles on recommended lists: average precision, NDCG and ItemKNN."""

from __future__ import annotations

from collections.abc import Callable
from math import log2, sqrt
from typing import NamedTuple

import numpy as np
from scipy import sparse

from fashionlib.recommending import ranking
from fashionlib.recommending.neighbours import ContentKNN
from questions.looks import different
from questions.question import Puzzle, Table

SHOPPERS, ARTICLES, NEIGHBOURS = 6, 5, 2


class Judged(NamedTuple):
    """A drawn list, and which of its places hold what the shopper bought."""

    names: list[str]
    hits: list[int]  # 1 or 0 a place
    bought: int
    values: Callable[[str], float]  # a metric of the book by its name

    def puzzle(
        self, name: str, mistakes: dict[str, float], steps: list[str | Table]
    ) -> Puzzle:
        """Ask for the metric of that name at the list's length."""
        size, missed = len(self.hits), self.names[len(self.hits) :]
        rows = [
            (str(rank), self.names[rank - 1], "yes" if hit else "no")
            for rank, hit in enumerate(self.hits, 1)
        ]
        more = f", and also {' and '.join(missed)}" if missed else ""
        return Puzzle(
            given={"hits": self.hits, "bought": self.bought},
            text=[
                f"A recommender lists {size} drawn garments for a shopper.",
                Table(("rank", "garment", "bought later"), rows),
                f"Later the shopper bought those marked “yes”{more}: {self.bought}"
                " garments in all.",
                f"What is {name}@{size} of this list, with three decimals?",
            ],
            value=self.values(name),
            mistakes=mistakes,
            steps=steps,
        )


def judged(rng: np.random.Generator) -> Judged | None:
    """Draw a list of 5 to 8 places with 2 to 4 hits; a bought garment may be missed."""
    size, missed = int(rng.integers(5, 9)), int(rng.integers(3))
    hits = (rng.random(size) < 0.45).astype(int)
    if not 2 <= hits.sum() <= 4:
        return None
    relevant = sparse.csr_matrix([[*hits, *[1] * missed]])
    found, sizes = ranking.judge(np.arange(size)[None], relevant, size)

    def value(name: str) -> float:
        return float(ranking.METRICS[name](found, sizes)[0])

    names = [one.name for one in different(size + missed, rng)]
    return Judged(names, hits.tolist(), int(sizes[0]), value)


def ap(rng: np.random.Generator) -> Puzzle | None:
    """Draw a list, and ask for average precision."""
    drawn = judged(rng)
    if not drawn:
        return None
    hits, size = drawn.hits, len(drawn.hits)
    best = min(drawn.bought, size)
    ranks = [rank for rank, hit in enumerate(hits, 1) if hit]
    precisions = [n / rank for n, rank in enumerate(ranks, 1)]
    total = sum(precisions)
    rows = [
        (str(rank), f"{n}/{rank} = {n / rank:.3f}") for n, rank in enumerate(ranks, 1)
    ]
    mistakes = {
        "This is Elliot's MAP: the mean of the precisions at all ranks, hit or"
        " not": drawn.values("Elliot MAP"),
        "The sum is divided by the hits in the list, not by what a perfect list would"
        " hold": total / len(ranks),
        "The sum is divided by the length of the list": total / size,
        "This is the precision of the whole list": drawn.values("precision"),
        "This is the rank of the first hit, turned over": 1 / ranks[0],
    }
    steps = [
        "Take the precision at each rank that holds a hit.",
        Table(("rank of a hit", "precision there"), rows),
        f"A perfect list of {size} would hold {best} hits: the smaller of {size} and"
        f" the {drawn.bought} that were bought.",
        f"AP@{size} = ({' + '.join(f'{x:.3f}' for x in precisions)}) / {best}"
        f" = {total / best:.3f}",
    ]
    return drawn.puzzle("AP", mistakes, steps)


def ndcg(rng: np.random.Generator) -> Puzzle | None:
    """Draw a list, and ask for NDCG."""
    drawn = judged(rng)
    if not drawn:
        return None
    hits, size = drawn.hits, len(drawn.hits)
    best = min(drawn.bought, size)
    ranks = [rank for rank, hit in enumerate(hits, 1) if hit]

    def gain(ranks: list[int], discount: Callable[[int], float] = _discount) -> float:
        return sum(map(discount, ranks))

    def ratio(discount: Callable[[int], float]) -> float:
        return gain(ranks, discount) / gain(list(range(1, best + 1)), discount)

    ideal = list(range(1, best + 1))
    rows = [
        (str(rank), f"1/log2({rank + 1}) = {_discount(rank):.3f}", hit)
        for rank in range(1, size + 1)
        if (hit := "yes" if rank in ranks else "no")
    ]
    mistakes = {
        "The ideal list holds only the hits that were found": gain(ranks)
        / gain(list(range(1, len(ranks) + 1))),
        "The discount is 1/rank, without the logarithm": ratio(lambda rank: 1 / rank),
        "The discount is 1/log2(rank), so that rank 2 costs nothing": ratio(
            lambda rank: 1 / log2(max(rank, 2))
        ),
        "The sum is not divided by the ideal one": gain(ranks),
        "This is average precision": drawn.values("AP"),
    }
    steps = [
        "The discount of a rank is 1 / log2(rank + 1). (Another base of the logarithm"
        " would cancel.)",
        Table(("rank", "discount", "hit"), rows),
        f"The list: DCG = {_sum(ranks)} = {gain(ranks):.3f}.",
        f"A perfect list has {best} hits, on ranks 1 to {best} (the smaller of {size}"
        f" and the {drawn.bought} bought): IDCG = {_sum(ideal)} = {gain(ideal):.3f}.",
        f"NDCG@{size} = {gain(ranks):.3f} / {gain(ideal):.3f}"
        f" = {gain(ranks) / gain(ideal):.3f}",
    ]
    return drawn.puzzle("NDCG", mistakes, steps)


def _discount(rank: int) -> float:
    return 1 / log2(rank + 1)


def _sum(ranks: list[int]) -> str:
    return " + ".join(f"{_discount(rank):.3f}" for rank in ranks)


def knn(rng: np.random.Generator) -> Puzzle | None:
    """Draw purchases, and ask for ItemKNN's score of an article for a shopper.

    None where the neighbours depend on how ties are cut.
    """
    bought = (rng.random((SHOPPERS, ARTICLES)) < 0.5).astype(int)
    buyers = bought.sum(axis=0)
    if not buyers.all() or bought[0, 0] or not 2 <= bought[0].sum() <= 3:
        return None
    train = sparse.csr_matrix(bought)
    # ItemKNN's similarities are cosines of the articles' rows of buyers
    model = ContentKNN(bought.T.astype(float), NEIGHBOURS).fit(train)
    value = float((train[[0]] @ model.similar).toarray()[0, 0])

    names = [one.name for one in different(ARTICLES, rng)]
    letters = "ABCDE"
    common = (bought.T @ bought)[0, 1:].tolist()  # shoppers who bought A and another
    others = range(1, ARTICLES)
    cosines = [
        n / sqrt(buyers[0] * buyers[other])
        for n, other in zip(common, others, strict=True)
    ]
    order = sorted(range(4), key=lambda place: -cosines[place])
    near = order[:NEIGHBOURS]
    if cosines[near[-1]] - cosines[order[NEIGHBOURS]] < 1e-6:
        return None

    def score(values: list[float], among: list[int]) -> float:
        return sum(values[place] for place in among if bought[0, place + 1])

    unions = [
        n / (buyers[0] + buyers[other] - n)
        for n, other in zip(common, others, strict=True)
    ]
    counted = [place for place in near if bought[0, place + 1]]
    if not counted:
        return None
    rows = [
        (
            letters[other],
            str(n),
            f"{n}/√({buyers[0]} × {buyers[other]}) = {cosine:.3f}",
            "yes" if other - 1 in near else "no",
            "yes" if bought[0, other] else "no",
        )
        for other, n, cosine in zip(others, common, cosines, strict=True)
    ]
    chosen = " + ".join(f"{cosines[place]:.3f}" for place in counted)
    if counted[1:]:
        chosen += f" = {score(cosines, near):.3f}"
    table = [
        (str(n), *("1" if one else "0" for one in row))
        for n, row in enumerate(bought, 1)
    ]
    return Puzzle(
        given={"bought": bought.tolist()},
        text=[
            "Six shoppers and five drawn garments: "
            + ", ".join(
                f"{x} is {name}" for x, name in zip(letters, names, strict=True)
            )
            + ". A 1 says that the shopper bought it.",
            Table(("shopper", *letters), table),
            f"ItemKNN looks at the {NEIGHBOURS} nearest neighbours of an article, by"
            " the cosine of who bought it. The score of an article is the sum of its"
            " cosines with those of its neighbours that the shopper bought. What is"
            " article A's score for shopper 1, with three decimals?",
        ],
        value=value,
        mistakes={
            f"All articles count, not the {NEIGHBOURS} nearest": score(cosines, order),
            "The similarity is shared buyers over all buyers of either, not the"
            " cosine": score(unions, near),
            "The article counts as its own first neighbour, as in Elliot": score(
                cosines, near[: NEIGHBOURS - 1]
            ),
            "Counts of shared buyers stand in place of cosines": float(
                score(common, near)
            ),
            "The neighbours that shopper 1 didn't buy count too": sum(
                cosines[place] for place in near
            ),
            "The mean of the neighbours stands in place of the sum": score(
                cosines, near
            )
            / NEIGHBOURS,
        },
        steps=[
            "The cosine of two articles is the number of shoppers who bought both, over"
            " the root of the product of their numbers of buyers. Article A has"
            f" {buyers[0]} buyers.",
            Table(
                ("with", "both", "cosine", "a neighbour", "shopper 1 bought it"), rows
            ),
            f"Score = {chosen}",
        ],
    )
