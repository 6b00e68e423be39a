"""The one training loop of the models that score by an inner product.

These are VBPR and BPR-MF, FREEDOM and BM3.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from scipy import sparse
from torch import Tensor
from tqdm import tqdm

from fashionlib.data.files import atomic
from fashionlib.features.chunks import digest_row
from fashionlib.features.threads import one_thread
from fashionlib.recommending import ranking
from fashionlib.recommending.scoring import top_n

MEAN, SQUARE, EPSILON = 0.9, 0.999, 1e-8  # Adam's, as in torch


@dataclass(eq=False)
class InnerProduct:
    """x(u, i) = user vector . item vector + item bias.

    A child says what the vectors are and how they are learnt: `_start`, `_loss`
    or `_triples`, `_vectors`, `_weights`, and `_new_epoch` where each epoch draws
    something anew.

    An epoch visits every train pair once, in random order, `batch_size` together. Every
    `check` epochs NDCG@12 is measured on one random train item of up to 5,000 users (at
    most 10 % of the pairs), kept out of training; after `patience` epochs without a
    better one training stops, and the best weights are restored. After fit: `history`,
    one dict per epoch (epoch, loss, ndcg or None). NDCG@12 of `watched`, a matrix like
    the test's, is noted there beside it and chooses nothing. What is learnt is left in
    the folder `place`, if one is given; a model of the same kind, options, features and
    purchases takes it from there. On the CPU fit runs on one thread, so that the same
    seed gives the same numbers; on a GPU sums of floats come in any order, and it
    doesn't.
    """

    features: Any
    factors: int = 64
    epochs: int = 200
    batch_size: int = 2048
    lr: float = 0.01
    penalty: float = 0.01
    check: int = 5
    patience: int = 20
    seed: int = 42
    watched: sparse.csr_matrix | None = None
    place: Path | None = None

    def __post_init__(self) -> None:
        self.device = "cuda" if torch.cuda.is_available() else "cpu"

    @one_thread()
    def fit(self, train: sparse.csr_matrix) -> Self:
        """Train on the (users, items) matrix.

        ValueError when features have not one finite row per column of `train`, or the
        loss overflows.
        """
        self.train = train.tocsr().sorted_indices()
        learn, held = _hold_out(self.train, np.random.default_rng(self.seed))
        self._start(learn)
        path = self.place and self.place / f"{self._key()}.safetensors"
        if path and path.is_file():
            self._read(path)
        else:
            self._learn(learn, held)
            if path:
                self._write(path)
        self._forget()
        return self

    def _learn(self, learn: sparse.csr_matrix, held: sparse.csr_matrix) -> None:
        self.pairs = Pairs(learn, self.seed, self.device)
        optimisers = self._optimisers()
        self.history, best, best_epoch = [], -1.0, 0
        bar = tqdm(range(1, self.epochs + 1), desc=type(self).__name__, unit="epoch")
        for epoch in bar:
            loss = self._epoch(optimisers)
            checked = epoch % self.check == 0 or epoch == self.epochs
            ndcg = self._validate(learn, held) if checked and held.nnz else None
            row = {"epoch": epoch, "loss": loss, "ndcg": ndcg}
            if checked and self.watched is not None:
                row["watched"] = self._validate(self.train, self.watched)
            self.history.append(row)
            if ndcg is not None and ndcg > best:
                best, best_epoch = ndcg, epoch
                copies = [weight.detach().clone() for weight in self._weights()]
            bar.set_postfix_str(
                f"loss {loss:.3f} best {max(best, 0):.4f} at {best_epoch}"
            )
            if best_epoch and epoch - best_epoch >= self.patience:
                break
        if best_epoch:
            with torch.no_grad():
                for weight, copy in zip(self._weights(), copies, strict=True):
                    weight.copy_(copy)

    def _key(self) -> str:
        """Hash all that the weights depend on, but the code."""
        options = {f.name: getattr(self, f.name) for f in fields(self)}
        del options["place"]
        settings = [type(self).__name__, options, self.train]
        whole = json.dumps(settings, default=_digest)
        return hashlib.sha256(whole.encode()).hexdigest()[:16]

    @torch.no_grad()
    def _read(self, path: Path) -> None:
        with safe_open(path, "pt", self.device) as saved:
            self.history = json.loads(saved.metadata()["history"])
            for place, weight in enumerate(self._weights()):
                weight.copy_(saved.get_tensor(str(place)))

    def _write(self, path: Path) -> None:
        weights = {str(n): w.detach() for n, w in enumerate(self._weights())}
        with atomic(path) as part:
            save_file(weights, part, {"history": json.dumps(self.history)})

    @property
    def best_epoch(self) -> int:
        """Return the epoch whose weights stay: the best checked one or the last."""
        checked = [row for row in self.history if row["ndcg"] is not None]
        best = max(checked or self.history[-1:], key=lambda row: row["ndcg"] or 0)
        return best["epoch"]

    @property
    def still_rising(self) -> bool:
        """Say whether the epochs ran out before `patience` of them brought no gain.

        Then a longer training may be better, and the model's place in a table is open.
        """
        return len(self.history) - self.best_epoch < self.patience

    @torch.no_grad()
    def recommend(self, users: np.ndarray, n: int, repeats: bool = False) -> np.ndarray:
        """Return (len(users), n) item positions; see `Model.recommend`."""
        return top_n(*self._vectors(), users, self.train, n, repeats)

    @torch.no_grad()
    def scores(self, users: np.ndarray) -> np.ndarray:
        """Return (len(users), items) x(u, i) for every item, bought or not."""
        vectors, items, biases = self._vectors()
        chosen = vectors[torch.as_tensor(users, device=self.device)]
        return torch.addmm(biases, chosen, items.T).cpu().numpy()

    def _start(self, learn: sparse.csr_matrix) -> None:
        """Make the weights, small and random, and what else training needs."""
        raise NotImplementedError

    def _weights(self) -> list[Tensor]:
        """Return all that is learnt."""
        raise NotImplementedError

    def _forget(self) -> None:
        """Drop what training alone needs and is large: nothing, unless a child does."""

    def _optimisers(self) -> list[torch.optim.Optimizer | Table]:
        return [torch.optim.Adam(self._weights(), lr=self.lr, fused=True)]

    def _loss(self, users: Tensor, bought: Tensor) -> Tensor:
        """Return the mean loss of a batch of train pairs, positions (B,) each.

        That is `_triples` with an item that each user has not bought, unless a child
        needs other negatives or none.
        """
        return self._triples(users, bought, self.pairs.negatives(users))

    def _vectors(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return user vectors (users, d), item vectors (items, d), biases (items,)."""
        raise NotImplementedError

    def _new_epoch(self) -> None:
        """Draw what changes from epoch to epoch: nothing, unless the child says so."""

    def _epoch(self, optimisers: list[torch.optim.Optimizer | Table]) -> float:
        self._new_epoch()
        total, count = torch.zeros((), device=self.device), 0
        for users, bought in self.pairs.batches(self.batch_size):
            loss = self._loss(users, bought)
            loss.backward()
            for optimiser in optimisers:
                optimiser.step()
                optimiser.zero_grad()
            total, count = total + loss.detach() * len(users), count + len(users)
        mean = float(total) / max(count, 1)
        if not np.isfinite(mean):
            raise ValueError(
                f"the loss of epoch {len(self.history) + 1} is {mean} at lr {self.lr}:"
                " lower lr"
            )
        return mean

    @torch.no_grad()
    def _validate(self, learn: sparse.csr_matrix, held: sparse.csr_matrix) -> float:
        users = np.flatnonzero(np.diff(held.indptr))
        k = min(12, learn.shape[1])
        lists = top_n(*self._vectors(), users, learn, k)
        hits, sizes = ranking.judge(lists, held[users], k)
        return float(ranking.ndcg(hits, sizes).mean())


def _digest(matrix: np.ndarray | sparse.csr_matrix) -> list[Any]:
    """Name features or purchases by their shape and a hash."""
    if sparse.issparse(matrix):
        parts = (matrix.indptr, matrix.indices, matrix.data)
        return [matrix.shape, *map(_digest, parts)]
    return [matrix.shape, str(matrix.dtype), digest_row(matrix).hex()]


class Table:
    """Rows of which only a batch's move, by Adam (Kingma and Ba, ICLR 2015).

    What torch's `SparseAdam` does, at half its cost: a batch's rows are gathered once,
    learnt as a small dense matrix, and put back.
    """

    def __init__(self, weight: Tensor, lr: float) -> None:
        self.weight, self.lr, self.steps = weight, lr, 0
        self.mean, self.square = torch.zeros_like(weight), torch.zeros_like(weight)

    def __call__(self, rows: Tensor) -> Tensor:
        """Return these rows, (B, width), and be ready to learn from their gradient."""
        self.rows, places = torch.unique(rows, return_inverse=True)
        self.batch = self.weight.index_select(0, self.rows).requires_grad_()
        return self.batch.index_select(0, places)

    def all(self) -> Tensor:
        """Return all rows likewise."""
        return self(torch.arange(len(self.weight), device=self.weight.device))

    @torch.no_grad()
    def step(self) -> None:
        """Move the rows of the last batch."""
        self.steps += 1
        slope, rows = self.batch.grad, self.rows
        mean = self.mean.index_select(0, rows).lerp_(slope, 1 - MEAN)
        square = self.square.index_select(0, rows).mul_(SQUARE)
        square.addcmul_(slope, slope, value=1 - SQUARE)
        root = (square / (1 - SQUARE**self.steps)).sqrt_().add_(EPSILON)
        size = self.lr / (1 - MEAN**self.steps)
        self.weight.index_copy_(0, rows, self.batch.addcdiv(mean, root, value=-size))
        self.mean.index_copy_(0, rows, mean)
        self.square.index_copy_(0, rows, square)

    def zero_grad(self) -> None:
        """Do nothing: the next batch has other rows."""


class Pairs:
    """The train pairs on a device, drawn in batches, and negatives for them."""

    def __init__(self, train: sparse.csr_matrix, seed: int, device: str) -> None:
        items, degree = train.shape[1], np.diff(train.indptr)
        users = np.repeat(np.arange(train.shape[0]), degree)
        # one number per pair, sorted
        self.keys = torch.from_numpy(users * items + train.indices).to(device)
        self.items = items
        # who bought everything has no negative
        usable = torch.from_numpy(np.repeat(degree < items, degree)).to(device)
        self.usable = self.keys[usable]
        self.generator = torch.Generator(device).manual_seed(seed)

    def batches(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield (users, bought) positions, int64 (B,): every pair once, shuffled."""
        order = torch.randperm(
            len(self.usable), generator=self.generator, device=self.usable.device
        )
        for batch in order.split(size):
            keys = self.usable[batch]
            yield keys // self.items, keys % self.items

    def negatives(self, users: Tensor) -> Tensor:
        """Draw (B,) items uniformly among those that each user has not bought."""
        base, negatives = users * self.items, self._draw(len(users))
        redo = torch.arange(len(users), device=users.device)
        while True:
            wanted = base[redo] + negatives[redo]
            place = torch.searchsorted(self.keys, wanted).clamp_(max=len(self.keys) - 1)
            redo = redo[self.keys[place] == wanted]
            if len(redo) == 0:
                return negatives
            negatives[redo] = self._draw(len(redo))

    def _draw(self, count: int) -> Tensor:
        return torch.randint(
            self.items, (count,), generator=self.generator, device=self.keys.device
        )


def initial_weights(
    rows: int, dim: int, generator: torch.Generator, device: str
) -> Tensor:
    """Draw (rows, dim) normal numbers, rows of length 0.1 on average."""
    return torch.randn(rows, dim, generator=generator).mul_(0.1 / dim**0.5).to(device)


def prepare_features(
    features: np.ndarray, items: int, pca: int | None, seed: int
) -> np.ndarray:
    """Return (items, pca or dim) float32, rows of length 1 on average.

    Columns are standardised, then reduced to principal components. ValueError when
    there is not one finite row per item.
    """
    features = np.asarray(features, dtype=np.float32)
    if features.ndim != 2 or len(features) != items or not np.isfinite(features).all():
        raise ValueError(
            f"features of shape {features.shape} for {items} items: give one finite row"
            " per item"
        )
    spread = features.std(axis=0)
    features = (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1)
    if pca is not None and pca < min(features.shape):
        from sklearn.decomposition import PCA

        model = PCA(pca, svd_solver="randomized", random_state=seed)
        features = model.fit_transform(features)
    length = float(np.sqrt((features**2).sum(axis=1).mean()))
    return features / max(length, 1e-12)


def _hold_out(
    train: sparse.csr_matrix, random: np.random.Generator
) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Move one random item of some users with two or more: (learn, held).

    The matrix has no dates, so it is a random item and not the last one. At most 5,000
    users and 10 % of the pairs; where that leaves fewer than 100 users nothing is held,
    for their mean would be noise.
    """
    degree = np.diff(train.indptr)
    able = np.flatnonzero(degree >= 2)
    size = min(5000, len(able), train.nnz // 10)
    users = random.choice(able, size=size if size >= 100 else 0, replace=False)
    offset = (random.random(len(users)) * degree[users]).astype(np.int64)
    is_held = np.zeros(train.nnz, dtype=bool)
    is_held[train.indptr[users] + offset] = True
    rows = np.repeat(np.arange(train.shape[0]), degree)

    def part(chosen: np.ndarray) -> sparse.csr_matrix:
        places = rows[chosen], train.indices[chosen]
        return sparse.csr_matrix((np.ones(chosen.sum()), places), shape=train.shape)

    return part(~is_held), part(is_held)
