"""Shoppers who buy from the wardrobe: tastes, popularity, fashion's clock, baskets,
repeats and companions.

A shopper's liking of an item is their taste for its type, colour and pattern (which
pictures and captions show) plus a hidden part (which nothing shows) plus the item's
popularity, less its age since launch. Within a basket an item may be followed by its
companion, which purchases reveal and content does not.
"""

from __future__ import annotations

import hashlib
from datetime import date, timedelta

import numpy as np
import pandas as pd
from tqdm import tqdm

FIRST_DAY, DAYS = date(2018, 9, 20), 733  # until 2020-09-22, as Kaggle's
SEEN = ("type", "colour", "pattern")  # what tastes are about


def purchases(
    truth: pd.DataFrame,
    shoppers: int,
    rng: np.random.Generator,
    median: float = 10.0,
    basket: float = 3.3,
    repeat: float = 0.10,
    companion: float = 0.30,
    style: float = 2.0,
    hidden: float = 0.4,
    popularity: float = 0.6,
    life: float = 250.0,
    launches: bool = True,
) -> pd.DataFrame:
    """What `shoppers` people bought of `truth`'s items: columns shopper, item (row
    numbers) and day, in order of days.

    median: articles per shopper (log-normal); basket: articles per day (geometric);
    repeat, companion: chances that an article is one of the shopper's own or the
    companion of the one before; style, hidden, popularity: spread of the three parts of
    liking; life: days in which an item's appeal falls to 1/e; launches: whether an item
    is sold from its launch day only, else from the first day on. `truth` needs `launch`
    (day) and the columns `SEEN`. The defaults are plausible, not fitted to H&M. The
    table's `attrs["shoppers"]` says how many people there were.
    """
    looks = pd.get_dummies(truth[list(SEEN)]).to_numpy(np.float32)
    quality = rng.normal(0, 1, (len(truth), 6)).astype(np.float32)
    fame = rng.normal(0, popularity, len(truth))
    launch = truth["launch"].to_numpy() if launches else np.zeros(len(truth), int)
    mates = _companions(truth["type"].to_numpy(), launch, rng)
    rows: list[tuple[int, int, int]] = []
    for shopper in tqdm(range(shoppers), desc="shoppers", disable=None):
        taste = rng.normal(0, 1, looks.shape[1]).astype(np.float32)
        liking = style * (looks @ taste) / len(SEEN) ** 0.5 + fame
        liking += hidden * (quality @ rng.normal(0, 1, 6).astype(np.float32)) / 6**0.5
        wanted = int(np.clip(round(rng.lognormal(np.log(median), 0.8)), 1, 200))
        bought: list[int] = []
        for day in _days(wanted, basket, rng):
            sold = np.flatnonzero(launch <= day)
            if not len(sold):
                continue
            appeal = liking[sold] - (day - launch[sold]) / life
            chances = np.cumsum(np.exp(appeal - appeal.max()))
            last = -1
            for _ in range(min(rng.geometric(1 / basket), wanted - len(bought))):
                last = _choose(
                    last, bought, sold, chances, mates, rng, repeat, companion
                )
                if launch[last] <= day:
                    bought.append(last)
                    rows.append((shopper, last, day))
    table = pd.DataFrame(rows, columns=["shopper", "item", "day"])
    table = table.sort_values(["day", "shopper"], kind="stable", ignore_index=True)
    table.attrs["shoppers"] = shoppers
    return table


def _days(wanted: int, basket: float, rng: np.random.Generator) -> list[int]:
    """The days on which one person shops, in order, from a first visit on."""
    first = int(rng.integers(0, DAYS - 30))
    return sorted(
        rng.integers(first, DAYS, max(1, round(1.3 * wanted / basket))).tolist()
    )


def _choose(
    last: int,
    bought: list[int],
    sold: np.ndarray,
    chances: np.ndarray,
    mates: np.ndarray,
    rng: np.random.Generator,
    repeat: float,
    companion: float,
) -> int:
    """The next row: one bought before, the last one's companion, or one of those on
    sale (`chances` added up).
    """
    draw = rng.random()
    if draw < repeat and bought:
        return bought[int(rng.integers(len(bought)))]
    if draw < repeat + companion and last >= 0:
        return int(mates[last])
    return int(
        sold[
            min(
                chances.searchsorted(rng.random() * chances[-1], side="right"),
                len(sold) - 1,
            )
        ]
    )


def _companions(
    types: np.ndarray, launch: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """The row of the item that goes with each item: pairs of two types, launched at
    about the same time; (items,).
    """
    waiting = np.argsort(
        launch + rng.normal(0, 20, len(launch)), kind="stable"
    ).tolist()
    mates = rng.permutation(len(types))  # for those that find no partner
    while waiting:
        item = waiting.pop(0)
        other = next((o for o in waiting if types[o] != types[item]), None)
        if other is not None:
            waiting.remove(other)
            mates[item], mates[other] = other, item
    return mates


def customer_id(number: int, seed: int) -> str:
    """64 hex characters, as Kaggle's ids."""
    return hashlib.sha256(f"wardrobe {seed} shopper {number}".encode()).hexdigest()


def customers(count: int, seed: int) -> pd.DataFrame:
    """Kaggle's seven columns of customers.csv, one row per shopper."""
    rng = np.random.default_rng([seed, 4])
    active = rng.random(count) < 0.35
    return pd.DataFrame(
        {
            "customer_id": [customer_id(n, seed) for n in range(count)],
            "FN": np.where(active, "1.0", ""),
            "Active": np.where(active & (rng.random(count) < 0.9), "1.0", ""),
            "club_member_status": rng.choice(
                ["ACTIVE", "PRE-CREATE"], count, p=[0.93, 0.07]
            ),
            "fashion_news_frequency": np.where(active, "Regularly", "NONE"),
            "age": np.clip(rng.normal(36, 14, count), 16, 90).astype(int),
            "postal_code": [
                hashlib.sha256(f"post {n // 3} {seed}".encode()).hexdigest()
                for n in range(count)
            ],
        }
    )


def table(bought: pd.DataFrame, truth: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Kaggle's five columns of transactions_train.csv from `purchases`, prices varying
    a little by day.
    """
    rng = np.random.default_rng([seed, 5])
    ids = {n: customer_id(n, seed) for n in bought["shopper"].unique()}
    days = [(FIRST_DAY + timedelta(days=d)).isoformat() for d in range(DAYS)]
    price = truth["price"].to_numpy()[bought["item"]] * rng.choice(
        [1, 1, 1, 0.9, 0.8, 0.6], len(bought)
    )
    return pd.DataFrame(
        {
            "t_dat": [days[d] for d in bought["day"]],
            "customer_id": bought["shopper"].map(ids),
            "article_id": truth["item_id"].to_numpy()[bought["item"]],
            "price": price.round(6),
            "sales_channel_id": rng.choice([1, 2], len(bought), p=[0.3, 0.7]),
        }
    )
