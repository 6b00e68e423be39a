"""Recommenders of a library behind the interface of ours: VBPR as cornac has it."""

from __future__ import annotations

from contextlib import redirect_stdout
from typing import Any, Self
from unittest import mock

import numpy as np
import torch
from scipy import sparse
from torch import nn

from fashionlib.recommending.scoring import top_n


class CornacVBPR:
    """cornac's VBPR (Salah et al., JMLR 21:95, 2020); same interface as Model.

    `options` are any of its arguments. cornac 3.0.1 adds the visual bias, of shape
    (B, 1), to the other terms, of shape (B,). The sum is (B, B), and every triple
    learns from every other's visual bias too. `patched` keeps the diagonal, where each
    meets its own.
    """

    def __init__(
        self,
        features: np.ndarray,
        patched: bool = False,
        seed: int = 42,
        **options: Any,
    ) -> None:
        self.features, self.patched = features, patched
        self.seed, self.options = seed, options

    def fit(self, train: sparse.csr_matrix) -> Self:
        """Train cornac's model; it prints nothing.

        ImportError where cornac is not installed, ValueError for features of another
        number of items.
        """
        if len(self.features) != train.shape[1]:
            raise ValueError(
                f"features of shape {self.features.shape} for {train.shape[1]} items:"
                " give one row each"
            )
        self.train = train.tocsr()
        data = dataset(train, self.features, self.seed)
        from cornac.models import VBPR

        self.model = VBPR(seed=self.seed, verbose=False, **self.options)
        original = nn.functional.logsigmoid  # the one place that sees the margins

        def of_diagonal(margins: torch.Tensor) -> torch.Tensor:
            return original(margins.diagonal())

        loss = of_diagonal if self.patched else original
        with (
            mock.patch.object(nn.functional, "logsigmoid", loss),
            redirect_stdout(None),
        ):
            self.model.fit(data)
        return self

    def recommend(self, users: np.ndarray, n: int, repeats: bool = False) -> np.ndarray:
        """Return (len(users), n) item positions; see `Model.recommend`."""
        model = self.model
        biases = (model.beta_item + model.visual_bias).astype(np.float32)
        user_vectors = np.concatenate([model.gamma_user, model.theta_user], 1)
        item_vectors = np.concatenate([model.gamma_item, model.theta_item], 1)
        tensors = map(torch.from_numpy, (user_vectors, item_vectors, biases))
        return top_n(*tensors, users, self.train, n, repeats)


def dataset(
    interactions: sparse.csr_matrix, features: np.ndarray | None = None, seed: int = 42
) -> Any:
    """Make cornac's Dataset of the matrix (users, items) and features (items, dim).

    A position is its own id in it.
    """
    try:
        from cornac.data import Dataset, ImageModality
    except ImportError as error:
        raise ImportError("cornac is not installed: pip install cornac") from error
    users, items = interactions.shape
    pairs = interactions.tocoo()
    data = Dataset(
        users,
        items,
        {u: u for u in range(users)},
        {i: i for i in range(items)},
        (pairs.row, pairs.col, np.ones(pairs.nnz)),
        seed=seed,
    )
    if features is not None:
        data.add_modalities(item_image=ImageModality(features=np.asarray(features)))
    return data
