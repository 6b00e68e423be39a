"""Ask Paper A's questions about FACAD of minis trained in its layout.

The paper sees more gain from fine-tuning on H&M, attributes it to one picture a caption
and to the smaller size, and proposes to subsample FACAD one to one; it recommends to
avoid repeated captions (section 5). Here one drawn wardrobe is shown in both layouts,
and minis are fine-tuned on each for equally many steps; `facad_runs` says how. Only
drawn captions can be written anew for each view, which changes their repetition and
nothing else. Intervals are over the products of all seeds together; each difference
also comes seed by seed.

    # train what isn't there yet, and sum up; cut off, it goes on
    python -m benchmarks.facad --train [--articles 720] [--steps 800]
    # sum up the conditions that are there
    python -m benchmarks.facad [--articles 720] [--steps 800]
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import facad_runs, text_cnn
from benchmarks.facad_runs import AS_IS, BEFORE, FACAD, HM, MIXED, ONCE, OWN, Wardrobe
from benchmarks.measuring import Figure, options, report
from fashionlib import stats
from fashionlib.captioning import metrics, rerank
from fashionlib.captioning.metrics import Classifier, Scores, attributes
from fashionlib.data.files import read_json

OVERLAP = ("BLEU-4", "METEOR", "ROUGE-L", "CIDEr")
PRECISION, RECALL, ACCURACY = metrics.MEANING
CNN = f"{ACCURACY}, text CNN"
SHOWN = (*OVERLAP, PRECISION, RECALL, ACCURACY)
OTHER, RANDOM = "other picture", "a random caption"
TYPICAL = "a caption of the true category"
MAIN = "BLIP-2"

All = Mapping[str, Mapping[str, Scores]]  # data: system: scores
Terms = Mapping[tuple[str, str, str], float]  # (data, system, metric): its weight


def named(items: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return items whose ids and products name their seed: two seeds, two products."""
    items = items.assign(product=f"{seed} " + items.product_id)
    return items.set_index(f"{seed} " + items.item_id)


def joined(data: Mapping[int, Wardrobe], name: str, part: str) -> pd.DataFrame:
    """Return the "train" or "held" items of a data set, of all seeds."""
    return pd.concat([named(getattr(data[s], part)(name), s) for s in data])


def answers(
    data: Mapping[int, Wardrobe], name: str, steps: int, held: pd.DataFrame
) -> dict[str, dict[str, str]]:
    """Return what each system wrote of the held-out items, {system: {item: caption}}.

    Two systems see no picture: a random training caption, and the one most like the
    others of the item's category. A condition that a seed lacks is left out.
    """
    train = joined(data, name, "train").drop_duplicates("product")
    rng = np.random.default_rng(0)
    typical = rerank.typical(train.caption, train.category)
    written = {
        RANDOM: rng.choice(train.caption, len(held)),
        TYPICAL: held.category.map(typical).fillna(""),
    }
    for model, of, way in facad_runs.planned():
        places = [facad_runs.place(one, model, of, way, steps) for one in data.values()]
        if of != name or not all(place.is_file() for place in places):
            continue
        read = [read_json(place) for place in places]
        system = f"{model}, {way}"
        written[system] = np.concatenate([one["own"] for one in read])
        if way != BEFORE:
            other = np.concatenate([one["another"] for one in read])
            written[f"{system}, {OTHER}"] = other
    return {
        name: dict(zip(held.index, of, strict=True)) for name, of in written.items()
    }


def scored(
    train: pd.DataFrame, held: pd.DataFrame, written: Mapping[str, Mapping[str, str]]
) -> tuple[dict[str, Scores], dict[str, Classifier]]:
    """Score all systems of a data set; return scores, and who judged the categories.

    Pool and classifiers learn from the training products' captions, each once.
    """
    said = train.drop_duplicates("product")
    learn = said.caption, said.category, 0
    readers = {
        ACCURACY: metrics.category_classifier(*learn),
        CNN: text_cnn.classifier(*learn),
    }
    pool = attributes.pool(attributes.tagged(list(said.caption)))
    references = {item: [text] for item, text in held.caption.items()}
    scores = metrics.score_many(references, written, OVERLAP)
    scores = metrics.add_meaning(
        scores, references, pool, readers[ACCURACY], held.category
    )
    for system, one in scores.items():
        hits = metrics.category_hits(readers[CNN], written[system], held.category)
        columns = pd.DataFrame({CNN: hits.astype(float)})
        scores[system] = one.plus(columns)
    return scores, readers


def combined(scores: All, products: pd.Series, terms: Terms) -> dict[str, Any]:
    """Return a weighted sum of corpus values: value, low, high, p, seeds.

    Data sets share their products, which are resampled whole in all terms at once; so
    the difference of two data sets' gains is paired too. "seeds" has each seed's own.
    """
    sums = [scores[data][system].sums[metric] for data, system, metric in terms]
    rows = pd.concat([one.rows for one in sums], axis=1).fillna(0)  # (items, all k)
    clusters, table = products[rows.index], rows.to_numpy()
    ends = np.cumsum([one.rows.shape[1] for one in sums])[:-1]

    def value(totals: np.ndarray) -> np.ndarray:
        parts = zip(terms.values(), sums, np.split(totals, ends, -1), strict=True)
        return sum(weight * one.value(part) for weight, one, part in parts)

    found = stats.summary(
        float(value(table.sum(0))), value(stats.resample(table, 0, clusters=clusters))
    )
    seeds = clusters.str.partition(" ")[0].to_numpy()
    each = [float(value(table[seeds == seed].sum(0))) for seed in pd.unique(seeds)]
    ends = dict(zip(stats.ENDS, found.ends, strict=True))
    return ends | {"p": found.p, "seeds": each}


def gain(data: str, way: str, metric: str, model: str = MAIN) -> dict[Any, float]:
    """Weigh a condition less its model before fine-tuning."""
    return {
        (data, f"{model}, {way}", metric): 1,
        (data, f"{model}, {BEFORE}", metric): -1,
    }


def less(more: Terms, fewer: Terms) -> dict[Any, float]:
    """Weigh one sum less another; what stands in both alike drops out."""
    terms = dict(more)
    for key, weight in fewer.items():
        terms[key] = terms.get(key, 0) - weight
    return {key: weight for key, weight in terms.items() if weight}


def questions(metric: str) -> dict[str, dict[Any, float]]:
    """Weigh each question about a metric, in favour of what the paper says."""
    facad, mixed = gain(FACAD, AS_IS, metric), gain(MIXED, AS_IS, metric)
    return {
        "H&M gains more than FACAD": less(gain(HM, AS_IS, metric), facad),
        "FACAD one to one gains more than FACAD": less(
            gain(FACAD, ONCE, metric), facad
        ),
        "FACAD with a sentence a view gains more than FACAD": less(
            gain(FACAD, OWN, metric), facad
        ),
        "H&M's sentences gain more than FACAD's on the same views": less(mixed, facad),
        "H&M's pictures gain more than FACAD's with the same sentences": less(
            gain(HM, AS_IS, metric), mixed
        ),
    }


def known(scores: All, terms: Terms) -> bool:
    """Say whether every system of the terms was run."""
    return all(system in scores[data] for data, system, _ in terms)


def counts(data: Mapping[int, Wardrobe], name: str, way: str) -> dict[str, int]:
    """Count what a condition learns from: pictures, and their different captions."""
    each = [data[seed].train(name, way) for seed in data]
    return {
        "pictures": sum(map(len, each)),
        "captions": sum(one.caption.nunique() for one in each),
    }


def summary(data: Mapping[int, Wardrobe], steps: int) -> dict[str, Any]:
    """Return all that the chapter shows."""
    scores, true, held = {}, {}, {}
    for name in (HM, FACAD, MIXED):
        items = held[name] = joined(data, name, "held")
        train = joined(data, name, "train")
        scores[name], readers = scored(train, items, answers(data, name, steps, items))
        said = items.caption.to_dict()
        true[name] = {
            metric: metrics.category_hits(reader, said, items.category).mean()
            for metric, reader in readers.items()
        }
        true[name] |= {
            "categories": train.category.nunique(),
            "pictures": len(items),
            "products": items["product"].nunique(),
            "words": words(items.caption),
            "seen": items.caption.isin(train.caption).mean(),
        }
    products = pd.concat([held[HM], held[FACAD]])["product"]
    ran = [
        one for one in facad_runs.CONDITIONS if f"{one[0]}, {one[2]}" in scores[one[1]]
    ]
    asked = [
        question for question in questions("") if known(scores, questions("")[question])
    ]

    def ask(terms: Terms) -> dict[str, Any]:
        return combined(scores, products, terms)

    return {
        "steps": steps,
        "batch": 32,
        "bases": facad_runs.BASES,
        "articles": next(iter(data.values())).articles,
        "seeds": list(data),
        "not run": [", ".join(one) for one in facad_runs.CONDITIONS if one not in ran],
        "held": true,
        "learnt from": {
            f"{name}: {way}": counts(data, name, way)
            for model, name, way in ran
            if model == MAIN
        },
        "rows": {
            name: {
                system: {
                    metric: ask({(name, system, metric): 1}) for metric in (*SHOWN, CNN)
                }
                for system in systems
            }
            for name, systems in scores.items()
        },
        "words": {
            name: {system: words(one.captions) for system, one in systems.items()}
            for name, systems in scores.items()
        },
        "gains": {
            f"{model}, {name}: {way}": {
                metric: ask(gain(name, way, metric, model)) for metric in SHOWN
            }
            for model, name, way in ran
        },
        "questions": {
            question: {metric: ask(questions(metric)[question]) for metric in SHOWN}
            for question in asked
        },
        "precision less recall": {
            name: {
                system: ask({(name, system, PRECISION): 1, (name, system, RECALL): -1})
                for system in systems
            }
            for name, systems in scores.items()
        },
    }


def words(captions: Sequence[str]) -> float:
    """Return the mean number of words."""
    return float(np.mean([len(text.split()) for text in captions]))


if __name__ == "__main__":
    given = options(__doc__, articles=720, steps=800, train=False)
    data = {seed: Wardrobe(seed, given.articles) for seed in facad_runs.SEEDS}
    for model, name, way in facad_runs.planned() if given.train else ():
        for one in data.values():
            facad_runs.run(one, model, name, way, given.steps)
            sys.stderr.write(f"seed {one.seed}: {model}, {name}, {way}\n")
    places = [
        facad_runs.place(one, *condition, given.steps)
        for condition in facad_runs.CONDITIONS
        for one in data.values()
    ]
    took = [read_json(path)["seconds"] for path in places if path.is_file()]
    what = f"a condition: {given.steps} steps of 32 captions, and its captions"
    report([Figure(what, float(np.median(took)))], summary(data, given.steps))
