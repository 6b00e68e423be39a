"""Recommenders by neighbourhood: UserKNN (Resnick et al., CSCW 1994) and ItemKNN
(Linden et al., 2003).

Cosine of binary purchases, cut to the k nearest, ties in order of position. Frameworks
agree on the names and differ in what they compute; `convention` says which:

plain       what the formula of a textbook says (the default): the user's own neighbours, or the neighbours of the
            candidate item, itself not among them.
elliot      Elliot's `standard` implementation: the user or item counts as its own nearest neighbour, so k = 10 means
            nine others; and UserKNN sums over the users that have u in THEIR
            neighbourhood, the transpose of its own.
aiolli      Elliot's `aiolli` implementation: self not counted; UserKNN transposed as above, ItemKNN as plain.
implicit    ItemKNN of the library `implicit`: the neighbourhood of the bought item is cut to k, itself among them.

Source of the two Elliot conventions: sisinflab/elliot, commit fc27efed. Items that no
neighbourhood reaches are not offered (Elliot fills such places with arbitrary items).
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from fashionlib.recommending import kernels
from fashionlib.recommending.baselines import mask

CONVENTIONS = {
    "UserKNN": ("plain", "elliot", "aiolli"),
    "ItemKNN": ("plain", "elliot", "aiolli", "implicit"),
}


class UserKNN:
    """score(u, i) = sum of sim(u, v) over v in N_k(u) who bought i; N_k(u): the k users
    most similar to u.

    Raises ValueError for a k below 1 or an unknown convention.
    """

    def __init__(self, k: int = 10, convention: str = "plain") -> None:
        _check("UserKNN", k, convention)
        self.k, self.convention = k, convention

    def fit(self, train: sparse.csr_matrix) -> UserKNN:
        similar = neighbours(train, self.k, counting_self=self.convention == "elliot")
        self.train, self.similar = (
            train,
            similar if self.convention == "plain" else similar.T.tocsr(),
        )
        return self

    def recommend(self, users: np.ndarray, n: int, repeats: bool = False) -> np.ndarray:
        return _best(
            self.similar[users], self.train, mask(self.train, users, repeats), n
        )


class ItemKNN:
    """score(u, i) = sum of sim(i, j) over j in N_k(i) that u bought; N_k(i): the k
    items most similar to the candidate i. Raises ValueError for a k below 1 or an
    unknown convention.
    """

    def __init__(self, k: int = 20, convention: str = "plain") -> None:
        _check("ItemKNN", k, convention)
        self.k, self.convention = k, convention

    def fit(self, train: sparse.csr_matrix) -> ItemKNN:
        similar = neighbours(
            train.T.tocsr(),
            self.k,
            counting_self=self.convention in ("elliot", "implicit"),
        )
        self.train, self.similar = (
            train,
            similar if self.convention == "implicit" else similar.T.tocsr(),
        )
        return self

    def recommend(self, users: np.ndarray, n: int, repeats: bool = False) -> np.ndarray:
        return _best(
            self.train[users], self.similar, mask(self.train, users, repeats), n
        )


def neighbours(
    rows: sparse.csr_matrix, k: int, counting_self: bool = False
) -> sparse.csr_matrix:
    """(n, n) cosines between binary rows, each row's k largest alone; ties by position.

    A row is not among its neighbours, or, `counting_self`, it is the first of them
    (cosine 1).
    """
    others = k - counting_self
    by_degree = np.argsort(np.diff(rows.indptr), kind="stable").astype(np.int32)
    by_count = np.argsort(
        np.bincount(rows.indices, minlength=rows.shape[1]), kind="stable"
    )
    ordered = rows[by_degree][:, by_count].tocsr()
    ordered.sort_indices()
    columns = ordered.T.tocsr()
    found, cosines = kernels.most_similar(
        ordered.indptr,
        ordered.indices,
        columns.indptr,
        columns.indices,
        np.diff(ordered.indptr),
        by_degree,
        max(others, 1),
        kernels.threads(),
    )
    kept = (found >= 0) & (others > 0)
    row = np.repeat(by_degree, kept.sum(axis=1))
    similar = sparse.csr_matrix(
        (cosines[kept], (row, found[kept])), shape=(len(found), len(found))
    )
    if not counting_self:
        return similar
    return (
        similar + sparse.diags_array((np.diff(rows.indptr) > 0).astype(float))
    ).tocsr()


def _best(
    left: sparse.csr_matrix, right: sparse.csr_matrix, seen: sparse.csr_matrix, n: int
) -> np.ndarray:
    """Top n of the rows of left @ right, without the entries of `seen`."""
    return kernels.best_products(
        left.indptr,
        left.indices,
        left.data,
        right.indptr,
        right.indices,
        right.data,
        right.shape[1],
        seen.indptr,
        seen.indices,
        n,
        kernels.threads(),
    )


def _check(model: str, k: int, convention: str) -> None:
    if k < 1:
        raise ValueError(f"{model} with k = {k} neighbours: give 1 or more")
    if convention not in CONVENTIONS[model]:
        raise ValueError(
            f"{model} has no convention {convention!r}; known:"
            f" {', '.join(CONVENTIONS[model])}"
        )
