"""Crops by reference: what is cut, how it nests, what tells it from others, and names
that look like crops.
"""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import ExifTags, Image

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


# As a viewer shows it

GREY = (119, 119, 119)


def oriented(value: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = value
    return exif


def corners(picture: Image.Image) -> list[str]:
    """The nearest colour of each corner: upper left, upper right, lower left, right."""
    right, lower = picture.width - 4, picture.height - 4
    names = {(255, 0, 0): "r", (0, 255, 0): "g", (0, 0, 255): "b", (255,) * 3: "w"}
    found = []
    for place in ((3, 3), (right, 3), (3, lower), (right, lower)):
        pixel = np.array(picture.getpixel(place))
        found.append(min(names, key=lambda name: abs(pixel - name).sum()))
    return [names[colour] for colour in found]


@pytest.fixture
def quarters() -> Image.Image:
    """48 wide, 32 high: red, green over blue, white."""
    picture = Image.new("RGB", (48, 32), "white")
    for colour, place in (("red", (0, 0)), ("lime", (24, 0)), ("blue", (0, 16))):
        picture.paste(colour, (*place, place[0] + 24, place[1] + 16))
    return picture


# what stands in the four corners once it is turned, by the EXIF standard
UPRIGHT = {
    1: "rgbw",
    2: "grwb",
    3: "wbgr",
    4: "bwrg",
    5: "rbgw",
    6: "brwg",
    7: "wgbr",
    8: "gwrb",
}


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff", "avif"])
def test_a_picture_is_turned_by_its_orientation(
    tmp_path: Path, quarters: Image.Image, suffix: str
) -> None:
    path = tmp_path / f"photo.{suffix}"
    keys = set()
    for value, expected in UPRIGHT.items():
        quarters.save(path, exif=oriented(value))
        size = (48, 32) if value < 5 else (32, 48)
        for about in (None, 4):
            shown = images.load(path, about)
            assert "".join(corners(shown)) == expected, (value, about)
        assert images.load(path).size == images.size(path) == size
        box = images.cropped(path, (0, 0, size[0] // 2, size[1] // 2))
        assert corners(images.load(box)) == [expected[0]] * 4
        assert images.small(path, 24).size[0] == 24 and images.fault(path) is None
        _, *inline = images.inline(path, 24)
        assert tuple(inline) == images.small(path, 24).size
        assert not images.load(path).info  # no trace of the camera
        keys.add(images.read(path).endswith(b"#shown"))
    assert keys == ({False} if suffix == "tiff" else {False, True})


def test_a_large_photo_is_decoded_small_and_then_turned(tmp_path, quarters) -> None:
    large = quarters.resize((1600, 1200), Image.Resampling.NEAREST)
    large.save(tmp_path / "photo.jpg", exif=oriented(6))
    assert images.load(tmp_path / "photo.jpg", 100).size == (300, 400)
    assert images.small(tmp_path / "photo.jpg", 100).size == (100, 133)
    assert corners(images.small(tmp_path / "photo.jpg", 100)) == [*UPRIGHT[6]]


def test_an_orientation_that_makes_no_sense_turns_nothing(tmp_path, quarters) -> None:
    for number, exif in enumerate((oriented(0), oriented(9), b"Exif\0\0garbage")):
        path = tmp_path / f"{number}.jpg"
        quarters.save(path, exif=exif)
        assert images.load(path).size == images.size(path) == (48, 32)
        assert images.read(path) == path.read_bytes()


def halves(mode: str, left: object, right: object) -> Image.Image:
    picture = Image.new(mode, (20, 10), left)
    picture.paste(right, (10, 0, 20, 10))
    return picture


def palette(*colours: tuple[int, ...], mode: str = "RGB") -> Image.Image:
    picture = halves("P", 0, 1)
    picture.putpalette([part for colour in colours for part in colour], mode)
    return picture


def deep(kind: str = "<u2") -> Image.Image:
    levels = np.full((10, 20), 119 * 257, kind)
    levels[:, 10:] = 65_535
    return Image.fromarray(levels)


RED, HALF = (255, 0, 0), (255, 127, 127)
FORMS = {  # what is saved, as which file, and the colour of its left half; right: white
    "RGBA": (halves("RGBA", (*RED, 255), (0, 0, 0, 0)), "png", {}, RED),
    "half": (halves("RGBA", (*RED, 128), (0, 9, 0, 0)), "png", {}, HALF),
    "WebP": (halves("RGBA", (*RED, 255), (0, 0, 0, 0)), "webp", {}, RED),
    "TIFF": (halves("RGBA", (*RED, 255), (0, 0, 0, 0)), "tif", {}, RED),
    "AVIF": (halves("RGBA", (*RED, 255), (0, 0, 0, 0)), "avif", {}, RED),
    "LA": (halves("LA", (119, 255), (0, 0)), "png", {}, GREY),
    "P": (palette(RED, (0, 0, 0)), "png", {"transparency": 1}, RED),
    "bytes": (palette(RED, RED), "png", {"transparency": b"\x80\0"}, HALF),
    "GIF": (palette(RED, (0, 0, 0)), "gif", {"transparency": 1}, RED),
    "RGB tRNS": (halves("RGB", RED, "black"), "png", {"transparency": (0,) * 3}, RED),
    "L tRNS": (halves("L", 119, 0), "png", {"transparency": 0}, GREY),
    "16 bits": (deep(), "png", {}, GREY),
    "16 tRNS": (deep(), "png", {"transparency": 119 * 257}, (255,) * 3),
    "16 TIFF": (deep(), "tif", {}, GREY),
    "big end": (deep(">u2"), "tif", {}, GREY),
    "1 bit": (halves("1", 0, 1), "png", {}, (0, 0, 0)),
    "opaque": (palette(RED, (255,) * 3), "bmp", {}, RED),
    "CMYK": (halves("CMYK", (0, 255, 255, 0), (0,) * 4), "jpg", {}, RED),
    "CMYK TIFF": (halves("CMYK", (0, 255, 255, 0), (0,) * 4), "tif", {}, RED),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_shown_in_rgb(tmp_path: Path, form: str) -> None:
    picture, suffix, options, left = FORMS[form]
    path = tmp_path / f"photo.{suffix}"
    picture.save(path, **options)
    shown = images.load(path)
    assert (shown.mode, shown.size) == ("RGB", (20, 10)) and not shown.info
    tolerance = 3 if suffix in ("jpg", "avif", "webp") else 1
    assert shown.getpixel((2, 5)) == pytest.approx(left, abs=tolerance)
    assert shown.getpixel((17, 5)) == pytest.approx((255,) * 3, abs=tolerance)
    assert images.fault(path) is None and images.size(path) == (20, 10)
    same = form in ("1 bit", "opaque", "CMYK", "CMYK TIFF")
    assert images.read(path).endswith(b"#shown") == (not same)


@pytest.mark.parametrize("suffix", ["gif", "tif", "webp", "png", "avif", "mpo"])
def test_of_several_frames_the_first_is_shown(tmp_path: Path, suffix: str) -> None:
    frames = [Image.new("RGB", (20, 10), name) for name in ("red", "lime", "blue")]
    path = tmp_path / f"photo.{suffix}"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    with Image.open(path) as opened:
        assert opened.n_frames == 3
    assert images.load(path).getpixel((5, 5)) == pytest.approx(RED, abs=3)
    assert images.size(path) == (20, 10) and images.fault(path) is None


def test_ordinary_photos_are_read_as_ever(tmp_path: Path) -> None:
    """No mark, and Pillow's own pixels."""
    path = tmp_path / "photo.jpg"
    Image.fromarray(PIXELS).save(path)
    with Image.open(path) as opened:
        np.testing.assert_array_equal(images.load(path), opened)
    assert images.read(path) == path.read_bytes()


def test_what_a_camera_appends_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "motion.jpg"
    Image.fromarray(PIXELS).save(path)
    path.write_bytes(path.read_bytes() + bytes(5000))  # a film behind the picture
    assert images.fault(path) is None


def broken(tmp_path: Path) -> dict[str, tuple[bytes, str]]:
    def saved(suffix: str, picture: Image.Image | None = None) -> bytes:
        path = tmp_path / f"whole.{suffix}"
        (picture or Image.fromarray(np.tile(PIXELS, (9, 9, 1)))).save(path)
        return path.read_bytes()

    floats = Image.fromarray(np.ones((5, 5), np.float32))
    whole = Image.fromarray(np.full((5, 5), 70_000, np.int32))
    gif = bytearray(saved("gif"))
    gif[6:10] = b"\x0a\0\x0a\0"  # a small screen and a giant frame on it
    place = gif.index(b"\x2c\0\0\0\0")
    gif[place + 5 : place + 9] = b"\xff\xff\xff\xff"
    return {
        "heic": (b"\0\0\0\x18ftypheic" + bytes(40), "a HEIC.*convert it to JPEG"),
        "film": (b"\0\0\0\x18ftypisom" + bytes(40), "no JPEG, PNG, WEBP, GIF, TIFF"),
        "text": (b"Dear reader", "no JPEG.* or AVIF"),
        "cut.jpg": (saved("jpg")[:-3000], "cut short"),
        "cut.webp": (saved("webp")[:-900], "."),
        "cut.tif": (saved("tif")[:-900], "."),
        "cut.gif": (saved("gif")[:-3000], "cut short"),
        "cut.avif": (saved("avif")[:-900], "."),
        "floats": (saved("tiff", floats), "32 bits and no agreed white"),
        "whole": (saved("tiff", whole), "32 bits and no agreed white"),
        "giant frame": (bytes(gif), "4,294,836,225 pixels|65535 x 65535 pixels"),
    }


def test_what_cannot_be_read_has_a_reason(tmp_path: Path) -> None:
    """`fault` and `load` agree, and so do the keys of caches: they don't decode."""
    for name, (content, why) in broken(tmp_path).items():
        path = tmp_path / name
        path.write_bytes(content)
        assert re.search(why, images.fault(path) or ""), name
        with pytest.raises(ValueError, match=f"picture .*{re.escape(name)}: .*{why}"):
            images.load(path)
        assert images.read(path) == content


def test_a_link_out_of_the_folder_is_seen(tmp_path: Path) -> None:
    shop, disk = tmp_path / "shop", tmp_path / "disk"
    for place in (shop / "a", disk / "big", disk / "other"):
        place.mkdir(parents=True)
    (disk / "big" / "x.png").write_bytes(b"")
    (disk / "other" / "y.png").write_bytes(b"")
    (shop / "a" / "z.png").write_bytes(b"")
    (shop / "images").symlink_to(disk / "big")  # its owner's
    (shop / "inside.png").symlink_to(shop / "a" / "z.png")
    (shop / "out.png").symlink_to(disk / "other" / "y.png")
    (shop / "a" / "deep").symlink_to(disk / "other")
    (disk / "big" / "out.png").symlink_to(disk / "other" / "y.png")
    inside = ("a/z.png", "images/x.png", "inside.png", "a/gone.png")
    out = ("out.png", "a/deep/y.png", "images/out.png")
    for way in inside:
        assert not images.leads_out(shop / way, shop), way
    for way in out:
        reference = images.cropped(shop / way, BOX)
        assert images.leads_out(shop / way, shop) and images.leads_out(reference, shop)
        assert "link" in images.fault_below(shop / way, shop)
    assert images.leads_out(f"{shop}/a/deep/rows.parquet#3", shop)
