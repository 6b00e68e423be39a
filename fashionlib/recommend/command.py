"""What `fashionlib recommend` does: models on a split's two files, judged, their lists kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fashionlib import ranking
from fashionlib.purchases import interactions
from fashionlib.purchases.files import read_tsv
from fashionlib.recommend import ItemKNN, Model, MostPop, Random, UserKNN, evaluate, summary

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
