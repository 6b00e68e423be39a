"""Random, MostPop, UserKNN and ItemKNN, and their comparison, in Elliot's conventions.

Items and users are positions in the id arrays of an `Interactions`. Every model, VBPR too, has the interface
`Model`. Conventions follow Elliot (Anelli et al., SIGIR 2021), the framework of Paper A, except where a
docstring says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import pandas as pd
from scipy import sparse
from tqdm import tqdm

from fashionlib import ranking
from fashionlib.purchases import Interactions, interactions, read_tsv, temporal_split

__all__ = ["Comparison", "Interactions", "ItemKNN", "Model", "MostPop", "Random", "UserKNN", "compare", "evaluate",
           "interactions", "neighbours", "recommend_files", "summary", "temporal_split"]

class Model(Protocol):
    """What `compare` asks of a recommender."""

    def fit(self, train: sparse.csr_matrix) -> Model:
        """Learn from the (users, items) binary matrix; return the model itself."""

    def recommend(self, users: np.ndarray, n: int) -> np.ndarray:
        """(len(users), n) item positions, best first, without train items; -1 where there is nothing to
        offer.
        """


class Random:
    """n distinct items the user has not bought, uniformly (Elliot draws with replacement: a list may repeat).
    """

    def __init__(self, seed: int = 42) -> None:
        self.seed = seed

    def fit(self, train: sparse.csr_matrix) -> Random:
        self.train = train
        return self

    def recommend(self, users: np.ndarray, n: int) -> np.ndarray:
        generator, items = np.random.default_rng(self.seed), self.train.shape[1]
        lists = np.full((len(users), n), -1)
        for row, user in enumerate(users):
            seen = _row(self.train, user)
            drawn = generator.choice(items, size=min(items, n + len(seen)), replace=False)
            drawn = drawn[~np.isin(drawn, seen)][:n]
            lists[row, : len(drawn)] = drawn
        return lists


class MostPop:
    """The items with most distinct train users, ties by position; the same for everybody but for the mask."""

    def fit(self, train: sparse.csr_matrix) -> MostPop:
        self.train = train
        self.order = np.argsort(-np.bincount(train.indices, minlength=train.shape[1]), kind="stable")
        return self

    def recommend(self, users: np.ndarray, n: int) -> np.ndarray:
        places = np.argsort(self.order)  # item position -> popularity rank
        lists = np.full((len(users), n), -1)
        for start in range(0, len(users), 4096):
            seen = self.train[users[start : start + 4096]]
            depth = min(len(self.order), n + int(np.diff(seen.indptr).max()))
            taken = np.zeros((seen.shape[0], depth), dtype=bool)
            rows, ranks = np.repeat(np.arange(seen.shape[0]), np.diff(seen.indptr)), places[seen.indices]
            taken[rows[ranks < depth], ranks[ranks < depth]] = True
            best = np.argsort(taken, axis=1, kind="stable")[:, :n]  # free ranks first, each in order
            free = ~np.take_along_axis(taken, best, axis=1)
            lists[start : start + 4096, : best.shape[1]] = np.where(free, self.order[best], -1)
        return lists


class UserKNN:
    """score(u, i) = sum of sim(u, v) over v in N_k(u) who bought i; N_k(u): the k users most similar to u by
    cosine.

    The user is not among its neighbours. Elliot sums over the users that have u in THEIR k nearest
    (transposed), and its `standard` implementation counts the user among the k. Items no neighbour bought are
    not offered.
    """

    def __init__(self, k: int = 10) -> None:
        self.k = k

    def fit(self, train: sparse.csr_matrix) -> UserKNN:
        self.train, self.similar = train, neighbours(train, self.k)
        return self

    def recommend(self, users: np.ndarray, n: int) -> np.ndarray:
        return _best(self.similar, self.train, self.train, users, n)


class ItemKNN:
    """score(u, i) = sum of sim(i, j) over j in N_k(i) that u bought; N_k(i): the k items most similar to the
    candidate i by cosine of their buyers (candidate side, as Elliot; `implicit` keeps the neighbours of the
    bought item).

    The item is not among its neighbours (Elliot's `standard` implementation counts it: k = 20 means 19
    others). Items with no bought neighbour are not offered (Elliot fills such places with arbitrary items).
    """

    def __init__(self, k: int = 20) -> None:
        self.k = k

    def fit(self, train: sparse.csr_matrix) -> ItemKNN:
        self.train, self.similar = train, neighbours(train.T.tocsr(), self.k).T.tocsr()
        return self

    def recommend(self, users: np.ndarray, n: int) -> np.ndarray:
        return _best(self.train, self.similar, self.train, users, n)


def neighbours(rows: sparse.csr_matrix, k: int) -> sparse.csr_matrix:
    """(n, n) cosines between binary rows, each row's k largest others only; ties by position."""
    degree = np.diff(rows.indptr).astype(np.float64)
    columns = rows.T.tocsr()
    parts = []
    for block in tqdm(_blocks(rows @ np.diff(columns.indptr)), desc="neighbours", unit="batch", leave=False):
        common = (rows[block] @ columns).tocoo()
        other = common.col != common.row + block.start
        row, col, shared = common.row[other], common.col[other], common.data[other]
        # squared cosine: a quotient of whole numbers, so equal cosines are equal floats and tie as they should
        squared = shared**2 / (degree[row + block.start] * degree[col])
        similar = sparse.csr_matrix((squared, (row, col)), shape=common.shape)
        items, values = _top(similar, k)
        parts.append(sparse.csr_matrix((np.sqrt(values[items >= 0]), items[items >= 0],
                                        np.append(0, np.cumsum((items >= 0).sum(axis=1)))), shape=common.shape))
    return sparse.vstack(parts, format="csr")


def _best(left: sparse.csr_matrix, right: sparse.csr_matrix, seen: sparse.csr_matrix,
          users: np.ndarray, n: int) -> np.ndarray:
    """Top n of the rows `users` of left @ right, without the entries of `seen`."""
    lists, rows = [np.empty((0, n), dtype=np.int64)], left[users]
    for block in tqdm(_blocks(rows @ np.diff(right.indptr)), desc="lists", unit="batch", leave=False):
        scores = (rows[block] @ right).tocsr()
        scores.data = scores.data.round(12)  # the order of a sum must not break ties
        scores = (scores - scores.multiply(seen[users[block]])).tocsr()
        scores.eliminate_zeros()
        lists.append(_top(scores, n)[0])
    return np.concatenate(lists)


def _blocks(work: np.ndarray, limit: int = 8_000_000) -> Iterator[slice]:
    """Consecutive slices of rows of at most `limit` multiplications together (or one row): bounds the memory.
    """
    total, start = np.cumsum(work), 0
    while start < len(work):
        done = total[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(total, done + limit, side="right")))
        yield slice(start, stop)
        start = stop


def _top(scores: sparse.csr_matrix, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Columns and values (rows, n) of each row's largest stored entries, ties by column; -1 and 0 where it
    has fewer.
    """
    scores.sort_indices()
    columns, values = np.full((scores.shape[0], n), -1), np.zeros((scores.shape[0], n))
    for row, (start, stop) in enumerate(zip(scores.indptr[:-1], scores.indptr[1:], strict=True)):
        value, column = scores.data[start:stop], scores.indices[start:stop]
        if len(value) > n:
            enough = value >= np.partition(value, len(value) - n)[len(value) - n]
            value, column = value[enough], column[enough]
        order = np.argsort(-value, kind="stable")[:n]
        columns[row, : len(order)], values[row, : len(order)] = column[order], value[order]
    return columns, values


def _row(matrix: sparse.csr_matrix, row: int) -> np.ndarray:
    return matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]]


def evaluate(lists: np.ndarray, data: Interactions, cutoffs: Sequence[int] = (5, 12)) -> pd.DataFrame:
    """One row per evaluated user (index user_id), columns "NDCG@5", "AP@5", "Elliot MAP@5", "precision@5",
    "recall@5", "hit rate@5", ...; `lists` holds a row for each of `data.evaluated`.
    """
    index = pd.Index(data.users[data.evaluated], name="user_id")
    return pd.DataFrame(ranking.per_user(lists, data.test[data.evaluated], cutoffs), index=index)


class Comparison(NamedTuple):
    """`table`: one row per model, for each metric its mean over users and the columns "... low" and "...
    high" (95 % bootstrap interval over users), and "coverage@k"; `per_user`: one row per (model, user_id);
    `lists`: per model.
    """

    table: pd.DataFrame
    per_user: pd.DataFrame
    lists: dict[str, np.ndarray]


def compare(
    models: dict[str, Model], data: Interactions, cutoffs: Sequence[int] = (5, 12), seed: int = 0
) -> Comparison:
    """Fit each model on the train purchases and judge its lists for the evaluated users. `seed` is the
    bootstrap's.
    """
    per_user, lists, rows = {}, {}, {}
    bar = tqdm(models.items(), desc="models", unit="model")
    for name, model in bar:
        bar.set_postfix_str(name)
        lists[name] = model.fit(data.train).recommend(data.evaluated, max(cutoffs))
        per_user[name] = evaluate(lists[name], data, cutoffs)
        covered = {f"coverage@{k}": ranking.coverage(lists[name], len(data.items), k) for k in cutoffs}
        rows[name] = {**summary(per_user[name], seed), **covered}
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")
    return Comparison(table, pd.concat(per_user, names=["model"]), lists)


def summary(per_user: pd.DataFrame, seed: int = 0) -> dict[str, float]:
    """{"NDCG@5": mean, "NDCG@5 low": ..., "NDCG@5 high": ...} for each column."""
    row = {}
    for metric in per_user:
        row[metric] = float(per_user[metric].mean())
        row[f"{metric} low"], row[f"{metric} high"] = ranking.bootstrap_interval(per_user[metric].to_numpy(), seed)
    return row


BASELINES = {"Random": Random, "MostPop": MostPop, "UserKNN": UserKNN, "ItemKNN": ItemKNN}


def recommend_files(train: Path, test: Path, model: str, k: int | None = None, cutoffs: Sequence[int] = (5, 12),
                    seed: int = 0) -> dict:
    """Fit a baseline on one of Elliot's TSV splits and judge it: what `fashionlib recommend` writes as JSON.

    k is the number of neighbours of UserKNN and ItemKNN (10 and 20 where None), unused by the others. Returns
    model, k, users (evaluated), items (candidates), metrics {"NDCG@5": {"mean", "low", "high"}, ...},
    coverage, conventions. Raises ValueError for an unknown model, a cutoff or k below 1 and as `read_tsv` and
    `interactions` do.
    """
    if model not in BASELINES:
        raise ValueError(f"unknown model {model!r}; known: {', '.join(BASELINES)}")
    if min([*cutoffs, 1 if k is None else k]) < 1:
        raise ValueError(f"k {k} and cutoffs {list(cutoffs)} must be 1 or more")
    data = interactions(read_tsv(train), read_tsv(test))
    chosen = _baseline(model, k, seed)
    lists = chosen.fit(data.train).recommend(data.evaluated, max(cutoffs))
    per_user = evaluate(lists, data, cutoffs)
    means = summary(per_user, seed)
    metrics = {name: {"mean": means[name], "low": means[f"{name} low"], "high": means[f"{name} high"]}
               for name in per_user}
    covered = {f"coverage@{c}": ranking.coverage(lists, len(data.items), c) for c in cutoffs}
    return {"model": model, "k": getattr(chosen, "k", None), "users": len(data.evaluated), "items": len(data.items),
            "metrics": metrics, **covered, "conventions": CONVENTIONS}


def _baseline(model: str, k: int | None, seed: int) -> Model:
    if model == "Random":
        return Random(seed)
    return BASELINES[model]() if model == "MostPop" or k is None else BASELINES[model](k)


CONVENTIONS = {
    "users": "evaluated: users with at least one train and one test row; each counts once",
    "candidates": "items with at least one train row, without the user's own train items",
    "relevance": "the set of a user's test items, repeats and items that cannot be recommended included",
    "ratings": "binary: any row is a purchase",
    "AP": "average precision, divided by min(test items, k)",
    "Elliot MAP": "mean of precision@1..k, which Elliot calls MAP",
    "neighbours": "cosine of binary purchases; self not counted; ItemKNN cuts to k on the candidate's side",
    "ties": "items in order of their ids",
    "interval": "95 % percentile bootstrap over users, 1,000 resamples",
}
