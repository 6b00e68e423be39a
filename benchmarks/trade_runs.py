"""Run the conditions of `trade`: what each seed draws, trains, and asks.

Each seed draws its own wardrobe, split, labelled photos and street photos, and starts
each condition from the shipped blip2-small. Every condition of a seed lies in a file of
its own below `_run/trade`, so a run that was cut off goes on.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

import wardrobe
from benchmarks.measuring import ROOT
from fashionlib import labelling, retrieval
from fashionlib.captioning import captioners, training
from fashionlib.data.files import write_json
from fashionlib.data.items import split_items
from fashionlib.data.readers import hm
from fashionlib.features import efficientnet
from fashionlib.labelling import export, records
from fashionlib.retrieval import joint
from wardrobe import minis, simulator
from wardrobe.layouts import hm as shop

WORK = ROOT / "_run" / "trade"
BASE = minis.FOLDER / "blip2-small"
SEEDS = (42, 7, 1)
SIZES = {"items": 2400, "labelled": 370, "street": 400}  # articles, as at profile tiny
STREET = {
    "consumer2shop": "street/consumer2shop",
    "deepfashion2": "street/deepfashion2",
}
OURS, THESIS, WHOLE = "mini_joint", "thesis_b_joint", "full"
# rates of chapter 07, whose mini learns at 1e-3: thrice for few weights, half for all
RECIPES: Mapping[str, dict[str, Any]] = {
    OURS: {},
    THESIS: {"batch_size": 32, "lr": 3e-3},
    WHOLE: {"batch_size": 32, "lr": 5e-4, "contrast": 0.5},
}
BOTH, LONGER = "public + labelled", "public + labelled, longer"
STREET_STYLE = "public + street photos, public style"
CONDITIONS: tuple[tuple[str, str], ...] = (  # in order of worth
    (OURS, "public"),
    (OURS, BOTH),
    (OURS, LONGER),
    (OURS, STREET_STYLE),
    (OURS, "public + shop photos, attributes"),
    (OURS, "public + street photos, attributes"),
    (THESIS, "public"),
    (THESIS, BOTH),
    (WHOLE, "public"),
    (WHOLE, BOTH),
)
MAIN = 2  # conditions that every seed runs before the others


@dataclass(frozen=True)
class Wardrobe:
    """What one seed draws: catalogue, labelled photos, street benchmarks, features."""

    seed: int

    @property
    def folder(self) -> Path:
        """Where all of it lies."""
        return WORK / f"seed-{self.seed}"

    def drawn(self, name: str, **how: Any) -> Path:
        """Return a wardrobe's folder, drawn where it isn't there yet."""
        folder = self.folder / name
        if not folder.exists():
            wardrobe.write(folder, shoppers=0, **how)
        return folder

    @cached_property
    def items(self) -> pd.DataFrame:
        """The captioned catalogue, split by product."""
        root = self.drawn("shop", items=SIZES["items"], seed=self.seed)
        items, _ = hm.filter_captioned(hm.items(root))
        return split_items(items.reset_index(drop=True), "product", self.seed)

    @cached_property
    def labelled(self) -> pd.DataFrame:
        """Photos captioned from a simulated LLM's labels, and in public style."""
        drawn = {"items": SIZES["labelled"], "layout": "consumer2shop"}
        root = self.drawn("labelled", **drawn, seed=self.seed + 4)
        photos, truth = wardrobe.photographed(root)
        rows = truth.to_dict("records")
        true = dict(zip(photos.image, map(records.of_row, rows), strict=True))
        labels = labelling.label(photos, simulator.Simulator(true, seed=self.seed))
        about = photos[["item_id", "product_id", "source"]]
        made = export.captioned(labels.records.merge(about, on="item_id"), self.seed)
        public = [shop.article(row, self.seed)["detail_desc"] for row in rows]
        public = pd.Series(public, photos.item_id)
        return made.assign(public=made.item_id.map(public))

    def garments(self, layout: str) -> Path:
        """Return the folder of a street benchmark: garments of its own."""
        how = {"items": SIZES["street"], "seed": self.seed + 1000}
        return self.drawn(STREET[layout], layout=layout, **how)

    @cached_property
    def street(self) -> dict[str, retrieval.Benchmark]:
        """The two street benchmarks, by crop and by full picture."""
        return retrieval.street({layout: self.garments(layout) for layout in STREET})

    @cached_property
    def worn(self) -> pd.DataFrame:
        """Street photos of garments in no training set, and their planted truth."""
        photos, truth = wardrobe.photographed(self.garments("consumer2shop"))
        worn = photos.source == "consumer"
        return truth[worn].assign(image=photos.image[worn].to_numpy())

    @cached_property
    def tasks(self) -> dict[str, retrieval.Benchmark]:
        """All that is asked with a picture."""
        return {"other colour": retrieval.variants(self.items, "test")} | self.street

    @cached_property
    def reading(self) -> retrieval.Benchmark:
        """What is asked with a text."""
        return retrieval.captions(self.items, "test")

    @cached_property
    def spaces(self) -> dict[str, Any]:
        """Features of every picture, from the frozen encoder."""
        pictures = [*self.items.image, *self.labelled.image, *self.worn.image]
        pictures = list(
            dict.fromkeys([*pictures, *retrieval.pictures(self.street.values())])
        )
        cells = efficientnet.Cells.load(minis.CELLS)
        place = self.folder / "pictures"
        return efficientnet.encode_images(pictures, pictures, cells, place, minis.SIZE)

    @cached_property
    def rows(self) -> captioners.Rows:
        """What the captioners read."""
        grid = self.spaces["grid"]
        cells = efficientnet.Cells.load(minis.CELLS)
        return captioners.Rows(grid.ids, grid.matrix, cells)

    def part(self, split: str) -> pd.DataFrame:
        """Return the catalogue's rows of a split."""
        return self.items[self.items.split == split]

    def pairs(self, condition: str) -> tuple[list[str], list[str]]:
        """Return the images and captions of a condition."""
        public, more = self.part("train"), self.labelled
        if condition == "public":
            more = more[:0]
        if "photos" in condition:
            more = more[more.source == ("shop" if "shop" in condition else "consumer")]
        if condition.endswith("public style"):
            more = more.assign(caption=more.public)
        both = pd.concat([public, more])
        return list(both.image), list(both.caption)


def train(data: Wardrobe, name: str, condition: str, steps: int) -> tuple[Any, Any]:
    """Train one condition; return the captioner and its curve.

    "Longer" takes as many more steps as there are more captions, so that it sees each
    public caption as often as "public" does.
    """
    pairs, public = data.pairs(condition), data.pairs("public")
    if condition == LONGER:
        steps = round(steps * len(pairs[0]) / len(public[0]))
    changes = {"seed": data.seed, "evaluations": 3, **RECIPES[name]}
    recipe = training.recipe(name, steps, **changes)
    held = data.part("validation")
    return training.train(
        captioners.load(BASE, rows=data.rows),
        *pairs,
        recipe,
        data.folder / "checkpoints",
        (list(held.image), list(held.caption)),
        shown=0,
    )


def ask(data: Wardrobe, captioner: captioners.Captioner) -> dict[str, Any]:
    """Return a captioner's captions and ranks, for every question of the chapter."""
    ranks = {}
    for pooling in captioners.POOLED:
        found = joint.ranks_by_queries(captioner, data.tasks, pooling)
        ranks[pooling] = {task: first.tolist() for task, first in found.items()}
    text = joint.ranks_by_text(captioner, data.reading)
    ranks["mean"]["text to image"] = text.tolist()
    return {
        "captions": captioners.generate(captioner, list(data.part("test").image)),
        "street": captioners.generate(captioner, list(data.worn.image)),
        "ranks": ranks,
    }


def place(data: Wardrobe, name: str, condition: str, steps: int) -> Path:
    """Return where a condition's answers lie; 0 steps are the model before."""
    return data.folder / f"{name}, {condition}, {steps}.json"


def named(path: Path) -> tuple[str, str, int]:
    """Return recipe, condition and steps of a place."""
    name, _, rest = path.stem.partition(", ")
    condition, _, steps = rest.rpartition(", ")
    return name, condition, int(steps)


def run(data: Wardrobe, name: str, condition: str, steps: int) -> None:
    """Train one condition and keep its answers, unless they are there."""
    path = place(data, name, condition, steps)
    if path.is_file():
        return
    began, curve = time.process_time(), {}
    if steps:
        captioner, history = train(data, name, condition, steps)
        curve = history[["step", "validation captioning"]].dropna().to_dict("list")
    else:
        captioner = captioners.load(BASE, rows=data.rows)
    answers = ask(data, captioner) | {"curve": curve}
    write_json(path, answers | {"seconds": time.process_time() - began})
    shutil.rmtree(data.folder / "checkpoints", ignore_errors=True)


def planned(seeds: int) -> list[tuple[int, str, str]]:
    """List seed, recipe and condition, in order of worth."""
    first = [(s, *one) for one in CONDITIONS[:MAIN] for s in SEEDS[:seeds]]
    return first + [(s, *one) for s in SEEDS[:seeds] for one in CONDITIONS[MAIN:]]
