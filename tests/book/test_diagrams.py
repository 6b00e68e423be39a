"""The drawings: readable by eye and by ear, in the right chapter, true to the code."""

import io
import json
import re
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest
from sizes import NOTEBOOKS
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace
from transformers import Blip2Config

from fashionlib.captioning import captioners, training
from fashionlib.retrieval.search import building
from wardrobe import minis

ROOT = Path(__file__).parents[2]
EXTENSIONS = ROOT / "book" / "_ext"
DRAWINGS = sorted((ROOT / "book" / "_static" / "diagrams").glob("*.svg"))
CSS = ROOT / "book" / "_static" / "book.css"
SVG = "{http://www.w3.org/2000/svg}"
ALLOWED = {"circle", "defs", "desc", "g", "marker", "path", "pattern", "rect", "svg"}
ALLOWED |= {"text", "title", "tspan", "use"}  # no script, style or picture
SMALLEST = 11  # pixels of a letter on a phone
# What of the texts of a page's drawings can't be read as it should.
LOOK = """svgs => svgs.flatMap(svg => {
  const box = e => e.getBoundingClientRect(), bad = [];
  const texts = [...svg.querySelectorAll("text")];
  const inside = (a, b) => a.left >= b.left && a.right <= b.right
    && a.top >= b.top && a.bottom <= b.bottom;
  const meet = (a, b) => a.left < b.right && b.left < a.right
    && a.top + 2 < b.bottom && b.top + 2 < a.bottom;
  texts.forEach((text, n) => {
    const group = text.closest("g.box"), said = text.textContent;
    const size = parseFloat(getComputedStyle(text).fontSize) * svg.getScreenCTM().a;
    if (size < SMALLEST) bad.push(`${said}: ${size} px`);
    const frame = group && group.querySelector("rect, path");
    if (!inside(box(text), box(frame || svg))) bad.push(`${said}: outside`);
    for (const other of texts.slice(n + 1))
      if (meet(box(text), box(other))) bad.push(`${said} on ${other.textContent}`);
  });
  return bad;
})"""


@pytest.fixture(params=DRAWINGS, ids=lambda path: path.stem)
def drawing(request):
    return request.param.stem, ElementTree.parse(request.param).getroot()


def words(node):
    return " ".join("".join(text.itertext()) for text in node.iter(f"{SVG}text"))


def drawn(name):
    [path] = [path for path in DRAWINGS if path.stem == name]
    return ElementTree.parse(path).getroot()


def test_a_drawing_says_what_it_shows_to_those_who_cannot_see_it(drawing):
    name, root = drawing
    assert root.get("role") == "img" and not {"width", "height"} & {*root.keys()}
    assert root.get("aria-labelledby") == f"{name}-title {name}-desc"
    title, desc = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert [title.get("id"), desc.get("id")] == [f"{name}-title", f"{name}-desc"]
    assert len(title.text.split()) >= 3 and len(desc.text.split()) >= 30


def test_a_drawing_asks_for_nothing_and_runs_nothing(drawing):
    name, root = drawing
    ids = {node.get("id") for node in root.iter()} - {None}
    assert all(own.startswith(f"{name}-") for own in ids)  # two share a page
    for node in root.iter():
        assert node.tag.removeprefix(SVG) in ALLOWED, node.tag
        for key, value in node.items():
            assert not key.startswith("on") and key != "style", (key, value)
            used = re.findall(r"url\((.*?)\)", value)
            used += [value] if key.endswith("href") else []
            assert {part.removeprefix("#") for part in used} <= ids, value


def test_a_box_holds_at_most_twelve_words(drawing):
    _, root = drawing
    boxes = [group for group in root.iter(f"{SVG}g") if group.get("class") == "box"]
    assert all(len(words(box).split()) <= 12 for box in boxes), [*map(words, boxes)]


def test_what_is_frozen_differs_from_what_is_trained_without_colour(drawing):
    name, root = drawing
    for node in root.iter():
        if node.get("class") == "trained":
            assert node.get("fill") == f"url(#{name}-hatch)", node.attrib
        if node.get("class") == "frozen":
            assert node.get("fill") == "none", node.attrib


def test_each_drawing_stands_in_one_chapter_after_a_sentence():
    used = Counter()
    for path in NOTEBOOKS:
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            text = "".join(cell["source"])
            for before, name in re.findall(r"(.*)\n\n```\{diagram\} (.*)\n", text):
                assert before.endswith("."), (path, name)
            used.update(re.findall(r"^```\{diagram\} (.*)$", text, re.MULTILINE))
    assert used == Counter(path.stem for path in DRAWINGS)


def build(folder, page, monkeypatch):
    """Build a page with the directive; return it and the warnings."""
    monkeypatch.setattr(sys, "path", [str(EXTENSIONS), *sys.path])
    (folder / "index.md").write_text(f"# A page\n\n{page}\n")
    (folder / "book" / "_static").mkdir(parents=True)
    (folder / "book" / "_static" / "diagrams").symlink_to(DRAWINGS[0].parent)
    settings = {"extensions": ["myst_parser", "diagrams"], "numfig": True}
    out, said = folder / "out", io.StringIO()
    with docutils_namespace():  # what this registers ends with it
        app = Sphinx(folder, None, out, out, "html", settings, None, said)
        app.build()
    return (out / "index.html").read_text(), said.getvalue()


def test_the_directive_sets_the_drawing_inline_above_its_caption(tmp_path, monkeypatch):
    page, said = build(tmp_path, "```{diagram} lora\nA *caption*.\n```", monkeypatch)
    assert not said
    [figure] = re.findall(r"<figure.*?</figure>", page, re.DOTALL)
    assert 'class="diagram' in figure and 'id="diagram-lora"' in figure
    assert '<title id="lora-title">' in figure and "<img" not in figure
    assert "Fig. 1" in figure and "A <em>caption</em>." in figure


def test_the_directive_refuses_an_unknown_name_and_says_the_known(
    tmp_path, monkeypatch
):
    _, said = build(tmp_path, "```{diagram} lore\nA caption.\n```", monkeypatch)
    known = ", ".join(path.stem for path in DRAWINGS)
    assert f"unknown diagram 'lore'; known: {known}" in said


def test_a_phone_shows_all_text_in_its_place_and_large_enough(browser):
    page = browser.new_page(viewport={"width": 390, "height": 800})
    drawings = "".join(path.read_text(encoding="utf-8") for path in DRAWINGS)
    style = f"<style>body {{ margin: 24px }} {CSS.read_text()}</style>"
    page.set_content(f"{style}<div class=diagram>{drawings}</div>")
    look = LOOK.replace("SMALLEST", str(SMALLEST))
    assert page.eval_on_selector_all("svg", look) == []


def test_the_rows_of_lora_are_the_layers_that_the_recipes_name():
    root, names = drawn("lora"), ("paper_a", "paper_a_qv", "thesis_b", "mini")
    loras = {name: training.recipe(name, steps=1).lora for name in names}
    rows = [row for row in root.iter(f"{SVG}g") if row.get("class") == "layers"]
    assert len(rows) == 10
    for row in rows:
        module, shown = f"model.{row.get('data-module')}", row.get("data-recipes")
        named = [n for n, lora in loras.items() if re.fullmatch(lora.pattern, module)]
        assert named == shown.split(), module
        marks = [rect.get("class") for rect in row.iter(f"{SVG}rect")]
        assert marks == ["trained" if n in named else "frozen" for n in names], module
    ranks = {text.get("data-rank"): text.text for text in root.iter(f"{SVG}text")}
    assert {name: ranks[name] for name in names} == {
        name: str(lora.r) for name, lora in loras.items()
    }


def test_the_sizes_are_those_of_the_models():
    blip2, small = words(drawn("blip2")), captioners.MINIS["blip2-small"][1]
    published = Blip2Config()
    vision, queries = published.vision_config, published.num_query_tokens
    tokens = (vision.image_size // vision.patch_size) ** 2 + 1  # a class token
    cells = f"{(minis.SIZE // 32) ** 2} × 256"
    assert f"{tokens} × {vision.hidden_size:,} (mini {cells})" in blip2
    width = published.qformer_config.hidden_size
    own = f"{small.queries} × {small.qformer}"
    assert f"{queries} × {width} (mini {own})" in blip2
    assert f"mini: {cells}" in words(drawn("llava"))


def test_the_weight_of_the_contrastive_loss_and_the_exact_rows_are_the_code_s():
    weight = training.recipe("mini_joint", steps=1).contrast
    assert f"× {weight}" in words(drawn("joint"))
    assert f"exact, up to {building.COMPARED:,} rows" in words(drawn("search"))
