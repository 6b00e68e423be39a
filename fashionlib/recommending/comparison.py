"""Recommenders and their comparison.

Items and users are positions in the id arrays of an `Interactions`. Every model, VBPR
too, has the interface `Model`. Conventions follow Elliot (Anelli et al., SIGIR 2021),
the framework of Paper A, except where a docstring says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import pandas as pd
from scipy import sparse
from tqdm import tqdm

from fashionlib import stats
from fashionlib.data.interactions import Interactions
from fashionlib.recommending import ranking


class Model(Protocol):
    """What `compare` asks of a recommender."""

    def fit(self, train: sparse.csr_matrix) -> Model:
        """Learn from the (users, items) binary matrix; return the model itself."""

    def recommend(self, users: np.ndarray, n: int, repeats: bool = False) -> np.ndarray:
        """Return (len(users), n) item positions, best first; -1 where none is left.

        Without `repeats` the items that a user has bought in train are not offered
        (Elliot's mask).
        """


@dataclass(frozen=True)
class Comparison:
    """Models on the same users.

    `per_user` has one row per (model, user_id), columns "NDCG@5", "AP@5", "Elliot
    MAP@5", "precision@5", "recall@5", "hit rate@5", ...; `lists` an array per model.
    `rising` are those whose training ended before a plateau: they have no rank.
    """

    per_user: pd.DataFrame
    lists: dict[str, np.ndarray]
    cutoffs: Sequence[int]
    items: int  # candidates
    seed: int  # of the intervals
    rising: frozenset[str] = frozenset()

    @cached_property
    def table(self) -> pd.DataFrame:
        """Return one row per model: each metric's mean over users, and coverage@k.

        Beside a mean stand the columns "... low" and "... high", its 95 % bootstrap
        interval over users; "still rising" says whether the model is in `rising`.
        """
        rows = {}
        for name, lists in self.lists.items():
            row = rows[name] = {}
            means = stats.means(self.per_user.loc[name], self.seed)
            for metric, ends in means.iterrows():
                row[metric], row[f"{metric} low"], row[f"{metric} high"] = ends
            for k in self.cutoffs:
                row[f"coverage@{k}"] = ranking.coverage(lists, self.items, k)
            row["still rising"] = name in self.rising
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")


def compare(
    models: dict[str, Model],
    data: Interactions,
    cutoffs: Sequence[int] = (5, 12),
    seed: int = 0,
    repeats: bool = False,
) -> Comparison:
    """Fit each model on the train matrix and judge its lists for the evaluated users.

    `seed` is the bootstrap's; with `repeats` a list may hold items that the user bought
    in train.
    """
    relevant = data.test[data.evaluated]
    users = pd.Index(data.users[data.evaluated], name="user_id")
    per_user, lists = {}, {}
    bar = tqdm(models.items(), desc="models", unit="model")
    for name, model in bar:
        bar.set_postfix_str(name)
        model.fit(data.train)
        lists[name] = model.recommend(data.evaluated, max(cutoffs), repeats)
        scores = ranking.per_user(lists[name], relevant, cutoffs)
        per_user[name] = pd.DataFrame(scores, users)
    per_user = pd.concat(per_user, names=["model"])
    rising = {n for n, model in models.items() if getattr(model, "still_rising", False)}
    size = len(data.items)
    return Comparison(per_user, lists, cutoffs, size, seed, frozenset(rising))


def against(comparison: Comparison, base: str, metric: str = "NDCG@5") -> pd.DataFrame:
    """Compare every other model with `base` as `paired` does: one row a model.

    Columns value (the difference), low, high and p. A model that was still rising
    (`comparison.rising`) stands here as it was when its epochs ended: that is no rank.
    """
    others = [name for name in comparison.lists if name != base]
    pairs = [(name, base) for name in others]
    differences = paired(comparison.per_user, pairs, metric, comparison.seed)
    return differences.set_axis(others).rename(columns={"difference": "value"})


def paired(
    per_user: pd.DataFrame,
    pairs: Sequence[tuple[str, str]],
    metric: str = "NDCG@5",
    seed: int = 0,
) -> pd.DataFrame:
    """Compare pairs of models over the same users: one row "A minus B" for each.

    Columns are the mean "difference", its 95 % bootstrap interval "low" and "high", and
    "p" (`stats.mean`). `per_user` is a Comparison's. ValueError where a pair's users
    differ.
    """
    scores = per_user[metric].unstack("model")
    rows = {}
    for a, b in pairs:
        gap = (scores[a] - scores[b]).to_numpy()
        missing = np.isnan(gap).sum()
        if missing:
            raise ValueError(
                f"{missing} of {len(gap)} users were judged for one of"
                f" {a!r} and {b!r} alone: compare them on the same users"
            )
        estimate = stats.mean(gap, seed)
        rows[f"{a} minus {b}"] = [*estimate.ends, estimate.p]
    columns = ["difference", "low", "high", "p"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)
