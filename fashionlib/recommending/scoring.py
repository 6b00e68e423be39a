"""The best items of many users by inner products: a block of users at a time, bought
items left out.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from fashionlib.features.threads import one_thread
from fashionlib.recommending.kernels import merge_scores, threads

USERS, ITEMS = (
    512,
    1024,
    # a tile of scores: 2 MiB, which the processor's cache still holds when the best are
    # picked
)
ON_GPU = 2**27  # scores at a time there: 512 MiB


def top_n(
    users: Tensor,
    items: Tensor,
    biases: Tensor,
    chosen: np.ndarray,
    seen: sparse.csr_matrix | None,
    n: int,
) -> np.ndarray:
    """(len(chosen), n) positions of the items with the largest users[chosen] @ items.T
    + biases, best first; -1 where a user has nothing left. Without the non-zero entries
    of `seen` (all users, items), unless that is None.
    """
    chosen, lists = np.asarray(chosen), np.full((len(chosen), n), -1, np.int32)
    best, step = (
        (_on_gpu, max(1, ON_GPU // max(1, len(items))))
        if users.is_cuda
        else (_on_cpu, USERS)
    )

    @torch.no_grad()
    def fill(start: int) -> None:
        some = chosen[start : start + step]
        mask = (
            sparse.csr_matrix((len(some), len(items)))
            if seen is None
            else seen[some].sorted_indices()
        )
        lists[start : start + step] = best(
            users[torch.as_tensor(some, device=users.device)], items, biases, mask, n
        )

    workers = 1 if users.is_cuda else threads()  # a core a block
    pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,))
    with one_thread(), pool:
        list(pool.map(fill, range(0, len(chosen), step)))
    return lists


def _on_cpu(
    users: Tensor, items: Tensor, biases: Tensor, mask: sparse.csr_matrix, n: int
) -> np.ndarray:
    lists, values = (
        np.full((len(users), n), -1, np.int32),
        np.full((len(users), n), -np.inf, np.float32),
    )
    tile = torch.empty(
        len(users) * ITEMS
    )  # one for all: new memory for each costs as much as a third of the product
    for first in range(0, len(items), ITEMS):
        part = items[first : first + ITEMS]
        scores = tile[: len(users) * len(part)].view(len(users), len(part))
        torch.addmm(biases[first : first + ITEMS], users, part.T, out=scores)
        merge_scores(scores.numpy(), first, mask.indptr, mask.indices, lists, values)
    return lists


def _on_gpu(
    users: Tensor, items: Tensor, biases: Tensor, mask: sparse.csr_matrix, n: int
) -> np.ndarray:
    scores, lists = (
        torch.addmm(biases, users, items.T),
        np.full((len(users), n), -1, np.int32),
    )
    rows = np.repeat(np.arange(len(scores)), np.diff(mask.indptr))
    scores[
        tuple(
            torch.from_numpy(at).to(scores.device)
            for at in (rows, mask.indices.astype(np.int64))
        )
    ] = -torch.inf
    value, place = (
        found.cpu().numpy() for found in scores.topk(min(n, scores.shape[1]), dim=1)
    )
    lists[:, : value.shape[1]] = np.where(np.isfinite(value), place, -1)
    return lists
