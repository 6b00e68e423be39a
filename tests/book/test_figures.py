"""What is drawn: text from data is escaped, a broken picture is named."""

import base64
import io
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fashionlib.book import figures

HOSTILE = '<img src=x onerror="alert(1)"> & "dress"'


@pytest.fixture
def picture(tmp_path):
    Image.new("RGB", (200, 300), "red").save(tmp_path / "0108775015.jpg")
    return str(tmp_path / "0108775015.jpg")


def test_cells_and_headings_of_a_table_are_escaped():
    html = figures.table(pd.DataFrame({HOSTILE: [HOSTILE]}, index=[HOSTILE])).data
    assert "<img" not in html and html.count("&lt;img") == 3


def test_a_picture_is_a_cell_and_its_words_are_escaped(picture):
    cells = [figures.picture(picture, HOSTILE), HOSTILE]
    html = figures.table(pd.DataFrame({"says": cells}, ["photo", "truth"])).data
    assert html.count('<img src="data:image/jpeg') == html.count("<img") == 1
    assert html.count("&lt;img") == 2


def test_numbers_are_rounded_percents_multiplied_and_the_best_marked():
    frame = pd.DataFrame(
        {"BLEU-4": [0.1234, 0.4], "items": [1000, 2]}, index=["a", "b"]
    )
    html = figures.table(frame, percent=["BLEU-4"], best=["BLEU-4"]).data
    assert ">12.3<" in html and ">40.0<" in html and ">1,000<" in html
    assert (
        "row1_col0 {\n  font-weight: bold" in html
        and "row0_col0 {\n  font-weight: bold" not in html
    )


def test_the_best_is_the_best_of_its_group():
    frame = pd.DataFrame(
        {"CIDEr": [0.1, 0.3, 2.0, 1.0]},
        index=["H&M: a", "H&M: b", "drawn: a", "drawn: b"],
    )
    html = figures.table(
        frame, best=["CIDEr"], within=["H&M", "H&M", "drawn", "drawn"]
    ).data
    bold = html.split("{\n  font-weight: bold")[0].rsplit("}", 1)[-1]
    assert (
        "row1_col0" in bold
        and "row2_col0" in bold
        and "row0_col0" not in bold
        and "row3_col0" not in bold
    )


def test_two_tables_of_a_page_do_not_share_styles():
    one, two = (
        figures.table(pd.DataFrame({"x": [value]})).data for value in (1.0, 2.0)
    )
    assert one.split('id="')[1][:10] != two.split('id="')[1][:10]


def test_the_banner_tells_drawn_from_real():
    assert "synthetic wardrobe" in figures.note(True, "tiny").data
    assert "synthetic" not in figures.note(False, "sample").data


def test_neighbours_have_their_names_escaped(picture):
    html = figures.neighbours([(picture, [picture, picture])], HOSTILE, [HOSTILE]).data
    assert html.count("<img") == 3 and '<span class="name">&lt;img' in html
    assert (
        'class="name"' not in figures.neighbours([(picture, [picture])], "image").data
    )


def test_hits_among_neighbours_are_marked_by_a_tick_and_in_words_too(picture):
    html = figures.neighbours(
        [(picture, [picture] * 3), (picture, [picture] * 2)],
        HOSTILE,
        hits=[[False, True, False], [False, False]],
    ).data
    assert (
        html.count("✓")
        == html.count('class="hit"')
        == html.count("Hit 2 of query 1")
        == 1
    )
    assert html.count("Neighbour") == 4 and "<img src=x" not in html
    with pytest.raises(ValueError, match="shorter"):
        figures.neighbours([(picture, [picture] * 2)], "image", hits=[[True]])


def test_a_picture_map_shows_the_item_nearest_the_middle_of_each_cell(tmp_path):
    """Two cells: red at the corner and green nearly in the middle of the left one, blue
    in the right one.
    """
    paths = [str(tmp_path / f"{name}.png") for name in ("red", "lime", "blue")]
    for path, name in zip(paths, ("red", "lime", "blue"), strict=True):
        Image.new("RGB", (52, 62), name).save(path)

    def sheet_of(html: str) -> Image.Image:
        return Image.open(
            io.BytesIO(base64.b64decode(html.split("base64,")[1].split('"')[0]))
        )

    html = figures.picture_map(
        np.array([[0, 0], [0.2, 0.6], [1, 1.0]]), paths, HOSTILE, across=2, down=1
    ).data
    sheet = sheet_of(html)
    assert sheet.size == (2 * 52, 62) and html.count("<img") == 1
    left, right = sheet.getpixel((26, 31)), sheet.getpixel((78, 31))
    assert left[1] > 200 > 50 > left[0] and right[2] > 200 > 50 > right[0]
    high = sheet_of(
        figures.picture_map(
            np.array([[0, 1.0], [0, 0]]), paths[:2], "", across=1, down=2
        ).data
    )
    assert (
        high.getpixel((26, 31))[0] > 200 > 50 > high.getpixel((26, 93))[0]
    )  # red lies above


def test_points_name_the_commonest_groups_and_grey_the_rest():
    groups = [name for n in range(10) for name in [f"group {n}"] * (20 - n)]
    at = np.random.default_rng(0).normal(size=(len(groups), 2))
    figure = figures.points({"a": at, "b": at}, groups)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["others", *(f"group {n}" for n in range(8))]
    drawn = sum(len(place.get_offsets()) for place in figure.axes[0].collections)
    assert drawn == len(groups) and [axes.get_title() for axes in figure.axes[:2]] == [
        "a",
        "b",
    ]


def test_a_heatmap_writes_each_value():
    axes = figures.heatmap(
        pd.DataFrame([[1, 0.25], [0.25, 1]], ["a", "b"], ["a", "b"]), "shared"
    )
    assert [text.get_text() for text in axes.texts] == ["100", "25", "25", "100"]


def test_contests_have_a_map_a_title_and_names_are_listed():
    one = pd.DataFrame([[0.5, 1.0]], ["a fault"], ["BLEU-4", "CIDEr"])
    figure = figures.contests({"first": one, "second": 1 - one})
    assert [axes.get_title() for axes in figure.axes] == ["first", "second"]
    texts = [[text.get_text() for text in axes.texts] for axes in figure.axes]
    assert texts == [["50", "100"], ["50", "0"]]
    assert figures.named(["a", "b"]) == "a, b" and figures.named([]) == "none"


def test_shares_are_of_each_names_own_numbers():
    numbers = {"a": pd.Series([1, 1, 2, 9]), "b": pd.Series([2])}
    figure = figures.shares(numbers, 3, "words")
    first, second = figure.axes
    assert [bar.get_height() for bar in first.patches] == [0.5, 0.25, 0.25]
    assert first.patches[-1].get_x() + 0.4 == 3  # 9 is with 3 and more
    assert (first.get_title(), second.get_title()) == ("a, mean 3.2", "b, mean 2.0")
    assert second.get_xlabel() == "words (3 and more together)"


def test_each_names_pictures_stand_in_a_row_of_their_own():
    picture = Image.new("RGB", (2, 3))
    rows = [("a", [picture]), ("b", [picture] * 3)]
    figure = figures.picture_rows(rows, columns=2)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["a", "", "b", "", "", ""]


def test_intervals_can_be_drawn_with_a_colour_a_role():
    rows = {
        "m, pretrained": (1, 0, 2),
        "m, fine-tuned": (2, 1.5, 3),
        "nearest": (3, 1, 4),
    }
    frame = pd.DataFrame(rows, ["value", "low", "high"]).T
    axes = figures.intervals(frame, "score")
    axes.figure.canvas.draw()  # caps of a wrong colour raise here, not before
    inks = [bar.lines[0].get_color() for bar in axes.containers]
    assert inks == [figures.colour(name) for name in rows]


def test_rows_of_bars_and_intervals_have_names_and_the_colour_of_their_role():
    names = ["mini, pretrained", "shuffled"]
    inks = [figures.colour(name) for name in names]
    frame = pd.DataFrame({"value": [2.0, 5], "low": [1.0, 3], "high": [4.0, 9]}, names)
    points = figures.intervals(frame, "CIDEr")
    bars = figures.bars(frame["value"], "CIDEr")
    for axes in (points, bars):
        assert [label.get_text() for label in axes.get_yticklabels()] == names
        assert axes.get_xlabel() == "CIDEr" and axes.yaxis_inverted()
    assert [line.lines[0].get_color() for line in points.containers] == inks
    spans = [line.lines[2][0].get_segments()[0][:, 0] for line in points.containers]
    assert [span.tolist() for span in spans] == [[1, 4], [3, 9]]
    assert [patch.get_width() for patch in bars.patches] == [2, 5]


def test_an_interval_may_be_below_its_value_but_is_in_one_line():
    html = figures.table(pd.DataFrame({"a": ["holds: +1.0 [+0.5, +2.0]", "x <"]})).data
    assert 'holds: +1.0 <span class="line">[+0.5, +2.0]</span></td>' in html
    assert '<span class="line">x &lt;</span>' in html


def test_a_printed_value_is_a_black_mark_in_its_row():
    frame = pd.DataFrame({"value": 2.0, "low": 1.0, "high": 3.0}, ["Random", "KNN"])
    axes = figures.intervals(frame.assign(published=[np.nan, 5.0]), "NDCG")
    mark = axes.lines[-1]
    assert mark.get_color() == figures.colour("published") == "#000000"
    assert mark.get_xydata()[1].tolist() == [5, 1]
    assert axes.figure.legends[0].get_texts()[0].get_text() == "published"
    assert figures.colour("Random") == figures.colour("shuffled")


def test_a_trade_off_has_one_colour_a_system_and_names_it_once():
    points = pd.DataFrame({"x": [2.0, 1], "y": [3.0, 5]})
    panels = {"printed": {"OPT": points}, "a": {"s": points}, "b": {"s": points}}
    figure = figures.trade_off(panels, "BLEU", ["top-1"] * 3)
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["OPT", "s"]
    inks = [axes.containers[0].lines[0].get_color() for axes in figure.axes]
    assert inks[0] != inks[1] == inks[2]


def test_grouped_intervals_have_a_panel_a_dataset_and_a_colour_a_hue():
    rows = [(d, r, h) for d in ("week", "years") for r in "xy" for h in ("a", "b")]
    frame = pd.DataFrame(rows, columns=["data", "row", "hue"])
    frame = frame.assign(value=np.arange(8.0), low=-1.0, high=9.0)
    figure = figures.grouped_intervals(
        frame, "row", "hue", "score", {"a": "C0", "b": "C3"}
    )
    assert [axes.get_title() for axes in figure.axes] == ["week", "years"]
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == ["x", "y"]
    points = figure.axes[1].containers[1].lines[0]
    assert points.get_xdata().tolist() == [5, 7] and points.get_color() == "C3"
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["a", "b"]


def test_line_panels_have_a_column_and_a_row_for_each_value():
    rows = [(d, m, k, k * k) for d in "xy" for m in ("AP", "MAP") for k in (1, 2)]
    frame = pd.DataFrame(rows, columns=["data", "metric", "k", "value"])
    frame["model"] = "knn"
    figure = figures.line_panels(frame, "model", "metric", "data", {"knn": "C0"})
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["AP, x", "MAP, x", "AP, y", "MAP, y"]
    assert figure.axes[3].lines[0].get_ydata().tolist() == [1, 4]


def test_stacked_bars_add_up_and_name_large_shares():
    shares = pd.DataFrame({"a": [0.5, 0.99], "b": [0.5, 0.01]}, ["one", "two"])
    axes = figures.stacked_bars(shares, ["C0", "C1"], "share")
    ends = [patch.get_x() + patch.get_width() for patch in axes.containers[1]]
    assert ends == pytest.approx([1, 1])
    texts = [text.get_text() for text in axes.texts]
    assert texts == ["50%", "99%", "50%", ""]


def test_a_tally_writes_every_count_and_leaves_out_none():
    counts = pd.DataFrame({"open": [0, 2], "holds": [3, 4]}, ["A", "B <"])
    page = figures.tally(counts, {"open": "red", "holds": "blue"}, "Rows").data
    assert 'aria-label="Rows: A, holds 3; B &lt;, open 2, holds 4; "' in page
    assert page.count("<span") == 3 and "flex-grow: 4; background: blue" in page


def test_dots_and_shaded_tables_show_every_value():
    axes = figures.dots(pd.DataFrame({42: [1.0, 2], 0: [3.0, 4]}, ["a", "b"]), "NDCG")
    assert [line.get_xydata().tolist() for line in axes.lines] == [
        [[1, 0], [2, 1]],
        [[3, 0], [4, 1]],
    ]
    panels = {"one": pd.DataFrame([[0.1, 0.2]]), "two": pd.DataFrame([[0.05]])}
    figure = figures.shaded(panels)
    texts = [[text.get_text() for text in axes.texts] for axes in figure.axes]
    assert texts == [["0.100", "0.200"], ["0.050"]]


def test_tables_of_several_origins_stand_below_each_other():
    ours = pd.DataFrame({"BLEU-4": [0.2, 0.3]}, ["a", "b"])
    sources = {"published": ours / 2, "H&M sample": pd.DataFrame(), "this run": ours}
    html = figures.by_origin(sources, ["BLEU-4", "CIDEr"]).data
    assert re.findall(r">([^<]+: [ab])<", html) == [
        f"{origin}: {row}" for origin in ("published", "this run") for row in "ab"
    ]
    assert html.count("–") == 4 and "30.0" in html


def test_curves_of_joint_runs_are_those_of_captioning_alone():
    plain = pd.DataFrame({"step": [1, 2], "loss": [4.0, 3.0], "validation": [5.0, 2.0]})
    parts = {"captioning": [2.0, 1.0], "validation captioning": [2.5, 1.5]}
    figure = figures.curves({"plain": plain, "joint": plain.assign(**parts)})
    lines = [line for axes in figure.axes for line in axes.lines]
    drawn = [line.get_ydata().tolist() for line in lines]
    assert drawn == [[5, 2], [4, 3], [2.5, 1.5], [2, 1]]
