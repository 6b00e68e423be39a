"""The app as a reader uses it, in a real browser. Needs gradio, playwright and
Chromium.
"""

from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from app_screenshots import click, preview, served
from PIL import Image
from playwright.sync_api import expect
from test_app import HOSTILE, Index, header

import fashionlib.app
from fashionlib.captioning import captioners

pytest.importorskip("gradio")
pages = pytest.importorskip("fashionlib.app.pages")
expect.set_options(timeout=30_000)  # of a loaded machine
NAME = '<img src=x onerror="window.hit=1">.png'


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    """400 x 200 pixels: red on the left, blue on the right; its name is markup."""
    path = tmp_path_factory.mktemp("photos") / NAME
    picture = Image.new("RGB", (400, 200), "red")
    picture.paste("blue", (200, 0, 400, 200))
    picture.save(path)
    return path


@pytest.fixture(scope="module")
def index(photo):
    rows = {
        "item_id": [f"{n:03}" for n in range(30)],
        "score": np.linspace(1, 0, 30),
        "image": str(photo),
        "caption": ["A red dress", HOSTILE, "A blue bag"] * 10,
        "category": ["Dress", HOSTILE, "Bag"] * 10,
        "colour": ["Red", "Red", "Blue"] * 10,
    }
    return Index(pd.DataFrame(rows))


@pytest.fixture(scope="module")
def site(index):
    """The address of an app with an index of 30 items and two captioners."""
    two = {
        name: SimpleNamespace(said=said, rows=None)
        for name, said in (("before", HOSTILE), ("after", "A red dress with a belt"))
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(captioners, "generate", lambda captioner, paths: [captioner.said])
        blocks = pages.create(index, two, {"dress", "red", "belt", "hood"})
        _, address, _ = blocks.launch(prevent_thread_lock=True, quiet=True)
        yield address
        blocks.close()


@pytest.fixture
def page(browser, site):
    """The app, open; at the end no markup has run and no request has left this
    machine.
    """
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    page, errors, asked = context.new_page(), [], []
    page.on("pageerror", lambda error: errors.append(error))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(site)
    page.get_by_role("button", name="Search").wait_for()
    yield page
    assert not errors and page.evaluate("window.hit") is None
    assert [url for url in asked if not url.startswith((site, "data:", "blob:"))] == []
    context.close()


def upload(page, path) -> None:
    page.locator("input[type=file]").first.set_input_files(path)


def test_words_find_items_and_filters_narrow_them(page, index):
    page.get_by_role("textbox", name="Words").fill("red dress")
    page.keyboard.press("Enter")
    results = page.get_by_role("list", name="Results").get_by_role("listitem")
    expect(results).to_have_count(12)
    expect(page.get_by_role("status").filter(has_text="items")).to_have_text(
        "12 items, the best first."
    )
    assert HOSTILE in results.nth(1).inner_text()
    expect(page.get_by_alt_text("Picture of Dress 000")).to_have_js_property(
        "naturalWidth", 240
    )
    page.get_by_label("Category").click()
    page.get_by_role("option", name="Bag").click()
    page.get_by_label("Colour").click()
    page.get_by_role("option", name="Blue").click()
    page.get_by_label("number input for Items to show").fill("5")
    page.get_by_role("button", name="Search").click()
    expect(results).to_have_count(5)
    assert index.asked[-1][1:] == (
        "red dress",
        0.5,
        5,
        {"category": "Bag", "colour": "Blue"},
    )
    page.get_by_label("Colour").click()
    page.get_by_role("option", name="Red").click()
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was found")


def test_nothing_asked_is_told(page):
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("alert")).to_contain_text(
        "give a photo, type some words, or both"
    )
    page.get_by_role("tab", name="Captions").click()
    page.get_by_role("button", name="Caption the photo").click()
    expect(page.get_by_role("alert").filter(has_text="No photo")).to_be_visible()


def test_a_photo_is_cropped_by_two_clicks_and_searched_for(page, index, photo):
    upload(page, photo)
    expect(preview(page)).to_be_visible()
    click(page, 95, 95)
    expect(page.get_by_role("alert")).to_have_text("Now click the opposite corner.")
    click(page, 55, 10)
    edges = [
        page.get_by_label(f"number input for {name}")
        for name in ("Left", "Top", "Right", "Bottom")
    ]
    expect(edges[0]).to_have_value(re.compile("5[45]"))
    assert [
        abs(int(edge.input_value()) - true) <= 1
        for edge, true in zip(edges, (55, 10, 95, 95), strict=True)
    ]
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("list", name="Results")).to_be_visible()
    seen = index.asked[-1][0]
    assert (
        (seen == (0, 0, 255)).all()
        and abs(seen.shape[1] - 160) <= 8
        and abs(seen.shape[0] - 170) <= 8
    )
    page.get_by_role("button", name="Whole photo").click()
    expect(edges[0]).to_have_value("0")
    page.get_by_role("button", name="Search").click()
    page.wait_for_timeout(500)
    assert index.asked[-1][0].shape == (200, 400, 3)


def moved(page, edge, key, presses, to) -> None:
    """Press a key on an edge's slider until it stands where it should.

    As a reader does: of presses in quick succession a loaded machine may lose a few.
    """
    page.get_by_label(f"range slider for {edge}").focus()
    number = page.get_by_label(f"number input for {edge}")
    for _ in range(presses + 3):
        if number.input_value() == to:
            break
        page.keyboard.press(key)
    expect(number).to_have_value(to)


def test_by_keyboard_alone(page, index, photo):
    # Playwright takes its time to catch file choosers: in good time, then.
    page.on("filechooser", lambda _: None)
    button = page.get_by_role("button", name="Click to upload")
    page.wait_for_load_state("load")
    expect(button).to_be_enabled()
    page.wait_for_timeout(1000)
    page.keyboard.press("Tab")
    expect(button).to_be_focused()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(photo)
    expect(preview(page)).to_be_visible()
    page.get_by_role("button", name="Crop:").focus()
    page.keyboard.press("Enter")
    moved(page, "Left", "ArrowRight", 60, "60")
    moved(page, "Right", "ArrowLeft", 50, "50")
    expect(page.get_by_role("alert")).to_have_text(
        "The crop is 0 x 200 pixels, too small: move its edges apart."
    )
    moved(page, "Right", "ArrowRight", 50, "100")
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_role("textbox", name="Words").focus()
    page.keyboard.type("bag")
    page.keyboard.press("Enter")
    expect(page.get_by_role("list", name="Results")).to_be_visible()
    seen, words, *_ = index.asked[-1]
    assert words == "bag" and seen.shape == (200, 160, 3)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("text.jpg", b"Dear reader, this is text.", "no JPEG, PNG, WEBP"),
        ("giant.png", header(60_000, 60_000), "more than 50 megapixels"),
        ("cut.png", header(200, 200), "cut short"),
        ("notes.txt", b"Dear reader, this is text.", "Invalid file type"),
        (
            "large.png",
            b"\x89PNG\r\n\x1a\n" + bytes(21 * 2**20),
            "exceed the maximum allowed size of 20",
        ),
    ],
)
def test_what_is_no_photo_is_told_and_the_next_one_works(
    page, photo, tmp_path, name, content, told
):
    (tmp_path / name).write_bytes(content)
    upload(page, tmp_path / name)
    expect(page.get_by_text(told).first).to_be_visible()
    expect(preview(page)).to_have_count(0)
    text = page.locator("body").inner_text()
    assert str(tmp_path) not in text and "Traceback" not in text and "/tmp" not in text
    if page.get_by_label("Clear").count():
        page.get_by_label("Clear").click()
    upload(page, photo)
    expect(preview(page)).to_be_visible()


def test_captions_with_their_attributes_then_scored(page, photo):
    upload(page, photo)
    expect(preview(page)).to_be_visible()
    page.get_by_role("tab", name="Captions").click()
    page.get_by_role("button", name="Caption the photo").click()
    article = page.get_by_role("article", name="Your photo")
    expect(article).to_contain_text(HOSTILE)
    assert (
        article.locator("mark").evaluate_all("all => all.map(one => one.className)")
        == ["named"] * 3
    )
    page.get_by_role("textbox", name="Your own caption").fill("A red dress with a hood")
    page.keyboard.press("Enter")
    expect(article.locator("mark.hit")).to_have_count(4)
    assert article.locator("mark.invented, mark.missed").count() == 2
    expect(article.get_by_role("row", name="after")).to_contain_text("66.7")
    expect(page.get_by_text("CIDEr is left out")).to_be_visible()


def test_nothing_sticks_out_on_a_phone(page):
    page.set_viewport_size({"width": 375, "height": 800})
    page.get_by_role("textbox", name="Words").fill("dress")
    page.keyboard.press("Enter")
    expect(page.get_by_role("list", name="Results")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


def test_the_server_gives_no_file_but_its_own(page, site):
    for path in ("/etc/hostname", __file__, "pyproject.toml"):
        assert page.request.get(f"{site}gradio_api/file={path}").status in (403, 404)
    assert (
        str(fashionlib.app.__path__[0]) not in page.request.get(f"{site}config").text()
    )


def test_the_command_serves_an_index_and_cleans_up(browser, hub, tmp_path, monkeypatch):
    pytest.importorskip("lancedb")
    from fashionlib.retrieval import search

    for name in ("red", "blue", "green"):
        Image.new("RGB", (60, 80), name).save(tmp_path / f"{name}.png")
    items = pd.DataFrame(
        {
            "item_id": ["1", "2", "3"],
            "image": [
                str(tmp_path / f"{name}.png") for name in ("red", "blue", "green")
            ],
            "category": ["Dress", "Coat", "Coat"],
        }
    )
    search.build(items, search.load_encoder(hub / "clip"), tmp_path / "index")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with served("--index", str(tmp_path / "index")) as address:
        page = browser.new_page()
        page.goto(address)
        upload(page, tmp_path / "blue.png")
        expect(preview(page)).to_be_visible()
        page.get_by_role("button", name="Search").click()
        first = page.get_by_role("list", name="Results").get_by_role("listitem").first
        expect(first).to_contain_text("score 1.000")
        expect(first.get_by_alt_text("Picture of Coat 2")).to_be_visible()
        page.get_by_role("tab", name="Captions").click()
        expect(page.get_by_text("No captioner is loaded")).to_be_visible()
        assert list(tmp_path.glob("fashionlib-app-*/*"))
        page.close()
    assert not list(tmp_path.glob("fashionlib-app-*"))
