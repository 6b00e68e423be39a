"""What a captioner reads in place of pictures: rows of features made before."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from fashionlib.features import chunks
from fashionlib.features.efficientnet import STEP, Cells, encode_images


@dataclass
class Rows:
    """Features of pictures, one row a picture, for a vision tower that reads these.

    A captioner is always given references of pictures (`fashionlib.data.images`) and
    looks their rows up here. With the projection `cells` it also reads a picture that
    has no row.
    """

    pictures: Sequence[str]
    features: np.ndarray | Tensor  # (pictures, cells, dim)
    cells: Cells | None = None
    row_of: dict[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if len(self.pictures) != len(self.features):
            raise ValueError(
                f"{len(self.features)} rows of features for {len(self.pictures)}"
                " pictures"
            )
        self.row_of = {picture: row for row, picture in enumerate(self.pictures)}

    @property
    def shape(self) -> tuple[int, int]:
        """Cells, and numbers of a cell."""
        return tuple(self.features.shape[1:])

    def extend(self, pictures: Sequence[str], features: np.ndarray) -> Rows:
        """Return the rows of more pictures too."""
        both = np.concatenate([self.features, features])
        return Rows([*self.pictures, *pictures], both, self.cells)

    def encode(self, pictures: Sequence[str], cache: Path | None = None) -> Rows:
        """Return the rows of pictures, all encoded at once by the projection.

        With a folder `cache` a killed run goes on. Raises as `encode_images`.
        """
        size = STEP * math.isqrt(self.shape[0])
        made = encode_images(pictures, pictures, self.cells, cache, size)["grid"]
        return Rows(pictures, made.matrix, self.cells)

    def read(self, pictures: Sequence[str]) -> Tensor:
        """Return the rows of pictures (items, cells, dim), float32 where made by numpy.

        ValueError for a picture without a row, where there is no projection.
        """
        encoded = self._encode([name for name in pictures if name not in self.row_of])
        rows = [
            encoded[name] if name in encoded else self.features[self.row_of[name]]
            for name in pictures
        ]
        if isinstance(self.features, Tensor):
            return torch.stack(rows)
        return torch.from_numpy(np.stack(rows).astype(np.float32))

    def _encode(self, pictures: list[str]) -> dict[str, np.ndarray]:
        """Make the rows of pictures that have none yet."""
        if not pictures:
            return {}
        if self.cells is None:
            raise ValueError(
                f"this captioner reads features, {pictures[0]} has none among those of"
                f" {len(self.pictures)} pictures, and there is no projection of"
                " pictures to them (cells.safetensors, which notebook 03 keeps); give"
                " its row, or set `cells`"
            )
        rows = self.cells.grid(pictures, self.shape[0])
        return dict(zip(pictures, rows, strict=True))

    def digest(self, picture: str) -> bytes:
        """Return a digest of a picture's row, or of what would make it."""
        if picture not in self.row_of and self.cells is not None:
            return chunks.digest_picture(picture) + chunks.digest_row(self.cells.axes)
        row = self.features[self.row_of[picture]]
        return chunks.digest_row(
            row.float().numpy() if isinstance(row, Tensor) else row
        )
