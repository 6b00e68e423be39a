"""Train Table 5's VBPR from its two starts on purchases of a longer time.

The question of chapter 14's last sections on another data set: Ducho meets Elliot's
VBPR leaves customers' visual tastes at N(0, 1) (*as shipped*) where Xavier's draw seems
meant. Chapter 14 asks of H&M's week; here a folder in H&M's layout says which purchases
(the two years of 1,364 customers have too few that five customers and five articles
share: two of each are enough here). The same grid points, epochs and rule of stopping;
the spaces of a run on the same photos (chapters 01 to 12); three trainings each.
Intervals are over customers, of their means over the trainings.

    # a link or a folder, _run/hm-2y, or another that is named; beside it _run/sample
    python -m benchmarks.starts [FOLDER] [--least 2] [--epochs 200] [--seeds 3]
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pandas as pd

from benchmarks.measuring import ROOT, Figure, report, timed
from fashionlib import features, recommending
from fashionlib.book import runs
from fashionlib.data import interactions
from fashionlib.data.readers import hm
from fashionlib.recommending import vbpr

POINTS = list(itertools.product((0.001, 0.005), (1e-5, 0.01)))  # rate, penalty
STARTS = {"as shipped": True, "Xavier": False}
FACTORS = 64
RUN = ROOT / "_run"
SPACES = ("image", "text", "both", "vision", "queries")  # the last two a captioner's


def trained(
    data: interactions.Interactions,
    read: Mapping[str, features.Features],
    epochs: int,
    seeds: int,
) -> tuple[pd.Series, pd.Series, float]:
    """Train at each point from both starts, with each seed, in each space.

    Returns the customers' NDCG@5, whether a training was still rising, and the
    processor seconds of a training.
    """
    scores, rising, seconds = {}, {}, 0.0
    for (lr, penalty), start, seed in itertools.product(POINTS, STARTS, range(seeds)):
        point = f"lr {lr:g}, penalty {penalty:g}"
        options = {"lr": lr, "penalty": penalty, "shipped": STARTS[start]}
        options |= {"factors": FACTORS, "epochs": epochs, "seed": seed}
        models = vbpr.of_spaces(read, data.items, vbpr.DuchoVBPR, **options)
        judged, took = timed(partial(recommending.compare, models, data, (5,)))
        seconds += took
        for space, model in models.items():
            key = point, space, start, seed
            scores[key] = judged.per_user.loc[space, "NDCG@5"]
            rising[key] = model.still_rising
        sys.stderr.write(f"{point}, {start}, seed {seed}\n")
    found = pd.concat(scores, names=["point", "space", "model", "seed"])
    return found, pd.Series(rising), seconds / len(rising)


def summed_up(scores: pd.Series, rising: pd.Series) -> list[dict[str, object]]:
    """Return a row for each point and space: both starts' NDCG@5 and their difference.

    `scores` is by point, space, start, seed and customer, `rising` says by the first
    four whether a training hadn't stopped.
    """
    means = scores.groupby(["point", "space", "model", "user_id"]).mean()
    still, rows = rising.groupby(level=[0, 1]).sum(), []
    for (point, space), some in means.groupby(["point", "space"]):
        some = some.droplevel(["point", "space"]).to_frame()
        gap = recommending.paired(some, [tuple(STARTS)]).iloc[0]
        row = {"point": point, "space": space}
        row |= {**some["NDCG@5"].groupby("model").mean(), **gap}
        rows.append(row | {"still rising": still[point, space]})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, default=RUN / "hm-2y")
    for name, default in {"least": 2, "epochs": 200, "seeds": 3}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    run = runs.Run("14_recommenders", "sample", RUN / "sample", seed=0)
    bought = hm.transactions(given.folder)
    known = bought.item_id.isin(run.items().index)
    bought = interactions.core(bought[known], given.least)
    data = interactions.to_matrices(*interactions.temporal_split(bought))
    read = {name: run.features(name) for name in SPACES}
    scores, rising, seconds = trained(data, read, given.epochs, given.seeds)
    facts = {
        "purchases": len(bought),
        "customers": len(data.evaluated),
        "articles": len(data.items),
        "of each other, at least": given.least,
        "trainings": given.seeds,
    }
    what = f"a training: 64 factors, at most {given.epochs} epochs"
    found = {"facts": facts, "starts": summed_up(scores, rising)}
    report([Figure(what, seconds)], found)


if __name__ == "__main__":
    main()
