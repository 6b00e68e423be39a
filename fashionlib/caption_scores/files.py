"""Scores of anybody's caption files, for the command line: systems, their shuffled controls, intervals, differences."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fashionlib import attributes, runs
from fashionlib.caption_scores import bootstrap, meteor
from fashionlib.caption_scores.category import category_classifier, category_hits
from fashionlib.caption_scores.scores import Scores, score_many
from fashionlib.spice import official

COLUMNS = ("item_id", "caption", "category", "split")
SHUFFLED = ", shuffled"


def score_files(references_json: Path, captions_json: Mapping[str, Path], items_table: Path | None = None,
                pool_json: Path | None = None, spice_models: Path | None = None, spice_java: str | None = None,
                seed: int = 42, resamples: int = 1000) -> dict[str, Any]:  # fmt: skip
    """Everything that can be said of systems' captions (name -> file) from coco-form files, JSON-ready.

    Files are `{id: [{"caption": text}, ...]}`, captions with exactly one each. Beside each system stands its shuffled
    control: the same captions, each given to another item. With `items_table` (csv or parquet: item_id, caption,
    category, split, and product_id if there is one) come attribute precision and recall, on the pool of its training
    captions or of `pool_json`, category accuracy, and resampling by product; with `spice_models`, a
    folder of CoreNLP 3.6.0, the official SPICE (`spice.official`). Keys: "corpus" and "per_item" by system,
    "intervals", "differences" (rows), "notes" (tokeniser, pool, ceiling, METEOR's version, seed, resamples) and
    "missing" (metric -> what it needs). FileNotFoundError for a missing file; ValueError naming file, key, what was
    found and what is expected.
    """
    if spice_models:
        official.check(spice_models, spice_java)
    references = read_coco(references_json)
    systems = {name: _single(path) for name, path in captions_json.items()}
    for name in list(systems):
        if set(systems[name]) == set(references):
            systems[name + SHUFFLED] = _shuffled(systems[name], seed)
    scores = score_many(references, systems)
    one = next(iter(scores.values()))
    notes: dict[str, Any] = {"tokeniser": one.tokeniser, "METEOR": meteor.VERSION, "seed": seed, "resamples": resamples}
    missing, groups = dict(one.missing), None
    if spice_models:
        for name, captions in systems.items():
            said = [captions[item] for item in references]
            found = official.score(list(references.values()), said, spice_models, spice_java).per_item
            scores[name] = scores[name].plus(pd.DataFrame({official.NAME: found}, scores[name].per_item.index))
    else:
        missing[official.NAME] = "needs CoreNLP 3.6.0 and a Java of 8 to 14: --spice-models FOLDER says how"
    if items_table is None:
        missing |= dict.fromkeys(("attribute precision", "attribute recall", "category accuracy"),
                                 "needs the items' table: --items items.csv")  # fmt: skip
    else:
        items = read_items(items_table)
        if "product_id" in items:
            groups = items["product_id"]
        scores, added = _with_items(scores, references, systems, items, pool_json, seed)
        notes |= added
    pairs = [(name, name + SHUFFLED) for name in captions_json] if len(references) > 1 else []
    pairs += [(one, other) for n, one in enumerate(captions_json) for other in list(captions_json)[:n]]
    rows = bootstrap.table(scores, groups, seed, resamples)
    found = bootstrap.differences(scores, pairs, groups, seed, resamples) if pairs else pd.DataFrame()
    return runs.nulls({
        "corpus": {name: one.corpus for name, one in scores.items()},
        "per_item": {name: scores[name].per_item.to_dict("index") for name in captions_json},
        "intervals": rows.to_dict("records"),
        "differences": found.to_dict("records"),
        "notes": notes,
        "missing": missing,
    })  # fmt: skip


def report(result: Mapping[str, Any]) -> str:
    """`score_files`' result as text: scores with intervals, differences, and what is missing."""
    rows = pd.DataFrame(result["intervals"])
    shown = rows.apply(lambda row: f"{row['value']:.4f} [{row['low']:.4f}, {row['high']:.4f}]", axis=1)
    shown = shown.where(rows["value"].notna(), "-")
    table = rows.assign(shown=shown).pivot(index="metric", columns="system", values="shown")
    lines = [table.loc[rows["metric"].unique(), rows["system"].unique()].rename_axis(None).to_string()]
    for row in result["differences"]:
        if row["difference"] is not None:
            interval = f"{row['difference']:+.4f} [{row['low']:+.4f}, {row['high']:+.4f}]"
            lines.append(f"{row['system']} minus {row['minus']}, {row['metric']}: {interval}, p = {row['p']:.3f}")
    lines += [f"{what}: {value}" for what, value in result["notes"].items()]
    lines += [f"{metric} is missing: {why}" for metric, why in result["missing"].items()]
    return "\n".join(lines)


def _with_items(scores: dict[str, Scores], references: dict[str, list[str]], systems: dict[str, dict[str, str]],
                items: pd.DataFrame, pool_json: Path | None, seed: int) -> tuple[dict[str, Scores], dict[str, Any]]:
    """The scores with attributes and category, and notes on the pool and the classifier."""
    train = items[items["split"] == "train"]
    classifier = category_classifier(list(train["caption"]), list(train["category"]), seed)
    pool = attributes.frozen(pool_json) if pool_json else attributes.pool(attributes.tagged(list(train["caption"])))
    ids = list(references)
    true = attributes.tagged([" . ".join(references[item]) for item in ids])
    for name, captions in systems.items():
        said = attributes.tagged([captions[item] for item in ids])
        found = attributes.precision_recall(said, true, pool)[["precision", "recall"]].set_axis(ids)
        hits = category_hits(classifier, captions, items["category"]).rename("category accuracy").astype(float)
        extra = found.add_prefix("attribute ").join(hits).rename_axis("item_id")
        scores[name] = scores[name].plus(extra)
    ceiling = category_hits(classifier, {item: texts[0] for item, texts in references.items()}, items["category"])
    return scores, {"pool": f"{len(pool)} attributes, sha256 {attributes.digest(sorted(pool))}",
                    "ceiling of category accuracy": float(ceiling.mean())}  # fmt: skip


def read_items(path: Path) -> pd.DataFrame:
    """The items' table, by item_id; ValueError where a column, a training caption or a category is missing."""
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: no such file; expected a csv or parquet table with {', '.join(COLUMNS)}")
    table = pd.read_parquet(path) if Path(path).suffix == ".parquet" else pd.read_csv(path, dtype=str)
    if absent := [column for column in COLUMNS if column not in table]:
        raise ValueError(f"{path}: no column {', '.join(absent)}; found {', '.join(map(str, table.columns))}")
    table = table.assign(item_id=table["item_id"].astype(str)).dropna(subset=["caption", "category"])
    if not (table["split"] == "train").any():
        raise ValueError(f"{path}: 0 of {len(table)} rows with caption and category are of split train")
    return table.set_index("item_id")


def _single(path: Path) -> dict[str, str]:
    captions = read_coco(path)
    for item, texts in captions.items():
        if len(texts) != 1:
            raise ValueError(f"{path}: key {item!r}: found {len(texts)} captions, expected 1")
    return {item: texts[0] for item, texts in captions.items()}


def _shuffled(captions: dict[str, str], seed: int) -> dict[str, str]:
    """Each caption given to another item: the items in a random circle, each gets its neighbour's."""
    circle = np.random.default_rng(seed).permutation(list(captions)).tolist()
    return {item: captions[other] for item, other in zip(circle, circle[1:] + circle[:1], strict=True)}


def read_coco(path: Path) -> dict[str, list[str]]:
    """Captions per id of a coco-form JSON file; ValueError naming file, key, what was found and what is expected."""
    expected = 'expected {"<id>": [{"caption": "<text>"}, ...]}'
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"), object_pairs_hook=_unique)
    except FileNotFoundError as absent:
        raise FileNotFoundError(f"{path}: no such file; {expected}") from absent
    except ValueError as broken:  # JSON, UTF-8 and repeated keys
        raise ValueError(f"{path}: {broken}; {expected}") from broken
    if not isinstance(content, dict):
        raise ValueError(f"{path}: found a {type(content).__name__}, {expected}")
    for item, entries in content.items():
        good = isinstance(entries, list) and entries and all(isinstance(entry, dict) for entry in entries)
        if not good or not all(isinstance(entry.get("caption"), str) for entry in entries):
            raise ValueError(f"{path}: key {item!r}: found {json.dumps(entries):.80}, {expected}")
    return {item: [entry["caption"] for entry in entries] for item, entries in content.items()}


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"key {next(key for key in keys if keys.count(key) > 1)!r} is there twice")
    return content
