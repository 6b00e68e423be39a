"""VBPR (He and McAuley, AAAI 2016, arXiv:1510.01784) in torch: sparse updates, batched sampling, early
stopping.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from scipy import sparse
from tqdm import tqdm

from fashionlib import ranking


class VBPR:
    """x(u, i) = b_i + g_u . g_i + t_u . (E f_i) + b' . f_i, He and McAuley's equations 4 and 6 without the
    constants that no ranking sees; without features it is BPR-MF (Rendle et al., UAI 2009). Same interface as
    recommend.Model.

    Trained on (user, bought, not bought) triples to raise sigmoid(x(u, i) - x(u, j)): each epoch visits every
    train pair once, with a uniform negative. `features` (items, dim) are standardised per column and, if dim
    is larger, reduced to `pca` principal components. `penalty` weighs the squares of the sampled vectors (their
    sum / batch / 2). Every `check` epochs NDCG@12 is measured on one random train purchase of up to 2,000
    users (at most 5 % of the pairs), kept out of training; after `patience` checks without a better one
    training stops, and the best weights are restored. After fit: `history`, one dict per epoch (epoch, loss,
    ndcg or None). Lazy Adam: only the rows of a batch move. On the CPU fit runs on one thread, so that the
    same seed gives the same numbers.
    """

    def __init__(self, features: np.ndarray | None = None, factors: int = 64, epochs: int = 40,
                 batch_size: int = 1024, lr: float = 0.005, penalty: float = 0.01, pca: int | None = 128,
                 check: int = 2, patience: int = 4, seed: int = 42) -> None:
        self.features, self.factors, self.epochs, self.batch_size = features, factors, epochs, batch_size
        self.lr, self.penalty, self.pca, self.check, self.patience, self.seed = lr, penalty, pca, check, patience, seed
        self.device = "cuda" if torch.cuda.is_available() else "cpu"

    def fit(self, train: sparse.csr_matrix) -> VBPR:
        """Raises ValueError when features have not one finite row per column of `train`."""
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            return self._fit(train)
        finally:
            torch.set_num_threads(threads)

    def recommend(self, users: np.ndarray, n: int) -> np.ndarray:
        return self._best(self.train, users, n)

    @torch.no_grad()
    def scores(self, users: np.ndarray) -> np.ndarray:
        """(len(users), items) x(u, i) for every item, bought or not."""
        return self._scores(users, self._item_vectors()).cpu().numpy()

    def _fit(self, train: sparse.csr_matrix) -> VBPR:
        self.train = train.tocsr()
        self._start(*train.shape)
        random = np.random.default_rng(self.seed)
        learn, held = _hold_out(self.train, random)
        tables = [self.user.weight, self.item.weight]
        optimisers = [torch.optim.SparseAdam(tables, lr=self.lr)]
        if self.visual is not None:
            optimisers.append(torch.optim.Adam(self.visual.parameters(), lr=self.lr))
        self.history, best, best_epoch = [], -1.0, 0
        bar = tqdm(range(1, self.epochs + 1), desc="VBPR" if self.visual else "BPR-MF", unit="epoch")
        for epoch in bar:
            loss = self._epoch(learn, random, optimisers)
            checked = epoch % self.check == 0 or epoch == self.epochs
            ndcg = self._validate(learn, held) if checked and held.nnz else None
            self.history.append({"epoch": epoch, "loss": loss, "ndcg": ndcg})
            bar.set_postfix_str(f"loss {loss:.3f} best {max(best, 0):.4f} at {best_epoch}")
            if ndcg is not None and ndcg > best:
                best, best_epoch, kept = ndcg, epoch, self._weights()
            elif checked and epoch - best_epoch >= self.patience * self.check and best_epoch:
                break
        if best_epoch:
            self._restore(kept)
        return self

    def _start(self, users: int, items: int) -> None:
        """Parameters, small and random: user rows [g_u, t_u], item rows [g_i, b_i], visual map [E; b']."""
        generator = torch.Generator().manual_seed(self.seed)
        k, prepared = self.factors, None if self.features is None else self._prepare(items)
        small = lambda *shape: torch.randn(*shape, generator=generator).mul_(0.1 / k**0.5)  # noqa: E731
        self.inputs = None if prepared is None else torch.from_numpy(prepared).to(self.device)
        user, item = small(users, k if prepared is None else 2 * k), small(items, k + 1)
        item[:, k] = 0
        self.user = torch.nn.Embedding.from_pretrained(user, freeze=False, sparse=True).to(self.device)
        self.item = torch.nn.Embedding.from_pretrained(item, freeze=False, sparse=True).to(self.device)
        self.visual = None
        if prepared is not None:
            self.visual = torch.nn.Linear(prepared.shape[1], k + 1, bias=False)
            self.visual.weight.data = small(k + 1, prepared.shape[1])
            self.visual.to(self.device)

    def _prepare(self, items: int) -> np.ndarray:
        features = np.asarray(self.features, dtype=np.float32)
        if features.ndim != 2 or len(features) != items or not np.isfinite(features).all():
            raise ValueError(f"features of shape {features.shape} for {items} items: give one finite row per item")
        spread = features.std(axis=0)
        features = (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1)
        if self.pca is not None and self.pca < min(features.shape):
            from sklearn.decomposition import PCA

            features = PCA(self.pca, svd_solver="randomized", random_state=self.seed).fit_transform(features)
        return features / max(float(np.sqrt((features**2).sum(axis=1).mean())), 1e-12)  # rows of length 1, about

    def _epoch(self, learn: sparse.csr_matrix, random: np.random.Generator,
               optimisers: list[torch.optim.Optimizer]) -> float:
        total, count = 0.0, 0
        for users, bought, other in _triples(learn, self.batch_size, random):
            loss = self._loss(*(torch.from_numpy(ids).to(self.device) for ids in (users, bought, other)))
            for optimiser in optimisers:
                optimiser.zero_grad()
            loss.backward()
            for optimiser in optimisers:
                optimiser.step()
            total, count = total + loss.item() * len(users), count + len(users)
        return total / count

    def _loss(self, users: torch.Tensor, bought: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        k = self.factors
        user, plus, minus = self.user(users), self.item(bought), self.item(other)  # (B, k or 2k), (B, k + 1) twice
        difference = plus - minus
        margin = (user[:, :k] * difference[:, :k]).sum(1) + difference[:, k]
        squares = user.pow(2).sum() + plus.pow(2).sum() + minus.pow(2).sum()
        if self.visual is not None:
            plus, minus = self.visual(self.inputs[bought]), self.visual(self.inputs[other])  # (B, k + 1) twice
            difference = plus - minus
            margin = margin + (user[:, k:] * difference[:, :k]).sum(1) + difference[:, k]
            squares = squares + plus.pow(2).sum() + minus.pow(2).sum()
        return torch.nn.functional.softplus(-margin).mean() + self.penalty * squares / len(users) / 2

    @torch.no_grad()
    def _item_vectors(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Vectors (items, k or 2k) and biases (items,): the score is user vector . item vector + bias."""
        k = self.factors
        vectors, biases = self.item.weight[:, :k], self.item.weight[:, k]
        if self.visual is None:
            return vectors, biases
        seen = self.visual(self.inputs)  # (items, k + 1)
        return torch.cat([vectors, seen[:, :k]], dim=1), biases + seen[:, k]

    def _scores(self, users: np.ndarray, item_vectors: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        vectors, biases = item_vectors
        return torch.addmm(biases, self.user.weight[torch.as_tensor(users, device=self.device)], vectors.T)

    @torch.no_grad()
    def _best(self, seen: sparse.csr_matrix, users: np.ndarray, n: int, block: int = 1024) -> np.ndarray:
        item_vectors, width = self._item_vectors(), min(n, seen.shape[1])
        lists = np.full((len(users), n), -1)
        for start in range(0, len(users), block):
            some = np.asarray(users[start : start + block])
            scores, mask = self._scores(some, item_vectors), seen[some].tocoo()
            row, column = (torch.from_numpy(place.astype(np.int64)).to(self.device) for place in (mask.row, mask.col))
            scores[row, column] = -torch.inf
            value, place = (top.cpu().numpy() for top in scores.topk(width, dim=1))
            lists[start : start + block, :width] = np.where(np.isfinite(value), place, -1)
        return lists

    def _validate(self, learn: sparse.csr_matrix, held: sparse.csr_matrix) -> float:
        users = np.flatnonzero(np.diff(held.indptr))
        k = min(12, learn.shape[1])
        return float(ranking.ndcg(self._best(learn, users, k), held[users], k).mean())

    def _weights(self) -> list[torch.Tensor]:
        return [weight.detach().clone() for weight in self._parameters()]

    @torch.no_grad()
    def _restore(self, weights: list[torch.Tensor]) -> None:
        for mine, kept in zip(self._parameters(), weights, strict=True):
            mine.copy_(kept)

    def _parameters(self) -> Iterator[torch.Tensor]:
        for part in (self.user, self.item, self.visual):
            if part is not None:
                yield part.weight


def _hold_out(train: sparse.csr_matrix, random: np.random.Generator) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """(learn, held): one random purchase of some users with two or more moves from `train` to `held`.

    The matrix has no dates, so it is a random purchase and not the last one. At most 2,000 users and 5 % of the
    purchases; where that leaves fewer than 100 users nothing is held, for their mean would be noise.
    """
    able = np.flatnonzero(np.diff(train.indptr) >= 2)
    size = min(2000, len(able), train.nnz // 20)
    users = random.choice(able, size=size if size >= 100 else 0, replace=False)
    places = train.indptr[users] + (random.random(len(users)) * np.diff(train.indptr)[users]).astype(np.int64)
    held = sparse.csr_matrix((np.ones(len(users)), (users, train.indices[places])), shape=train.shape)
    kept = np.ones(train.nnz, dtype=bool)
    kept[places] = False
    rows = np.repeat(np.arange(train.shape[0]), np.diff(train.indptr))
    learn = sparse.csr_matrix((np.ones(kept.sum()), (rows[kept], train.indices[kept])), shape=train.shape)
    return learn, held


def _triples(train: sparse.csr_matrix, batch: int, random: np.random.Generator) -> Iterator[tuple[np.ndarray, ...]]:
    """Batches of (user, bought, not bought) positions, int64 (B,): every train pair once, in random order."""
    items, degree = train.shape[1], np.diff(train.indptr)
    users = np.repeat(np.arange(train.shape[0]), degree)
    keys = np.sort(users * items + train.indices)
    order = random.permutation(np.flatnonzero(degree[users] < items))  # who bought everything has no negative
    users, bought = users[order], train.indices[order].astype(np.int64)
    other = random.integers(items, size=len(users))
    redo = np.arange(len(users))
    while len(redo):
        wanted = users[redo] * items + other[redo]
        redo = redo[keys[np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)] == wanted]
        other[redo] = random.integers(items, size=len(redo))
    for start in range(0, len(users), batch):
        part = slice(start, start + batch)
        yield users[part], bought[part], other[part]
