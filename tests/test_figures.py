"""What is drawn: text from data is escaped, a broken picture is named."""

import base64
import io

import pandas as pd
import pytest
from PIL import Image

from fashionlib import figures

HOSTILE = '<img src=x onerror="alert(1)"> & "dress"'


@pytest.fixture
def picture(tmp_path):
    Image.new("RGB", (200, 300), "red").save(tmp_path / "0108775015.jpg")
    return str(tmp_path / "0108775015.jpg")


def test_cells_and_headings_of_a_table_are_escaped():
    html = figures.table(pd.DataFrame({HOSTILE: [HOSTILE]}, index=[HOSTILE])).data
    assert "<img" not in html and html.count("&lt;img") == 3


def test_numbers_are_rounded_percents_multiplied_and_the_best_marked():
    frame = pd.DataFrame({"BLEU-4": [0.1234, 0.4], "items": [1000, 2]}, index=["a", "b"])
    html = figures.table(frame, percent=["BLEU-4"], best=["BLEU-4"]).data
    assert ">12.3<" in html and ">40.0<" in html and ">1,000<" in html
    assert "row1_col0 {\n  font-weight: bold" in html and "row0_col0 {\n  font-weight: bold" not in html


def test_the_best_is_the_best_of_its_group():
    frame = pd.DataFrame({"CIDEr": [0.1, 0.3, 2.0, 1.0]}, index=["H&M: a", "H&M: b", "drawn: a", "drawn: b"])
    html = figures.table(frame, best=["CIDEr"], within=["H&M", "H&M", "drawn", "drawn"]).data
    bold = html.split("{\n  font-weight: bold")[0].rsplit("}", 1)[-1]
    assert "row1_col0" in bold and "row2_col0" in bold and "row0_col0" not in bold and "row3_col0" not in bold


def test_two_tables_of_a_page_do_not_share_styles():
    one, two = (figures.table(pd.DataFrame({"x": [value]})).data for value in (1.0, 2.0))
    assert one.split('id="')[1][:10] != two.split('id="')[1][:10]


def test_a_thumbnail_is_small_and_keeps_its_shape(picture):
    data = base64.b64decode(figures.thumbnail(picture, 100).split(",")[1])
    assert Image.open(io.BytesIO(data)).size == (100, 150)


def test_a_broken_or_giant_picture_is_named(tmp_path, monkeypatch, picture):
    broken = tmp_path / "0999999999.jpg"
    broken.write_bytes(b"no picture")
    with pytest.raises(ValueError, match="0999999999.jpg.*fashionlib check"):
        figures.thumbnail(broken)
    monkeypatch.setattr(figures.images, "MOST_PIXELS", 1000)
    with pytest.raises(ValueError, match="200 x 300 pixels, more than"):
        figures.thumbnail(picture)


def test_the_banner_tells_drawn_from_real():
    assert "synthetic wardrobe" in figures.note(True, "tiny").data
    assert "synthetic" not in figures.note(False, "sample").data
