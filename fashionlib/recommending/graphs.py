"""What FREEDOM and BM3 share: sparse graphs, LightGCN over them, mapped features."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from fashionlib.recommending.scoring import top_n
from fashionlib.recommending.training import (
    InnerProduct,
    initial_weights,
    prepare_features,
)

Graph = tuple[Tensor, Tensor]  # a sparse matrix that isn't learnt, and its transpose


def normalised(interactions: sparse.csr_matrix, device: str) -> Graph:
    """Return a weight for each interaction, (users, items), and its transpose.

    float32, torch's CSR. User u and item i weigh 1 / sqrt(degree u * degree i) where
    they interacted, whatever the entry's value, and 0 elsewhere: that is the block of
    users and items of D^-1/2 A D^-1/2, with A the graph of both and D its degrees
    (LightGCN, He et al., SIGIR 2020).
    """
    bought = (interactions != 0).tocsr()  # a stored zero is no interaction
    users, items = (_inverse_root(bought.getnnz(axis)) for axis in (1, 0))
    return graph(users @ bought @ items, device)


def _inverse_root(degree: np.ndarray) -> sparse.dia_array:
    return sparse.diags_array(np.maximum(degree, 1) ** -0.5)


def graph(matrix: sparse.sparray, device: str) -> Graph:
    """Return the matrix and its transpose as torch's CSR tensors, float32."""
    return _tensor(matrix, device), _tensor(matrix.T, device)


def _tensor(matrix: sparse.sparray, device: str) -> Tensor:
    matrix = sparse.csr_matrix(matrix)
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message="Sparse CSR tensor support is in beta"
        )
        return torch.sparse_csr_tensor(
            matrix.indptr.astype(np.int64),
            matrix.indices.astype(np.int64),
            matrix.data,
            size=matrix.shape,
            dtype=torch.float32,
            device=device,
            check_invariants=True,
        )


class Multiply(torch.autograd.Function):
    """matrix @ dense for a sparse matrix that isn't learnt.

    The gradient is transposed @ the gradient of the product; torch.sparse.mm would
    transpose the matrix anew at every backward pass.
    """

    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx,
        matrix: Tensor,
        transposed: Tensor,
        dense: Tensor,
    ) -> Tensor:
        """Multiply."""
        ctx.transposed = transposed
        return matrix @ dense

    @staticmethod
    def backward(
        ctx: torch.autograd.function.FunctionCtx, slope: Tensor
    ) -> tuple[None, None, Tensor]:
        """Multiply the gradient by the transpose."""
        return None, None, ctx.transposed @ slope.contiguous()


class Space:
    """A space of features (items, dim) and its learnt map.

    A vector is W f + b.
    """

    def __init__(
        self,
        features: np.ndarray,
        items: int,
        factors: int,
        generator: torch.Generator,
        device: str,
    ) -> None:
        inputs = prepare_features(features, items, None, 0)
        self.inputs = torch.from_numpy(inputs).to(device)
        weights = initial_weights(inputs.shape[1], factors, generator, device)
        self.map = weights.requires_grad_()
        self.offset = torch.zeros(factors, device=device, requires_grad=True)

    def __call__(self, items: Tensor) -> Tensor:
        """Map the items' features to vectors, (B, factors)."""
        return self.inputs.index_select(0, items) @ self.map + self.offset


@dataclass(eq=False)
class GraphModel(InnerProduct):
    """A model whose vectors come from LightGCN over the interactions.

    `features` are {name: (items, dim)}, each space with a learnt map (`Space`).
    """

    features: Mapping[str, np.ndarray]
    feature_weight: float = 1.0
    layers: int = 1

    def _start(self, learn: sparse.csr_matrix) -> None:
        users, items = learn.shape
        generator = torch.Generator().manual_seed(self.seed)
        k, device = self.factors, self.device
        self.graph = normalised(learn, device)
        self.user = initial_weights(users, k, generator, device).requires_grad_()
        self.item = initial_weights(items, k, generator, device).requires_grad_()
        self.spaces = [
            Space(f, items, k, generator, device) for f in self.features.values()
        ]

    def _weights(self) -> list[Tensor]:
        maps = [weight for space in self.spaces for weight in (space.map, space.offset)]
        return [self.user, self.item, *maps]

    def _light_gcn(self, graph: Graph) -> tuple[Tensor, Tensor]:
        return light_gcn(graph, self.user, self.item, self.layers)


def light_gcn(
    graph: Graph, users: Tensor, items: Tensor, layers: int
) -> tuple[Tensor, Tensor]:
    """Return user and item vectors after `layers` rounds of sums over neighbours.

    Each is the mean of its own vector and of every round's weighted sum.
    """
    forth, back = graph
    all_users, all_items = [users], [items]
    for _ in range(layers):
        sums = Multiply.apply(forth, back, items), Multiply.apply(back, forth, users)
        users, items = sums
        all_users.append(users)
        all_items.append(items)
    return torch.stack(all_users).mean(0), torch.stack(all_items).mean(0)


def like_items(features: np.ndarray, k: int, device: str) -> sparse.csr_matrix:
    """Return (items, items) D^-1/2 S D^-1/2 of the graph S of like items.

    In S, which is binary, an item has the k others of highest cosine.
    """
    rows = torch.from_numpy(np.asarray(features, dtype=np.float32)).to(device)
    rows = torch.nn.functional.normalize(rows)
    size = len(rows)
    itself = sparse.eye_array(size, format="csr")
    no_bias = rows.new_zeros(size)
    nearest = top_n(rows, rows, no_bias, np.arange(size), itself, k)  # (items, k)
    item, place = np.nonzero(nearest >= 0)
    ones = np.ones(len(item))
    binary = sparse.csr_matrix((ones, (item, nearest[item, place])), (size, size))
    root = _inverse_root(np.bincount(item, minlength=size))
    return sparse.csr_matrix(root @ binary @ root)
