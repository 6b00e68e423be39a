"""Fine-tune the sample's captioners from other seeds, and ask chapter 08 of them all.

A run trains each captioner once (chapter 06), so a difference of two of them may be
one training's luck. Here the same captioners learn the same captions again, each seed
with an adapter's start and an order of its own. A seed's corpus values are averaged;
intervals are over products, of that average; each difference also comes seed by seed.
Reads a run of chapters 01 to 06 on real data, and writes nothing into it.

    # train what isn't there yet, and sum up; cut off, it goes on
    python -m benchmarks.captioner_seeds --train
    # sum up the captioners whose seeds are there
    python -m benchmarks.captioner_seeds
"""

from __future__ import annotations

import itertools
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measuring import ROOT, Figure, options, report
from fashionlib import stats
from fashionlib.book import runs
from fashionlib.captioning import captioners, controls, metrics, training
from fashionlib.captioning.metrics import Scores
from fashionlib.data.files import read_json, write_json

WORK = ROOT / "_run" / "captioner_seeds"
SEEDS = (42, 7, 1)  # the first is the run's own
# Of like size first, so that LLaVA stands beside BLIP-2 early.
MODELS = ("blip2-small", "llava-small", "blip2-medium", "llava-medium")
TUNED, OTHER, BEFORE = "fine-tuned", "other picture", "pretrained"
COPY = "nearest photo's caption"
ALIKE = (
    ("blip2-medium", "blip2-small"),
    ("llava-medium", "llava-small"),
    ("llava-small", "blip2-small"),
)

Systems = Mapping[str, Sequence[Scores]]  # name: the scores of each of its trainings


def place(model: str, seed: int) -> Path:
    """Where a training's captions lie."""
    return WORK / f"{model}, seed {seed}.json"


def train(run: runs.Run, model: str, seed: int) -> None:
    """Train a captioner as chapter 06 does; keep its captions, unless they exist."""
    path = place(model, seed)
    if path.is_file():
        return
    items, began = run.items(), time.process_time()
    learned, _, test = run.splits()
    rows = captioners.Rows(items.image, run.features("grid").rows(items.index))
    captioner = captioners.load(run.need(f"captioner/{model}/base"), rows=rows)
    recipe = training.recipe(
        "mini",
        runs.profile(run.profile)["06_fine_tuning"]["steps"],
        batch_size=32,
        lr=1e-3,
        evaluations=4,
        seed=seed,
    )
    checkpoints = WORK / f"checkpoints, {model}, seed {seed}"
    captioner, _ = training.train(
        captioner, learned.image, learned.caption, recipe, checkpoints
    )
    others = test.image.iloc[controls.shuffled(len(test), seed)]
    written = {
        TUNED: captioners.generate(captioner, test.image),
        OTHER: captioners.generate(captioner, others),
    }
    answers = {
        role: dict(zip(test.index, said, strict=True)) for role, said in written.items()
    }
    write_json(path, answers | {"seconds": time.process_time() - began})
    shutil.rmtree(checkpoints)


def answers(run: runs.Run, models: Sequence[str]) -> dict[str, list[dict[str, str]]]:
    """Return what each system wrote of the test articles, a dict a training."""
    own = {TUNED: "captions/fine_tuned.json", OTHER: "captions/shuffled.json"}
    own = {role: run.read(path) for role, path in own.items()}
    before = run.read("captions/pretrained.json")
    written = {COPY: [run.read("captions/nearest.json")]}
    for model in models:
        again = [read_json(place(model, seed)) for seed in SEEDS[1:]]
        written[f"{model}, {BEFORE}"] = [before[model]]
        for role, said in own.items():
            written[f"{model}, {role}"] = [said[model], *(one[role] for one in again)]
    return written


def scored(run: runs.Run, written: Mapping[str, list[dict[str, str]]]) -> Systems:
    """Score every training of every system, as chapter 08 does."""
    learned, _, test = run.splits()
    note = run.read("attributes.json")
    classifier = metrics.category_classifier(learned.caption, learned.category, 42, "")
    truth = {item: [caption] for item, caption in test.caption.items()}
    each = {
        (name, number): said
        for name, trainings in written.items()
        for number, said in enumerate(trainings)
    }
    scores = metrics.score_all(
        truth, each, note["pool"], classifier, test.category, note["tagger"]
    )
    return {
        name: [scores[name, number] for number in range(len(trainings))]
        for name, trainings in written.items()
    }


def less(systems: Systems, one: str, other: str, metric: str, products: Any) -> Any:
    """Return one system's mean corpus value less another's: value, ends, p, seeds.

    A system of one training stands beside each of the other's.
    """
    trainings = [systems[one], systems[other]]
    count = max(map(len, trainings))
    sums = [s[i % len(s)].sums[metric] for s in trainings for i in range(count)]
    table = np.hstack([of.rows for of in sums])  # (items, all k)
    ends = np.cumsum([of.rows.shape[1] for of in sums])[:-1]

    def each(totals: np.ndarray) -> np.ndarray:
        parts = zip(sums, np.split(totals, ends, -1), strict=True)
        values = np.array([of.value(part) for of, part in parts])
        return values[:count] - values[count:]  # (trainings, ...)

    resampled = stats.resample(table, 0, clusters=products)
    seeds = each(table.sum(0))
    found = stats.summary(float(seeds.mean()), each(resampled).mean(0))
    row = dict(zip(stats.ENDS, found.ends, strict=True))
    return row | {"p": found.p, "seeds": list(map(float, seeds))}


def summary(run: runs.Run, models: Sequence[str]) -> dict[str, Any]:
    """Return all that the pages show."""
    _, _, test = run.splits()
    systems = scored(run, answers(run, models))
    pairs = [
        (f"{model}, {TUNED}", other)
        for model in models
        for other in (f"{model}, {BEFORE}", f"{model}, {OTHER}", COPY)
    ]
    pairs += [
        (f"{one}, {TUNED}", f"{other}, {TUNED}")
        for one, other in ALIKE
        if {one, other} <= set(models)
    ]
    shown = [name for name in systems[COPY][0].sums if not name.startswith("BLEU-")]
    shown = ["BLEU-4", *shown]
    note = run.read("data.json")
    return {
        "data": {key: note[key] for key in ("name", "synthetic", "fingerprint")},
        "articles": len(test),
        "seeds": list(SEEDS),
        "not run": [model for model in MODELS if model not in models],
        "rows": {
            name: {metric: [of.corpus[metric] for of in trainings] for metric in shown}
            for name, trainings in systems.items()
        },
        "differences": {
            f"{one} minus {other}": {
                metric: less(systems, one, other, metric, test.product_id)
                for metric in shown
            }
            for one, other in pairs
        },
    }


if __name__ == "__main__":
    given = options(__doc__, train=False)
    run = runs.Run("06_fine_tuning", "sample", ROOT / "_run" / "sample", SEEDS[0])
    for model, seed in itertools.product(MODELS, SEEDS[1:]) if given.train else ():
        train(run, model, seed)
        sys.stderr.write(f"{model}, seed {seed}\n")
    models = [m for m in MODELS if all(place(m, s).is_file() for s in SEEDS[1:])]
    took = [read_json(place(m, s))["seconds"] for m in models for s in SEEDS[1:]]
    what = "a captioner trained, and its captions of the test articles, twice"
    report([Figure(what, float(np.median(took)))], summary(run, models))
