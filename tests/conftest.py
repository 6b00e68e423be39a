"""What tests of several files share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

os.environ["CUDA_VISIBLE_DEVICES"] = ""  # tests ask for the CPU's numbers, which repeat to the last digit


@pytest.fixture
def photographed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int, int, int]]:
    """Noise in place of the wardrobe's drawings, which are slower; the list gets the box of each consumer photo."""
    from fashionlib.wardrobe import views

    boxes: list[tuple[int, int, int, int]] = []

    def draw(garment, colour, rng, size):  # noqa: ANN001, ANN202
        return Image.fromarray(rng.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8))

    def consumer(garment, colour, rng, size):  # noqa: ANN001, ANN202
        left, upper = int(rng.integers(size[0] - 1)), int(rng.integers(size[1] - 1))
        boxes.append((left, upper, int(rng.integers(left + 1, size[0] + 1)), int(rng.integers(upper + 1, size[1] + 1))))
        return draw(garment, colour, rng, size), boxes[-1]

    for name, view in (("flat", draw), ("detail", draw), ("consumer", consumer)):
        monkeypatch.setattr(views, name, view)
    return boxes


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """One torch thread: at the tests' sizes a second one only waits."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
