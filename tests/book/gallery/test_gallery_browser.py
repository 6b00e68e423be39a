"""The gallery and the form in a real browser: filter, sort, keyboard, export, reload.
Needs playwright and Chromium.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from playwright.sync_api import expect

from fashionlib.book import gallery

HOSTILE = '</script><img src=x onerror="window.hit=1">'
COUNT = 60


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A page of two galleries and a page of a form, over 60 items whose scores run
    against their order.
    """
    root = tmp_path_factory.mktemp("site")
    Image.new("RGB", (200, 300), "red").save(root / "a.jpg")
    names = [f"{n:03}" for n in range(COUNT)]
    items = pd.DataFrame(
        {
            "image": str(root / "a.jpg"),
            "category": ["Dress", "Bag", HOSTILE] * (COUNT // 3),
            "caption": ["A striped dress with a belt"] * (COUNT - 1) + [HOSTILE],
        },
        index=names,
    )
    before = pd.DataFrame(
        {
            "caption": "A dress with a hood",
            "CIDEr": np.linspace(1, 0, COUNT),
            "size": False,
        },
        names,
    )
    before["attributes"] = [["dress", "hood"]] * COUNT
    after = before.assign(
        CIDEr=np.linspace(0, 1, COUNT), size=[n < 5 for n in range(COUNT)]
    )
    after.loc["000", "CIDEr"] = np.nan
    after.loc["010", "caption"] = "A velvet gown"
    after.at["010", "attributes"] = ["velvet", "gown"]
    scores = pd.concat({"before": before, "after": after}, names=["system", "item_id"])
    lemmas = {name: ["striped", "dress", "belt"] for name in names}
    lemmas[names[-1]] = []
    data = (
        items,
        scores,
        lemmas,
        {"dress", "belt", "hood", "velvet", "gown"},
        ["CIDEr"],
        root / "gallery",
    )
    two = "".join(gallery.show(*data, errors=["size"]).data for _ in range(2))
    (root / "notebooks").mkdir()
    (root / "notebooks" / "show.html").write_text(
        f"<!doctype html><meta charset=utf-8>{two}"
    )
    form = gallery.form(*data, first=2).data
    (root / "notebooks" / "form.html").write_text(
        f"<!doctype html><meta charset=utf-8>{form}"
    )
    return root / "notebooks"


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(error))
    yield page
    assert not errors and page.evaluate("window.hit") is None
    context.close()


def ids(root) -> list[str]:
    return root.locator("article .name b").all_text_contents()


def test_filters_count_and_esc_resets(page, site):
    page.goto((site / "show.html").as_uri())
    one, two = page.locator(".fashion-gallery").all()
    status, other = one.get_by_role("status"), two.get_by_role("status")
    assert (
        status.inner_text() == "60 of 60 articles, the first 20 of them below"
        and len(ids(one)) == 20
    )
    one.get_by_label("Category").select_option("Bag")
    assert status.inner_text() == "20 of 60 articles" and other.inner_text().startswith(
        "60 of 60"
    )
    one.get_by_label("Search").fill("VELVET")
    assert status.inner_text() == "1 of 60 articles" and ids(one) == ["010"]
    page.keyboard.press("Escape")
    assert status.inner_text().startswith("60 of 60")
    one.get_by_label("Attributes").select_option("invented")
    assert one.get_by_label("Which").locator("option").all_inner_texts() == [
        "any",
        "hood (60)",
        "dress (1)",
        "gown (1)",
        "velvet (1)",
    ]
    one.get_by_label("Which").select_option("hood")
    one.get_by_label("In captions of").select_option(label="after")
    assert status.inner_text().startswith("59 of 60")
    page.keyboard.press("Escape")
    one.get_by_label("Errors").select_option("size")
    assert status.inner_text() == "5 of 60 articles" and ids(one) == [
        "000",
        "001",
        "002",
        "003",
        "004",
    ]
    assert one.locator("article .error").count() == 5


def test_sorted_by_a_systems_score_with_the_unscored_last(page, site):
    page.goto((site / "show.html").as_uri())
    root = page.locator(".fashion-gallery").first
    root.get_by_label("Score", exact=True).select_option(label="after: CIDEr")
    root.get_by_label("Order").select_option(label="highest score first")
    assert ids(root)[:3] == ["059", "058", "057"]
    root.get_by_label("Order").select_option(label="lowest score first")
    root.get_by_label("at most").fill("5")
    assert ids(root) == [
        "001",
        "002",
    ]  # 0/59, which has no score, 1/59, 2/59; then 3/59 = 5.1
    root.get_by_label("at most").fill("")
    while root.locator("button.more").is_visible():
        root.locator("button.more").click()
    assert len(ids(root)) == COUNT and ids(root)[-1] == "000"


def test_articles_by_keyboard_and_pictures_that_load(page, site):
    page.goto((site / "show.html").as_uri())
    root = page.locator(".fashion-gallery").first
    place = "document.activeElement.getAttribute('aria-posinset')"
    root.get_by_role("button", name="Reset").focus()
    page.keyboard.press("Tab")
    assert page.evaluate(place) == "1"
    for _ in range(20):
        page.keyboard.press("j")
    assert page.evaluate(place) == "21" and len(ids(root)) == 40
    page.keyboard.press("k")
    assert page.evaluate(place) == "20"
    page.wait_for_function(
        "document.activeElement.querySelector('img').naturalWidth === 160"
    )
    page.keyboard.press("Escape")
    assert page.evaluate(place) == "1" and len(ids(root)) == 20
    root.get_by_label("Search").focus()
    page.keyboard.type("jk")
    assert root.get_by_label("Search").input_value() == "jk"


def test_words_and_hostile_text_in_the_page(page, site):
    page.goto((site / "show.html").as_uri())
    root = page.locator(".fashion-gallery").first
    assert root.locator("article").nth(0).locator("mark").evaluate_all(
        "all => all.map(one => one.className)"
    ) == ["hit", "missed", "hit", "invented", "hit", "invented"]
    root.get_by_label("Search").fill("onerror")
    # An article that isn't painted yet (content-visibility) has text, but shows none.
    assert HOSTILE in root.locator("article p").nth(1).text_content()
    assert root.locator("img[src=x]").count() == 0


def test_without_the_script_the_first_articles_are_there(browser, site):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "show.html").as_uri())
    assert ids(page.locator(".fashion-gallery").first) == [
        "000",
        "001",
        "002",
        "003",
        "004",
        "005",
    ]
    context.close()


def test_works_as_a_notebook_inserts_it(page, site):
    """JupyterLab sets innerHTML off the page and replaces each script by a copy of
    itself.
    """
    page.goto("about:blank")
    page.evaluate(
        """html => {
        const host = document.createElement("div");
        host.innerHTML = html;
        for (const script of host.querySelectorAll("script")) {
            const copy = document.createElement("script");
            for (const one of script.attributes) copy.setAttribute(one.name, one.value);
            copy.textContent = script.textContent;
            script.replaceWith(copy);
        }
        document.body.append(host);
    }""",
        (site / "show.html").read_text(),
    )
    assert page.get_by_role("status").first.inner_text().startswith("60 of 60")


def test_ratings_are_kept_exported_cleared_and_loaded_again(page, site, tmp_path):
    page.goto((site / "form.html").as_uri())
    first, status = page.locator("fieldset.rating").first, page.get_by_role("status")
    page.get_by_label("Your name").fill("Ada")
    for answer in ("wrong", "some", "size", "hallucination"):
        first.get_by_label(answer, exact=True).check()
    first.get_by_label("Remark").fill(HOSTILE)
    assert status.inner_text() == "1 of 4 captions rated."
    with page.expect_download() as download:
        page.get_by_role("button", name="Export ratings").click()
    download.value.save_as(tmp_path / "r.json")
    table = gallery.read_ratings(tmp_path / "r.json")
    assert table.index.tolist() == [
        ("before", "000"),
        ("after", "000"),
        ("before", "001"),
        ("after", "001"),
    ]
    row = table.iloc[0]
    assert (row.rater, row.category, row.right_attributes, row.remark) == (
        "Ada",
        "wrong",
        "some",
        HOSTILE,
    )
    assert [error for error in gallery.ERRORS if row[error]] == [
        "size",
        "hallucination",
    ]
    assert table.category.notna().sum() == 1
    page.reload()
    assert (
        status.inner_text() == "1 of 4 captions rated. Your earlier ratings are back."
    )
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Clear").click()
    assert (
        status.inner_text() == "0 of 4 captions rated."
        and not first.get_by_label("some", exact=True).is_checked()
    )
    page.get_by_label("Continue from").set_input_files(tmp_path / "r.json")
    expect(status).to_have_text("1 of 4 captions rated. r.json is loaded.")
    assert first.get_by_label("Remark").input_value() == HOSTILE
    (tmp_path / "other.json").write_text('{"gallery": "x"}')
    page.get_by_label("Continue from").set_input_files(tmp_path / "other.json")
    expect(status).to_contain_text(
        "other.json can't be loaded: it rates gallery x, this is"
    )


def test_a_browser_that_keeps_nothing_says_so(page, site):
    denied = "{get() { throw new DOMException('', 'SecurityError'); }}"
    page.add_init_script(f"Object.defineProperty(window, 'localStorage', {denied})")
    page.goto((site / "form.html").as_uri())
    page.locator("fieldset.rating").first.get_by_label("some", exact=True).check()
    assert (
        "keeps nothing (SecurityError): export"
        in page.get_by_role("status").inner_text()
    )
