"""What FREEDOM and BM3 share: graphs as sparse tensors, LightGCN over them, and
features mapped to vectors.
"""

from __future__ import annotations

import warnings

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from fashionlib.recommending.scoring import top_n
from fashionlib.recommending.training import prepared, small


def normalised(purchases: sparse.csr_matrix, device: str) -> tuple[Tensor, Tensor]:
    """The (users, items) block of D^-1/2 A D^-1/2 and its transpose: a purchase weighs
    1 / sqrt(degree u * degree i) (LightGCN, He et al., SIGIR 2020).
    """
    users, items = (
        np.maximum(np.bincount(at, minlength=size), 1)
        for at, size in zip(
            (purchases.tocoo().row, purchases.indices), purchases.shape, strict=True
        )
    )
    weighted = (
        sparse.diags_array(users**-0.5)
        @ (purchases != 0)
        @ sparse.diags_array(items**-0.5)
    )
    return tensor(weighted, device), tensor(weighted.T, device)


def tensor(matrix: sparse.sparray, device: str) -> Tensor:
    """The matrix as torch's CSR tensor, float32."""
    matrix = sparse.csr_matrix(matrix)
    places = (
        torch.from_numpy(part.astype(np.int64))
        for part in (matrix.indptr, matrix.indices)
    )
    values = torch.from_numpy(matrix.data.astype(np.float32))
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message="Sparse CSR tensor support is in beta"
        )
        return torch.sparse_csr_tensor(
            *places, values, size=matrix.shape, device=device, check_invariants=True
        )


class Multiply(torch.autograd.Function):
    """matrix @ dense for a sparse matrix that isn't learnt; the gradient is transposed
    @ the gradient of the product.

    torch.sparse.mm would transpose the matrix anew at every backward pass.
    """

    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx,
        matrix: Tensor,
        transposed: Tensor,
        dense: Tensor,
    ) -> Tensor:
        ctx.transposed = transposed
        return matrix @ dense

    @staticmethod
    def backward(
        ctx: torch.autograd.function.FunctionCtx, slope: Tensor
    ) -> tuple[None, None, Tensor]:
        return None, None, ctx.transposed @ slope.contiguous()


class Space:
    """A space of features (items, dim) and its learnt map: called with item positions
    (B,), W f + b (B, factors).
    """

    def __init__(
        self,
        features: np.ndarray,
        items: int,
        factors: int,
        generator: torch.Generator,
        device: str,
    ) -> None:
        self.inputs = torch.from_numpy(prepared(features, items, None, 0)).to(device)
        self.map = small(
            self.inputs.shape[1], factors, generator, device
        ).requires_grad_()
        self.offset = torch.zeros(factors, device=device, requires_grad=True)

    def __call__(self, items: Tensor) -> Tensor:
        return self.inputs.index_select(0, items) @ self.map + self.offset


def light_gcn(
    graph: tuple[Tensor, Tensor], users: Tensor, items: Tensor, layers: int
) -> tuple[Tensor, Tensor]:
    """User and item vectors, each the mean of its own and of `layers` rounds of
    weighted sums over neighbours.
    """
    forth, back = graph
    all_users, all_items = [users], [items]
    for _ in range(layers):
        users, items = (
            Multiply.apply(forth, back, items),
            Multiply.apply(back, forth, users),
        )
        all_users.append(users)
        all_items.append(items)
    return torch.stack(all_users).mean(0), torch.stack(all_items).mean(0)


def like_items(features: np.ndarray, k: int, device: str) -> sparse.csr_matrix:
    """(items, items) D^-1/2 S D^-1/2 of the binary graph S in which an item has the k
    others of highest cosine.
    """
    rows = torch.from_numpy(np.asarray(features, dtype=np.float32)).to(device)
    rows = torch.nn.functional.normalize(rows)
    size = len(rows)
    nearest = top_n(
        rows,
        rows,
        rows.new_zeros(size),
        np.arange(size),
        sparse.eye_array(size, format="csr"),
        k,
    )
    found = nearest >= 0
    graph = sparse.csr_matrix(
        (np.ones(found.sum()), (np.nonzero(found)[0], nearest[found])),
        shape=(size, size),
    )
    root = sparse.diags_array(
        np.maximum(np.bincount(np.nonzero(found)[0], minlength=size), 1) ** -0.5
    )
    return sparse.csr_matrix(root @ graph @ root)
