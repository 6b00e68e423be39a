"""Recommenders by neighbourhood: UserKNN, ItemKNN and ContentKNN.

Of Resnick et al. (CSCW 1994) and Linden et al. (2003): cosine of binary interactions,
cut to the k nearest, ties in order of position. Frameworks agree on the names and
differ in what they compute; `convention` says which:

plain       what the formula of a textbook says (the default): the user's own
            neighbours, or those of the candidate item, itself not among them.
elliot      Elliot's `standard` implementation: the user or item counts as its own
            nearest neighbour, so k = 10 means nine others; and UserKNN sums over the
            users that have u in THEIR neighbourhood, the transpose of its own.
aiolli      Elliot's `aiolli` implementation: self not counted; UserKNN transposed as
            above, ItemKNN as plain.
implicit    ItemKNN of the library `implicit`: the neighbourhood of the bought item is
            cut to k, itself among them.

Source of the two Elliot conventions: sisinflab/elliot, commit fc27efed. Items that no
neighbourhood reaches are not offered (Elliot fills such places with arbitrary items).
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from fashionlib.features import spaces
from fashionlib.recommending import kernels
from fashionlib.recommending.baselines import mask
from fashionlib.recommending.comparison import Model

CONVENTIONS = {
    "UserKNN": ("plain", "elliot", "aiolli"),
    "ItemKNN": ("plain", "elliot", "aiolli", "implicit"),
}


class UserKNN:
    """score(u, i) = sum of sim(u, v) over v in N_k(u) who bought i.

    N_k(u) are the k users most similar to u. ValueError for a k below 1 or an unknown
    convention.
    """

    def __init__(self, k: int = 10, convention: str = "plain") -> None:
        _check("UserKNN", k, convention)
        self.k, self.convention = k, convention

    def fit(self, train: sparse.csr_matrix) -> UserKNN:
        """Find each user's neighbours."""
        similar = cosine_neighbours(
            train, self.k, counting_self=self.convention == "elliot"
        )
        self.train = train
        self.similar = similar if self.convention == "plain" else similar.T.tocsr()
        return self

    def recommend(self, users: np.ndarray, n: int, repeats: bool = False) -> np.ndarray:
        """Return (len(users), n) item positions; see `Model.recommend`."""
        masked = mask(self.train, users, repeats)
        return kernels.top_products(self.similar[users], self.train, masked, n)


class ItemKNN:
    """score(u, i) = sum of sim(i, j) over j in N_k(i) that u bought.

    N_k(i) are the k items most similar to the candidate i. ValueError for a k below 1
    or an unknown convention.
    """

    def __init__(self, k: int = 20, convention: str = "plain") -> None:
        _check("ItemKNN", k, convention)
        self.k, self.convention = k, convention

    def fit(self, train: sparse.csr_matrix) -> ItemKNN:
        """Find each item's neighbours."""
        counting_self = self.convention in ("elliot", "implicit")
        similar = cosine_neighbours(train.T.tocsr(), self.k, counting_self)
        self.train = train
        self.similar = similar if self.convention == "implicit" else similar.T.tocsr()
        return self

    def recommend(self, users: np.ndarray, n: int, repeats: bool = False) -> np.ndarray:
        """Return (len(users), n) item positions; see `Model.recommend`."""
        masked = mask(self.train, users, repeats)
        return kernels.top_products(self.train[users], self.similar, masked, n)


class ContentKNN(ItemKNN):
    """Score as ItemKNN does, with neighbours and similarities by features.

    N_k(i) are the k items whose rows of `features` (items, dim) have the highest cosine
    with the candidate's, itself not among them; a cosine of 0 or less counts nothing.
    """

    def __init__(self, features: np.ndarray, k: int = 20) -> None:
        super().__init__(k)
        self.features = features

    def fit(self, train: sparse.csr_matrix) -> ContentKNN:
        """Find each item's neighbours; ValueError unless there is a row per item."""
        size = train.shape[1]
        if len(self.features) != size:
            raise ValueError(
                f"features of shape {self.features.shape} for {size} items: give one"
                " row each"
            )
        wanted = min(self.k + 1, size)  # with itself
        nearest, cosines = spaces.nearest(self.features, self.features, wanted)
        other = nearest != np.arange(size)[:, None]
        real = other & (other.cumsum(axis=1) <= self.k) & (cosines > 0)
        places = nearest[real], np.nonzero(real)[0]  # (neighbour, candidate)
        self.similar = sparse.csr_matrix((cosines[real], places), (size, size))
        self.train = train
        return self


def in_another_order(
    model: Model, train: sparse.csr_matrix, users: np.ndarray, n: int, seed: int = 0
) -> np.ndarray:
    """Return the lists (len(users), n) of `model` fitted on rows and columns shuffled.

    Positions are those of `train`. What differs from the lists of `train` as it stands
    is decided by ties alone, of neighbours or of scores. For models without features:
    those would stand in the old order.
    """
    random = np.random.default_rng(seed)
    rows, columns = map(random.permutation, train.shape)
    places = np.argsort(rows)[users]  # of the users among the shuffled rows
    lists = model.fit(train[rows][:, columns]).recommend(places, n)
    return np.where(lists < 0, -1, columns[lists])


def cosine_neighbours(
    rows: sparse.csr_matrix, k: int, counting_self: bool = False
) -> sparse.csr_matrix:
    """Return (n, n) cosines between binary rows, each row's k largest alone.

    Ties are cut in order of position. A row is not among its neighbours, or,
    `counting_self`, it is the first of them (cosine 1).
    """
    degree = np.diff(rows.indptr)
    by_degree = np.argsort(degree, kind="stable").astype(np.int32)
    counts = np.bincount(rows.indices, minlength=rows.shape[1])
    by_count = np.argsort(counts, kind="stable")
    ordered = rows[by_degree][:, by_count].tocsr().sorted_indices()
    others = k - counting_self
    # (n, others) twice, rows in order of degree
    nearest, cosines = kernels.most_similar(ordered, by_degree, max(others, 1))
    real = (nearest >= 0) & (others > 0)
    row = np.repeat(by_degree, real.sum(axis=1))
    size = (len(nearest), len(nearest))
    similar = sparse.csr_matrix((cosines[real], (row, nearest[real])), shape=size)
    if counting_self:
        similar += sparse.diags_array((degree > 0).astype(float))
    return similar.tocsr()


def _check(model: str, k: int, convention: str) -> None:
    if k < 1:
        raise ValueError(f"{model} with k = {k} neighbours: give 1 or more")
    if convention not in CONVENTIONS[model]:
        raise ValueError(
            f"{model} has no convention {convention!r}; known:"
            f" {', '.join(CONVENTIONS[model])}"
        )
