"""Make up interactions of H&M's size: 1.36 million customers, 31 million rows.

That is `made_up(1)`, with 103 thousand articles; other benchmarks import it. Customers
have two favourite clusters of articles; articles have a popularity, a launch and a
life; a day's basket may hold a repeat or a companion of the article before. So
neighbourhoods exist, popularity is as uneven as in the shop (the most sold article has
some 60 thousand buyers) and one customer in six has fewer than five rows. Numbers of
the generator are plausible, not fitted, and nothing that is measured on it says
anything about H&M but its size.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numba import njit

CUSTOMERS, ARTICLES, ROWS, DAYS = 1_360_000, 103_251, 31_400_000, 730
CLUSTERS, WEEKS = 40, 104
REPEAT, COMPANION, FAVOURITE, SECOND, BASKET = (
    0.08,
    0.2,
    0.5,
    0.2,
    3.4,
)  # chances, and articles a day


def made_up(scale: float, seed: int = 0) -> pd.DataFrame:
    """Return interactions in order of days: user_id, item_id, date.

    user_id and item_id are int32, date int16 (days). Below full size articles shrink
    with the square root of `scale`, customers and rows with `scale`.
    """
    rng = np.random.default_rng(seed)
    users, items = int(CUSTOMERS * scale), int(ARTICLES * min(1, scale**0.5))
    wanted = rng.lognormal(2.25, 1.25, users)
    wanted = np.clip(
        np.round(wanted * ROWS * scale / users / wanted.mean()), 1, 1900
    ).astype(np.int64)
    cluster, launch = rng.integers(0, CLUSTERS, items), rng.integers(-150, 720, items)
    fame, life = rng.lognormal(0, 1.45, items), rng.exponential(110, items) + 30
    shelves = _shelves(cluster, launch, fame, life)
    beside = np.lexsort(
        (launch, cluster)
    )  # companions: neighbours in launch within the cluster
    place = np.empty(items, dtype=np.int64)
    place[beside] = np.arange(items)
    companions = np.stack(
        [beside[np.clip(place + step, 0, items - 1)] for step in (1, 2, -1)], axis=1
    )
    first = (rng.beta(1, 1.5, users) * 700).astype(np.int64)
    tastes = rng.integers(0, CLUSTERS, (users, 2))
    user, item, day = _shop(seed, wanted, tastes, first, companions, *shelves)
    order = np.lexsort((user, day))
    return pd.DataFrame(
        {"user_id": user[order], "item_id": item[order], "date": day[order]}
    )


def _shelves(
    cluster: np.ndarray, launch: np.ndarray, fame: np.ndarray, life: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Return what is on sale for each (week, cluster).

    That is a slice of article numbers and their cumulative appeal.
    """
    sold, appeal, at = [], [], [0]
    members = [np.flatnonzero(cluster == c) for c in range(CLUSTERS)]
    for week in range(WEEKS):
        age = week * 7 + 3 - launch
        pull = np.where(age >= 0, fame * np.exp(-age / life), 0)
        for some in members:
            there = some[pull[some] > 1e-3]
            sold.append(there)
            appeal.append(np.cumsum(pull[there]))
            at.append(at[-1] + len(there))
    return np.concatenate(sold), np.concatenate(appeal), np.array(at)


@njit(cache=True)
def _shop(seed, wanted, tastes, first, companions, sold, appeal, at):
    np.random.seed(seed)
    total = wanted.sum()
    users = np.empty(total, np.int32)
    items = np.empty(total, np.int32)
    days = np.empty(total, np.int16)
    row = 0
    for user in range(len(wanted)):
        start, stop = row, row + wanted[user]
        while row < stop:
            day = first[user] + int(np.random.random() * (DAYS - first[user]))
            last = -1
            while row < stop:
                draw = np.random.random()
                if draw < REPEAT and row > start:
                    item = items[start + int(np.random.random() * (row - start))]
                elif draw < REPEAT + COMPANION and last >= 0:
                    item = companions[last, int(np.random.random() * 3)]
                else:
                    draw = np.random.random()
                    cluster = int(np.random.random() * CLUSTERS)
                    if draw < FAVOURITE + SECOND:
                        cluster = tastes[user, int(draw >= FAVOURITE)]
                    shelf = min(day // 7, WEEKS - 1) * CLUSTERS + cluster
                    low, high = at[shelf], at[shelf + 1]
                    item = int(np.random.random() * len(companions))
                    if high > low:
                        item = sold[
                            low
                            + np.searchsorted(
                                appeal[low:high], np.random.random() * appeal[high - 1]
                            )
                        ]
                users[row], items[row], days[row] = user, item, day
                row, last = row + 1, item
                if np.random.random() < 1 / BASKET:
                    break
    return users, items, days
