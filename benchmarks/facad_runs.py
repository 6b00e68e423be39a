"""Run the conditions of `facad`: what each seed draws, trains, and writes.

Each seed draws one wardrobe in two layouts, H&M's and FACAD's, and starts each
condition from a shipped mini. That mini has read sentences of H&M's style in its
pretraining, as plain text, and none of FACAD's. Every condition of a seed lies in a
file of its own below `_run/facad`, so a run that was cut off goes on.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

import wardrobe
from benchmarks.measuring import ROOT
from fashionlib.captioning import captioners, controls, training
from fashionlib.data.files import write_json
from fashionlib.data.items import TRAIN, caption_words
from fashionlib.data.readers import facad, hm
from fashionlib.features import efficientnet
from wardrobe import minis, words

WORK = ROOT / "_run" / "facad"
SIDE = 128  # pixels of a view, as the encoder reads them; FACAD's have 256
SEEDS = (42, 7, 1)
BASES = {"BLIP-2": "blip2-small", "LLaVA": "llava-small"}
# Every weight learns: the minis' tokens never stood for FACAD's words in pretraining,
# and LoRA, which leaves their vectors as they were, wrote syllables after 800 steps.
RATE = {"batch_size": 32, "lr": 5e-4}
HM, FACAD, MIXED = "H&M", "FACAD", "H&M's sentences on FACAD's views"
AS_IS, ONCE, OWN = "as it is", "one to one", "a sentence a view"
BEFORE = "before fine-tuning"
CONDITIONS = (  # model, data, way: in order of worth
    ("BLIP-2", HM, AS_IS),
    ("BLIP-2", FACAD, AS_IS),
    ("BLIP-2", FACAD, ONCE),
    ("BLIP-2", FACAD, OWN),
    ("BLIP-2", MIXED, AS_IS),
    ("LLaVA", HM, AS_IS),
    ("LLaVA", FACAD, AS_IS),
)


@dataclass(frozen=True)
class Wardrobe:
    """What one seed draws: the same products in both layouts, and their features."""

    seed: int
    articles: int

    @property
    def folder(self) -> Path:
        """Where all of it lies."""
        return WORK / f"seed-{self.seed}, {self.articles} articles"

    def drawn(self, layout: str) -> Path:
        """Return the wardrobe's folder in a layout, drawn where it isn't there yet."""
        root = self.folder / layout
        if not root.exists():
            how = {"size": (SIDE, SIDE)} if layout == "facad" else {}
            how |= {"layout": layout, "seed": self.seed}
            wardrobe.write(root, self.articles, shoppers=0, **how)
        return root

    @cached_property
    def sets(self) -> dict[str, pd.DataFrame]:
        """The items of each data set: the same products, split as FACAD's layout is.

        H&M: one photo an article, a sentence a product. FACAD: two photos a colour and
        a detail, an enchanting sentence a product. The third has the first's sentences
        on the second's views.
        """
        articles, _ = hm.filter_captioned(hm.items(self.drawn("hm")))
        views = facad.items(self.drawn("facad"))
        views["product_id"] = views.product_id.str.zfill(7)  # a number in the metadata
        views = views[views.product_id.isin(articles.product_id)]
        shared = articles[articles.product_id.isin(views.product_id)]
        products = shared.drop_duplicates("product_id").set_index("product_id")
        said = products.loc[views.product_id, ["caption", "category"]]
        split = views.drop_duplicates("product_id").set_index("product_id").split
        return {
            HM: shared.assign(split=shared.product_id.map(split)),
            FACAD: views,
            MIXED: views.assign(**{name: said[name].to_numpy() for name in said}),
        }

    def train(self, name: str, way: str = AS_IS) -> pd.DataFrame:
        """Return a data set's training items: all, one a product, or described anew.

        Described anew, each view has a sentence of its own about its product.
        """
        items = self.sets[name]
        items = items[items.split == TRAIN]
        if way == ONCE:
            return items.groupby("product_id").sample(1, random_state=self.seed)
        if way == OWN:
            truth = wardrobe.truth(self.drawn("facad")).drop_duplicates("product_id")
            garments = truth.set_index("product_id").loc[items.product_id]
            texts = pd.Series(words.captions("enchanting", garments, self.seed, 9))
            return items.assign(caption=caption_words(texts).str.join(" ").to_numpy())
        return items

    def held(self, name: str) -> pd.DataFrame:
        """Return the items that no condition learns from: validation and test."""
        items = self.sets[name]
        return items[items.split != TRAIN]

    @cached_property
    def rows(self) -> captioners.Rows:
        """What the captioners read of every picture, from the frozen encoder."""
        pictures = [*self.sets[HM].image, *self.sets[FACAD].image]
        cells = efficientnet.Cells.load(minis.CELLS)
        place = self.folder / "pictures"
        made = efficientnet.encode_images(pictures, pictures, cells, place, minis.SIZE)
        return captioners.Rows(pictures, made["grid"].matrix, cells)


def place(data: Wardrobe, model: str, name: str, way: str, steps: int) -> Path:
    """Return where a condition's captions lie; `BEFORE` takes no step."""
    steps = 0 if way == BEFORE else steps
    return data.folder / f"{model}, {name}, {way}, {steps} steps.json"


def run(data: Wardrobe, model: str, name: str, way: str, steps: int) -> None:
    """Train one condition and keep what it writes, unless that is there.

    The captions are of the held-out items, from each one's own picture and from
    another's.
    """
    path = place(data, model, name, way, steps)
    if path.is_file():
        return
    rows, began = data.rows, time.process_time()
    captioner = captioners.load(minis.FOLDER / BASES[model], rows=rows)
    if way != BEFORE:
        items = data.train(name, way)
        recipe = training.recipe("full", steps, seed=data.seed, evaluations=1, **RATE)
        checkpoints = data.folder / "checkpoints"
        pairs = list(items.image), list(items.caption)
        captioner, _ = training.train(captioner, *pairs, recipe, checkpoints)
        shutil.rmtree(checkpoints)
    images = data.held(name).image.to_numpy()
    answers = {
        "own": captioners.generate(captioner, images),
        "another": captioners.generate(
            captioner, images[controls.shuffled(len(images), data.seed)]
        ),
    }
    write_json(path, answers | {"seconds": time.process_time() - began})


def planned() -> list[tuple[str, str, str]]:
    """List model, data and way of all that is run, the models before training first."""
    before = dict.fromkeys((model, name, BEFORE) for model, name, _ in CONDITIONS)
    return [*before, *CONDITIONS]
