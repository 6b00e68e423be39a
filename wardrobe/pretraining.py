"""Pretrain the minis that the repository ships, on garments that no run draws.

`make pretrain` makes them again: it draws the garments, fits the projection of their
pictures' cells, and trains each mini for the steps of `STEPS`. A BLIP-2 learns
captioning beside the two losses of its paper's first stage (Li et al., 2023, section
3.1: image-text contrast and matching), in one run where the paper has two stages.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm
from transformers import TrainerCallback

from fashionlib.captioning import captioners, controls, training
from fashionlib.captioning.captioners import Captioner, Rows
from fashionlib.captioning.training import card
from fashionlib.data import provenance
from fashionlib.data.files import atomic, nulls, read_json, write_json
from fashionlib.features import efficientnet, fingerprints
from fashionlib.features.efficientnet import Cells
from wardrobe import minis, planting, views
from wardrobe.layouts import hm

SEED = 771_001  # of the garments; a run draws its own with a small number
ARTICLES, HELD_OUT = 8000, 300  # articles in all, and of these the validation's
PHOTO = (160, 240)  # pixels, as the layouts draw them
STEPS = {
    "blip2-small": 5000,
    "llava-small": 2500,
    "blip2-medium": 4000,
    "llava-medium": 2000,
}
FIRST = 4  # steps whose losses are kept, for a test to make again


def corpus(folder: Path) -> pd.DataFrame:
    """Return a shop's and a worn photo of each article, one a row, not drawn yet.

    Columns: item_id, worn, image (a path in `folder`), row (of the planted truth),
    caption (generic, what is seen) and text (the shop's).
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
            "text": [row["detail_desc"] for row in shop],
        }
    )
    both = pd.concat([photos.assign(worn=False), photos.assign(worn=True)])
    names = both.item_id + both.worn.map({True: "_worn.jpg", False: ".jpg"})
    both["image"] = [str(folder / name) for name in names]
    return both.reset_index(drop=True)


def draw(photos: pd.DataFrame) -> None:
    """Draw the photos that aren't there yet.

    Of every second worn photo only the garment's box is kept.
    """
    missing = photos[[not Path(image).is_file() for image in photos.image]]
    for photo in tqdm(
        missing.to_dict("records"), desc="photos", unit="photo", disable=None
    ):
        number = int(photo["item_id"])
        rng = np.random.default_rng([SEED, number, photo["worn"]])
        look = planting.garment_of(photo["row"]), photo["row"]["colour"]
        if photo["worn"]:
            picture, box = views.consumer(*look, rng, PHOTO)
            picture = picture.crop(box) if rng.random() < 0.5 else picture
        else:
            picture = views.flat(*look, rng, PHOTO)
        with atomic(Path(photo["image"])) as part:
            picture.save(part, "JPEG", quality=88)


def begin(name: str, photos: pd.DataFrame, rows: Rows) -> Captioner:
    """Return the mini with the random weights that its pretraining starts from."""
    return captioners.mini([*photos.caption, *photos.text], rows, name, seed=SEED)


def setting_of(mini: Captioner, name: str) -> training.Recipe:
    """Return the recipe of a mini of this name."""
    return training.recipe_of(mini, STEPS[name], evaluations=20)


class FirstSteps(TrainerCallback):
    """Logs the loss of each step, and stops after `FIRST` of them."""

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Ask for a log entry each step."""
        state.logging_steps = 1

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Stop the run."""
        control.should_training_stop = state.global_step >= FIRST


class DrawnRows(Rows):
    """Rows of photos that are drawn when they are asked for."""

    photos: pd.DataFrame  # by image

    def _encode(self, pictures: list[str]) -> dict[str, np.ndarray]:
        self.draw(pictures)
        return super()._encode(pictures)

    def digest(self, picture: str) -> bytes:
        """Draw the photo, and digest what its row would be made of."""
        self.draw([picture])
        return super().digest(picture)

    def draw(self, pictures: Sequence[str]) -> None:
        """Draw what isn't there."""
        draw(self.photos.loc[[Path(picture).name for picture in pictures]])


def first_losses(name: str, cells: Cells, folder: Path) -> list[float]:
    """Return the losses of the first steps of a mini's pretraining.

    Only what these steps read is drawn, into `folder`.
    """
    photos = corpus(folder)
    rows = DrawnRows([], np.empty((0, *minis.SHAPE), np.float16), cells)
    rows.photos = photos.set_index(photos.image.map(lambda path: Path(path).name))
    mini, stop = begin(name, photos, rows), [FirstSteps()]
    place = folder / "checkpoints"
    learned, setting = material(parts(photos)[0]), setting_of(mini, name)
    _, curve = training.pretrain(mini, *learned, setting, place, callbacks=stop)
    shutil.rmtree(place)
    return curve.loss.head(FIRST).tolist()


def material(photos: pd.DataFrame) -> tuple[tuple[list[str], list[str]], list[str]]:
    """Return images and their captions, and the shop's sentences, one an article."""
    pairs = list(photos.image), list(photos.caption)
    return pairs, list(photos.text[~photos.worn])


def parts(photos: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the photos to learn from, and those held out: products are kept whole."""
    held = photos.item_id.str[:7].isin(photos.item_id.str[:7].unique()[-HELD_OUT:])
    return photos[~held], photos[held]


def pretrain(folder: Path, names: Sequence[str] = tuple(STEPS)) -> None:
    """Make the minis `names`, and the projection that they read by.

    Drawn pictures and checkpoints lie in `folder`, so that a killed run goes on.
    """
    photos = corpus(folder / "pictures")
    draw(photos)
    learned, held_out = parts(photos)
    shown = held_out.sample(400, random_state=0)  # at each evaluation
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
        first = first_losses(name, cells, folder / "pictures")
        mini = begin(name, photos, rows)
        setting = setting_of(mini, name)
        place = folder / "checkpoints" / name
        held = material(shown)[0]
        mini, curve = training.pretrain(
            mini, *material(learned), setting, place, validation=held
        )
        keep(name, mini, setting, curve, first)


def keep(
    name: str,
    mini: Captioner,
    setting: training.Recipe,
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
    card.publish(minis.FOLDER / name, card.model_card("", setting, curve, about))
    records = read_json(minis.RECORDS) if minis.RECORDS.is_file() else {}
    records[name] = {
        "steps": setting.steps,
        "weights": fingerprints.weights(mini.base),
        "first_losses": first,
        "curve": curve.drop(columns=["captions", "watts"]).to_dict("list"),
        "provenance": {
            "commit": provenance.commit(minis.FOLDER),
            "hardware": provenance.hardware(),
            "versions": provenance.versions(),
        },
    }
    write_json(minis.RECORDS, nulls(records))


if __name__ == "__main__":
    pretrain(Path("_run/pretraining"))
