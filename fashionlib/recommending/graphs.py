"""What FREEDOM and BM3 share: sparse graphs, LightGCN over them, mapped features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn

from fashionlib.recommending.scoring import top_n
from fashionlib.recommending.training import (
    InnerProduct,
    initial_weights,
    prepare_features,
)

Rows = TypeVar("Rows", np.ndarray, sparse.csr_matrix)


def normalised(interactions: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return D^-1/2 A D^-1/2 of the graph A of users and items, users first.

    (users + items, users + items), float32; D are A's degrees. User u and item i weigh
    1 / sqrt(degree u * degree i) where they interacted, whatever the entry's value, and
    0 elsewhere (LightGCN, He et al., SIGIR 2020).
    """
    bought = interactions != 0  # a stored zero is no interaction
    graph = sparse.csr_matrix(sparse.block_array([[None, bought], [bought.T, None]]))
    root = _inverse_root(graph.getnnz(axis=1))
    return sparse.csr_matrix(root @ graph @ root, dtype=np.float32)


def _inverse_root(degree: np.ndarray) -> sparse.dia_array:
    return sparse.diags_array(np.maximum(degree, 1) ** -0.5)


def light_gcn(graph: sparse.csr_matrix, vectors: Rows, layers: int) -> Rows:
    """Return LightGCN's vectors of all nodes after `layers` rounds over the graph.

    Each is the mean of its own vector and of every round's weighted sum over
    neighbours. Of the identity as `vectors` (nodes, ...) it is the matrix that does
    this.
    """
    sums = vectors
    for _ in range(layers):
        sums = vectors + graph @ sums
    return sums * np.float32(1 / (layers + 1))  # scipy divides in 64 bits


def weighted_sums(matrix: sparse.csr_matrix, vectors: Tensor) -> Tensor:
    """Return matrix @ vectors; the gradient reaches the vectors alone."""
    arrays = matrix.indices, matrix.indptr, matrix.data
    columns, starts, weights = (torch.from_numpy(a).to(vectors.device) for a in arrays)
    return nn.functional.embedding_bag(
        columns,
        vectors,
        starts,
        mode="sum",
        per_sample_weights=weights,
        include_last_offset=True,
    )


class Space:
    """A space of features (items, dim) and its learnt map.

    A vector is W f + b. With `learnt` the features are weights too.
    """

    def __init__(
        self,
        features: np.ndarray,
        items: int,
        factors: int,
        generator: torch.Generator,
        device: str,
        learnt: bool,
    ) -> None:
        inputs = prepare_features(features, items, None, 0)
        self.inputs = torch.from_numpy(inputs).to(device).requires_grad_(learnt)
        weights = initial_weights(inputs.shape[1], factors, generator, device)
        self.map = weights.requires_grad_()
        self.offset = torch.zeros(factors, device=device, requires_grad=True)
        self.weights = [self.map, self.offset] + [self.inputs] * learnt

    def __call__(self, items: Tensor) -> Tensor:
        """Map the items' features to vectors, (B, factors)."""
        return self.inputs.index_select(0, items) @ self.map + self.offset


@dataclass(eq=False)
class GraphModel(InnerProduct):
    """A model whose vectors h come from LightGCN over the interactions.

    `features` are {name: (items, dim)}, each space with a learnt map (`Space`); with
    `learnt` training moves the features too, as in MMRec. A child sets `added`, a
    matrix (users + items, users + items) whose sums are added to h.

    A batch's h are its rows of one sparse matrix, `mixing`, times all learnt vectors.
    With two layers that matrix holds each pair of users who share an item: for a
    catalogue of thousands, not for millions of interactions.
    """

    features: Mapping[str, np.ndarray]
    feature_weight: float = 1.0
    layers: int = 1
    learnt: bool = False

    def _start(self, learn: sparse.csr_matrix) -> None:
        items = learn.shape[1]
        generator = torch.Generator().manual_seed(self.seed)
        k, device = self.factors, self.device
        self.graph = normalised(learn)
        parts = [initial_weights(n, k, generator, device) for n in learn.shape]
        self.own = torch.cat(parts).requires_grad_()  # (users + items, factors)
        self.spaces = [
            Space(f, items, k, generator, device, self.learnt)
            for f in self.features.values()
        ]

    def _weights(self) -> list[Tensor]:
        return [self.own, *(w for space in self.spaces for w in space.weights)]

    def _mix(self, graph: sparse.csr_matrix, vectors: Rows) -> Rows:
        """Return h of all nodes, LightGCN's over this graph, from these vectors."""
        return light_gcn(graph, vectors, self.layers) + self.added @ vectors

    def _mixing(self, graph: sparse.csr_matrix) -> sparse.csr_matrix:
        """Return the matrix that makes h of the learnt vectors."""
        nodes = graph.shape[0]
        return self._mix(graph, sparse.identity(nodes, np.float32, format="csr"))

    def _mixed(self, nodes: Tensor) -> Tensor:
        """Return h of these nodes, (B, factors)."""
        distinct, places = torch.unique(nodes, return_inverse=True)
        rows = self.mixing[distinct.cpu().numpy()]
        return weighted_sums(rows, self.own).index_select(0, places)

    def _vectors(self) -> tuple[Tensor, Tensor, Tensor]:
        own = self.own.detach().cpu().numpy()
        mixed = torch.from_numpy(self._mix(self.graph, own)).to(self.device)
        users, items = mixed.split(self.train.shape)
        return users, items, items.new_zeros(len(items))


def like_items(features: np.ndarray, k: int, device: str) -> sparse.csr_matrix:
    """Return (items, items) D^-1/2 S D^-1/2 of the graph S of like items.

    In S, which is binary, an item has the k items of highest cosine, itself among them;
    ties in order of position.
    """
    rows = torch.from_numpy(np.asarray(features, dtype=np.float32)).to(device)
    rows = torch.nn.functional.normalize(rows)
    size = len(rows)
    nothing = sparse.csr_matrix((size, size))
    no_bias = rows.new_zeros(size)
    nearest = top_n(rows, rows, no_bias, np.arange(size), nothing, k)  # (items, k)
    item, place = np.nonzero(nearest >= 0)
    ones = np.ones(len(item))
    binary = sparse.csr_matrix((ones, (item, nearest[item, place])), (size, size))
    root = _inverse_root(np.bincount(item, minlength=size))
    return sparse.csr_matrix(root @ binary @ root)
