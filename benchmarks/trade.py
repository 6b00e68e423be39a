"""Train one mini for two tasks, on public and on labelled captions, until it shows.

The question of chapter 16 with more steps and seeds than its page can wait for (Thesis
B's Table 4.1: with captions of an LLM's labels beside the public ones, captions score
lower and street photos find their garment more often). `trade_runs` says what is drawn
and trained. Intervals are over the products of all seeds together; each difference also
comes seed by seed. A condition takes about two minutes of one core.

    # train what isn't there yet; cut off, it goes on
    python -m benchmarks.trade --train [--steps 600] [--seeds 3]
    # the thesis's recipe with more steps: are steps what it lacks?
    python -m benchmarks.trade --train --steps 2400 --thesis
    # sum up the conditions that are there
    python -m benchmarks.trade
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import trade_runs
from benchmarks.measuring import Figure, options, report
from benchmarks.trade_runs import SIZES, Wardrobe
from fashionlib import stats
from fashionlib.captioning import metrics
from fashionlib.data.files import read_json
from fashionlib.retrieval.tables import is_hit

METRICS = ("BLEU-4", "ROUGE-L", "METEOR", "CIDEr")
COMPARED = ("BLEU-4", "CIDEr")
CUTOFFS = (1, 10, 20)
NAMES = {  # recipes, as a system's name begins
    trade_runs.OURS: "",
    trade_runs.THESIS: "rank 8, ",
    trade_runs.WHOLE: "every weight, ",
}
PUBLIC = "public"
BEFORE, FROZEN, TEXT = "before fine-tuning", "EfficientNet", "text to image"
OWN, FALSE = "own caption, street", "false sleeves"
SLEEVES = re.compile(r"\b(long|short)[- ]sleeve|\b(sleeveless)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Study:
    """What each seed draws, and what was answered: {system: {seed: answers}}."""

    data: Mapping[int, Wardrobe]
    answers: Mapping[str, Mapping[int, Mapping[str, Any]]]
    scored: dict[tuple[int, ...], Any] = field(default_factory=dict)

    def seeds(self, *systems: str) -> list[int]:
        """List the seeds that have all of these systems."""
        both = [self.answers[name].keys() for name in systems]
        return [seed for seed in self.data if all(seed in one for one in both)]

    def scores(self, seeds: Sequence[int]) -> tuple[dict[str, Any], pd.Series]:
        """Score what was written of these seeds' test articles, taken together.

        Returns the scores of each system that has these seeds, and the products.
        """
        if tuple(seeds) in self.scored:
            return self.scored[tuple(seeds)]
        parts = [self.data[seed].part("test").assign(seed=str(seed)) for seed in seeds]
        tests = pd.concat(parts)
        tests.index = tests.seed + " " + tests.item_id
        references = {item: [text] for item, text in tests.caption.items()}
        written = {}
        for system, answers in self.answers.items():
            if system != FROZEN and set(seeds) <= answers.keys():
                texts = np.concatenate([answers[seed]["captions"] for seed in seeds])
                written[system] = dict(zip(tests.index, texts, strict=True))
        made = metrics.score_many(references, written, METRICS)
        self.scored[tuple(seeds)] = made, tests.seed + " " + tests.product_id
        return self.scored[tuple(seeds)]

    def hits(self, system: str, seeds: Sequence[int]) -> pd.DataFrame:
        """Say of each query whether it was answered: measure, cluster, hit.

        The measure is the task at top-1, "task, top-10" and so on; of a captioner also
        what `said` says of its street captions.
        """
        parts = []
        for seed in seeds:
            data, given = self.data[seed], self.answers[system][seed]
            tasks = data.tasks | {TEXT: data.reading}
            for task, first in given["ranks"]["mean"].items():
                clusters = [f"{seed} {product}" for product in tasks[task].clusters]
                for k in CUTOFFS:
                    name = task if k == 1 else f"{task}, top-{k}"
                    hit = is_hit(np.array(first), k)
                    columns = {"measure": name, "cluster": clusters, "hit": hit}
                    parts.append(pd.DataFrame(columns))
            if system != FROZEN:
                clusters = f"{seed} " + data.worn.product_id
                for name, hit in said(data.worn, given["street"]).items():
                    columns = {"measure": name, "cluster": clusters, "hit": hit}
                    parts.append(pd.DataFrame(columns))
        return pd.concat(parts, ignore_index=True)


def row(study: Study, system: str) -> dict[str, dict[str, float]]:
    """Return each measure of a system: value, low and high, over all its seeds."""
    seeds, cells = study.seeds(system), {}
    if system != FROZEN:
        scored, products = study.scores(seeds)
        table = metrics.table({system: scored[system]}, products).set_index("metric")
        cells = table[["value", "low", "high"]].T.to_dict()
    for measure, hits in study.hits(system, seeds).groupby("measure", sort=False):
        found = stats.mean(hits.hit, 0, clusters=hits.cluster)
        cells[measure] = dict(zip(("value", "low", "high"), found.ends, strict=True))
    return cells


def effect(study: Study, one: str, other: str) -> dict[str, dict[str, Any]]:
    """Return the differences of two systems on the seeds that have both.

    Of each measure: difference, low, high, p, and "seeds", each seed's own difference.
    """
    shared = study.seeds(one, other)
    cells = {
        name: cell | {"seeds": []} for name, cell in gap(study, one, other, shared)
    }
    for seed in shared:
        for name, cell in gap(study, one, other, [seed]):
            cells[name]["seeds"].append(cell["difference"])
    return cells


def gap(
    study: Study, one: str, other: str, seeds: Sequence[int]
) -> list[tuple[str, dict[str, float]]]:
    """Return the paired difference of each measure that both have."""
    cells, ends = [], ["difference", "low", "high", "p"]
    if FROZEN not in (one, other):
        scored, products = study.scores(seeds)
        rows = metrics.differences(
            scored, [(one, other)], products, 0, metrics=COMPARED
        )
        cells += rows.set_index("metric")[ends].T.to_dict().items()
    first, second = study.hits(one, seeds), study.hits(other, seeds)
    second = second.set_index("measure").hit
    for measure, hits in first.groupby("measure", sort=False):
        if measure in second:
            less = hits.hit.to_numpy() - second[[measure]].to_numpy()
            found = stats.mean(less, 0, clusters=hits.cluster)
            values = (*found.ends, found.p)
            cells.append((measure, dict(zip(ends, values, strict=True))))
    return cells


def unfamiliar(study: Study, system: str) -> dict[str, float]:
    """Count what is said of street photos: garments that no training set has.

    Shares: different captions; of the commonest one; and of captions with a sleeve
    length that the garment doesn't have (skirts and trousers have none). A mean over
    the seeds; `said` has the last by photo.
    """
    same, common, false = [], [], []
    for seed in study.seeds(system):
        counts = pd.Series(study.answers[system][seed]["street"]).value_counts()
        same.append(len(counts) / counts.sum())
        common.append(counts.iloc[0] / counts.sum())
        photos = said(study.data[seed].worn, study.answers[system][seed]["street"])
        false.append(photos[FALSE].mean())
    names = ("different captions", "the commonest", FALSE)
    values = map(float, map(np.mean, (same, common, false)))
    return dict(zip(names, values, strict=True))


def said(worn: pd.DataFrame, captions: Sequence[str]) -> pd.DataFrame:
    """Say of each street photo's caption whether it has what the chapter counts.

    Boolean columns: a caption that no other photo got; a sleeve length that isn't the
    garment's. `worn` has a row a photo and the column sleeve_length.
    """
    found = [SLEEVES.search(text) for text in captions]
    named = [match and (match[1] or match[2]).lower() for match in found]
    true = worn.sleeve_length
    wrong = [bool(a) and a != b for a, b in zip(named, true, strict=True)]
    own = ~pd.Series(captions).duplicated(keep=False)
    return pd.DataFrame({OWN: own.array, FALSE: wrong}, worn.index)


def pooled(study: Study, system: str) -> dict[str, dict[str, float]]:
    """Return {pooling: {task: top-1, "task, top-10": ...}}, a mean over the seeds."""
    rows: dict[str, dict[str, float]] = {}
    seeds = study.seeds(system)
    for pooling, tasks in study.answers[system][seeds[0]]["ranks"].items():
        for task in set(tasks) - {TEXT}:
            ranks = [
                np.array(study.answers[system][seed]["ranks"][pooling][task])
                for seed in seeds
            ]
            for k in (1, 10):
                name = task if k == 1 else f"{task}, top-{k}"
                shares = [is_hit(first, k).mean() for first in ranks]
                rows.setdefault(pooling, {})[name] = float(np.mean(shares))
    return rows


def frozen(data: Wardrobe) -> dict[str, Any]:
    """Return the ranks of the encoder that all models read, which nobody trained."""
    rows = data.spaces["pooled"].rows
    ranks = {name: task.ranks_by(rows) for name, task in data.tasks.items()}
    return {"ranks": {"mean": ranks}}


def finished(data: Mapping[int, Wardrobe], steps: int) -> Study:
    """Read the conditions that are done; others' names say their steps."""
    answers: dict[str, dict[int, Any]] = {FROZEN: {s: frozen(data[s]) for s in data}}
    for seed, one in data.items():
        for path in sorted(one.folder.glob("*.json")):
            name, condition, count = trade_runs.named(path)
            longer = "" if count == steps else f"{count} steps, "
            system = f"{longer}{NAMES[name]}{condition}" if count else BEFORE
            answers.setdefault(system, {})[seed] = read_json(path)
    return Study(data, answers)


def pairs(systems: Sequence[str]) -> list[tuple[str, str]]:
    """List what is compared: with the recipe's public captions, with no training."""
    trained = [name for name in systems if PUBLIC in name]
    plain = {name: name[: name.index(PUBLIC)] + PUBLIC for name in trained}
    more = [(name, less) for name, less in plain.items() if name != less]
    known = [(a, b) for a, b in more if b in systems]
    return known + [(name, other) for name in trained for other in (BEFORE, FROZEN)]


def summary(study: Study, steps: int) -> dict[str, Any]:
    """Return all that the chapter shows."""
    systems = list(study.answers)
    trained = [name for name in systems if name != FROZEN]
    wanted = [f"{NAMES[how]}{what}" for how, what in trade_runs.CONDITIONS]
    effects = {
        f"{a}, less {b}": effect(study, a, b)
        for a, b in pairs(systems)
        if study.seeds(a, b)
    }
    curves = {
        name: [one["curve"] for one in study.answers[name].values()] for name in trained
    }
    return {
        "steps": steps,
        "batch": 32,
        "base": trade_runs.BASE.name,
        "articles": SIZES,
        "not run": [name for name in wanted if name not in systems],
        "seeds": {name: study.seeds(name) for name in systems},
        "rows": {name: row(study, name) for name in systems},
        "effects": effects,
        "unfamiliar": {name: unfamiliar(study, name) for name in trained},
        "pooling": {name: pooled(study, name) for name in trained},
        "curves": curves,
    }


if __name__ == "__main__":
    given = options(__doc__, steps=600, seeds=3, thesis=False, train=False)
    data = {seed: Wardrobe(seed) for seed in trade_runs.SEEDS[: given.seeds]}
    if given.train:
        for seed in data:
            trade_runs.run(data[seed], "before", "fine-tuning", 0)
        for seed, name, condition in trade_runs.planned(given.seeds):
            if not given.thesis or name == trade_runs.THESIS:
                trade_runs.run(data[seed], name, condition, given.steps)
                sys.stderr.write(f"seed {seed}: {name}, {condition}\n")
    study = finished(data, given.steps)
    took = [
        one["seconds"]
        for name, runs in study.answers.items()
        for one in runs.values()
        if name not in (BEFORE, FROZEN)
    ]
    what = f"a condition: {given.steps} steps of 32 captions, and its answers"
    report([Figure(what, float(np.median(took)))], summary(study, given.steps))
