"""Kinds of test pairs, by their user's train rows, and the hits of each kind."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from fashionlib.data.interactions import Interactions, to_matrices
from fashionlib.recommending import ranking
from fashionlib.stats import wide

KINDS = ("bought before", "other colour", "day in train", "later day")


def of_test_rows(train: pd.DataFrame, test: pd.DataFrame) -> pd.Series:
    """Return the first kind of `KINDS` that fits each test row.

    The user has a train row of the item (bought before), of its product, H&M's first
    seven digits (other colour), of that day (day in train), or none of these.
    """
    train = train.assign(product=train["item_id"].str[:7])
    test = test.assign(product=test["item_id"].str[:7])
    fits = []
    for column in ("item_id", "product", "date"):
        known = pd.MultiIndex.from_frame(train[["user_id", column]])
        fits.append(pd.MultiIndex.from_frame(test[["user_id", column]]).isin(known))
    kind = np.select(fits, KINDS[:3], KINDS[3])
    return pd.Series(pd.Categorical(kind, KINDS), index=test.index)


def hits_by_kind(
    lists: Mapping[str, np.ndarray],
    data: Interactions,
    train: pd.DataFrame,
    test: pd.DataFrame,
    k: int = 12,
) -> pd.DataFrame:
    """Judge the lists of `data.evaluated` for each kind of test pair alone.

    One row per (kind, model, user_id) with a pair of that kind: "pairs", "hits" among
    the first k places, "recall". `data` is made of the two tables.
    """
    test = test.assign(kind=of_test_rows(train, test))
    test = test[test["user_id"].isin(data.users)]
    test = test.drop_duplicates(["user_id", "item_id"])
    tables = {}
    for kind, pairs in test.groupby("kind", observed=True):
        # the same users and candidates, fewer test pairs
        part = to_matrices(train, pairs)
        rows = np.searchsorted(data.evaluated, part.evaluated)
        users = pd.Index(part.users[part.evaluated], name="user_id")
        for model, all_lists in lists.items():
            hits, sizes = ranking.judge(all_lists[rows], part.test[part.evaluated], k)
            count = hits.sum(axis=1)
            judged = {"pairs": sizes, "hits": count, "recall": count / sizes}
            tables[kind, model] = pd.DataFrame(judged, index=users)
    return pd.concat(tables, names=["kind", "model"])


def shares(recalls: pd.DataFrame) -> pd.DataFrame:
    """Divide the test pairs, and each model's hits, into kinds: a row each, KINDS.

    `recalls` has columns data, kind, model, pairs and hits. A row is named by its data,
    what it counts, and how many there are.
    """
    table = recalls.set_index(["data", "model", "kind"])
    hits = wide(table["hits"], "kind")  # (data, model) x kinds
    pairs = wide(table["pairs"], "kind")
    rows = {}
    for data, models in hits.groupby(level="data", sort=False):
        rows[f"{data}, test pairs"] = pairs.loc[data].iloc[0]
        for model, counts in models.droplevel("data").drop("Random").iterrows():
            rows[f"{data}, {model}'s hits"] = counts
    frame = pd.DataFrame(rows).T.reindex(columns=list(KINDS)).fillna(0)
    total = frame.sum(axis=1)
    names = [f"{row} ({count:,.0f})" for row, count in total.items()]
    return frame.div(total, axis=0).fillna(0).set_axis(names)
