"""BM3 (Zhou et al., WWW 2023, arXiv:2207.05969): features without negative items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn

from fashionlib.recommending.graphs import GraphModel


@dataclass(eq=False)
class BM3(GraphModel):
    """x(u, i) = P(h_u) . P(h_i), with P a linear predictor.

    h comes from LightGCN over the interactions; an item's own vector is added to it.

    Read beside enoche/MMRec, commit e775373, src/models/bm3.py and its
    configs/model/BM3.yaml: with its weights, raw features, no dropping and no penalty,
    scores and gradients are equal, and the loss but for a constant. Its `layers` are 1
    or 2, its `feature_weight` is 2.

    A vector h has a target, itself with a share `drop` of its numbers dropped, through
    which no gradient flows (`target`). With C(a, b) = -cosine(a, b), the loss adds
    - interactions: C(P(h_u), target of h_i) + C(target of h_u, P(h_i));
    - for each space of `features`, {name: (items, dim)}, with m_i = W f_i + b: between
      kinds C(P(m_i), target of h_i), within one C(P(m_i), target of m_i), both
      `feature_weight` times;
    - `penalty` times the mean squares of h_u and h_i.
    No negative is drawn. As all targets stand still, features reach h only through P,
    which all vectors share: an item that nobody bought gains nothing from them.
    Ours, not MMRec's: P starts as the identity (Xavier there); the penalty is of mean
    squares over a batch (there, of the norms of all h_u and all h_i over the number of
    items); features are standardised and, unless `learnt`, fixed (raw and learnt
    there); lr is .01 (.001).
    """

    feature_weight: float = 2.0
    drop: float = 0.3

    def _start(self, learn: sparse.csr_matrix) -> None:
        super()._start(learn)
        users, items = learn.shape
        itself = np.repeat(np.float32([0, 1]), [users, items])
        self.added = sparse.diags_array(itself, format="csr")
        self.mixing = self._mixing(self.graph)
        k, device = self.factors, self.device
        # starts as no change
        self.predictor = torch.eye(k, device=device).requires_grad_()
        self.bias = torch.zeros(k, device=device, requires_grad=True)

    def _weights(self) -> list[Tensor]:
        return [*super()._weights(), self.predictor, self.bias]

    def _predicted(self, vectors: Tensor) -> Tensor:
        return vectors @ self.predictor + self.bias

    def _loss(self, users: Tensor, bought: Tensor) -> Tensor:
        nodes = torch.cat([users, self.train.shape[0] + bought])
        user, item = self._mixed(nodes).chunk(2)  # (B, factors) each
        generator = self.pairs.generator
        user_target = target(user, self.drop, generator)
        item_target = target(item, self.drop, generator)
        loss = _distance(self._predicted(user), item_target)
        loss = loss + _distance(self._predicted(item), user_target)
        for space in self.spaces:
            mapped = space(bought)  # m_i (B, factors)
            predicted = self._predicted(mapped)
            between = _distance(predicted, item_target)
            within = _distance(predicted, target(mapped, self.drop, generator))
            loss = loss + self.feature_weight * (between + within)
        return loss + self.penalty * (user.pow(2).mean() + item.pow(2).mean())

    def _vectors(self) -> tuple[Tensor, Tensor, Tensor]:
        users, items, biases = super()._vectors()
        return self._predicted(users), self._predicted(items), biases


def target(vectors: Tensor, drop: float, generator: torch.Generator) -> Tensor:
    """Set a share `drop` of the numbers to zero and scale the others up; no gradient.

    The mean stays the same.
    """
    draws = torch.rand(vectors.shape, generator=generator, device=vectors.device)
    return vectors.detach() * (draws >= drop) / (1 - drop)


def _distance(a: Tensor, b: Tensor) -> Tensor:
    return -nn.functional.cosine_similarity(a, b, dim=1).mean()
