"""The app without a browser: what it refuses, what it escapes, what it asks the index
and the captioners.
"""

from __future__ import annotations

import logging
import struct
import zlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fashionlib.app import answers
from fashionlib.app.photo import (
    SIDE,
    WHOLE,
    InputError,
    between,
    box,
    cut,
    outlined,
    read,
)
from fashionlib.captioning import captioners
from fashionlib.commands import main

HOSTILE = '</p><script>window.hit=1</script><img src=x onerror="window.hit=1">'


class Index:
    """Stands in for a `search.Index`: answers with its rows, remembers what it was
    asked.
    """

    def __init__(self, rows: pd.DataFrame):
        self.rows, self.asked = rows, []

    def values(self, column: str) -> list[str]:
        return sorted(set(self.rows[column].dropna()))

    def search(
        self, image=None, words=None, weight=0.5, k=10, where=None
    ) -> pd.DataFrame:
        seen = image and np.asarray(Image.open(image))
        self.asked.append((seen, words, weight, k, where))
        rows = self.rows
        for column, value in (where or {}).items():
            rows = rows[rows[column] == value]
        return rows.head(k)


@pytest.fixture
def photo(tmp_path):
    """200 x 100 pixels: red on the left, blue on the right."""
    picture = Image.new("RGB", (200, 100), "red")
    picture.paste("blue", (100, 0, 200, 100))
    picture.save(tmp_path / "photo.png")
    return str(tmp_path / "photo.png")


@pytest.fixture
def index(photo):
    rows = {
        "item_id": ["1", HOSTILE],
        "score": [0.75, -0.25],
        "image": [photo, "/gone/away.jpg"],
        "caption": ["A red dress", HOSTILE],
        "category": ["Dress", HOSTILE],
        "colour": ["Red", None],
    }
    return Index(pd.DataFrame(rows))


def header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds no pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data))
            + kind
            + data
            + struct.pack(">I", zlib.crc32(kind + data))
        )

    size = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n"
        + size
        + chunk(b"IDAT", zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )


def test_no_photo_is_refused_in_words_that_hold_no_path(tmp_path, photo):
    whole = (tmp_path / "photo.png").read_bytes()
    Image.open(photo).save(tmp_path / "ok.jpg")
    files = {
        "giant.png": header(60_000, 60_000),
        "text.jpg": b"Dear reader,\nthis is text.",
        "empty.png": b"",
        "phone.heic": b"\0\0\0\x18ftypheic" + bytes(9),
        "cut.png": whole[: len(whole) // 2],
        "cut.jpg": (tmp_path / "ok.jpg").read_bytes()[:-40],
        "page.png": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "thin.png": None,
        "gone.png": None,
    }
    Image.new("RGB", (900, 2)).save(tmp_path / "thin.png")
    expected = {
        "giant.png": "50 megapixels",
        "text.jpg": "no JPEG, PNG, WEBP",
        "cut.jpg": "cut short",
        "phone.heic": "convert it to JPEG",
        "thin.png": "900 x 2",
        "gone.png": "No such file",
    }
    for name, content in files.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError) as told:
            read(tmp_path / name)
        assert expected.get(name, "no photo that can be read") in str(told.value), name
        assert str(tmp_path) not in str(told.value)


def test_a_photo_is_turned_upright_shrunk_and_forgets_where_it_was_taken(tmp_path):
    picture = Image.new("RGB", (3000, 1500), "red")
    exif = picture.getexif()
    exif[274] = 6  # the camera was held upright: turn by 90 degrees
    exif.get_ifd(0x8825)[1] = "N"  # GPS
    picture.save(tmp_path / "turned.jpg", exif=exif)
    shown = read(tmp_path / "turned.jpg")
    assert shown.size == (SIDE // 2, SIDE) and not shown.info
    with cut(tmp_path / "turned.jpg") as path:
        assert not Image.open(path).getexif() and not Image.open(path).info


def test_a_crop_in_percent_is_cut_and_its_file_deleted(photo):
    with cut(photo, (50.0, 0.0, 100.0, 50.0)) as path:
        inside = Image.open(path)
        assert inside.size == (100, 50) and set(inside.get_flattened_data()) == {
            (0, 0, 255)
        }
    assert not Path(path).exists()


@pytest.mark.parametrize(
    "edges",
    [(60.0, 0.0, 40.0, 100.0), (0.0, 50.0, 100.0, 50.0), (0.0, 0.0, 3.0, 100.0)],
)
def test_a_crop_that_holds_nothing_is_refused(photo, edges):
    with pytest.raises(InputError, match="crop is .* too small: move its edges apart"):
        box(read(photo), edges)


def test_two_clicks_in_any_order_are_a_crop():
    assert (
        between((150, 20), (50, 80), (200, 100))
        == (25, 20, 75, 80)
        == between((50, 80), (150, 20), (200, 100))
    )


def test_what_the_crop_leaves_out_is_dark(photo):
    shown = outlined(read(photo), (50.0, 0.0, 100.0, 100.0))
    assert shown.getpixel((10, 50)) == (89, 0, 0) and shown.getpixel((150, 50)) == (
        0,
        0,
        255,
    )
    assert list(outlined(read(photo), WHOLE).get_flattened_data()) == list(
        read(photo).get_flattened_data()
    )


def test_the_index_is_asked_for_the_crop_the_words_and_the_filters(index, photo):
    right = (50.0, 0.0, 100.0, 100.0)
    answers.results(
        index,
        photo,
        right,
        "  red \n dress ",
        0.3,
        5,
        {"category": "Dress", "colour": ""},
    )
    ((seen, words, weight, k, where),) = index.asked
    assert seen.shape == (100, 100, 3) and (seen == (0, 0, 255)).all()
    assert (words, weight, k, where) == ("red dress", 0.3, 5, {"category": "Dress"})
    answers.results(index, None, WHOLE, "dress", 0.5, 5, {})
    assert index.asked[1][0] is None


def test_found_items_are_escaped_and_an_item_without_its_picture_is_shown(index):
    page = answers.results(index, None, WHOLE, "dress", 0.5, 10, {})
    assert (
        page.count("<li>") == 2
        and page.count("<img") == 1
        and 'alt="Picture of Dress 1"' in page
    )
    assert (
        "<script" not in page
        and page.count("&lt;script&gt;") == 3
        and "/gone" not in page
    )
    assert "score 0.750" in page and "score -0.250" in page and "None" not in page


def test_an_empty_question_and_no_result_are_told(index):
    with pytest.raises(InputError, match="give a photo, type some words, or both"):
        answers.results(index, None, WHOLE, " \n", 0.5, 10, {})
    assert "Nothing was found" in answers.results(
        index, None, WHOLE, "dress", 0.5, 10, {"colour": "Green"}
    )
    with pytest.raises(
        InputError, match="1,001 characters were typed, more than 1,000"
    ):
        answers.results(index, None, WHOLE, "x" * 1001, 0.5, 10, {})


@pytest.fixture
def said(monkeypatch):
    """Captioners that say their own text of any photo."""
    monkeypatch.setattr(
        captioners, "generate", lambda captioner, paths: [captioner.text for _ in paths]
    )
    texts = {"ours": "A short dress with a belt", "<i>theirs</i>": HOSTILE}
    return {name: SimpleNamespace(text=text, rows=None) for name, text in texts.items()}


def test_captions_name_their_attributes_without_a_reference(said, photo):
    page = answers.captions(said, {"dress", "belt"}, photo)
    assert (
        page.count('<mark class="named"') == 2
        and "<td>dress, belt</td>" in page
        and ">truth<" not in page
    )
    assert "scores" not in page and "<script" not in page and "<i>theirs" not in page


def test_captions_are_scored_against_a_reference(said, photo):
    page = answers.captions(
        said,
        {"dress", "belt", "short", "hood"},
        photo,
        WHOLE,
        "A short dress with a hood",
    )
    assert (
        page.count('<mark class="hit"') == 4
        and page.count('"invented"') == 1
        and page.count('"missed"') == 1
    )
    recall = 100 * 2 / 3
    assert (
        f"<td><b>{recall:.1f}</b></td>" in page
    )  # precision and recall: 2 of 3 named, 2 of 3 true
    assert "CIDEr is left out" in page and "BLEU-4" in page and "CIDEr</th>" not in page


def test_without_a_pool_every_noun_and_adjective_counts(said, photo):
    page = answers.captions({"ours": said["ours"]}, None, photo)
    assert "<td>short, dress, belt</td>" in page


def test_without_a_tagger_the_captions_are_shown_and_the_step_told(
    said, photo, monkeypatch
):
    def absent(texts):
        raise ModuleNotFoundError("No module named 'spacy'")

    monkeypatch.setattr(answers.attributes, "tagged", absent)
    page = answers.captions(said, None, photo)
    assert (
        "A short dress with a belt" in page
        and "pip install &#39;fashionlib[scores]&#39;" in page
    )


def test_no_photo_to_caption_is_told(said):
    with pytest.raises(InputError, match="give one first"):
        answers.captions(said, None, None)


gradio = pytest.importorskip("gradio")
pages = pytest.importorskip("fashionlib.app.pages")


def handlers(blocks) -> dict:
    return {function.fn.__name__: function.fn for function in blocks.fns.values()}


def test_the_page_tells_a_failure_without_its_text(index, caplog, monkeypatch):
    blocks = pages.create(index)
    answer = handlers(blocks)["answer"]
    assert "give a photo" in answer(None, *WHOLE, "", 0.5, 10, "", "")

    def broken(**asked):
        raise RuntimeError("/secret/index is broken")

    monkeypatch.setattr(index, "search", broken)
    with caplog.at_level(logging.ERROR):
        told = answer(None, *WHOLE, "dress", 0.5, 10, "", "")
    assert (
        "log says why" in told
        and "/secret" not in told
        and "/secret/index is broken" in caplog.text
    )


def test_a_broken_photo_is_told_and_its_crop_hidden(index, tmp_path):
    shown = handlers(pages.create(index))["_opened"]
    (tmp_path / "x.png").write_bytes(b"no photo")
    told, preview, crop, *_ = shown(str(tmp_path / "x.png"))
    assert (
        "no photo that can be read" in told and not preview.visible and not crop.visible
    )
    assert shown(None)[0] == ""


def test_the_page_is_for_this_machine_whatever_the_environment_says(index, monkeypatch):
    monkeypatch.setenv("GRADIO_SHARE", "true")
    monkeypatch.setenv("GRADIO_SERVER_NAME", "0.0.0.0")
    blocks = pages.create(index)
    *_, public = blocks.launch(prevent_thread_lock=True, quiet=True)
    try:
        assert public is None and blocks.server_name == "127.0.0.1" and not blocks.share
        assert (
            blocks.max_file_size == 20 * 2**20
            and not blocks.analytics_enabled
            and blocks.allowed_paths == []
        )
    finally:
        blocks.close()


def test_a_captioner_that_reads_no_photos_is_refused():
    blind = SimpleNamespace(rows=SimpleNamespace(cells=None))
    with pytest.raises(
        ValueError, match="'small' reads features, not photos.*cells.safetensors"
    ):
        pages.create(None, {"small": blind})


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "give --index, --captioner, or both"),
        (["--index", "x", "--port", "0"], "--port"),
        (
            ["--captioner", "a/tuned", "--captioner", "b/tuned"],
            "'tuned' is named twice; e.g. before=",
        ),
    ],
)
def test_the_command_refuses(arguments, told, capsys):
    assert main(["app", *arguments]) == 2 and told in capsys.readouterr().err
