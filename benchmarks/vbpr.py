"""Compare VBPR with cornac's: CPU seconds and NDCG@12 epoch by epoch, and scoring.

Shoppers and items are made up at a fraction of H&M's size (1/50: 27,200 users, 14,601
items, about 500,000 train pairs, features of 1408 dimensions). Each shopper has three
of 400 styles; a style likes items whose 16 hidden looks lie its way, and popular ones;
the features are noisy projections of the looks. A random fifth of the pairs is the
test.

Both sides have 10 + 10 factors, cornac's default, and the rest of their own defaults,
on one CPU thread in one run. An epoch is one pass over the train pairs, sampling
included; quality is this library's NDCG@12 of up to 4,000 users, measured after each
epoch and not timed. "Best" is the best epoch of a curve, chosen on the test for both
sides.

Scoring: the 12 best of 103,251 items, vectors of 128 numbers, bought items left out:
`scoring.top_n`, which picks from tiles of the matrix product, against the whole product
and torch.topk, and against cornac's ranking_eval, which goes user by user.

    python -m benchmarks.vbpr [--scale 0.02] [--epochs 6] [--at-1024 4] [--at-100 2]
                              [--users 2048]
    # a GPU: H&M's size, 1.36 million users, 2 epochs; about 3 minutes
    python -m benchmarks.vbpr --full
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Iterator
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
import torch
from scipy import sparse

from benchmarks.measuring import Figure, options, report, timed, version
from fashionlib.recommending import library, ranking, scoring
from fashionlib.recommending.vbpr import VBPR

USERS, ITEMS, PAIRS = (
    1_360_000,
    103_251,
    30_700_000,
)  # pairs before the split; items shrink with the root of the scale
DIM, FACTORS, STYLES, LOOKS = 1408, 10, 400, 16
TOP, VECTOR = 12, 128


class Shop(NamedTuple):
    """Made-up interactions, split into train and test, and the items' features."""

    train: sparse.csr_matrix  # (users, items)
    test: sparse.csr_matrix  # (users, items)
    features: np.ndarray  # (items, DIM) float32
    judged: np.ndarray  # users with train and test pairs, 4,000 at most


def made_up(scale: float, seed: int = 0) -> Shop:
    rng = np.random.default_rng(seed)
    users = round(USERS * scale)
    items = round(ITEMS * scale**0.5)
    looks = rng.standard_normal((items, LOOKS), dtype=np.float32)
    ways = rng.standard_normal((STYLES, LOOKS), dtype=np.float32)
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    chances = np.cumsum(
        np.exp(rng.normal(0, 1, items) + 3.0 * (ways @ looks.T)), axis=1
    )  # (STYLES, items)
    size = rng.lognormal(2.25, 1.25, users)
    size = np.clip(
        np.round(size * 1.4 * PAIRS * scale / users / size.mean()), 1, 1900
    ).astype(int)
    user = np.repeat(np.arange(users), size)
    style = rng.integers(STYLES, size=(users, 3))[user, rng.integers(3, size=len(user))]
    order = np.argsort(style, kind="stable")
    item = np.empty(len(user), np.int64)
    for mine, at in zip(
        chances,
        np.split(order, np.cumsum(np.bincount(style, minlength=STYLES))[:-1]),
        strict=True,
    ):
        item[at] = np.searchsorted(mine, rng.random(len(at)) * mine[-1] * (1 - 1e-9))
    keys = np.unique(user * items + item)
    test = rng.random(len(keys)) < 0.2
    train, held = (
        sparse.csr_matrix(
            (np.ones(len(k), np.float32), (k // items, k % items)), shape=(users, items)
        )
        for k in (keys[~test], keys[test])
    )
    features = looks @ rng.standard_normal((LOOKS, DIM), dtype=np.float32)
    features += 4 * rng.standard_normal((items, DIM), dtype=np.float32)
    both = np.flatnonzero((np.diff(train.indptr) > 0) & (np.diff(held.indptr) > 0))
    return Shop(train, held, features, rng.permutation(both)[:4000])


def quality(shop: Shop, lists: np.ndarray) -> float:
    return float(
        ranking.ndcg(*ranking.judge(lists, shop.test[shop.judged], TOP)).mean()
    )


class Curve(list):
    """One (CPU seconds, NDCG@12) per epoch."""

    def summary(self) -> dict[str, Any]:
        """Return the curve's times, its values and its best epoch."""
        seconds, found = zip(*self, strict=True)
        best = int(np.argmax(found))
        return {
            "an epoch": float(np.median(seconds)),
            "to the best": sum(seconds[: best + 1]),
            "best": found[best],
            "NDCG@12 by epoch": [round(value, 4) for value in found],
        }


class Watched(VBPR):
    """Our VBPR, which notes its curve."""

    def watch(self, shop: Shop) -> Curve:
        """Fit the model; return its curve."""
        self.shop, self.curve, self.device = shop, Curve(), "cpu"
        self.fit(shop.train)
        return self.curve

    def _epoch(self, optimisers: list[torch.optim.Optimizer]) -> float:
        started = time.process_time()
        loss = super()._epoch(optimisers)
        self.curve.append(
            (
                time.process_time() - started,
                quality(self.shop, self.recommend(self.shop.judged, TOP)),
            )
        )
        return loss


def cornac_curve(shop: Shop, epochs: int, **options: Any) -> Curve:
    """Watch cornac's VBPR likewise, through its optimiser and its batches."""
    from cornac.data import Dataset

    features = (
        (shop.features - shop.features.mean(0)) / shop.features.std(0) / DIM**0.5
    )  # rows of length 1, as ours
    curve, made = Curve(), []
    adam, batches = torch.optim.Adam, Dataset.uij_iter

    def optimiser(weights: list[torch.Tensor], **kept: Any) -> torch.optim.Optimizer:
        made[:] = weights
        return adam(weights, **kept)

    def watched(*given: Any, **kept: Any) -> Iterator[tuple]:
        started = time.process_time()
        yield from batches(*given, **kept)
        seconds = time.process_time() - started
        weights = [weight.detach() for weight in made]
        biases, users, items, tastes, embed, visual = weights
        visible = torch.from_numpy(features)
        lists = scoring.top_n(
            torch.cat([users, tastes], 1),
            torch.cat([items, visible @ embed], 1),
            biases + (visible @ visual).squeeze(1),
            shop.judged,
            shop.train,
            TOP,
        )
        curve.append((seconds, quality(shop, lists)))

    with (
        mock.patch.object(torch.optim, "Adam", optimiser),
        mock.patch.object(Dataset, "uij_iter", watched),
    ):
        library.CornacVBPR(
            features, n_epochs=epochs, k=FACTORS, k2=FACTORS, **options
        ).fit(shop.train)
    return curve


def training(
    shop: Shop, epochs: int, at_1024: int, at_100: int
) -> tuple[list[Figure], dict[str, Any]]:
    ours = Watched(shop.features, factors=FACTORS, epochs=epochs, check=epochs)
    found = {"ours": ours.watch(shop).summary()}
    mine, pairs, figures = found["ours"], f"{shop.train.nnz:,} pairs", []
    for batch, count, goal in ((1024, at_1024, 5), (100, at_100, 20)):
        name = f"{version('cornac')}, batch {batch}"
        theirs = found[name] = cornac_curve(shop, count, batch_size=batch).summary()
        quality = f"best NDCG@12 {mine['best']:.4f}, cornac's {theirs['best']:.4f}"
        cost = mine["an epoch"], "s", name, theirs["an epoch"], goal, quality
        figures.append(Figure(f"VBPR, an epoch of {pairs}", *cost))
        if batch == 1024:  # a default of both; the other runs for two epochs only
            cost = mine["to the best"], "s", name, theirs["to the best"]
            figures.append(Figure("VBPR, to its best epoch", *cost, note=quality))
    return figures, found


def tables(
    count: int, items: int, seed: int = 0
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, sparse.csr_matrix]:
    """User vectors, item vectors, biases and the purchases, 20 a user."""
    generator, rng = torch.Generator().manual_seed(seed), np.random.default_rng(seed)
    users, vectors = (
        torch.randn(rows, VECTOR, generator=generator) * 0.1 for rows in (count, items)
    )
    rows = np.repeat(np.arange(count), 20)
    seen = sparse.csr_matrix(
        (np.ones(len(rows)), (rows, rng.integers(items, size=len(rows)))),
        shape=(count, items),
    )
    return users, vectors, torch.randn(items, generator=generator) * 0.1, seen


def score(count: int) -> tuple[list[Figure], dict[str, Any]]:
    users, vectors, biases, seen = tables(count, ITEMS)
    seen.sum_duplicates()
    scoring.top_n(users[:2], vectors, biases, np.arange(2), seen[:2], TOP)  # compiled
    asked, cost, lists = np.arange(count), {}, {}
    for name, best, block in (
        ("tiles", scoring._on_cpu, scoring.USERS),
        ("torch.topk", scoring._on_gpu, 256),
    ):
        with mock.patch.multiple(scoring, _on_cpu=best, USERS=block):
            lists[name], seconds = timed(
                lambda: scoring.top_n(users, vectors, biases, asked, seen, TOP)
            )
        cost[name] = 1000 * seconds / count
    _, product = timed(lambda: torch.addmm(biases, users[:256], vectors.T))
    same = (
        f"{(lists['tiles'] == lists['torch.topk']).mean():.1%} of the places the same"
    )
    ours, what = cost["tiles"], f"a user's top {TOP} of {ITEMS:,} items"
    eval_name, theirs = f"{version('cornac')}'s ranking_eval", cornac_eval(vectors)
    figures = [
        Figure(what, ours, "ms", "torch.topk", cost["torch.topk"], note=same),
        Figure(what, ours, "ms", eval_name, 1000 * theirs),
        Figure(f"the lists of {USERS:,} users, scaled up", ours * USERS / 6e4, "min"),
    ]
    return figures, {"users": count, "ms of the product": 1000 * product / 256}


def cornac_eval(vectors: torch.Tensor, count: int = 60) -> float:
    """Return CPU seconds a user of cornac's ranking_eval, NDCG@12.

    The vectors have the same sizes.
    """
    from cornac.eval_methods.base_method import ranking_eval
    from cornac.metrics import NDCG

    train, test = (tables(count, ITEMS, seed)[3] for seed in (1, 2))
    half = VECTOR // 2
    model = (
        library.CornacVBPR(
            np.zeros((ITEMS, 1), np.float32), n_epochs=0, k=half, k2=half
        )
        .fit(train)
        .model
    )
    model.gamma_item, model.theta_item = (
        part.numpy().copy() for part in vectors.split(half, dim=1)
    )
    started = time.process_time()
    ranking_eval(model, [NDCG(k=TOP)], library.dataset(train), library.dataset(test))
    return (time.process_time() - started) / count


def full(epochs: int) -> tuple[list[Figure], dict[str, Any]]:
    """H&M's size on a GPU: seconds of the wall."""
    if not torch.cuda.is_available():
        raise SystemExit(
            "--full needs a GPU: on a CPU an epoch takes minutes; run without it"
        )
    marks = [("", time.perf_counter())]

    def mark(name: str) -> None:
        torch.cuda.synchronize()
        marks.append((name, time.perf_counter()))
        sys.stderr.write(f"{name}\n")

    shop = made_up(1.0)
    mark("data made up")
    model = VBPR(shop.features, epochs=epochs, batch_size=16_384, check=epochs)
    prepare = model._start

    def start(learn: sparse.csr_matrix) -> None:
        prepare(learn)
        mark("principal components, held-out slice, weights")

    model._start = start
    model.fit(shop.train)
    mark(f"{epochs} epochs of training")
    lists = model.recommend(np.arange(shop.train.shape[0]), TOP)
    mark(f"top {TOP} of all users")
    values = {
        "users": shop.train.shape[0],
        "items": shop.train.shape[1],
        "train pairs": shop.train.nnz,
        "loss": model.history[-1]["loss"],
        "NDCG@12": quality(shop, lists[shop.judged]),
        "NDCG@12 of the most popular": popular(shop),
    }
    figures = [
        Figure(f"VBPR at H&M's size: {name}, of the wall", at - before)
        for (_, before), (name, at) in itertools.pairwise(marks)
    ]
    memory = torch.cuda.max_memory_allocated() / 2**30
    return [*figures, Figure("its peak of GPU memory", memory, "GiB")], values


def popular(shop: Shop) -> float:
    from fashionlib.recommending import MostPop

    return quality(shop, MostPop().fit(shop.train).recommend(shop.judged, TOP))


def main() -> None:
    given = options(
        __doc__, scale=0.02, epochs=6, at_1024=4, at_100=2, users=2048, full=False
    )
    if given.full:
        report(*full(2))
        return
    torch.set_num_threads(1)
    shop = made_up(given.scale)
    trained, curves = training(shop, given.epochs, given.at_1024, given.at_100)
    scored, parts = score(given.users)
    sizes = {"users": shop.train.shape[0], "items": shop.train.shape[1]}
    values = {"sizes": sizes, "NDCG@12 of the most popular": popular(shop)}
    report([*trained, *scored], values | {"training": curves, "scoring": parts})


if __name__ == "__main__":
    main()
