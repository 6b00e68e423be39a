"""What `fashionlib recommend` does: models fitted on a split, judged and compared."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
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
from fashionlib.data.interactions.files import read_tsv
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


class Inputs(NamedTuple):
    """What a model is made of besides its own options."""

    seed: int
    features: dict[str, spaces.Features]  # rows in the order of the candidate items
    train: pd.DataFrame
    data: Interactions


# Torch is imported for the models that need it alone.
def _bpr(given: Inputs, **options: Any) -> Model:
    from fashionlib.recommending.vbpr import VBPR

    return VBPR(seed=given.seed, **options)


def _vbpr(given: Inputs, features: Mapping[str, np.ndarray], **options: Any) -> Model:
    matrices = list(features.values())
    if len(matrices) > 1:  # side by side, each row of each of length one
        matrices = [np.concatenate(list(map(spaces.unit, matrices)), axis=1)]
    return _bpr(given, features=matrices[0], **options)


def _freedom(given: Inputs, **options: Any) -> Model:
    from fashionlib.recommending.freedom import FREEDOM

    return FREEDOM(seed=given.seed, **options)


def _bm3(given: Inputs, **options: Any) -> Model:
    from fashionlib.recommending.bm3 import BM3

    return BM3(seed=given.seed, **options)


class Kind(NamedTuple):
    """A model: how it is made, and which options it reads."""

    make: Callable[..., Model]
    options: tuple[str, ...] = ()


NEIGHBOUR, NEURAL = ("k", "convention"), ("factors", "epochs")
WITH_FEATURES = (*NEURAL, "features")
MODELS = {
    "Random": Kind(lambda given: Random(given.seed)),
    "MostPop": Kind(lambda given: MostPop()),
    "Repeat": Kind(lambda given: Repeat(latest(given.train, given.data))),
    "UserKNN": Kind(lambda given, **own: UserKNN(**own), NEIGHBOUR),
    "ItemKNN": Kind(lambda given, **own: ItemKNN(**own), NEIGHBOUR),
    "BPR": Kind(_bpr, NEURAL),
    "VBPR": Kind(_vbpr, WITH_FEATURES),
    "FREEDOM": Kind(_freedom, WITH_FEATURES),
    "BM3": Kind(_bm3, WITH_FEATURES),
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
    """Fit models on one of Elliot's TSV splits and judge their lists.

    Lists are as long as the largest cutoff. The result holds users (evaluated), items
    (candidates), repeats, models {name: {parameters, metrics {"NDCG@5": {mean, low,
    high}, ...}, coverage@k}}, differences {"NDCG@5": {"A minus B": {difference, low,
    high, p}}} of each two models, conventions, versions. Raises ValueError for an
    unknown or doubled model, an option that no chosen model reads, a number below 1,
    items without features, and as `read_tsv` and `to_matrices` do.
    """
    options = options or Options()
    _refuse(models, cutoffs, options)
    table = read_tsv(train)
    data = to_matrices(table, read_tsv(test))
    rows = {name: _rows(path, data.items) for name, path in options.features.items()}
    given = Inputs(options.seed, rows, table, data)
    made = {name: _model(MODELS[name], options, given) for name in models}
    compared = compare(made, data, cutoffs, options.seed, options.repeats)
    pairs = list(itertools.combinations(models, 2))
    metrics = [f"NDCG@{k}" for k in cutoffs] if pairs else []
    result = {
        "users": len(data.evaluated),
        "items": len(data.items),
        "repeats": options.repeats,
        "models": {
            name: {"parameters": _parameters(MODELS[name], model, options, given)}
            | _numbers(compared.table.loc[name], cutoffs)
            for name, model in made.items()
        },
        "differences": {
            metric: paired(compared.per_user, pairs, metric, options.seed).to_dict(
                "index"
            )
            for metric in metrics
        },
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
    own = (
        "the user's own train items included"
        if options.repeats
        else "without the user's own train items"
    )
    chosen = {
        name: NEIGHBOURS[name][options.convention or "plain"]
        for name in models
        if name in NEIGHBOURS
    }
    return {
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
    } | {
        f"{name}'s neighbours": f"{text}; cosine of binary purchases"
        for name, text in chosen.items()
    }


def _refuse(models: Sequence[str], cutoffs: Sequence[int], options: Options) -> None:
    """Raise ValueError for choices that make no sense, before a file is read."""
    if unknown := [name for name in models if name not in MODELS]:
        raise ValueError(f"unknown model {unknown[0]!r}; known: {', '.join(MODELS)}")
    if len(set(models)) < len(models) or not models:
        raise ValueError(f"models {', '.join(models) or 'none'}: name each once")
    for name in (*NEIGHBOUR, *WITH_FEATURES):
        readers = [model for model, kind in MODELS.items() if name in kind.options]
        if getattr(options, name) and not set(readers) & set(models):
            raise ValueError(
                f"{name} is of no use to {', '.join(models)}; {', '.join(readers)}"
                " read it"
            )
    numbers = {"cutoffs": min(cutoffs)}
    numbers |= {name: getattr(options, name) for name in ("k", *NEURAL)}
    for name, value in numbers.items():
        if value is not None and value < 1:
            raise ValueError(f"{name}: {value}, and must be 1 or more")
    for name in models:
        if "features" in MODELS[name].options and not options.features:
            raise ValueError(
                f"{name} needs features, a parquet of Features.save; VBPR without"
                " features is BPR"
            )
    if "Repeat" in models and not options.repeats:
        raise ValueError(
            "Repeat recommends what a user has bought, which is masked; allow repeats"
        )


def _rows(path: Path, items: np.ndarray) -> spaces.Features:
    """Read the features of the candidates, in their order."""
    space = spaces.load(path)
    try:
        return spaces.Features(items.tolist(), space.rows(items), space.made_by)
    except ValueError as error:
        raise ValueError(
            f"{path}: {error} Or leave their purchases out: fashionlib split-purchases"
            " --articles with a table of the items that have features."
        ) from error


def _model(kind: Kind, options: Options, given: Inputs) -> Model:
    """Make the model, not fitted yet, with the options that were chosen."""
    chosen = {name: getattr(options, name) for name in kind.options}
    own = {name: value for name, value in chosen.items() if value is not None}
    if "features" in own:
        own["features"] = {name: space.matrix for name, space in given.features.items()}
    return kind.make(given, **own)


def _parameters(
    kind: Kind, model: Model, options: Options, given: Inputs
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
    if "features" in kind.options:
        plain["features"] = {
            name: {
                "file": options.features[name].name,
                "dim": space.matrix.shape[1],
                "made_by": space.made_by,
            }
            for name, space in given.features.items()
        }
    return plain


def _numbers(row: pd.Series, cutoffs: Sequence[int]) -> dict[str, Any]:
    """Gather a model's row of the comparison: metrics with intervals, coverage."""
    covered = [f"coverage@{k}" for k in cutoffs]
    metrics = {
        name: {
            "mean": row[name],
            "low": row[f"{name} low"],
            "high": row[f"{name} high"],
        }
        for name in row.index
        if f"{name} low" in row.index
    }
    return {"metrics": metrics} | {name: row[name] for name in covered}
