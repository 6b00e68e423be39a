"""Shops for experiments: the people who buy drawn articles."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from fashionlib.data.interactions import leaks, temporal_split
from wardrobe.shoppers import VISIBLE, interactions


def visited(
    truth: pd.DataFrame, shoppers: int, world: int, **habits: Any
) -> pd.DataFrame:
    """Draw what people buy in a shop of these articles: user_id, item_id, date.

    `world` seeds them, `habits` are arguments of `shoppers.interactions`; a date is a
    day's number.
    """
    random = np.random.default_rng([world, 2])
    bought = interactions(truth, shoppers, random, **habits)
    columns = {
        "user_id": bought["shopper"],
        "item_id": truth["item_id"].to_numpy()[bought["item"]],
        "date": bought["day"],
    }
    return pd.DataFrame(columns)


def measures(truth: pd.DataFrame, rows: pd.DataFrame) -> dict[str, float]:
    """Return what interactions with `truth`'s articles show of people's habits.

    bought before: of the test's pairs, those in train too; same day: test rows whose
    user has a train row of that day; top 60 articles: their share of all rows; own
    favourite type: a user's rows of their commonest product type, mean over users.
    """
    leaking = leaks(*temporal_split(rows))
    top = rows["item_id"].value_counts(normalize=True)[:60]
    types = rows["item_id"].map(truth.set_index("item_id")["type"])
    shares = types.groupby(rows["user_id"]).value_counts(normalize=True)
    return {
        "bought before": leaking["bought before"],
        "same day": leaking["same day"],
        "top 60 articles": top.sum(),
        "own favourite type": shares.groupby("user_id").max().mean(),
    }


def true_looks(truth: pd.DataFrame, items: np.ndarray) -> np.ndarray:
    """Return what tastes are about, one column a type, colour or pattern: 0 or 1."""
    looks = pd.get_dummies(truth.set_index("item_id")[list(VISIBLE)])
    return looks.loc[items].to_numpy(np.float32)
