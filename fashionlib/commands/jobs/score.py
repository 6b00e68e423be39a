"""Scores of anybody's caption files, for the command line: systems, their shuffled
controls, intervals, differences.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fashionlib.captioning import metrics
from fashionlib.captioning.metrics import attributes, meteor
from fashionlib.captioning.metrics.scores import Scores, check_ids
from fashionlib.captioning.metrics.spice import official
from fashionlib.data.files import nulls

COLUMNS = ("item_id", "caption", "category", "split")
SHUFFLED = ", shuffled"
FEW = 20  # groups below which a bootstrap says little


def score_files(
    references_json: Path,
    captions_json: Mapping[str, Path],
    items_table: Path | None = None,
    pool_json: Path | None = None,
    spice_models: Path | None = None,
    spice_java: str | None = None,
    seed: int = 42,
    resamples: int = 1000,
) -> dict[str, Any]:
    """Everything that can be said of systems' captions (name -> file) from coco-form
    files, JSON-ready.

    Files are `{id: [{"caption": text}, ...]}`, captions with exactly one each. Beside
    each system stands its shuffled control: the same captions, each given to another
    item (of another product, where products are known), the same for every system. With
    `items_table` (csv or parquet: item_id, caption, category, split, and product_id if
    there is one) come attribute precision and recall, on the pool of its training
    captions or of `pool_json`, category accuracy, and resampling by product; with
    `spice_models`, a folder of CoreNLP 3.6.0, the official SPICE (`spice.official`).
    All files are read and checked before anything is scored. Keys: "corpus" and
    "per_item" by system, "intervals", "differences" (rows), "notes" and "missing"
    (metric -> what it needs). FileNotFoundError for a missing file; ValueError naming
    file, key, what was found and what is expected.
    """
    if (
        (pool_json and not items_table)
        or (spice_java and not spice_models)
        or resamples < 1
        or seed < 0
    ):
        raise ValueError(
            "--pool needs --items, --spice-java needs --spice-models, --resamples"
            f" ({resamples}) is 1 or more, --seed ({seed}) 0 or more"
        )
    if spice_models:
        official.check(spice_models, spice_java)
    references = read_coco(references_json)
    systems = {name: _single(path, references) for name, path in captions_json.items()}
    items = read_items(items_table, references) if items_table else None
    pool = attributes.frozen(pool_json) if pool_json else None
    groups = (
        items["product_id"] if items is not None and "product_id" in items else None
    )
    donors = _donors(list(references), groups, seed)
    if donors:
        systems |= {
            name + SHUFFLED: {item: captions[donors[item]] for item in references}
            for name, captions in systems.items()
        }
    scores = metrics.score_many(references, systems)
    one = next(iter(scores.values()))
    notes: dict[str, Any] = {
        "items": len(references),
        "tokeniser": one.tokeniser,
        "seed": seed,
        "resamples": resamples,
    }
    for name, path in captions_json.items():
        if empty := sum(not text.strip() for text in systems[name].values()):
            notes[f"empty captions, {path}"] = empty
    missing = dict(one.missing)
    if "METEOR" not in missing:
        notes["METEOR"] = meteor.VERSION
    if spice_models:
        for name, captions in systems.items():
            said = [captions[item] for item in references]
            found = official.score(
                list(references.values()), said, spice_models, spice_java
            ).per_item
            scores[name] = scores[name].plus(
                pd.DataFrame({official.NAME: found}, scores[name].per_item.index)
            )
    else:
        missing[official.NAME] = (
            "needs CoreNLP 3.6.0 and a Java of 8 to 14: --spice-models FOLDER says how"
        )
    if items is None:
        missing |= dict.fromkeys(
            metrics.MEANING, "needs the items' table: --items items.csv"
        )
    else:
        scores, added = _with_items(scores, references, systems, items, pool, seed)
        notes |= added
    pairs = [(name, name + SHUFFLED) for name in captions_json] if donors else []
    pairs += [
        (one, other)
        for n, one in enumerate(captions_json)
        for other in list(captions_json)[:n]
    ]
    rows = metrics.table(scores, groups, seed, resamples)
    found = (
        metrics.differences(scores, pairs, groups, seed, resamples)
        if pairs
        else pd.DataFrame()
    )
    drawn = (
        len(references) if groups is None else groups.loc[list(references)].nunique()
    )
    few = f"; fewer than {FEW} say little" if drawn < FEW else ""
    notes["intervals and p-values"] = (
        f"{drawn} {'items' if groups is None else 'products'} drawn anew with "
        f"replacement{few}; p is two-sided, 2 / {resamples + 1} at least, of each "
        f"comparison alone ({len(found)} were made)"
    )
    return nulls(
        {
            "corpus": {name: one.corpus for name, one in scores.items()},
            "per_item": {
                name: scores[name].per_item.to_dict("index") for name in captions_json
            },
            "intervals": rows.to_dict("records"),
            "differences": found.to_dict("records"),
            "notes": notes,
            "missing": missing,
        }
    )


def report(result: Mapping[str, Any]) -> str:
    """`score_files`' result as text: scores with intervals, differences, and what is
    missing.
    """
    rows = pd.DataFrame(result["intervals"])
    shown = rows.apply(
        lambda row: f"{row['value']:.4f} [{row['low']:.4f}, {row['high']:.4f}]", axis=1
    )
    shown = shown.where(rows["value"].notna(), "-")
    table = rows.assign(shown=shown).pivot(
        index="metric", columns="system", values="shown"
    )
    lines = [
        table.loc[rows["metric"].unique(), rows["system"].unique()]
        .rename_axis(None)
        .to_string()
    ]
    for row in result["differences"]:
        if row["difference"] is not None:
            interval = (
                f"{row['difference']:+.4f} [{row['low']:+.4f}, {row['high']:+.4f}]"
            )
            lines.append(
                f"{row['system']} minus {row['minus']}, {row['metric']}: {interval}, p"
                f" = {row['p']:.3f}"
            )
    lines += [f"{what}: {value}" for what, value in result["notes"].items()]
    lines += [
        f"{metric} is missing: {why}" for metric, why in result["missing"].items()
    ]
    return "\n".join(lines)


def _with_items(
    scores: dict[str, Scores],
    references: dict[str, list[str]],
    systems: dict[str, dict[str, str]],
    items: pd.DataFrame,
    pool: Sequence[str] | None,
    seed: int,
) -> tuple[dict[str, Scores], dict[str, Any]]:
    """The scores with attributes and category, and notes on the pool and the
    classifier.
    """
    train, ids = items[items["split"] == "train"], list(references)
    pool = pool or attributes.pool(attributes.tagged(list(train["caption"])))
    classifier = metrics.category_classifier(
        list(train["caption"]), list(train["category"]), seed
    )
    scores = metrics.add_meaning(
        scores, references, systems, pool, classifier, items["category"]
    )
    first = {item: texts[0] for item, texts in references.items()}
    ceiling = metrics.category_hits(classifier, first, items["category"])
    recall = next(iter(scores.values())).per_item["attribute recall"]
    known, asked = set(train["category"]), items.loc[ids]
    return scores, {
        "pool": f"{len(pool)} attributes, sha256 {attributes.digest(sorted(pool))}",
        "references without an attribute (no attribute scores)": int(
            recall.isna().sum()
        ),
        "ceiling of category accuracy (the references' own)": float(ceiling.mean()),
        "items of a category that training lacks (always wrong)": int(
            (~asked["category"].isin(known)).sum()
        ),
        "scored items that are training items (they leak)": int(
            (asked["split"] == "train").sum()
        ),
    }


def read_items(path: Path, references: Mapping[str, Any]) -> pd.DataFrame:
    """The items' table, by item_id, checked against the references' ids.

    FileNotFoundError without the file. ValueError where it is no table, a column is
    missing, an item stands twice, no training row has a caption, or an item with
    references has no row, category or product.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"{path}: no such file; expected a csv or parquet table with"
            f" {', '.join(COLUMNS)}"
        )
    try:
        table = (
            pd.read_parquet(path)
            if Path(path).suffix == ".parquet"
            else pd.read_csv(path, dtype=str)
        )
    except ValueError as error:
        raise ValueError(f"{path}: no csv with commas, nor parquet: {error}") from error
    if absent := [column for column in COLUMNS if column not in table]:
        raise ValueError(
            f"{path}: no column {', '.join(absent)}; found"
            f" {', '.join(map(str, table.columns))}"
        )
    table = table.assign(item_id=table["item_id"].astype(str)).set_index("item_id")
    if twice := list(table.index[table.index.duplicated()][:3]):
        raise ValueError(
            f"{path}: item_id {twice[0]!r} stands twice, as do"
            f" {table.index.duplicated().sum()} in all"
        )
    for column in ("category", "product_id"):
        if column in table:
            check_ids(
                f"{path}, column {column}",
                table[column].dropna().index,
                references,
                whole=False,
            )
    table = table[
        (table["split"] != "train") | table[["caption", "category"]].notna().all(axis=1)
    ]
    if not (table["split"] == "train").any():
        raise ValueError(
            f"{path}: no row with caption and category has split 'train'; splits are "
            f"{', '.join(map(repr, table['split'].unique()))}"
        )
    return table


def _single(path: Path, references: Mapping[str, Any]) -> dict[str, str]:
    captions = read_coco(path)
    for item, texts in captions.items():
        if len(texts) != 1:
            raise ValueError(
                f"{path}: key {item!r}: found {len(texts)} captions, expected 1"
            )
    check_ids(str(path), captions, references)
    return {item: texts[0] for item, texts in captions.items()}


def _donors(ids: list[str], groups: pd.Series | None, seed: int) -> dict[str, str]:
    """For each item another whose caption it gets as a control, of another group; none
    where one group is over half.

    The order of `ids` doesn't matter: groups in a random order, items side by side,
    move on by the largest's size.
    """
    ids = sorted(ids)
    group = pd.Series(ids, ids) if groups is None else groups.loc[ids]
    members = pd.Series(ids).groupby(group.to_numpy()).agg(list)
    largest = int(members.map(len).max())
    if 2 * largest > len(ids):
        return {}
    order = np.random.default_rng(seed).permutation(len(members))
    row = [item for n in order for item in members.iloc[n]]
    return dict(zip(row, row[largest:] + row[:largest], strict=True))


def read_coco(path: Path) -> dict[str, list[str]]:
    """Captions per id of a coco-form JSON file; ValueError naming file, key, what was
    found and what is expected.
    """
    expected = 'expected {"<id>": [{"caption": "<text>"}, ...]}'
    try:
        content = json.loads(
            Path(path).read_text(encoding="utf-8"), object_pairs_hook=_unique
        )
    except FileNotFoundError as absent:
        raise FileNotFoundError(f"{path}: no such file; {expected}") from absent
    except ValueError as broken:  # JSON, UTF-8 and repeated keys
        raise ValueError(f"{path}: {broken}; {expected}") from broken
    if not isinstance(content, dict):
        raise ValueError(f"{path}: found a {type(content).__name__}, {expected}")
    for item, entries in content.items():
        good = (
            isinstance(entries, list)
            and entries
            and all(isinstance(entry, dict) for entry in entries)
        )
        if not good or not all(
            isinstance(entry.get("caption"), str) for entry in entries
        ):
            raise ValueError(
                f"{path}: key {item!r}: found {json.dumps(entries):.80}, {expected}"
            )
    return {
        item: [entry["caption"] for entry in entries]
        for item, entries in content.items()
    }


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(
            f"key {next(key for key in keys if keys.count(key) > 1)!r} is there twice"
        )
    return content
