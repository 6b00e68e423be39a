"""Recommenders of a library behind the interface of ours: VBPR as cornac has it."""

from __future__ import annotations

from contextlib import redirect_stdout
from typing import Any, Self
from unittest import mock

import numpy as np
import torch
from scipy import sparse

from fashionlib.recommending.scoring import top_n


class CornacVBPR:
    """cornac's VBPR (Salah et al., JMLR 21:95, 2020), any of its arguments as
    `options`; same interface as Model.

    cornac 3.0.1 adds the visual bias, of shape (B, 1), to the other terms, of shape
    (B,). The sum is (B, B), and every triple learns from every other's visual bias too.
    `patched` keeps the diagonal, where each meets its own.
    """

    def __init__(
        self,
        features: np.ndarray,
        patched: bool = False,
        seed: int = 42,
        **options: Any,
    ) -> None:
        self.features, self.patched, self.seed, self.options = (
            features,
            patched,
            seed,
            options,
        )

    def fit(self, train: sparse.csr_matrix) -> Self:
        """Raises ImportError where cornac is not installed, ValueError for features of
        another number of items.
        """
        if len(self.features) != train.shape[1]:
            raise ValueError(
                f"features of shape {self.features.shape} for {train.shape[1]} items:"
                " give one row each"
            )
        self.train, self.data = train.tocsr(), dataset(train, self.features, self.seed)
        from cornac.models import VBPR

        self.model = VBPR(seed=self.seed, verbose=False, **self.options)
        original = torch.nn.functional.logsigmoid  # the one place that sees the margins
        kept = (
            original
            if not self.patched
            else lambda margins: original(margins.diagonal())
        )
        with (
            mock.patch.object(torch.nn.functional, "logsigmoid", kept),
            redirect_stdout(None),
        ):  # it prints when done
            self.model.fit(self.data)
        return self

    def recommend(self, users: np.ndarray, n: int, repeats: bool = False) -> np.ndarray:
        """(len(users), n) item positions, best first; train items only with `repeats`;
        -1 for an empty place.
        """
        model, seen = self.model, None if repeats else self.train
        biases = torch.from_numpy(
            (model.beta_item + model.visual_bias).astype(np.float32)
        )
        mine, items = (
            [torch.from_numpy(part) for part in parts]
            for parts in (
                (model.gamma_user, model.theta_user),
                (model.gamma_item, model.theta_item),
            )
        )
        return top_n(torch.cat(mine, 1), torch.cat(items, 1), biases, users, seen, n)


def dataset(
    purchases: sparse.csr_matrix, features: np.ndarray | None = None, seed: int = 42
) -> Any:
    """The matrix (users, items), and features (items, dim), as cornac's Dataset, in
    which a position is its own id.
    """
    try:
        from cornac.data import Dataset, ImageModality
    except ImportError as error:
        raise ImportError("cornac is not installed: pip install cornac") from error
    users, items = purchases.shape
    found = purchases.tocoo()
    made = Dataset(
        users,
        items,
        {u: u for u in range(users)},
        {i: i for i in range(items)},
        (found.row, found.col, np.ones(found.nnz)),
        seed=seed,
    )
    if features is not None:
        made.add_modalities(item_image=ImageModality(features=np.asarray(features)))
    return made
