"""What `fashionlib score` does: systems' captions, controls, intervals, differences."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fashionlib.captioning import faults, metrics
from fashionlib.captioning.metrics import attributes, meteor
from fashionlib.captioning.metrics.scores import Scores, check_ids
from fashionlib.captioning.metrics.spice import official
from fashionlib.data.captions import match, read
from fashionlib.data.files import nulls
from fashionlib.data.tables import read_table
from fashionlib.stats import Estimate, spans

COLUMNS = ("item_id", "caption", "category", "split")
SHUFFLED = ", shuffled"
FEW = 20  # groups below which a bootstrap says little
References = dict[str, list[str]]  # item -> its true captions
Systems = dict[str, dict[str, str]]  # name -> item -> caption


def score_files(
    references_file: Path,
    captions_files: Mapping[str, Path],
    items_table: Path | None = None,
    pool_json: Path | None = None,
    spice_models: Path | None = None,
    spice_java: str | None = None,
    seed: int = 42,
    resamples: int = 1000,
    subset: bool = False,
    renamed: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Score systems' captions (name -> file) by every metric, JSON-ready.

    Files are of any form that `fashionlib.data.captions` reads, captions with exactly
    one for each item with references; with `subset` the items are scored that have
    references and a caption of every system. Beside each system stands its shuffled
    control: the same captions, each given to another item (of another product, where
    products are known), the same for every system. With `items_table` (a table with
    item_id, caption, category, split, and product_id if there is one, or `renamed` to
    them) come attribute precision and recall, on the pool of its training captions or
    of `pool_json`, category accuracy, and resampling by product; with `spice_models`, a
    folder of CoreNLP 3.6.0, the official SPICE (`spice.official`). All files are read
    and checked before anything is scored. Keys: "corpus", "per_item" and "captions"
    (see `variety`) by system, "intervals", "differences" (rows), "notes" and "missing"
    (metric -> what it needs). FileNotFoundError for a missing file; ValueError naming
    file, key, what stands there and what is expected.
    """
    alone = (pool_json and not items_table) or (spice_java and not spice_models)
    if alone or resamples < 1 or seed < 0:
        raise ValueError(
            "--pool needs --items, --spice-java needs --spice-models, --resamples"
            f" ({resamples}) is 1 or more, --seed ({seed}) 0 or more"
        )
    if spice_models:
        official.check(spice_models, spice_java)
    references, systems, notes = _read(references_file, captions_files, subset)
    items = None
    if items_table:
        items = read_items(items_table, references, renamed)
    pool = attributes.frozen(pool_json) if pool_json else None
    products = None if items is None else items.get("product_id")
    donors = donors_of(list(references), products, seed)
    if donors:
        systems |= controls(systems, donors)

    scores = metrics.score_many(references, systems)
    first = scores[next(iter(captions_files))]
    missing = dict(first.missing)
    notes |= {
        "items": len(references),
        "seed": seed,
        "resamples": resamples,
    } | conventions(first)
    if spice_models:
        _add_spice(scores, references, systems, spice_models, spice_java)
    else:
        missing[official.NAME] = (
            "needs CoreNLP 3.6.0 and a Java of 8 to 14: --spice-models FOLDER says how"
        )
    if items is None:
        missing |= dict.fromkeys(
            metrics.MEANING, "needs the items' table: --items items.csv"
        )
    else:
        scores, added = _add_items(scores, references, systems, items, pool, seed)
        notes |= added

    intervals = metrics.table(scores, products, seed, resamples)
    pairs = _pairs(list(captions_files), bool(donors))
    differences = pd.DataFrame()
    if pairs:
        differences = metrics.differences(scores, pairs, products, seed, resamples)
    notes["intervals and p-values"] = (
        f"{_units(references, products)}; p is two-sided, 2 / {resamples + 1} at least,"
        f" of each comparison alone ({len(differences)} were made)"
    )
    return nulls(
        {
            "corpus": {name: scored.corpus for name, scored in scores.items()},
            "per_item": {
                name: scores[name].per_item.to_dict("index") for name in captions_files
            },
            "captions": {name: variety(said) for name, said in systems.items()},
            "intervals": intervals.to_dict("records"),
            "differences": differences.to_dict("records"),
            "notes": notes,
            "missing": missing,
        }
    )


def _read(
    references_file: Path, captions_files: Mapping[str, Path], subset: bool
) -> tuple[References, Systems, dict[str, Any]]:
    """Read the captions of the items to score, by the references' ids; with notes."""
    given = read(references_file)
    notes = {f"{what}, {references_file}": n for what, n in given.notes.items()}
    empty = [item for item, texts in given.texts.items() if not "".join(texts).strip()]
    if empty and not subset:
        raise ValueError(
            f"{references_file}: {len(empty)} items without a text: {empty[:3]}; leave"
            " them out, or --subset does"
        )
    systems = {}
    for name, path in captions_files.items():
        systems[name], more = read_system(path, given.texts, subset)
        notes |= {f"{what}, {path}": value for what, value in more.items()}
    scored = set(given.texts).difference(empty).intersection(*systems.values())
    if not scored:
        raise ValueError(f"{references_file}: 0 items have a caption of each system")
    references = {item: texts for item, texts in given.texts.items() if item in scored}
    if subset:
        notes["subset"] = (
            f"{len(scored):,} of {len(given.texts):,} items with references"
        )
    notes["distinct references"] = len(set(map(tuple, references.values())))
    texts = itertools.chain.from_iterable(references.values())
    notes["references without a word"] = sum(map(wordless, texts))
    chosen = {
        name: {item: said[item] for item in references}
        for name, said in systems.items()
    }
    return references, chosen, notes


def read_system(
    path: Path, references: References, subset: bool
) -> tuple[dict[str, str], dict[str, Any]]:
    """Read a system's captions, one an item, by the references' ids; with notes.

    With `subset` an item may lack one. ValueError for another number, and other ids.
    """
    given = read(path)
    for item, texts in given.texts.items():
        if len(texts) != 1:
            raise ValueError(
                f"{path}: key {item!r}: found {len(texts)} captions, expected 1"
            )
    ids = match(str(path), given.texts, references)
    said = {ids.get(item, item): texts[0] for item, texts in given.texts.items()}
    notes = dict(given.notes)
    if other := [(mine, its) for mine, its in ids.items() if mine != its]:
        notes["ids matched though written otherwise"] = (
            f"{len(other):,} of {len(said):,}, as {other[0][0]!r} for {other[0][1]!r}"
        )
    if subset:
        notes["captioned"] = (
            f"{len(ids):,} of {len(references):,} items with references; captions of"
            f" other items, left out: {len(said) - len(ids):,}"
        )
    else:
        check_ids(str(path), said, references, step="--subset scores what has both")
    return said, notes


def conventions(scores: Scores) -> dict[str, str]:
    """Say which of the metrics that share a name were computed."""
    said = {"tokeniser": scores.tokeniser}
    if "METEOR" not in scores.missing:
        said["METEOR"] = meteor.VERSION
    return said | scores.notes


def wordless(text: str) -> bool:
    """Return whether a text has no letter and no digit, as "", "..." and "!!!!"."""
    return not any(map(str.isalnum, text))


def variety(said: Mapping[str, str]) -> dict[str, Any]:
    """Count a system's captions, the distinct, those without a word, prompt echoes.

    And how often the commonest comes, and which it is. Few distinct captions are mode
    collapse, which scores as its shuffled control does.
    """
    (commonest, times), *_ = Counter(said.values()).most_common(1)
    return {
        "captions": len(said),
        "distinct": len(set(said.values())),
        "without a word": sum(map(wordless, said.values())),
        "prompt echoes": sum(map(faults.echoes, said.values())),
        "of the commonest": times,
        "share": times / len(said),
        "commonest": commonest,
    }


def _units(references: References, products: pd.Series | None) -> str:
    """Say in words what a resample draws."""
    count, units = len(references), "items"
    if products is not None:
        count, units = products.loc[list(references)].nunique(), "products"
    few = f"; fewer than {FEW} say little" if count < FEW else ""
    return f"{count} {units} drawn anew with replacement{few}"


def controls(systems: Systems, donors: Mapping[str, str]) -> Systems:
    """Give each item its donor's caption, in every system."""
    return {
        name + SHUFFLED: {item: captions[donor] for item, donor in donors.items()}
        for name, captions in systems.items()
    }


def _pairs(systems: Sequence[str], controls: bool) -> list[tuple[str, str]]:
    """Pair each system with its control, then with each system named before it."""
    own = [(name, name + SHUFFLED) for name in systems] if controls else []
    return own + [(b, a) for n, b in enumerate(systems) for a in systems[:n]]


def _add_spice(
    scores: dict[str, Scores],
    references: References,
    systems: Systems,
    models: Path,
    java: str | None,
) -> None:
    """Add the official SPICE to each system's scores."""
    for name, captions in systems.items():
        texts = [captions[item] for item in references]
        spice = official.score(list(references.values()), texts, models, java)
        column = {official.NAME: spice.per_item}
        index = scores[name].per_item.index
        scores[name] = scores[name].plus(pd.DataFrame(column, index))


def _add_items(
    scores: dict[str, Scores],
    references: References,
    systems: Systems,
    items: pd.DataFrame,
    pool: Sequence[str] | None,
    seed: int,
) -> tuple[dict[str, Scores], dict[str, Any]]:
    """Add attributes and category to the scores; with notes on pool and classifier."""
    train, scored = items[items["split"] == "train"], items.loc[list(references)]
    texts, categories = list(train["caption"]), list(train["category"])
    pool = pool or attributes.pool(attributes.tagged(texts))
    classifier = metrics.category_classifier(texts, categories, seed)
    scores = metrics.add_meaning(
        scores, references, pool, classifier, items["category"]
    )
    recall = next(iter(scores.values())).per_item["attribute recall"]
    own = {item: true[0] for item, true in references.items()}
    ceiling = metrics.category_hits(classifier, own, items["category"])
    return scores, {
        "pool": f"{len(pool)} attributes, sha256 {attributes.digest(sorted(pool))}",
        "references without an attribute (no attribute scores)": int(
            recall.isna().sum()
        ),
        "ceiling of category accuracy (the references' own)": float(ceiling.mean()),
        "items of a category that training lacks (always wrong)": int(
            (~scored["category"].isin(categories)).sum()
        ),
        "scored items that are training items (they leak)": int(
            (scored["split"] == "train").sum()
        ),
    }


def report(result: Mapping[str, Any]) -> str:
    """Write `score_files`' result as text.

    A table of scores with intervals, then differences, notes, and what is missing.
    """
    rows = pd.DataFrame(result["intervals"])
    rows["shown"] = spans(rows, ".4f").fillna("-")
    table = rows.pivot(index="metric", columns="system", values="shown")
    table = table.loc[rows["metric"].unique(), rows["system"].unique()]
    said = pd.DataFrame(result["captions"]).T
    said["commonest"] = [f"{text!r:.60}" for text in said["commonest"]]
    lines = [table.rename_axis(None).to_string()]
    lines.append(said.to_string(formatters={"share": "{:.1%}".format}))
    for row in result["differences"]:
        if row["difference"] is not None:
            lines.append(
                f"{row['system']} minus {row['minus']}, {row['metric']}:"
                f" {Estimate.of(row):+.4f}, p = {row['p']:.3f}"
            )
    lines += [f"{what}: {value}" for what, value in result["notes"].items()]
    lines += [f"{name} is missing: {why}" for name, why in result["missing"].items()]
    return "\n".join(lines)


def read_items(
    path: Path,
    references: Mapping[str, Any],
    renamed: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Read the items' table, by item_id, and check it against the references' ids.

    `renamed` as in `read_table`.

    FileNotFoundError without the file. ValueError where it is no table, a column is
    missing, an item stands twice, no training row has a caption, or an item with
    references has no row, category or product.
    """
    table = read_table(path, COLUMNS, renamed).set_index("item_id")
    repeated = table.index[table.index.duplicated()]
    if len(repeated):
        raise ValueError(
            f"{path}: item_id {repeated[0]!r} stands twice, as do"
            f" {len(repeated)} in all"
        )
    for column in ("category", "product_id"):
        if column in table:
            known = table[column].dropna().index
            check_ids(f"{path}, column {column}", known, references, whole=False)
    whole = table[["caption", "category"]].notna().all(axis=1)
    table = table[whole | (table["split"] != "train")]
    if not (table["split"] == "train").any():
        raise ValueError(
            f"{path}: no row with caption and category has split 'train'; splits are "
            f"{', '.join(map(repr, table['split'].unique()))}"
        )
    return table


def donors_of(ids: list[str], groups: pd.Series | None, seed: int) -> dict[str, str]:
    """Map each item to one of another group, whose caption it gets as a control.

    Empty where one group is over half. The order of `ids` doesn't matter: groups in a
    random order, items side by side, move on by the largest's size.
    """
    ids = sorted(ids)
    group = pd.Series(ids, ids) if groups is None else groups.loc[ids]
    members = pd.Series(ids).groupby(group.to_numpy()).agg(list)
    largest = int(members.map(len).max())
    if 2 * largest > len(ids):
        return {}
    order = np.random.default_rng(seed).permutation(len(members))
    row = list(itertools.chain.from_iterable(members.iloc[order]))
    return dict(zip(row, row[largest:] + row[:largest], strict=True))
