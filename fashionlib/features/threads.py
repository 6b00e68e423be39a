"""How many threads torch computes with on the CPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

SMALL = 10_000_000  # weights; below this a second CPU thread costs more than it brings


@contextmanager
def one_thread(where: bool = True) -> Iterator[None]:
    """Compute on one torch thread, if `where`; the number before is restored.

    A context (`with one_thread():`) or a decorator (`@one_thread()`).
    For workers that share the cores already, and for sums that must not depend on how
    many there are.
    """
    before = torch.get_num_threads()
    if where:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def enough_for(model: nn.Module) -> bool:
    """Say whether one thread is enough for a model: a small one, on the CPU."""
    weights = list(model.parameters())
    on_cpu = weights[0].device.type == "cpu"
    return on_cpu and sum(weight.numel() for weight in weights) < SMALL
