"""FREEDOM (Zhou and Shen, ACM MM 2023, arXiv:2211.06924).

It joins a frozen graph of like items and a thinned one of interactions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn

from fashionlib.recommending import graphs

SHARES = {"visual": 0.1, "textual": 0.9}  # MMRec's mm_image_weight


@dataclass(eq=False)
class FREEDOM(graphs.GraphModel):
    """x(u, i) = h_u . h_i, with h from two graphs.

    LightGCN over the interactions gives h_u and a part of h_i; the other part is the
    mean of the learnt vectors of the items that look or read alike.

    Read beside enoche/MMRec, commit e775373, src/models/freedom.py and its
    configs/model/FREEDOM.yaml: with its settings, raw features and no penalty, scores
    and gradients are equal.
    Like items: per space of `features`, {name: (items, dim)}, a graph in which each
    item has its k = `neighbours` nearest by cosine (itself first), all of weight one,
    normalised, and never learnt. The graphs of "visual" and "textual" are added in
    `SHARES`, of spaces with other names in equal shares.
    Interactions: each epoch keeps 1 - `pruned` of them, drawn without replacement with
    odds 1 / sqrt(degree u * degree i), so popular items lose most, and normalises what
    is kept; to recommend all are used. Loss: BPR on h_u . h_i and, `feature_weight`
    times, on h_u . (W f_i + b) of each space.
    Ours, not MMRec's: `penalty` weighs the squares of a batch's id vectors (it has
    none); features are standardised and, unless `learnt`, fixed (raw and learnt there);
    vectors start at length 0.1 and lr is .01 (Xavier, .001).
    """

    penalty: float = 0.001
    feature_weight: float = 0.001
    neighbours: int = 10
    pruned: float = 0.8
    layers: int = 2

    def _start(self, learn: sparse.csr_matrix) -> None:
        super()._start(learn)
        self.learn, self.random = learn, np.random.default_rng(self.seed)
        shares = SHARES
        if self.features.keys() != SHARES.keys():
            shares = dict.fromkeys(self.features, 1 / len(self.features))
        joined = sum(
            shares[name] * graphs.like_items(matrix, self.neighbours, self.device)
            for name, matrix in self.features.items()
        )
        nobody = sparse.csr_matrix((learn.shape[0],) * 2)
        self.added = sparse.block_diag((nobody, joined), "csr", np.float32)

    def _new_epoch(self) -> None:
        """Thin the graph of interactions anew."""
        thinned = pruned(self.learn, self.pruned, self.random)
        self.mixing = self._mixing(graphs.normalised(thinned))

    def _loss(self, users: Tensor, bought: Tensor) -> Tensor:
        other, first = self.pairs.negatives(users), self.train.shape[0]
        nodes = torch.cat([users, first + bought, first + other])
        user, plus, minus = self._mixed(nodes).chunk(3)  # (B, factors) each
        loss = _bpr(user, plus - minus)
        for space in self.spaces:
            rows = (space.inputs.index_select(0, items) for items in (bought, other))
            gap = torch.sub(*rows)
            loss = loss + self.feature_weight * _bpr(user, gap @ space.map)
        squares = self.own.index_select(0, nodes).pow(2).sum()
        return loss + self.penalty * squares / len(users) / 2


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


def _bpr(user: Tensor, gap: Tensor) -> Tensor:
    return nn.functional.softplus(-(user * gap).sum(1)).mean()
