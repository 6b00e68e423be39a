"""FREEDOM (Zhou and Shen, ACM MM 2023, arXiv:2211.06924): a frozen graph of like items,
a thinned one of purchases.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from scipy import sparse
from torch import Tensor
from torch.nn import functional as F

from fashionlib.recommending import graphs
from fashionlib.recommending.training import InnerProduct, small


class FREEDOM(InnerProduct):
    """x(u, i) = h_u . h_i. LightGCN over the purchases gives h_u and a part of h_i; the
    other part is the mean of the learnt vectors of the items that look or read alike.

    After the paper's section 3; not checked against its code. Like items: per space of
    `features`, {name: (items, dim)}, a graph in which each item has its k =
    `neighbours` nearest by cosine (without itself), all of weight one, normalised, and
    never learnt; the graphs are added with `shares`, {name: weight}, equal where None.
    Purchases: each epoch keeps 1 - `pruned` of them, drawn without replacement with
    odds 1 / sqrt(degree u * degree i), so popular items lose most, and normalises what
    is kept; to recommend all are used. Loss: BPR on h_u . h_i and, `feature_weight`
    times, on h_u . (W f_i + b) of each space; `penalty` weighs the squares of a batch's
    id vectors.

    Each batch goes through the whole graph: for a catalogue of thousands, not for
    millions of purchases on a CPU.
    """

    def __init__(
        self,
        features: Mapping[str, np.ndarray],
        factors: int = 64,
        epochs: int = 40,
        batch_size: int = 2048,
        lr: float = 0.01,
        penalty: float = 0.001,
        feature_weight: float = 0.001,
        neighbours: int = 10,
        shares: Mapping[str, float] | None = None,
        pruned: float = 0.8,
        layers: int = 2,
        item_layers: int = 1,
        check: int = 2,
        patience: int = 4,
        seed: int = 42,
    ) -> None:
        super().__init__(epochs, batch_size, lr, check, patience, seed)
        self.features, self.factors, self.penalty, self.feature_weight = (
            features,
            factors,
            penalty,
            feature_weight,
        )
        self.neighbours, self.shares, self.pruned = neighbours, shares, pruned
        self.layers, self.item_layers = layers, item_layers

    def _start(self, learn: sparse.csr_matrix) -> None:
        users, items = learn.shape
        generator = torch.Generator().manual_seed(self.seed)
        device, k = self.device, self.factors
        self.user, self.item = (
            small(size, k, generator, device).requires_grad_()
            for size in (users, items)
        )
        self.spaces = [
            graphs.Space(f, items, k, generator, device) for f in self.features.values()
        ]
        alike = self._alike()
        self.alike = graphs.tensor(alike, device), graphs.tensor(alike.T, device)
        self.learn, self.graph = learn, graphs.normalised(learn, device)
        self.random = np.random.default_rng(self.seed)

    def _alike(self) -> sparse.csr_matrix:
        """(items, items) the normalised graphs of like items, added up with their
        shares.
        """
        shares = self.shares or dict.fromkeys(self.features, 1 / len(self.features))
        if shares.keys() != self.features.keys():
            raise ValueError(
                f"shares for {sorted(shares)} but features for {sorted(self.features)}:"
                " name the same"
            )
        return sum(
            share * graphs.like_items(self.features[name], self.neighbours, self.device)
            for name, share in shares.items()
        )

    def _weights(self) -> list[Tensor]:
        return [
            self.user,
            self.item,
            *(weight for space in self.spaces for weight in (space.map, space.offset)),
        ]

    def _new_epoch(self) -> None:
        """A new thinned graph of purchases."""
        self.thinned = graphs.normalised(
            pruned(self.learn, self.pruned, self.random), self.device
        )

    def _propagated(self, graph: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """h_u (users, factors) and h_i (items, factors) over a graph of purchases."""
        users, items = graphs.light_gcn(graph, self.user, self.item, self.layers)
        alike = self.item
        for _ in range(self.item_layers):
            alike = graphs.Multiply.apply(*self.alike, alike)
        return users, items + alike

    def _loss(self, users: Tensor, bought: Tensor) -> Tensor:
        other = self.pairs.others(users)
        mine, all_items = self._propagated(self.thinned)
        mine = mine.index_select(0, users)
        loss = _bpr(
            mine, all_items.index_select(0, bought), all_items.index_select(0, other)
        )
        for space in self.spaces:
            loss = loss + self.feature_weight * _bpr(mine, space(bought), space(other))
        squares = sum(
            table.index_select(0, at).pow(2).sum()
            for table, at in (
                (self.user, users),
                (self.item, bought),
                (self.item, other),
            )
        )
        return loss + self.penalty * squares / len(users) / 2

    def _vectors(self) -> tuple[Tensor, Tensor, Tensor]:
        users, items = self._propagated(self.graph)
        return users, items, items.new_zeros(len(items))


def pruned(
    purchases: sparse.csr_matrix, share: float, random: np.random.Generator
) -> sparse.csr_matrix:
    """`purchases` without `share` of its entries; the kept are drawn one after the
    other, without replacement, with odds 1 / sqrt(degree u * degree i) (an exponential
    of that rate for each, the smallest win).
    """
    users = np.repeat(np.arange(purchases.shape[0]), np.diff(purchases.indptr))
    degree = (
        np.diff(purchases.indptr)[users]
        * np.bincount(purchases.indices)[purchases.indices]
    )
    count = round((1 - share) * purchases.nnz)
    kept = np.argpartition(
        random.exponential(np.sqrt(degree)), min(count, purchases.nnz - 1)
    )[:count]
    return sparse.csr_matrix(
        (np.ones(count), (users[kept], purchases.indices[kept])), shape=purchases.shape
    )


def _bpr(user: Tensor, plus: Tensor, minus: Tensor) -> Tensor:
    return F.softplus(-(user * (plus - minus)).sum(1)).mean()
