"""Time the split of H&M's 105,542 articles, by article and by product.

The split of interactions has its own: `split_interactions`.

    python -m benchmarks.splits [--rounds 3] [--seed 0]
"""

import numpy as np
import pandas as pd

from benchmarks.measuring import Figure, alternating, options, report
from fashionlib.data.items import split_items

ARTICLES = 105_542


def main() -> None:
    given = options(__doc__, rounds=3, seed=0)
    rng = np.random.default_rng(given.seed)
    products = np.sort(rng.integers(100_000, 147_224, ARTICLES))
    items = pd.DataFrame(
        {
            "item_id": [f"{p:07d}{n % 1000:03d}" for n, p in enumerate(products)],
            "product_id": [f"{p:07d}" for p in products],
        }
    )
    ways = {
        how: lambda how=how: split_items(items, by=how)
        for how in ("article", "product")
    }
    _, seconds = alternating(ways, given.rounds)
    figures = [
        Figure(f"{ARTICLES:,} articles split by {how}", took)
        for how, took in seconds.items()
    ]
    report(figures, {"articles": ARTICLES})


if __name__ == "__main__":
    main()
