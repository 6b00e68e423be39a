"""The best items of many users by inner products, a block of users at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numba import get_num_threads
from scipy import sparse
from torch import Tensor

from fashionlib.features.threads import one_thread
from fashionlib.recommending.baselines import mask
from fashionlib.recommending.kernels import merge_scores

# A tile of scores, 2 MiB: still in the processor's cache when the best are picked.
USERS, ITEMS = 512, 1024
ON_GPU = 2**27  # scores at a time there: 512 MiB


def top_n(
    users: Tensor,
    items: Tensor,
    biases: Tensor,
    chosen: np.ndarray,
    train: sparse.csr_matrix,
    n: int,
    repeats: bool = False,
) -> np.ndarray:
    """Return (len(chosen), n) positions of the items with the largest scores.

    Scores are users[chosen] @ items.T + biases, best first; -1 where a user has nothing
    left. The entries of `train` (all users, items) are left out, unless `repeats`.
    """
    chosen = np.asarray(chosen)
    lists = np.full((len(chosen), n), -1, np.int32)
    on_gpu = users.is_cuda
    step = max(1, ON_GPU // max(1, len(items))) if on_gpu else USERS

    @torch.no_grad()
    def fill(start: int) -> None:
        block = chosen[start : start + step]
        masked = mask(train, block, repeats)
        vectors = users[torch.as_tensor(block, device=users.device)]
        best = _on_gpu if on_gpu else _on_cpu
        lists[start : start + step] = best(vectors, items, biases, masked, n)

    workers = 1 if on_gpu else get_num_threads()  # a core a block
    pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,))
    with one_thread(), pool:
        list(pool.map(fill, range(0, len(chosen), step)))
    return lists


def _on_cpu(
    users: Tensor, items: Tensor, biases: Tensor, masked: sparse.csr_matrix, n: int
) -> np.ndarray:
    lists = np.full((len(users), n), -1, np.int32)
    values = np.full((len(users), n), -np.inf, np.float32)
    # One buffer for all tiles: new memory for each costs a third of the product.
    buffer = torch.empty(len(users) * ITEMS)
    for first in range(0, len(items), ITEMS):
        part = items[first : first + ITEMS]
        scores = buffer[: len(users) * len(part)].view(len(users), len(part))
        torch.addmm(biases[first : first + ITEMS], users, part.T, out=scores)
        merge_scores(
            scores.numpy(), first, masked.indptr, masked.indices, lists, values
        )
    return lists


def _on_gpu(
    users: Tensor, items: Tensor, biases: Tensor, masked: sparse.csr_matrix, n: int
) -> np.ndarray:
    scores = torch.addmm(biases, users, items.T)  # (users, items)
    at = np.stack(masked.nonzero()).astype(np.int64)  # (2, masked)
    scores[tuple(torch.from_numpy(at).to(scores.device))] = -torch.inf
    values, places = scores.topk(min(n, len(items)), dim=1)
    lists = np.full((len(users), n), -1, np.int32)
    lists[:, : places.shape[1]] = places.where(values.isfinite(), -1).cpu().numpy()
    return lists
