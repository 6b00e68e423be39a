"""The minis that the repository ships: whole, safe, small, made by `make pretrain`."""

import json
from pathlib import Path

import numpy as np
import pytest

from fashionlib.captioning import captioners
from fashionlib.captioning.captioners import Rows
from fashionlib.features.efficientnet import Cells
from wardrobe import minis, pretraining

MIB = 2**20


@pytest.fixture(scope="module")
def cells() -> Cells:
    return Cells.load(minis.CELLS)


def test_all_are_shipped_in_at_most_20_megabytes():
    assert minis.shipped() == sorted(pretraining.STEPS)
    files = [path for path in minis.FOLDER.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 20e6
    assert {path.suffix for path in files} <= {".safetensors", ".json", ".md"}


@pytest.mark.parametrize("name", ["blip2-small", "llava-small"])
def test_the_command_begins_as_the_kept_run_began(name, cells, tmp_path: Path):
    kept = json.loads(minis.RECORDS.read_text())[name]["first_losses"]
    again = pretraining.first_losses(name, cells, tmp_path)
    np.testing.assert_allclose(again, kept, rtol=1e-2)


def test_no_run_draws_the_garments_of_the_pretraining(tmp_path):
    from wardrobe import planting

    drawn = planting.articles(2400, 42)  # what a run draws by default
    read = planting.articles(pretraining.ARTICLES, pretraining.SEED)
    look = [*planting.PARTS, "colour"]
    alike = drawn.merge(read[look].drop_duplicates(), on=look).shape[0] / len(drawn)
    assert alike == 0  # the drawing of a plain garment included


def test_a_shipped_mini_tells_whose_caption_is_whose(cells, tmp_path):
    photos = pretraining.corpus(tmp_path)
    held = pretraining.parts(photos)[1].drop_duplicates("caption").head(24)
    pretraining.draw(held)
    rows = Rows([], np.empty((0, *minis.SHAPE), np.float16), cells)
    mini = captioners.load(minis.FOLDER / "blip2-small", device="cpu", rows=rows)
    images = captioners.embed_images(mini, list(held.image), pooling=None)
    texts = captioners.embed_texts(mini, list(held.caption))
    nearest = np.einsum("iqd,td->itq", images, texts).max(-1).argmax(1)
    assert (nearest == np.arange(24)).mean() > 0.5  # by chance 1 in 24
