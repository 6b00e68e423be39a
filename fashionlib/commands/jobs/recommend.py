"""What `fashionlib recommend` does: models fitted on a split, judged and compared."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

import fashionlib
from fashionlib import features as spaces
from fashionlib.data import provenance
from fashionlib.data.files import atomic
from fashionlib.data.interactions import Interactions, latest, to_matrices
from fashionlib.data.interactions.files import read_interactions
from fashionlib.data.items import DATE
from fashionlib.recommending.baselines import MostPop, Random, Repeat
from fashionlib.recommending.comparison import Model, compare, paired
from fashionlib.recommending.neighbours import ItemKNN, UserKNN

NEIGHBOURS = {
    "UserKNN": {
        "plain": "the user's own k nearest, self not counted",
        "elliot": (
            "the users who have this one among THEIR k nearest, self counted (Elliot's"
            " standard)"
        ),
        "aiolli": (
            "the users who have this one among THEIR k nearest, self not counted"
            " (Elliot's aiolli)"
        ),
    },
    "ItemKNN": {
        "plain": "the k items nearest to the candidate, self not counted",
        "elliot": (
            "the k items nearest to the candidate, self counted (Elliot's standard)"
        ),
        "aiolli": (
            "the k items nearest to the candidate, self not counted (Elliot's aiolli;"
            " as plain)"
        ),
        "implicit": (
            "the candidates among the k nearest to each bought item, self counted"
            " (implicit's)"
        ),
    },
}


@dataclass(frozen=True)
class Options:
    """Choices for the models; None leaves a model's own default.

    `features` maps the name of a space to its parquet.
    """

    k: int | None = None
    convention: str | None = None
    factors: int | None = None
    epochs: int | None = None
    features: Mapping[str, Path] = field(default_factory=dict)
    repeats: bool = False
    seed: int = 0


NEIGHBOUR, NEURAL = ("k", "convention"), ("factors", "epochs")
WITH_FEATURES = (*NEURAL, "features")
MODELS: dict[str, tuple[str, ...]] = {  # model: the options that it reads
    "Random": (),
    "MostPop": (),
    "Repeat": (),
    "UserKNN": NEIGHBOUR,
    "ItemKNN": NEIGHBOUR,
    "BPR": NEURAL,
    "VBPR": WITH_FEATURES,
    "FREEDOM": WITH_FEATURES,
    "BM3": WITH_FEATURES,
}


class Recommended(NamedTuple):
    """The result of `recommend_files`, and the lists behind it."""

    result: dict[str, Any]  # what is written as JSON
    lists: dict[str, np.ndarray]  # per model (evaluated users, length), item positions
    data: Interactions


def recommend_files(
    train: Path,
    test: Path,
    models: Sequence[str],
    cutoffs: Sequence[int] = (5, 12),
    options: Options | None = None,
) -> Recommended:
    """Fit models on one split's files (`read_interactions`) and judge their lists.

    Lists are as long as the largest cutoff. The result holds users (evaluated), items
    (candidates), repeats, models {name: {parameters, metrics {"NDCG@5": {mean, low,
    high}, ...}, coverage@k}}, differences {"NDCG@5": {"A minus B": {difference, low,
    high, p}}} of each two models, conventions, versions. Raises ValueError for an
    unknown or doubled model, an option that no chosen model reads, a number below 1,
    items without features, and as `read_interactions` and `to_matrices` do.
    """
    options = options or Options()
    _refuse(models, cutoffs, options)
    table = read_interactions(train)
    if "Repeat" in models and DATE not in table:
        raise ValueError(
            f"{train}: no date, and Repeat recommends the latest purchases; add a"
            " fourth field, or a header with user_id, item_id, timestamp"
        )
    data = to_matrices(table, read_interactions(test))
    rows = {name: _rows(path, data.items) for name, path in options.features.items()}
    made = {name: _model(name, options, table, data, rows) for name in models}
    compared = compare(made, data, cutoffs, options.seed, options.repeats)
    judged = {}
    for name, model in made.items():
        row = compared.table.loc[name]
        judged[name] = {"parameters": _parameters(name, model, options, rows)}
        judged[name]["metrics"] = {
            metric: {
                "mean": row[metric],
                "low": row[f"{metric} low"],
                "high": row[f"{metric} high"],
            }
            for metric in compared.per_user
        }
        judged[name] |= row.filter(like="coverage@").to_dict()
    differences = {}
    if pairs := list(itertools.combinations(models, 2)):
        for metric in [f"NDCG@{k}" for k in cutoffs]:
            table = paired(compared.per_user, pairs, metric, options.seed)
            differences[metric] = table.to_dict("index")
    result = {
        "users": len(data.evaluated),
        "items": len(data.items),
        "repeats": options.repeats,
        "models": judged,
        "differences": differences,
        "conventions": conventions(models, options),
        "versions": {"fashionlib": fashionlib.__version__} | provenance.versions(),
    }
    return Recommended(result, compared.lists, data)


def report(result: Mapping[str, Any]) -> str:
    """Write each model's metrics and the differences of models, one a line."""
    lines = []
    for name, model in result["models"].items():
        for metric, row in model["metrics"].items():
            interval = f"[{row['low']:.5f}, {row['high']:.5f}]"
            lines.append(f"{name:10} {metric:16} {row['mean']:.5f}  {interval}")
        if model["parameters"].get("still_rising"):
            epochs = model["parameters"]["epochs_run"]
            lines.append(f"{name:10} still rising after {epochs} epochs: give --epochs")
    for metric, pairs in result["differences"].items():
        for pair, row in pairs.items():
            interval = f"[{row['low']:+.5f}, {row['high']:+.5f}], p {row['p']:.3f}"
            lines.append(f"{metric} {pair}: {row['difference']:+.5f}  {interval}")
    return "\n".join(lines)


def write_lists(path: Path, recommended: Recommended, length: int) -> None:
    """Write the first `length` places of every evaluated user's list as a parquet.

    Columns user_id, rank (from 1), item_id, and model where there are several; empty
    places are left out.
    """
    tables = [_ranked(name, recommended, length) for name in recommended.lists]
    with atomic(path) as part, pq.ParquetWriter(part, tables[0].schema) as file:
        for table in tables:
            file.write_table(table)


def _ranked(name: str, recommended: Recommended, length: int) -> pa.Table:
    """Lay out one model's lists, a row for each place that holds an item."""
    data, lists = recommended.data, recommended.lists[name][:, :length]
    row, place = np.nonzero(lists >= 0)
    columns = {
        "user_id": _dictionary(row, data.users[data.evaluated]),
        "rank": pa.array(place.astype(np.int16) + 1),
        "item_id": _dictionary(lists[row, place], data.items),
    }
    if len(recommended.lists) > 1:
        columns["model"] = _dictionary(np.zeros(len(row)), [name])
    return pa.table(columns)


def _dictionary(places: np.ndarray, values: Sequence[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(
        pa.array(places, pa.int32()), pa.array(values)
    )


def conventions(models: Sequence[str], options: Options) -> dict[str, str]:
    """Say in words how the numbers of these models came about."""
    own = "the user's own train items included"
    if not options.repeats:
        own = "without the user's own train items"
    texts = {
        "users": (
            "evaluated: users with at least one train and one test row; each counts"
            " once"
        ),
        "candidates": f"items with at least one train row, {own}",
        "relevance": (
            "the set of a user's test items, repeats and items that cannot be"
            " recommended included"
        ),
        "ratings": "binary: any row is a purchase",
        "AP": "average precision, divided by min(test items, k)",
        "Elliot MAP": "mean of precision@1..k, which Elliot calls MAP",
        "ties": "items in order of their ids",
        "short lists": (
            "a model that has nothing more to offer leaves places empty; they count as"
            " misses"
        ),
        "interval": "95 % percentile bootstrap over users, 1,000 resamples",
        "difference": (
            "of two models on the same users, same bootstrap; p: two-sided share of"
            " resamples beyond zero"
        ),
        "features": (
            "rows joined by id; VBPR reads several spaces side by side, each row of"
            " each of length one"
        ),
    }
    for name in models:
        if name in NEIGHBOURS:
            text = NEIGHBOURS[name][options.convention or "plain"]
            texts[f"{name}'s neighbours"] = f"{text}; cosine of binary purchases"
    return texts


def _refuse(models: Sequence[str], cutoffs: Sequence[int], options: Options) -> None:
    """Raise ValueError for choices that make no sense, before a file is read."""
    if unknown := [name for name in models if name not in MODELS]:
        raise ValueError(f"unknown model {unknown[0]!r}; known: {', '.join(MODELS)}")
    if len(set(models)) < len(models) or not models:
        raise ValueError(f"models {', '.join(models) or 'none'}: name each once")
    for name in (*NEIGHBOUR, *WITH_FEATURES):
        readers = [model for model, reads in MODELS.items() if name in reads]
        if getattr(options, name) and not set(readers) & set(models):
            raise ValueError(
                f"{name} is of no use to {', '.join(models)}; {', '.join(readers)}"
                " read it"
            )
    numbers = vars(options) | {"cutoffs": min(cutoffs)}
    for name in ("cutoffs", "k", *NEURAL):
        value = numbers[name]
        if value is not None and value < 1:
            raise ValueError(f"{name}: {value}, and must be 1 or more")
    for name in models:
        if "features" in MODELS[name] and not options.features:
            raise ValueError(
                f"{name} needs features, a parquet of Features.save; VBPR without"
                " features is BPR"
            )
    if "Repeat" in models and not options.repeats:
        raise ValueError(
            "Repeat recommends what a user has bought, which is masked; allow repeats"
        )


def _rows(path: Path, items: np.ndarray) -> spaces.Features:
    """Read the features of the candidates, in their order; refuse useless ones."""
    space = spaces.load(path)
    try:
        rows = space.rows(items)
    except ValueError as error:
        raise ValueError(
            f"{path}: {error} Or leave their purchases out: fashionlib split-purchases"
            " --articles with a table of the items that have features."
        ) from error
    if rows.ndim != 2 or rows.shape[1] == 0:
        raise ValueError(
            f"{path}: rows of shape {rows.shape[1:]}; give a vector an item"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.square(rows, dtype=np.float32).sum(axis=1)
    if len(wrong := np.flatnonzero(~np.isfinite(lengths))):
        raise ValueError(
            f"{path}: the features of {items[wrong[0]]!r} are not finite, or too large"
            f" to square in float32 (the largest: {np.abs(rows[wrong[0]]).max():g});"
            f" {len(wrong)} of {len(items)} items have such"
        )
    if len(items) > 1 and (rows == rows[0]).all():
        what = "zero" if not rows[0].any() else "the same"
        raise ValueError(
            f"{path}: the features of all {len(items)} items are {what}; they tell no"
            " item from another. Make them anew, or leave --features out"
        )
    return spaces.Features(items.tolist(), rows, space.made_by)


def _model(
    name: str,
    options: Options,
    train: pd.DataFrame,
    data: Interactions,
    features: Mapping[str, spaces.Features],
) -> Model:
    """Make the model, not fitted yet, with the options that were chosen."""
    chosen = {option: getattr(options, option) for option in MODELS[name]}
    own = {option: value for option, value in chosen.items() if value is not None}
    match name:
        case "Random":
            return Random(options.seed)
        case "MostPop":
            return MostPop()
        case "Repeat":
            return Repeat(latest(train, data))
        case "UserKNN":
            return UserKNN(**own)
        case "ItemKNN":
            return ItemKNN(**own)
    # Torch is imported for the models that need it alone.
    from fashionlib.recommending import bm3, freedom, vbpr

    own["seed"] = options.seed
    if "features" in own:
        own["features"] = {name: space.matrix for name, space in features.items()}
    match name:
        case "FREEDOM":
            return freedom.FREEDOM(**own)
        case "BM3":
            return bm3.BM3(**own)
        case "VBPR":
            own["features"] = _side_by_side(list(own["features"].values()))
    return vbpr.VBPR(**own)


def _side_by_side(matrices: Sequence[np.ndarray]) -> np.ndarray:
    """Join several spaces, each row of each of length one; one space stays as it is."""
    if len(matrices) == 1:
        return matrices[0]
    return np.concatenate(list(map(spaces.unit, matrices)), axis=1)


def _parameters(
    name: str, model: Model, options: Options, features: Mapping[str, spaces.Features]
) -> dict[str, Any]:
    """Return all numbers and words that the fitted model was made with.

    With its epochs, and where its features are from.
    """
    plain = {
        key: value
        for key, value in vars(model).items()
        if value is None or isinstance(value, (bool, int, float, str))
    }
    if hasattr(model, "history"):
        plain["epochs_run"] = len(model.history)
        plain["still_rising"] = model.still_rising
    if "features" in MODELS[name]:
        plain["features"] = {
            space: {
                "file": options.features[space].name,
                "dim": rows.matrix.shape[1],
                "made_by": rows.made_by,
            }
            for space, rows in features.items()
        }
    return plain
