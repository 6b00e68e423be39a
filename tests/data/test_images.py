"""Crops by reference: what is cut, how it nests, what tells it from others, and names
that look like crops.
"""

from __future__ import annotations

import base64
import io
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from fashionlib.data import images
from fashionlib.features import chunks

PIXELS = np.random.default_rng(0).integers(
    0, 255, (30, 20, 3), dtype=np.uint8
)  # 20 wide, 30 high
BOX = (3, 5, 13, 25)


@pytest.fixture
def references(tmp_path: Path) -> dict[str, str]:
    """The same picture in each kind of container, without loss."""
    Image.fromarray(PIXELS).save(tmp_path / "photo.png")
    with h5py.File(tmp_path / "rows.hdf5", "w") as file:
        file["images"] = np.stack([np.zeros_like(PIXELS), PIXELS]).transpose(0, 3, 1, 2)
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, "PNG")
    pq.write_table(
        pa.table({"image": [b"", buffer.getvalue()]}), tmp_path / "rows.parquet"
    )
    return {
        "file": str(tmp_path / "photo.png"),
        "hdf5": f"{tmp_path / 'rows.hdf5'}#1",
        "parquet": f"{tmp_path / 'rows.parquet'}#1",
    }


@pytest.mark.parametrize("kind", ["file", "hdf5", "parquet"])
def test_a_crop_is_the_part_in_every_container(
    references: dict[str, str], kind: str
) -> None:
    crop = images.cropped(references[kind], BOX)
    np.testing.assert_array_equal(np.asarray(images.load(crop)), PIXELS[5:25, 3:13])
    assert images.size(crop) == images.load(crop).size == (10, 20)
    assert images.size(references[kind]) == (20, 30)
    part = Image.fromarray(PIXELS[5:25, 3:13]).resize((8, 8), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(images.square(crop, 8), np.asarray(part))


def test_a_crop_of_a_crop_counts_in_the_parts_pixels(
    references: dict[str, str],
) -> None:
    twice = images.cropped(images.cropped(references["file"], BOX), (2, 4, 6, 10))
    np.testing.assert_array_equal(np.asarray(images.load(twice)), PIXELS[9:15, 5:9])
    assert images.size(twice) == (4, 6)
    with pytest.raises(
        ValueError, match=r"box \[2, 4, 11, 10\] does not lie in 10 x 20 pixels"
    ):
        images.load(
            images.cropped(images.cropped(references["file"], BOX), (2, 4, 11, 10))
        )


@pytest.mark.parametrize(
    "box", [(-1, 0, 5, 5), (0, 0, 21, 5), (0, 0, 5, 31), (5, 0, 5, 5), (6, 0, 5, 5)]
)
def test_a_box_outside_the_picture_is_refused_as_loads(
    references: dict[str, str], box: tuple[int, ...]
) -> None:
    crop = images.cropped(references["file"], box)
    for ask in (images.load, images.size):
        with pytest.raises(
            ValueError, match=r"photo\.png#box=.* does not lie in 20 x 30 pixels"
        ):
            ask(crop)


@pytest.mark.parametrize("box", [(1, 2, 3), (0, 0, 5.5, 5), ()])
def test_a_box_not_of_four_whole_numbers_is_refused(box: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="a.jpg: box .* is not of four whole numbers"):
        images.cropped("a.jpg", box)


def test_boxes_of_numpy_and_pandas_are_whole_numbers_too() -> None:
    assert images.cropped("a.jpg", np.array([1, 2, 3, 4])) == "a.jpg#box=1,2,3,4"
    assert images.cropped(Path("a.jpg"), [1.0, 2.0, 3.0, 4.0]) == "a.jpg#box=1,2,3,4"


def test_a_missing_picture_is_named_once(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError,
        match=r"^cannot read the picture .*none\.jpg#box=0,0,1,1: No such file",
    ) as caught:
        images.load(images.cropped(tmp_path / "none.jpg", (0, 0, 1, 1)))
    assert str(caught.value).count("cannot read") == 1


def test_a_file_whose_own_name_looks_like_a_crop(
    references: dict[str, str], tmp_path: Path
) -> None:
    odd = tmp_path / "shirt.png#box=0,0,5,5"
    odd.write_bytes(Path(references["file"]).read_bytes())
    assert (
        images.load(odd).size == images.size(odd) == (20, 30)
    )  # no shirt.png: it is the file
    assert images.size(images.cropped(odd, (0, 0, 7, 7))) == (7, 7)
    (tmp_path / "shirt.png").write_bytes(odd.read_bytes())
    for ask in (images.load, images.size, chunks.digest_picture):
        with pytest.raises(
            ValueError, match="it is a file, and a crop of the file .*: rename one"
        ):
            ask(str(odd))


@pytest.mark.parametrize(
    "name",
    [
        "a.png#box=1,2,3",
        "a.png#box=1,2,3,4 ",
        "a.png#box=1,2,3,4e9",
        "#box=1,2,3,4",
        "a.png#BOX=1,2,3,4",
        "a.png#box=1,2,3,٤",
    ],
)
def test_other_names_are_no_crops(
    name: str, references: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(Path(references["file"]).read_bytes())
    assert images.size(tmp_path / name) == (20, 30)


def test_caches_tell_crops_apart(references: dict[str, str], tmp_path: Path) -> None:
    whole = references["file"]
    crops = [images.cropped(whole, box) for box in (BOX, (0, 0, 20, 30), (0, 0, 5, 5))]
    keys = [chunks.digest_picture(reference) for reference in (whole, *crops)]
    assert len(set(keys)) == 4
    copy = tmp_path / "copy.png"
    copy.write_bytes(Path(whole).read_bytes())
    assert (
        chunks.digest_picture(images.cropped(copy, BOX)) == keys[1]
    )  # content decides, not the path


def test_an_inline_picture_is_small_and_keeps_its_shape(references):
    url, width, height = images.inline(references["file"], 10)
    assert url.startswith("data:image/jpeg;base64,") and (width, height) == (10, 15)
    decoded = Image.open(io.BytesIO(base64.b64decode(url.split(",")[1])))
    assert decoded.format == "JPEG" and decoded.size == (10, 15)


def test_a_broken_or_giant_picture_is_named(tmp_path, monkeypatch, references):
    broken = tmp_path / "0999999999.jpg"
    broken.write_bytes(b"no picture")
    with pytest.raises(ValueError, match="0999999999.jpg.*fashionlib check"):
        images.inline(broken, 10)
    monkeypatch.setattr(images, "MOST_PIXELS", 100)
    with pytest.raises(ValueError, match="20 x 30 pixels, more than"):
        images.inline(references["file"], 10)
