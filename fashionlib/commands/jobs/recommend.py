"""What `fashionlib recommend` does: models on a split's two files, judged and compared,
their lists kept.
"""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
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
from fashionlib.recommending import neighbours
from fashionlib.recommending.baselines import MostPop, Random, Repeat
from fashionlib.recommending.comparison import Model, compare, paired

MODELS = {  # which options each reads
    "Random": (),
    "MostPop": (),
    "Repeat": ("repeats",),
    "UserKNN": ("k", "convention"),
    "ItemKNN": ("k", "convention"),
    "BPR": ("factors", "epochs"),
    "VBPR": ("factors", "epochs", "features"),
    "FREEDOM": ("factors", "epochs", "features"),
    "BM3": ("factors", "epochs", "features"),
}
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
    """What the models are told; None leaves a model's own default. `features`: name of
    the space -> its parquet.
    """

    k: int | None = None
    convention: str | None = None
    factors: int | None = None
    epochs: int | None = None
    features: Mapping[str, Path] = field(default_factory=dict)
    repeats: bool = False
    seed: int = 0


class Recommended(NamedTuple):
    """`result`: what is written as JSON; `lists`: per model (evaluated users, length)
    item positions in `data`.
    """

    result: dict[str, Any]
    lists: dict[str, np.ndarray]
    data: Interactions


def recommend_files(
    train: Path,
    test: Path,
    models: Sequence[str],
    cutoffs: Sequence[int] = (5, 12),
    options: Options | None = None,
) -> Recommended:
    """Fit models on one of Elliot's TSV splits and judge their lists, which are as long
    as the largest cutoff.

    The result holds users (evaluated), items (candidates), repeats, models {name:
    {parameters, metrics {"NDCG@5": {mean, low, high}, ...}, coverage@k}}, differences
    {"NDCG@5": {"A minus B": {difference, low, high, p}}} of each two models,
    conventions, versions. Raises ValueError for an unknown or doubled model, an option
    that no chosen model reads, a number below 1, items without features, and as
    `read_tsv` and `to_matrices` do.
    """
    options = options or Options()
    _refuse(models, cutoffs, options)
    table = read_tsv(train)
    data = to_matrices(table, read_tsv(test))
    given = {name: _rows(path, data.items) for name, path in options.features.items()}
    made = {name: _model(name, options, given, table, data) for name in models}
    compared = compare(made, data, cutoffs, options.seed, options.repeats)
    pairs = list(itertools.combinations(models, 2))
    differences = {
        metric: paired(compared.per_user, pairs, metric, options.seed).to_dict("index")
        for metric in (f"NDCG@{k}" for k in cutoffs)
        if pairs
    }
    result = {
        "users": len(data.evaluated),
        "items": len(data.items),
        "repeats": options.repeats,
        "models": {
            name: (
                {"parameters": _parameters(name, model, options, given)}
                | _numbers(compared.table.loc[name], cutoffs)
            )
            for name, model in made.items()
        },
        "differences": differences,
        "conventions": conventions(models, options),
        "versions": {"fashionlib": fashionlib.__version__} | provenance.versions(),
    }
    return Recommended(result, compared.lists, data)


def write_lists(path: Path, found: Recommended, length: int) -> None:
    """Write a parquet with columns user_id, rank (from 1), item_id, and model where
    there are several: the first `length` places of every evaluated user; empty places
    are left out.
    """
    tables = (_placed(name, found, length) for name in found.lists)
    first = next(tables)
    with atomic(path) as part, pq.ParquetWriter(part, first.schema) as file:
        for table in itertools.chain([first], tables):
            file.write_table(table)


def _placed(name: str, found: Recommended, length: int) -> pa.Table:
    lists, users = found.lists[name][:, :length], found.data.users[found.data.evaluated]
    row, place = np.nonzero(lists >= 0)
    columns = {
        "user_id": _chosen(row, users),
        "rank": pa.array(place.astype(np.int16) + 1),
        "item_id": _chosen(lists[row, place], found.data.items),
    }
    return pa.table(
        columns
        | (
            {"model": _chosen(np.zeros(len(row)), [name])}
            if len(found.lists) > 1
            else {}
        )
    )


def conventions(models: Sequence[str], options: Options) -> dict[str, str]:
    """How the numbers of these models came about, in words."""
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
            " resamples beyond nought"
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
    if unknown := [name for name in models if name not in MODELS]:
        raise ValueError(f"unknown model {unknown[0]!r}; known: {', '.join(MODELS)}")
    if len(set(models)) < len(models) or not models:
        raise ValueError(f"models {', '.join(models) or 'none'}: name each once")
    for name, value in asdict(options).items():
        readers = [model for model, reads in MODELS.items() if name in reads]
        if (
            name not in ("repeats", "seed")
            and value not in (None, {})
            and not set(readers) & set(models)
        ):
            raise ValueError(
                f"{name} is of no use to {', '.join(models)}; {', '.join(readers)}"
                " read it"
            )
    numbers = {
        "cutoffs": min(cutoffs),
        "k": options.k,
        "factors": options.factors,
        "epochs": options.epochs,
    }
    for name, value in numbers.items():
        if value is not None and value < 1:
            raise ValueError(f"{name}: {value}, and must be 1 or more")
    for name in models:
        if "features" in MODELS[name] and not options.features:
            raise ValueError(
                f"{name} needs features, a parquet of Features.save; VBPR without"
                " features is BPR"
            )
        if name == "Repeat" and not options.repeats:
            raise ValueError(
                "Repeat recommends what a user has bought, which is masked; allow"
                " repeats"
            )
        if (
            options.convention
            and name in NEIGHBOURS
            and options.convention not in neighbours.CONVENTIONS[name]
        ):
            raise ValueError(
                f"{name} has no convention {options.convention!r}; known: "
                f"{', '.join(neighbours.CONVENTIONS[name])}"
            )


def _rows(path: Path, items: np.ndarray) -> spaces.Features:
    """The features of the candidates, in their order."""
    space = spaces.load(path)
    try:
        return spaces.Features(items.tolist(), space.rows(items), space.made_by)
    except ValueError as error:
        raise ValueError(
            f"{path}: {error} Or leave their purchases out: fashionlib split-purchases"
            " --articles with a table of the items that have features."
        ) from error


def _model(
    name: str,
    options: Options,
    given: Mapping[str, spaces.Features],
    table: pd.DataFrame,
    data: Interactions,
) -> Model:
    """The model, not fitted yet; torch is imported for those that need it alone."""
    if name == "Random":
        return Random(options.seed)
    if name == "MostPop":
        return MostPop()
    if name == "Repeat":
        return Repeat(latest(table, data))
    arguments = {
        key: value
        for key in ("k", "convention", "factors", "epochs")
        if key in MODELS[name] and (value := getattr(options, key)) is not None
    }
    if name in NEIGHBOURS:
        return getattr(neighbours, name)(**arguments)
    module = importlib.import_module(
        f"fashionlib.recommending.{'vbpr' if name == 'BPR' else name.lower()}"
    )
    matrices = {key: space.matrix for key, space in given.items()}
    if name in ("BPR", "VBPR"):
        return module.VBPR(
            None if name == "BPR" else _joined(list(matrices.values())),
            seed=options.seed,
            **arguments,
        )
    return getattr(module, name)(matrices, seed=options.seed, **arguments)


def _joined(matrices: list[np.ndarray]) -> np.ndarray:
    """One space as it is; several side by side, each row of each of length one."""
    return (
        matrices[0]
        if len(matrices) == 1
        else np.concatenate([spaces.unit(rows) for rows in matrices], axis=1)
    )


def _parameters(
    name: str, model: Model, options: Options, given: Mapping[str, spaces.Features]
) -> dict[str, Any]:
    """All numbers and words that the fitted model was made with, its epochs, and where
    its features are from.
    """
    plain = {
        key: value
        for key, value in vars(model).items()
        if value is None or isinstance(value, (bool, int, float, str))
    }
    if hasattr(model, "history"):
        plain["epochs_run"] = len(model.history)
    if "features" in MODELS[name]:
        plain["features"] = {
            key: {
                "file": options.features[key].name,
                "dim": space.matrix.shape[1],
                "made_by": space.made_by,
            }
            for key, space in given.items()
        }
    return plain


def _numbers(row: pd.Series, cutoffs: Sequence[int]) -> dict[str, Any]:
    covered = [f"coverage@{k}" for k in cutoffs]
    names = [
        name
        for name in row.index
        if not name.endswith((" low", " high")) and name not in covered
    ]
    metrics = {
        name: {
            "mean": row[name],
            "low": row[f"{name} low"],
            "high": row[f"{name} high"],
        }
        for name in names
    }
    return {"metrics": metrics} | {name: row[name] for name in covered}


def _chosen(places: np.ndarray, values: Sequence[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(
        pa.array(places, pa.int32()), pa.array(values)
    )
