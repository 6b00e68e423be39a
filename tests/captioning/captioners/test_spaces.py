"""Feature spaces of a BLIP-2: means of its tower, its Q-Former's outputs, and a cache
that knows the model.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fashionlib.captioning import captioners
from fashionlib.captioning.captioners import Captioner, Rows, Size, Vit, feature_spaces
from fashionlib.features import chunks

pytestmark = pytest.mark.usefixtures("one_thread")
CAPTIONS = [
    "a red dress with a collar",
    "blue jeans",
    "a large hat",
    "green socks, ribbed",
] * 3
SMALL = Size(queries=4, qformer=32, decoder=32, decoder_layers=1, qformer_layers=1)
IDS = list("abcde")


GRIDS = np.random.default_rng(0).normal(size=(5, 9, 12)).astype(np.float16)
IMAGES = [f"{item}.jpg" for item in IDS]  # read from their rows
ROWS = Rows(IMAGES, GRIDS)


@pytest.fixture
def mini() -> Captioner:
    return captioners.mini(CAPTIONS, ROWS, size=SMALL)


def test_spaces_are_the_towers_mean_and_the_queries_side_by_side(
    mini: Captioner,
) -> None:
    made = feature_spaces(mini, IMAGES, IDS)
    assert {name: space.matrix.shape for name, space in made.items()} == {
        "vision": (5, 12),
        "queries": (5, 4 * 32),
        "queries, mean": (5, 32),
    }
    tower = GRIDS.astype(np.float32).mean(
        1
    ) + mini.tower.position.detach().numpy().mean(0)
    np.testing.assert_allclose(made["vision"].matrix, tower, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(
        made["queries"].matrix.reshape(5, 4, 32).mean(1),
        made["queries, mean"].matrix,
        rtol=1e-4,
        atol=1e-6,
    )
    assert np.array_equal(
        made["queries"].matrix,
        captioners.encode_images(mini, IMAGES).queries.reshape(5, -1),
    )
    assert all(space.ids == IDS for space in made.values())


def test_pictures_go_through_the_tower(tmp_path: Path) -> None:
    captioner = captioners.mini(
        CAPTIONS, Vit(image_size=32, width=16, layers=1), size=SMALL
    )
    paths = []
    for colour in ("red", "blue", "red"):
        paths.append(str(tmp_path / f"{len(paths)}.png"))
        Image.new("RGB", (40, 40), colour).save(paths[-1])
    made = feature_spaces(captioner, paths, list("abc"))["vision"].matrix
    pixels = captioner.inputs(paths)
    with torch.inference_mode():
        tokens = captioner.tower(
            pixels
        ).last_hidden_state  # (3, 1 + 4, 16): a class token and the patches
    np.testing.assert_allclose(made, tokens.mean(1).numpy(), rtol=1e-4, atol=1e-6)
    assert np.array_equal(made[0], made[2]) and not np.allclose(made[0], made[1])
    (tmp_path / "1.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"1\.png"):
        feature_spaces(captioner, paths, list("abc"), tmp_path / "cache")


def test_a_killed_pass_resumes_and_another_model_starts_anew(
    mini: Captioner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK", 2)
    feature_spaces(mini, IMAGES[:2], IDS[:2], tmp_path)
    whole = feature_spaces(mini, IMAGES, IDS, tmp_path)
    assert len(list(tmp_path.iterdir())) == 3
    again = feature_spaces(mini, np.array(IMAGES), IDS, tmp_path)
    assert all(np.array_equal(again[name].matrix, whole[name].matrix) for name in whole)
    with torch.no_grad():
        mini.base.query_tokens.add_(1)
    assert not np.allclose(
        feature_spaces(mini, IMAGES, IDS, tmp_path)["queries"].matrix,
        whole["queries"].matrix,
    )
    assert len(list(tmp_path.iterdir())) > 3


def test_a_llava_has_no_queries() -> None:
    llava = captioners.mini(CAPTIONS, ROWS, "llava-small", SMALL)
    with pytest.raises(ValueError, match="LLaVA has no Q-Former"):
        feature_spaces(llava, IMAGES, IDS)
    with pytest.raises(ValueError, match="5 images for 2 ids"):
        feature_spaces(llava, IMAGES, IDS[:2])
