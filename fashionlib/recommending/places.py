"""Where an item stands in a user's list: all places, not only the first twelve."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from fashionlib import stats
from fashionlib.data.interactions import Interactions, to_matrices

BLOCK = 500  # users whose scores are in memory together
TOP = 12
MEASURES = ("below", "in twelve")


def shares_below(
    models: Mapping[str, Any],
    wanted: sparse.csr_matrix,
    bought: sparse.csr_matrix,
    candidates: np.ndarray,
    groups: np.ndarray,
) -> pd.DataFrame:
    """Return each fitted model's places of wanted items, means over groups of items.

    Columns ("below", model) and ("in twelve", model). Below is the share of a user's
    other candidates, neither bought nor wanted, that score lower (half of those that
    score the same): 1 is best, 0.5 chance; He and McAuley (AAAI 2016) call it AUC. In
    twelve says that fewer than twelve score higher. `wanted` and `bought` are (users,
    items), `candidates` positions of items, `groups` (items,) such as their products: a
    mean is over a group's pairs, one row a group.
    """
    tables = {
        name: _shares_below(model, wanted, bought, candidates, groups)
        for name, model in models.items()
    }
    return pd.concat(tables, axis=1).swaplevel(axis=1)


def _shares_below(
    model: Any,
    wanted: sparse.csr_matrix,
    bought: sparse.csr_matrix,
    candidates: np.ndarray,
    groups: np.ndarray,
) -> pd.DataFrame:
    users = np.flatnonzero(np.diff(wanted.indptr))
    items, below, in_twelve = [], [], []
    for block in np.array_split(users, len(users) // BLOCK + 1):
        scores = model.scores(block)[:, candidates]
        user, place = wanted[block][:, candidates].nonzero()  # a pair each
        mine = scores[user, place][:, None]
        bought_too = bought[block][:, candidates].nonzero()
        scores[user, place] = scores[bought_too] = np.nan  # neither lower nor equal
        theirs = scores[user]  # (pairs, candidates)
        # ties count half
        lower = (theirs < mine).sum(axis=1) + (theirs == mine).sum(axis=1) / 2
        others = np.isfinite(scores).sum(axis=1)[user]
        items.append(candidates[place])
        below.append(lower / others)
        in_twelve.append(others - lower < TOP)
    columns = (np.concatenate([[], *column]) for column in (below, in_twelve))
    frame = pd.DataFrame(dict(zip(MEASURES, columns, strict=True)))
    return frame.groupby(groups[np.concatenate([[], *items]).astype(int)]).mean()


def summary(
    table: pd.DataFrame, base: str, seed: int, rising: Collection[str] = ()
) -> pd.DataFrame:
    """Write a table of `shares_below`, a row a model, with intervals over its rows.

    The second column is the paired difference from the model `base`. `rising` names
    those whose training ended before a plateau, which the last column says.
    """
    below = table["below"]
    gain = below.sub(below[base], axis=0)
    rises = below.columns.isin(list(rising))
    return pd.DataFrame(
        {
            "articles below": stats.spans(stats.means(below, seed), ".3f"),
            f"minus {base}": stats.spans(stats.means(gain, seed), "+.3f"),
            "in the first twelve": table["in twelve"].mean().map("{:.3f}".format),
            "still rising": np.where(rises, "yes", "no"),
        }
    )


def new_test_pairs(data: Interactions, items: Sequence[str]) -> sparse.csr_matrix:
    """Return the test pairs (users, data.items) of these items that can be found.

    What the user bought in train can't be recommended again.
    """
    test = data.test[:, : len(data.items)].multiply(np.isin(data.items, items))
    pairs = (test - test.multiply(data.train)).tocsr()
    pairs.eliminate_zeros()
    return pairs


class NewItems(NamedTuple):
    """Items without a train row, all of whose interactions are to be found.

    The columns of `learn` and `wanted`, (users, items), are `items`, the new ones last:
    no entry of `learn` is theirs.
    """

    items: np.ndarray  # (items,) ids
    new: np.ndarray  # positions of the new ones
    learn: sparse.csr_matrix
    wanted: sparse.csr_matrix
    facts: dict[str, int]


def without_interactions(
    train: pd.DataFrame, everything: pd.DataFrame, items: Sequence[str]
) -> NewItems:
    """Take all interactions of these items out of training, and ask for them.

    `everything` are train and test rows. Users without any other train row are left
    out.
    """
    left = train[~train["item_id"].isin(items)]
    asked = everything[everything["item_id"].isin(items)]
    data = to_matrices(left, asked)
    learn = data.train.copy()
    learn.resize(data.test.shape)  # a column without entries for each new item
    facts = {
        "new articles that somebody bought": len(data.unseen),
        "purchases removed from train": len(train) - len(left),
        "purchases to find": data.test.nnz,
        "customers who made them": len(data.evaluated),
        "customers left out": asked["user_id"].nunique() - len(data.evaluated),
        "purchases to learn from": learn.nnz,
    }
    ids = np.concatenate([data.items, data.unseen])
    new = np.arange(len(data.items), len(ids))
    return NewItems(ids, new, learn, data.test, facts)
