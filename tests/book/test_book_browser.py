"""The rendered book's menus in a real browser, on a phone, a tablet and a desk."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from slides import decks

CHAPTER = "notebooks/14_recommenders.html"
NEXT = "15_why_item_knn_wins.html"
NARROW = (390, 800)  # the menu is a dialog below 992 pixels, "on this page" below 1200
WIDTHS = (*NARROW, 1400)


@pytest.fixture
def page(browser, book):
    """A page of the book's own server; no script may fail, no request may leave it."""
    context = browser.new_context()
    page, errors, requested = context.new_page(), [], []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: requested.append(request.url))
    yield page
    assert not errors
    assert [url for url in requested if not url.startswith(("file:", "data:"))] == []
    context.close()


def open_chapter(page: Page, book, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto((book / CHAPTER).as_uri())


def menu_button(page: Page):
    return page.get_by_role("button", name="Toggle primary sidebar")


def sections_button(page: Page):
    return page.get_by_role("button", name="Toggle secondary sidebar")


@pytest.mark.parametrize("width", WIDTHS)
def test_the_menu_leads_to_a_chapter(page, book, width):
    open_chapter(page, book, width)
    link = page.locator(f".bd-sidebar-primary a[href$='{NEXT}']")
    if width in NARROW:
        expect(link).to_be_hidden()
        menu_button(page).click()
        expect(page.locator("#pst-primary-sidebar-modal")).to_be_visible()
    link.click()
    expect(page).to_have_url((book / "notebooks" / NEXT).as_uri())


@pytest.mark.parametrize("width", WIDTHS)
def test_on_this_page_leads_to_a_section_and_uncovers_it(page, book, width):
    open_chapter(page, book, width)
    dialog = page.locator("#pst-secondary-sidebar-modal")
    if width in NARROW:
        sections_button(page).click()
        expect(dialog).to_be_visible()
    link = page.locator(".bd-toc a.nav-link:visible").last
    section = page.locator(link.get_attribute("href"))
    expect(section).not_to_be_in_viewport()
    link.click()
    expect(section).to_be_in_viewport()
    expect(dialog).to_be_hidden()


def test_on_a_wide_page_the_menus_button_hides_the_menu_and_brings_it_back(page, book):
    open_chapter(page, book, 1400)
    menu = page.locator("#pst-primary-sidebar")
    expect(menu).to_be_visible()
    menu_button(page).focus()
    for shown in (False, True):
        page.keyboard.press("Enter")
        expect(menu).to_be_visible(visible=shown)
        expect(menu_button(page)).to_be_focused()


@pytest.mark.parametrize("pages", ["notebooks/*", "book/*", "[gs]e*"])
def test_no_page_is_wider_than_a_phone(page, book, pages):
    page.set_viewport_size({"width": NARROW[0], "height": 900})
    widths = {}
    for path in book.glob(f"{pages}.html"):
        page.goto(path.as_uri())
        widths[path.name] = page.evaluate("document.documentElement.scrollWidth")
    assert set(widths.values()) == {NARROW[0]}, widths


@pytest.mark.parametrize("width", NARROW)
@pytest.mark.parametrize("name", ["primary", "secondary"])
def test_by_keyboard_a_menu_opens_and_closes_and_the_focus_returns(
    page, book, width, name
):
    open_chapter(page, book, width)
    button = {"primary": menu_button, "secondary": sections_button}[name](page)
    dialog = page.locator(f"#pst-{name}-sidebar-modal")
    button.focus()
    page.keyboard.press("Enter")
    expect(dialog).to_be_visible()
    assert dialog.evaluate("one => one.contains(document.activeElement)")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()


def test_a_click_beside_the_menu_closes_it(page, book):
    open_chapter(page, book, 800)
    menu_button(page).click()
    dialog = page.locator("#pst-primary-sidebar-modal")
    expect(dialog).to_be_visible()
    page.mouse.click(790, 450)
    expect(dialog).to_be_hidden()


@pytest.mark.parametrize("width", WIDTHS)
def test_there_is_one_way_to_search_and_it_opens_and_closes(page, book, width):
    open_chapter(page, book, width)
    search = page.get_by_role("button", name="Search", exact=True)
    expect(search).to_have_count(1)
    search.click()
    field = page.get_by_role("searchbox")
    expect(field).to_be_focused()
    page.keyboard.press("Escape")
    expect(field).to_be_hidden()
    page.keyboard.press("Control+k")
    expect(field).to_be_focused()


@pytest.mark.parametrize(
    "name",
    [
        *("notebooks/08_caption_scores", "notebooks/04_labels_by_prompt"),
        *("notebooks/16_one_model_two_tasks", "book/your_shop", "book/cluster"),
        "book/checklist",
    ],
)
def test_no_code_scrolls_sideways_on_a_common_screen(page, book, name):
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto((book / f"{name}.html").as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    widths = page.locator(".bd-article pre:visible").evaluate_all(
        "boxes => boxes.map(box => [box.scrollWidth, box.clientWidth])"
    )
    assert widths and all(content <= box for content, box in widths)


@pytest.mark.parametrize("name", ["status", "benchmarks"])
def test_on_a_phone_no_cell_runs_over_the_next(page, book, name):
    page.set_viewport_size({"width": NARROW[0], "height": 900})
    page.goto((book / "book" / f"{name}.html").as_uri())
    cells = page.locator(".bd-article :is(td, th):visible").evaluate_all(
        "cells => cells.map(cell => [cell.scrollWidth, cell.clientWidth])"
    )
    assert cells and all(content <= cell for content, cell in cells)


def test_every_slide_of_the_run_fits_its_screen(page, book, tmp_path):
    found = """() => Reveal.getSlides().flatMap((slide, place) => {
        Reveal.slide(place, 0, 99);
        const low = [...slide.querySelectorAll(".part")].filter((part) => {
            const { bottom, height } = part.getBoundingClientRect();
            return bottom > 720 || height < 20;
        });
        const silent = slide.querySelectorAll("img:not([alt]), img[alt='']");
        return [...low, ...silent].map((one) => `${place}: ${one.outerHTML}`);
    })"""
    written = decks.write("smoke", tmp_path / "decks")
    assert len(written) > 20
    for deck in written:
        page.goto(deck.as_uri())
        expect(page.locator(".reveal.ready")).to_be_visible()
        assert [wrong[:300] for wrong in page.evaluate(found)] == [], deck.stem
