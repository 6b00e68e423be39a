"""Simulate shoppers who buy from the wardrobe.

They have tastes, baskets and habits; articles are launched, popular, and age. A
shopper's liking of an item is their taste for its type, colour and pattern (which
pictures and captions show) plus a hidden part (which nothing shows) plus the item's
popularity, less its age since launch. Within a basket an item may be followed by its
companion, which interactions reveal and content does not.
"""

from __future__ import annotations

import hashlib
from datetime import date, timedelta

import numpy as np
import pandas as pd
from tqdm import tqdm

FIRST_DAY, DAYS = date(2018, 9, 20), 733  # until 2020-09-22, as Kaggle's
VISIBLE = ("type", "colour", "pattern")  # what tastes are about


def interactions(
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
    """Simulate what `shoppers` people buy of `truth`'s items, in order of days.

    Returns columns shopper, item (row numbers of `truth`) and day.

    median: articles per shopper (log-normal); basket: articles per day (geometric);
    repeat, companion: chances that an article is one of the shopper's own or the
    companion of the one before; style, hidden, popularity: spread of the three parts of
    liking; life: days in which an item's appeal falls to 1/e; launches: whether an item
    is sold from its launch day only, else from the first day on. `truth` needs `launch`
    (day) and the columns `VISIBLE`. The defaults are plausible, not fitted to H&M. The
    table's `attrs["shoppers"]` says how many people there were.
    """
    looks = pd.get_dummies(truth[list(VISIBLE)]).to_numpy(np.float32)
    quality = rng.normal(0, 1, (len(truth), 6)).astype(np.float32)
    fame = rng.normal(0, popularity, len(truth))
    launch = truth["launch"].to_numpy() if launches else np.zeros(len(truth), int)
    mates = _companions(truth["type"].to_numpy(), launch, rng).tolist()
    order = np.argsort(launch, kind="stable")
    on_sale = np.searchsorted(launch[order], np.arange(DAYS), side="right").tolist()
    rows: list[tuple[int, int, int]] = []
    for shopper in tqdm(range(shoppers), desc="shoppers", disable=None):
        taste = rng.normal(0, 1, looks.shape[1]).astype(np.float32)
        hidden_taste = rng.normal(0, 1, 6).astype(np.float32)
        liking = style * (looks @ taste) / len(VISIBLE) ** 0.5 + fame  # (items,)
        liking += hidden * (quality @ hidden_taste) / 6**0.5
        # less the age: what each day adds to it is the same for all, and changes none
        liking += launch / life
        # (items,) added up in order of launch: what is on sale comes first
        chances = np.cumsum(np.exp(liking - liking.max())[order])
        wanted = min(max(round(rng.lognormal(np.log(median), 0.8)), 1), 200)
        bought: list[int] = []
        for day in _days(wanted, basket, rng):
            sold = on_sale[day]
            if not sold:
                continue
            last = -1
            for _ in range(min(rng.geometric(1 / basket), wanted - len(bought))):
                draw = rng.random()
                if draw < repeat and bought:
                    last = bought[int(rng.integers(len(bought)))]
                elif draw < repeat + companion and last >= 0:
                    last = mates[last]
                else:
                    share = rng.random() * chances[sold - 1]
                    place = int(chances[:sold].searchsorted(share, side="right"))
                    last = int(order[min(place, sold - 1)])
                if launch[last] <= day:
                    bought.append(last)
                    rows.append((shopper, last, day))
    table = pd.DataFrame(rows, columns=["shopper", "item", "day"])
    table = table.sort_values(["day", "shopper"], kind="stable", ignore_index=True)
    table.attrs["shoppers"] = shoppers
    return table


def _days(wanted: int, basket: float, rng: np.random.Generator) -> list[int]:
    """Draw the days on which one person shops, in order, from a first visit on."""
    first = int(rng.integers(0, DAYS - 30))
    visits = max(1, round(1.3 * wanted / basket))
    return sorted(rng.integers(first, DAYS, visits).tolist())


def _companions(
    types: np.ndarray, launch: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Pair items of two types that are launched at about the same time.

    Returns the row of each item's companion, (items,).
    """
    about = launch + rng.normal(0, 20, len(launch))
    waiting = np.argsort(about, kind="stable").tolist()
    mates = rng.permutation(len(types))  # for those that find no partner
    while waiting:
        item = waiting.pop(0)
        other = next((o for o in waiting if types[o] != types[item]), None)
        if other is not None:
            waiting.remove(other)
            mates[item], mates[other] = other, item
    return mates


def customer_id(number: int, seed: int) -> str:
    """Return 64 hex characters, as Kaggle's ids."""
    return hashlib.sha256(f"wardrobe {seed} shopper {number}".encode()).hexdigest()


def customers(count: int, seed: int) -> pd.DataFrame:
    """Return Kaggle's seven columns of customers.csv, one row a shopper."""
    rng = np.random.default_rng([seed, 4])
    active = rng.random(count) < 0.35
    posts = [f"post {n // 3} {seed}".encode() for n in range(count)]
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
            "postal_code": [hashlib.sha256(post).hexdigest() for post in posts],
        }
    )


def transactions(
    interactions: pd.DataFrame, truth: pd.DataFrame, seed: int
) -> pd.DataFrame:
    """Return Kaggle's five columns of transactions_train.csv.

    `interactions`: what the function of that name returns. Prices vary a little.
    """
    rng = np.random.default_rng([seed, 5])
    ids = {n: customer_id(n, seed) for n in interactions["shopper"].unique()}
    days = [(FIRST_DAY + timedelta(days=d)).isoformat() for d in range(DAYS)]
    item = interactions["item"]
    reduction = rng.choice([1, 1, 1, 0.9, 0.8, 0.6], len(interactions))
    price = truth["price"].to_numpy()[item] * reduction
    return pd.DataFrame(
        {
            "t_dat": [days[d] for d in interactions["day"]],
            "customer_id": interactions["shopper"].map(ids),
            "article_id": truth["item_id"].to_numpy()[item],
            "price": price.round(6),
            "sales_channel_id": rng.choice([1, 2], len(interactions), p=[0.3, 0.7]),
        }
    )
