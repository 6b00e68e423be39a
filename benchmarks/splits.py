"""Time the split of H&M's 105,542 articles, by article and by product.

The split of interactions has its own: benchmarks/split_interactions.py. Prints JSON.

    python benchmarks/splits.py [--rounds 3] [--seed 0]
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from fashionlib.data import provenance
from fashionlib.data.items import split_items

ARTICLES = 105_542


def median_seconds(work: Callable[[], object], rounds: int) -> float:
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def main() -> None:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--seed", type=int, default=0)
    given = arguments.parse_args()
    products = np.sort(
        np.random.default_rng(given.seed).integers(100_000, 147_224, ARTICLES)
    )
    items = pd.DataFrame(
        {
            "item_id": [f"{p:07d}{n % 1000:03d}" for n, p in enumerate(products)],
            "product_id": [f"{p:07d}" for p in products],
        }
    )
    by = {
        f"split_items by {how}": median_seconds(
            lambda how=how: split_items(items, by=how), given.rounds
        )
        for how in ("article", "product")
    }
    json.dump(
        {
            "articles": ARTICLES,
            "seconds": {name: round(s, 3) for name, s in by.items()},
            "hardware": provenance.hardware(),
            "versions": provenance.versions(),
        },
        sys.stdout,
        indent=1,
    )


if __name__ == "__main__":
    main()
