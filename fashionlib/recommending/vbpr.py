"""VBPR (He and McAuley, AAAI 2016, arXiv:1510.01784) in torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn

from fashionlib.features import Features
from fashionlib.recommending.training import (
    InnerProduct,
    Table,
    initial_weights,
    prepare_features,
)


@dataclass(eq=False)
class VBPR(InnerProduct):
    """x(u, i) = b_i + g_u . g_i + t_u . (E f_i) + b' . f_i.

    That is He and McAuley's equations 4 and 6 without the constants that no ranking
    sees; without features it is BPR-MF (Rendle et al., UAI 2009).

    Trained on (user, bought, not bought) triples to raise sigmoid(x(u, i) - x(u, j)),
    negatives uniform among what the user has not bought. `features` (items, dim) are
    standardised per column and, if dim is larger, reduced to `pca` principal
    components. `penalty` weighs the squares of the sampled vectors, E f_i and E f_j
    among them (their sum / batch / 2); without those two a picture's space overfits.
    The defaults were chosen on the validation slice of a week of H&M's transactions.
    """

    features: np.ndarray | None = None
    batch_size: int = 1024
    lr: float = 0.005
    pca: int | None = 128

    def _start(self, learn: sparse.csr_matrix) -> None:
        """User rows [g_u, t_u], item rows [g_i, b_i], visual map [E; b']."""
        users, items = learn.shape
        generator = torch.Generator().manual_seed(self.seed)
        k, self.inputs = self.factors, None
        if self.features is not None:
            self.inputs = torch.from_numpy(self._prepared(items)).to(self.device)
        width = k if self.inputs is None else 2 * k
        user = initial_weights(users, width, generator, self.device)
        item = initial_weights(items, k + 1, generator, self.device)
        item[:, k] = 0  # biases
        self.user, self.item = Table(user, self.lr), Table(item, self.lr)
        self.tables = [self.user, self.item]
        if self.inputs is not None:
            dim = self.inputs.shape[1]
            visual = initial_weights(dim, k + 1, generator, self.device)
            self.visual = Table(visual, self.lr)
            self.maps = [self.visual]
            self.tables += self.maps

    def _prepared(self, items: int) -> np.ndarray:
        return prepare_features(self.features, items, self.pca, self.seed)

    def _seen(self, inputs: Tensor, visual: Tensor) -> Tensor:
        """Map inputs (n, dim) by [E; b'] (dim, k + 1)."""
        return inputs @ visual

    def _weights(self) -> list[Tensor]:
        return [table.weight for table in self.tables]

    def _optimisers(self) -> list[Table]:
        return self.tables

    def _forget(self) -> None:
        """Drop Adam's moments: a chapter compares thirty models."""
        for table in self.tables:
            del table.mean, table.square

    def _triples(self, users: Tensor, bought: Tensor, other: Tensor) -> Tensor:
        k, items = self.factors, torch.cat([bought, other])
        user = self.user(users)  # (B, k or 2 k)
        rows = self.item(items)  # (2 B, k + 1)
        difference = torch.sub(*rows.chunk(2))
        squares = user.pow(2).sum() + rows.pow(2).sum()
        margin = (user[:, :k] * difference[:, :k]).sum(1) + difference[:, k]
        if self.inputs is not None:
            inputs = self.inputs.index_select(0, items)  # (2 B, dim)
            maps = [table.all() for table in self.maps]
            rows = self._seen(inputs, *maps)  # (2 B, k + 1)
            difference = torch.sub(*rows.chunk(2))
            margin = margin + (user[:, k:] * difference[:, :k]).sum(1)
            margin = margin + difference[:, k]
            squares = squares + rows.pow(2).sum()
        loss = nn.functional.softplus(-margin).mean()
        return loss + self.penalty * squares / len(users) / 2

    def _vectors(self) -> tuple[Tensor, Tensor, Tensor]:
        k = self.factors
        vectors, biases = self.item.weight[:, :k], self.item.weight[:, k]
        if self.inputs is not None:
            maps = [table.weight for table in self.maps]
            visual = self._seen(self.inputs, *maps)  # (items, k + 1)
            vectors = torch.cat([vectors, visual[:, :k]], dim=1)
            biases = biases + visual[:, k]
        return self.user.weight, vectors, biases


@dataclass(eq=False)
class GatedVBPR(VBPR):
    """VBPR of two spaces, fused by a gate that is learnt: ours, no paper's.

    `features` are {name: (items, dim)}, each prepared as VBPR's own, then side by side
    as f_i. An article's first space is weighed with 2 s_i, its second with 2 - 2 s_i,
    s_i = sigmoid(a . f_i + c), before E and b' read them. a and c start at 0, so that
    training begins with the plain concatenation; `penalty` leaves them free. ValueError
    unless there are two spaces.
    """

    features: Mapping[str, np.ndarray] = field(default_factory=dict)

    def _start(self, learn: sparse.csr_matrix) -> None:
        if len(self.features) != 2:
            raise ValueError(
                f"{len(self.features)} spaces, {list(self.features)}: a gate weighs one"
                " against another; give two"
            )
        super()._start(learn)
        dim = self.inputs.shape[1]
        self.gate = Table(torch.zeros(dim + 1, 1, device=self.device), self.lr)
        self.maps.append(self.gate)
        self.tables.append(self.gate)

    def _prepared(self, items: int) -> np.ndarray:
        blocks = [
            prepare_features(matrix, items, self.pca, self.seed)
            for matrix in self.features.values()
        ]
        self.cut = blocks[0].shape[1]  # where the second begins
        return np.concatenate(blocks, axis=1)

    def _seen(self, inputs: Tensor, visual: Tensor, gate: Tensor) -> Tensor:
        share = _share(inputs, gate)  # (n, 1)
        first, second = inputs.tensor_split([self.cut], dim=1)
        return torch.cat([2 * share * first, (2 - 2 * share) * second], 1) @ visual

    @property
    def shares(self) -> np.ndarray:
        """Return s_i of each article, (items,), after fit: the first space's weight."""
        return _share(self.inputs, self.gate.weight)[:, 0].cpu().numpy()


def _share(inputs: Tensor, gate: Tensor) -> Tensor:
    return torch.sigmoid(inputs @ gate[:-1] + gate[-1])


@dataclass(eq=False)
class DuchoVBPR(InnerProduct):
    """x(u, i) = g_u . g_i + t_u . (E f_i + e) / |E f_i + e|: Ducho meets Elliot's.

    As sisinflab/Ducho-meets-Elliot has it, commit 70bc0dc,
    external/models/vbpr/VBPRModel.py: no biases, `features` (items, dim) as they are,
    and `penalty` weighs the squares of a batch's vectors, projections among them (their
    sum / batch / 2). g start by Xavier's uniform draw; t should, but the code draws g_u
    twice and t never, so that its numbers stay N(0, 1): `shipped`. Without it t start
    as g do. Ours: an epoch meets each pair once (there a user is drawn, then an item),
    and a validation slice chooses the epoch. `penalty` and `lr` are a point of its grid
    (data/published/ducho_meets_elliot/vbpr.csv).
    """

    batch_size: int = 1024
    lr: float = 0.005
    check: int = 10
    shipped: bool = True

    def _start(self, learn: sparse.csr_matrix) -> None:
        generator, k = torch.Generator().manual_seed(self.seed), self.factors
        inputs = np.asarray(self.features, dtype=np.float32)
        self.inputs = torch.from_numpy(inputs).to(self.device)
        users, items, dim = *learn.shape, inputs.shape[1]
        self.buffer = self.inputs.new_empty(min(items, 2 * self.batch_size), dim)
        drawn = [_xavier(rows, k, generator) for rows in (users, items, users)]
        if self.shipped:
            drawn[2].normal_(generator=generator)
        bound = dim**-0.5  # as torch's Linear
        for shape in ((dim, k), (k,)):
            drawn.append(
                torch.empty(shape).uniform_(-bound, bound, generator=generator)
            )
        self.weights = [part.to(self.device).requires_grad_() for part in drawn]

    def _forget(self) -> None:
        """Drop the memory that a batch's features were read into."""
        del self.buffer

    def _weights(self) -> list[Tensor]:
        return self.weights

    def _projected(self, inputs: Tensor) -> Tensor:
        *_, visual, offset = self.weights
        return nn.functional.normalize(inputs @ visual + offset)  # (items, k)

    def _triples(self, users: Tensor, bought: Tensor, other: Tensor) -> Tensor:
        # A batch names an article several times: its features are read once, into the
        # same memory each time.
        both = torch.cat([bought, other])
        items, places = torch.unique(both, return_inverse=True)
        user, taste = (self.weights[place].index_select(0, users) for place in (0, 2))
        item = self.weights[1].index_select(0, both)  # (2 B, k)
        inputs = self.buffer[: len(items)]
        torch.index_select(self.inputs, 0, items, out=inputs)
        seen = self._projected(inputs).index_select(0, places)  # (2 B, k)
        margin = (user * torch.sub(*item.chunk(2))).sum(1)
        margin = margin + (taste * torch.sub(*seen.chunk(2))).sum(1)
        squares = sum(part.pow(2).sum() for part in (user, item, taste, seen))
        loss = nn.functional.softplus(-margin).mean()
        return loss + self.penalty * squares / len(users) / 2

    def _vectors(self) -> tuple[Tensor, Tensor, Tensor]:
        user, item, taste = self.weights[:3]
        vectors = torch.cat([item, self._projected(self.inputs)], dim=1)
        return torch.cat([user, taste], dim=1), vectors, vectors.new_zeros(len(vectors))


def _xavier(rows: int, dim: int, generator: torch.Generator) -> Tensor:
    bound = (6 / (rows + dim)) ** 0.5  # Glorot and Bengio, AISTATS 2010
    return torch.empty(rows, dim).uniform_(-bound, bound, generator=generator)


def of_spaces(
    spaces: Mapping[str, Features | None],
    items: np.ndarray,
    form: type[VBPR] | type[DuchoVBPR] = VBPR,
    **options: Any,
) -> dict[str, VBPR] | dict[str, DuchoVBPR]:
    """Make a VBPR for each feature space, joined to `items` by id; None reads none.

    `options` are those of `form`.
    """
    rows = {name: s if s is None else s.rows(items) for name, s in spaces.items()}
    return {name: form(matrix, **options) for name, matrix in rows.items()}
