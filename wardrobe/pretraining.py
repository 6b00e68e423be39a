"""Pretrain the minis that the repository ships, on garments that no run draws.

`make pretrain` makes them again: it draws the garments, fits the projection of their
pictures' cells, and trains each mini for the steps of `STEPS`. A BLIP-2 learns
captioning beside the two losses of its paper's first stage (Li et al., 2023, section
3.1: image-text contrast and matching), in one run where the paper has two stages.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm
from transformers import TrainerCallback

from fashionlib.captioning import captioners, controls, training
from fashionlib.captioning.captioners import Captioner, Rows
from fashionlib.captioning.training import card
from fashionlib.captioning.training.batches import Batches
from fashionlib.data import provenance
from fashionlib.data.files import atomic, write_json
from fashionlib.features import efficientnet
from fashionlib.features.efficientnet import Cells
from wardrobe import minis, planting, views
from wardrobe.layouts import hm

SEED = 771_001  # of the garments; a run draws its own with a small number
ARTICLES, HELD_OUT = 8000, 300  # articles in all, and of these the validation's
PHOTO = (160, 240)  # pixels, as the layouts draw them
STEPS = {
    "blip2-small": 9000,
    "llava-small": 4000,
    "blip2-medium": 6000,
    "llava-medium": 3000,
}
FIRST = 4  # steps whose losses are kept, for a test to make again


def corpus() -> pd.DataFrame:
    """Return a shop's and a worn photo of each article, one a row.

    Columns: item_id, worn, row (of the planted truth), caption (generic, what is seen)
    and text (the shop's). Nothing is drawn yet.
    """
    truth = planting.articles(ARTICLES, SEED).to_dict("records")
    shop = [hm.article(row, SEED) for row in truth]
    columns = {
        "colour": "colour_group_name",
        "pattern": "graphical_appearance_name",
        "category": "product_type_name",
    }
    captions = [
        controls.generic_caption({name: row[key] for name, key in columns.items()})
        for row in shop
    ]
    photos = pd.DataFrame(
        {
            "item_id": [row["article_id"] for row in shop],
            "row": truth,
            "caption": captions,
            "text": [row["detail_desc"].lower() for row in shop],
        }
    )
    both = pd.concat([photos.assign(worn=False), photos.assign(worn=True)])
    both["image"] = both.item_id + both.worn.map({True: "_worn.jpg", False: ".jpg"})
    return both.reset_index(drop=True)


def draw(photos: pd.DataFrame, folder: Path) -> None:
    """Draw the photos that `folder` doesn't hold yet.

    Of every second worn photo only the garment's box is kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = photos[[not (folder / name).is_file() for name in photos.image]]
    for photo in tqdm(missing.to_dict("records"), desc="garments", unit="photo"):
        number = int(photo["item_id"])
        rng = np.random.default_rng([SEED, number, photo["worn"]])
        look = planting.garment_of(photo["row"]), photo["row"]["colour"]
        if photo["worn"]:
            picture, box = views.consumer(*look, rng, PHOTO)
            picture = picture.crop(box) if rng.random() < 0.5 else picture
        else:
            picture = views.flat(*look, rng, PHOTO)
        with atomic(folder / photo["image"]) as part:
            picture.save(part, "JPEG", quality=88)


def recipe(name: str) -> training.Recipe:
    """Return the recipe of a mini of this name."""
    parts = {"contrast": 0.5, "matching": 0.5} if name.startswith("blip2") else {}
    steps = STEPS[name]
    return training.recipe("mini_pretraining", steps, evaluations=20, **parts)


def begin(name: str, photos: pd.DataFrame, rows: Rows) -> Captioner:
    """Return the mini with the random weights that its pretraining starts from."""
    words = [*photos.caption, *photos.text]
    mini = captioners.mini(words, rows, name, seed=SEED)
    return captioners.with_text(mini, seed=SEED) if recipe(name).joint else mini


class FirstSteps(TrainerCallback):
    """Logs the loss of each step, and stops after `FIRST` of them."""

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Ask for a log entry each step."""
        state.logging_steps = 1

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Stop the run."""
        control.should_training_stop = state.global_step >= FIRST


def first_losses(name: str, cells: Cells, folder: Path) -> list[float]:
    """Return the losses of the first steps of a mini's pretraining.

    Only what these steps read is drawn, into `folder`.
    """
    photos = corpus()
    learned, _ = parts(photos)
    rows = Rows([], np.empty((0, *minis.SHAPE), np.float16), cells)
    mini, steps = begin(name, photos, rows), recipe(name)
    pairs = [str(folder / image) for image in learned.image], list(learned.caption)
    texts = sentences(learned)
    planned = Batches(mini, *pairs, steps, steps.steps, texts).batches[:FIRST]
    read = {row for is_text, some in planned if not is_text for row in some}
    draw(learned.iloc[sorted(read)], folder)
    place, stop = folder / "first", [FirstSteps()]
    _, curve = training.train(mini, *pairs, steps, place, texts=texts, callbacks=stop)
    shutil.rmtree(place)
    return curve.loss.head(FIRST).tolist()


def parts(photos: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the photos to learn from, and those held out: products are kept whole."""
    held = photos.item_id.str[:7].isin(photos.item_id.str[:7].unique()[-HELD_OUT:])
    return photos[~held], photos[held]


def sentences(photos: pd.DataFrame) -> list[str]:
    """List the shop's sentences, one an article."""
    return list(photos.text[~photos.worn])


def pretrain(folder: Path, names: Sequence[str] = tuple(STEPS)) -> None:
    """Make the minis `names`, and the projection that they read by.

    Drawn pictures and checkpoints lie in `folder`, so that a killed run goes on.
    """
    photos = corpus()
    pictures = folder / "pictures"
    draw(photos, pictures)
    photos["image"] = [str(pictures / image) for image in photos.image]
    learned, held = parts(photos)
    if not minis.CELLS.is_file():
        sample = learned.sample(1000, random_state=0).image
        fitted = efficientnet.fit_cells(list(sample), minis.SIZE)
        fitted.save(minis.CELLS)
    cells = Cells.load(minis.CELLS)
    grid = efficientnet.encode_images(
        photos.image, photos.image, cells, folder / "cache", minis.SIZE
    )["grid"]
    rows = Rows(list(photos.image), grid.matrix, cells)
    for name in names:
        first = first_losses(name, cells, folder / "first")
        steps, place = recipe(name), folder / "checkpoints" / name
        pairs = list(learned.image), list(learned.caption)
        some = held.sample(400, random_state=0)
        mini, curve = training.train(
            begin(name, photos, rows),
            *pairs,
            steps,
            place,
            (list(some.image), list(some.caption)),
            texts=sentences(learned),
        )
        keep(name, mini, steps, curve, first)


def keep(
    name: str,
    mini: Captioner,
    steps: training.Recipe,
    curve: pd.DataFrame,
    first: list[float],
) -> None:
    """Write a mini's folder: half-precision weights, card and curve."""
    about = {
        "articles": ARTICLES,
        "photos": "a shop's and a worn one of each, 128 x 128 pixels",
        "seed of the garments": SEED,
        "split": f"{HELD_OUT} products held out",
    }
    mini.base.half()
    captioners.save(replace(mini, rows=None), minis.FOLDER / name)
    text = card.model_card("", steps, curve, about)
    (minis.FOLDER / name / "README.md").write_text(text, encoding="utf-8")
    record = {
        "recipe": asdict(steps),
        "first_losses": first,
        "curve": curve.drop(columns=["captions", "watts"]).to_dict("list"),
        "provenance": {
            "commit": provenance.commit(minis.FOLDER),
            "hardware": provenance.hardware(),
            "versions": provenance.versions(),
        },
    }
    write_json(minis.FOLDER / name / "pretraining.json", record)


if __name__ == "__main__":
    pretrain(Path("_run/pretraining"))
