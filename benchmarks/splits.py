"""Seconds of the splits at H&M's full size: 105,542 articles by article and by product, 31.8 million transactions.

The transactions are made up (1.36 million customers, log-normal histories, two years of days). The peer of the per-user
temporal split is the published script's way (rank within each customer, then a Python call a row), run on a part of the
rows; both must cut every row of that part alike. Prints JSON with seconds per million rows and their ratio.

    python benchmarks/splits.py [--rows 31788324] [--part 300000] [--rounds 3] [--seed 0]
"""

import argparse
import json
import math
import resource
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from fashionlib import purchases, runs
from fashionlib.datasets import split_items

ARTICLES, CUSTOMERS, DAYS = 105_542, 1_362_281, 734


def published_way(rows: pd.DataFrame, ratio: float = 0.2) -> np.ndarray:
    """Whether each row is a test row: rank(method="first") within the customer above floor(rows * (1 - ratio))."""
    threshold = rows.groupby("user_id").size().apply(lambda n: math.floor(n * (1 - ratio)))
    ranked = rows.assign(rank_first=rows.groupby("user_id")["date"].rank(method="first"))
    return ranked.apply(lambda row: row["rank_first"] > threshold.loc[row["user_id"]], axis=1).to_numpy()


def median_seconds(work: Callable[[], object], rounds: int) -> float:
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def transactions(count: int, rng: np.random.Generator) -> pd.DataFrame:
    """Rows in order of days; ids are text, as the reader gives them."""
    weight = rng.lognormal(0, 1.1, CUSTOMERS)
    users = rng.choice(CUSTOMERS, count, p=weight / weight.sum())
    names = np.array([f"{n:064x}" for n in range(CUSTOMERS)])
    items = np.array([f"{n:010d}" for n in range(ARTICLES)])
    days = np.sort(rng.integers(0, DAYS, count)).astype("timedelta64[D]") + np.datetime64("2018-09-20")
    bought = rng.integers(0, ARTICLES, count)
    return pd.DataFrame({"user_id": pd.Categorical.from_codes(users, names),
                         "item_id": pd.Categorical.from_codes(bought, items), "date": days.astype("datetime64[s]")})


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("--rows", 31_788_324), ("--part", 300_000), ("--rounds", 3), ("--seed", 0)):
        arguments.add_argument(name, type=int, default=default)
    given = arguments.parse_args()
    rng = np.random.default_rng(given.seed)
    products = np.sort(rng.integers(100_000, 147_224, ARTICLES))
    items = pd.DataFrame({"item_id": [f"{p:07d}{n % 1000:03d}" for n, p in enumerate(products)],
                          "product_id": [f"{p:07d}" for p in products]})
    by = {f"split_items by {how}": median_seconds(lambda how=how: split_items(items, by=how), given.rounds)
          for how in ("article", "product")}
    rows = transactions(given.rows, rng)
    whole = median_seconds(lambda: purchases.temporal_split(rows), given.rounds)
    keep = rows["user_id"].cat.codes.to_numpy() < CUSTOMERS * given.part / given.rows  # whole customers
    part = rows[keep].astype({"user_id": "str", "item_id": "str"}).reset_index(drop=True)
    ours = median_seconds(lambda: purchases.temporal_split(part), given.rounds)
    theirs = median_seconds(lambda: published_way(part), 1)
    test = np.zeros(len(part), bool)
    test[purchases.temporal_split(part)[1].index] = True
    json.dump({"articles": ARTICLES, "seconds": {name: round(s, 3) for name, s in by.items()},
               "transactions": len(rows), "temporal_split_seconds": round(whole, 1),
               "temporal_split_peak_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 1),
               "part": len(part), "seconds_per_million_rows": {"published way": round(theirs / len(part) * 1e6, 1),
                                                               "ours": round(ours / len(part) * 1e6, 3)},
               "ratio": round(theirs / ours, 1), "rows_cut_differently": int((test != published_way(part)).sum()),
               "hardware": runs.hardware(), "versions": runs.versions()}, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
