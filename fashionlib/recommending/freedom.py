"""FREEDOM (Zhou and Shen, ACM MM 2023, arXiv:2211.06924).

It joins a frozen graph of like items and a thinned one of interactions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from torch import Tensor, nn

from fashionlib.recommending import graphs


@dataclass(eq=False)
class FREEDOM(graphs.GraphModel):
    """x(u, i) = h_u . h_i, with h from two graphs.

    LightGCN over the interactions gives h_u and a part of h_i; the other part is the
    mean of the learnt vectors of the items that look or read alike.

    After the paper's section 3; not checked against its code. Like items: per space of
    `features`, {name: (items, dim)}, a graph in which each item has its k =
    `neighbours` nearest by cosine (without itself), all of weight one, normalised, and
    never learnt; the graphs' mean is used.
    Interactions: each epoch keeps 1 - `pruned` of them, drawn without replacement with
    odds 1 / sqrt(degree u * degree i), so popular items lose most, and normalises what
    is kept; to recommend all are used. Loss: BPR on h_u . h_i and, `feature_weight`
    times, on h_u . (W f_i + b) of each space; `penalty` weighs the squares of a batch's
    id vectors.

    Each batch goes through the whole graph: for a catalogue of thousands, not for
    millions of interactions on a CPU.
    """

    penalty: float = 0.001
    feature_weight: float = 0.001
    neighbours: int = 10
    pruned: float = 0.8
    layers: int = 2

    def _start(self, learn: sparse.csr_matrix) -> None:
        super()._start(learn)
        self.learn, self.random = learn, np.random.default_rng(self.seed)
        like_items = [
            graphs.like_items(matrix, self.neighbours, self.device)
            for matrix in self.features.values()
        ]
        mean = sum(like_items) / len(like_items)
        self.like_items = graphs.graph(mean, self.device)

    def _new_epoch(self) -> None:
        """Thin the graph of interactions anew."""
        thinned = pruned(self.learn, self.pruned, self.random)
        self.thinned = graphs.normalised(thinned, self.device)

    def _propagated(self, graph: graphs.Graph) -> tuple[Tensor, Tensor]:
        """Return h_u (users, factors) and h_i (items, factors) over a graph."""
        users, items = self._light_gcn(graph)
        return users, items + graphs.Multiply.apply(*self.like_items, self.item)

    def _loss(self, users: Tensor, bought: Tensor) -> Tensor:
        other = self.pairs.negatives(users)
        all_users, all_items = self._propagated(self.thinned)
        user = all_users.index_select(0, users)  # (B, factors)
        plus = all_items.index_select(0, bought)
        minus = all_items.index_select(0, other)
        loss = _bpr(user, plus, minus)
        for space in self.spaces:
            loss = loss + self.feature_weight * _bpr(user, space(bought), space(other))
        drawn = ((self.user, users), (self.item, bought), (self.item, other))
        squares = sum(weight.index_select(0, at).pow(2).sum() for weight, at in drawn)
        return loss + self.penalty * squares / len(users) / 2

    def _vectors(self) -> tuple[Tensor, Tensor, Tensor]:
        users, items = self._propagated(self.graph)
        return users, items, items.new_zeros(len(items))


def pruned(
    interactions: sparse.csr_matrix, share: float, random: np.random.Generator
) -> sparse.csr_matrix:
    """Drop `share` of the entries.

    Those that stay are drawn one after the other, without replacement, with odds
    1 / sqrt(degree u * degree i).
    """
    items = interactions.indices
    degree = np.diff(interactions.indptr)
    users = np.repeat(np.arange(interactions.shape[0]), degree)
    product = degree[users] * np.bincount(items)[items]
    count = round((1 - share) * interactions.nnz)
    # an exponential of that rate for each: the smallest win
    times = random.exponential(np.sqrt(product))
    chosen = np.argpartition(times, min(count, interactions.nnz - 1))[:count]
    places = users[chosen], items[chosen]
    return sparse.csr_matrix((np.ones(count), places), shape=interactions.shape)


def _bpr(user: Tensor, plus: Tensor, minus: Tensor) -> Tensor:
    return nn.functional.softplus(-(user * (plus - minus)).sum(1)).mean()
