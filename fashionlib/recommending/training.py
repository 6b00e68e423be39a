"""The one training loop of the models that score by an inner product: VBPR and BPR-MF,
FREEDOM, BM3.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

import numpy as np
import torch
from scipy import sparse
from torch import Tensor
from tqdm import tqdm

from fashionlib.features.threads import one_thread
from fashionlib.recommending import ranking
from fashionlib.recommending.scoring import top_n


class InnerProduct:
    """x(u, i) = user vector . item vector + item bias. A child says what the vectors
    are and how they are learnt: `_start`, `_loss`, `_vectors`, `_weights`, and
    `_new_epoch` where each epoch draws something anew.

    An epoch visits every train pair once, in random order, `batch_size` together. Every
    `check` epochs NDCG@12 is measured on one random train purchase of up to 2,000 users
    (at most 5 % of the pairs), kept out of training; after `patience` checks without a
    better one training stops, and the best weights are restored. After fit: `history`,
    one dict per epoch (epoch, loss, ndcg or None). On the CPU fit runs on one thread,
    so that the same seed gives the same numbers; on a GPU sums of floats come in any
    order, and it doesn't.
    """

    def __init__(
        self,
        epochs: int,
        batch_size: int,
        lr: float,
        check: int,
        patience: int,
        seed: int,
    ) -> None:
        self.epochs, self.batch_size, self.lr = epochs, batch_size, lr
        self.check, self.patience, self.seed = check, patience, seed
        self.device = "cuda" if torch.cuda.is_available() else "cpu"

    def fit(self, train: sparse.csr_matrix) -> Self:
        """Raises ValueError when features have not one finite row per column of
        `train`, or the loss overflows.
        """
        with one_thread():
            return self._fit(train.tocsr())

    @torch.no_grad()
    def recommend(self, users: np.ndarray, n: int, repeats: bool = False) -> np.ndarray:
        """(len(users), n) item positions, best first; train items only with `repeats`;
        -1 for an empty place.
        """
        return self._best(users, n, None if repeats else self.train)

    @torch.no_grad()
    def scores(self, users: np.ndarray) -> np.ndarray:
        """(len(users), items) x(u, i) for every item, bought or not."""
        vectors, items, biases = self._vectors()
        return (
            torch.addmm(
                biases, vectors[torch.as_tensor(users, device=self.device)], items.T
            )
            .cpu()
            .numpy()
        )

    def _start(self, learn: sparse.csr_matrix) -> None:
        """Make the weights, small and random, and what else a child needs to know of
        the train purchases.
        """
        raise NotImplementedError

    def _weights(self) -> list[Table | Tensor]:
        """All that is learnt: tables, of whose rows a batch moves some, and tensors,
        which it moves as a whole.
        """
        raise NotImplementedError

    def _loss(self, users: Tensor, bought: Tensor) -> Tensor:
        """The mean loss of a batch of train pairs, positions (B,) each."""
        raise NotImplementedError

    def _vectors(self) -> tuple[Tensor, Tensor, Tensor]:
        """User vectors (users, d), item vectors (items, d) and item biases (items,)."""
        raise NotImplementedError

    def _new_epoch(self) -> None:
        """Draw what changes from epoch to epoch: nothing, unless the child says so."""

    def _fit(self, train: sparse.csr_matrix) -> Self:
        self.train = train.sorted_indices()
        learn, held = _hold_out(self.train, np.random.default_rng(self.seed))
        self._start(learn)
        self.pairs = Pairs(learn, self.seed, self.device)
        tensors = [weight for weight in self._weights() if isinstance(weight, Tensor)]
        optimiser = torch.optim.Adam(tensors, lr=self.lr) if tensors else None
        self.history, best, best_epoch = [], -1.0, 0
        bar = tqdm(range(1, self.epochs + 1), desc=type(self).__name__, unit="epoch")
        for epoch in bar:
            loss = self._epoch(optimiser)
            checked = epoch % self.check == 0 or epoch == self.epochs
            ndcg = self._validate(learn, held) if checked and held.nnz else None
            self.history.append({"epoch": epoch, "loss": loss, "ndcg": ndcg})
            if ndcg is not None and ndcg > best:
                best, best_epoch, kept = (
                    ndcg,
                    epoch,
                    [tensor.detach().clone() for tensor in self._tensors()],
                )
            bar.set_postfix_str(
                f"loss {loss:.3f} best {max(best, 0):.4f} at {best_epoch}"
            )
            if best_epoch and epoch - best_epoch >= self.patience * self.check:
                break
        if best_epoch:
            self._restore(kept)
        return self

    def _epoch(self, optimiser: torch.optim.Optimizer | None) -> float:
        self._new_epoch()
        tables = [weight for weight in self._weights() if isinstance(weight, Table)]
        total, count = torch.zeros((), device=self.device), 0
        for users, bought in self.pairs.batches(self.batch_size):
            loss = self._loss(users, bought)
            loss.backward()
            for table in tables:
                table.step(self.lr)
            if optimiser is not None:
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
    def _best(
        self, users: np.ndarray, n: int, seen: sparse.csr_matrix | None
    ) -> np.ndarray:
        vectors, items, biases = self._vectors()
        return top_n(vectors, items, biases, users, seen, n)

    @torch.no_grad()
    def _validate(self, learn: sparse.csr_matrix, held: sparse.csr_matrix) -> float:
        users = np.flatnonzero(np.diff(held.indptr))
        k = min(12, learn.shape[1])
        return float(ranking.ndcg(self._best(users, k, learn), held[users], k).mean())

    def _tensors(self) -> list[Tensor]:
        return [
            weight.weight if isinstance(weight, Table) else weight
            for weight in self._weights()
        ]

    @torch.no_grad()
    def _restore(self, kept: list[Tensor]) -> None:
        for mine, best in zip(self._tensors(), kept, strict=True):
            mine.copy_(best)


class Table:
    """An embedding of which only the rows of a batch are read, get a gradient and move:
    lazy Adam (Kingma and Ba, ICLR 2015). Same numbers as torch's Embedding(sparse=True)
    and SparseAdam, at a part of the cost.
    """

    def __init__(self, weight: Tensor) -> None:
        self.weight = weight  # (rows, dim)
        self.mean, self.square = torch.zeros_like(weight), torch.zeros_like(weight)
        self.steps = 0

    def __getitem__(self, ids: Tensor) -> Tensor:
        """(len(ids), dim) rows, differentiable; the next `step` moves them."""
        self._rows, place = ids.unique(return_inverse=True)
        self._leaf = self.weight.index_select(0, self._rows).requires_grad_()
        return self._leaf.index_select(
            0, place
        )  # its backward adds up the gradients of a row met twice

    @torch.no_grad()
    def step(
        self,
        lr: float,
        decay: float = 0.9,
        square_decay: float = 0.999,
        eps: float = 1e-8,
    ) -> None:
        """Move the rows last read against their gradient."""
        self.steps += 1
        rows, slope = self._rows, self._leaf.grad
        mean = self.mean.index_select(0, rows).lerp_(slope, 1 - decay)
        square = (
            self.square.index_select(0, rows)
            .mul_(square_decay)
            .addcmul_(slope, slope, value=1 - square_decay)
        )
        self.mean.index_copy_(0, rows, mean)
        self.square.index_copy_(0, rows, square)
        size = lr * (1 - square_decay**self.steps) ** 0.5 / (1 - decay**self.steps)
        self.weight.index_add_(
            0, rows, mean.div_(square.sqrt_().add_(eps)), alpha=-size
        )


class Pairs:
    """The train purchases on a device, drawn in batches, and items that a user has not
    bought.
    """

    def __init__(self, train: sparse.csr_matrix, seed: int, device: str) -> None:
        items, degree = train.shape[1], np.diff(train.indptr)
        users = np.repeat(np.arange(train.shape[0]), degree)
        keys = torch.from_numpy(users * items + train.indices).to(device)
        self.keys, self.items = keys, items  # sorted, one number per pair
        open_ = torch.from_numpy(np.repeat(degree < items, degree)).to(device)
        self.usable = (
            keys if bool(open_.all()) else keys[open_]
        )  # who bought everything has no negative
        self.generator = torch.Generator(device).manual_seed(seed)

    def batches(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """(users, bought) positions, int64 (B,): every pair once, in random order."""
        order = torch.randperm(
            len(self.usable), generator=self.generator, device=self.usable.device
        )
        for some in order.split(size):
            keys = self.usable[some]
            yield keys // self.items, keys % self.items

    def others(self, users: Tensor) -> Tensor:
        """(B,) items drawn uniformly among those that each user has not bought."""
        base, other = users * self.items, self._draw(len(users))
        redo = torch.arange(len(users), device=users.device)
        while True:
            wanted = base[redo] + other[redo]
            place = torch.searchsorted(self.keys, wanted).clamp_(max=len(self.keys) - 1)
            redo = redo[self.keys[place] == wanted]
            if len(redo) == 0:
                return other
            other[redo] = self._draw(len(redo))

    def _draw(self, count: int) -> Tensor:
        return torch.randint(
            self.items, (count,), generator=self.generator, device=self.keys.device
        )


def small(rows: int, dim: int, generator: torch.Generator, device: str) -> Tensor:
    """(rows, dim) normal numbers, rows of length 0.1 on average: what weights start
    from.
    """
    return torch.randn(rows, dim, generator=generator).mul_(0.1 / dim**0.5).to(device)


def prepared(
    features: np.ndarray, items: int, pca: int | None, seed: int
) -> np.ndarray:
    """(items, pca or dim) float32: columns standardised, principal components, rows of
    length 1 on average.

    Raises ValueError when there is not one finite row per item.
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

        features = PCA(pca, svd_solver="randomized", random_state=seed).fit_transform(
            features
        )
    return features / max(float(np.sqrt((features**2).sum(axis=1).mean())), 1e-12)


def _hold_out(
    train: sparse.csr_matrix, random: np.random.Generator
) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """(learn, held): one random purchase of some users with two or more moves from
    `train` to `held`.

    The matrix has no dates, so it is a random purchase and not the last one. At most
    2,000 users and 5 % of the purchases; where that leaves fewer than 100 users nothing
    is held, for their mean would be noise.
    """
    able = np.flatnonzero(np.diff(train.indptr) >= 2)
    size = min(2000, len(able), train.nnz // 20)
    users = random.choice(able, size=size if size >= 100 else 0, replace=False)
    places = train.indptr[users] + (
        random.random(len(users)) * np.diff(train.indptr)[users]
    ).astype(np.int64)
    held = sparse.csr_matrix(
        (np.ones(len(users)), (users, train.indices[places])), shape=train.shape
    )
    kept = np.ones(train.nnz, dtype=bool)
    kept[places] = False
    rows = np.repeat(np.arange(train.shape[0]), np.diff(train.indptr))
    learn = sparse.csr_matrix(
        (np.ones(kept.sum()), (rows[kept], train.indices[kept])), shape=train.shape
    )
    return learn, held
