"""The first use of a glossary term is a link; titles, code, links and tables aren't."""

import re
import sys
from pathlib import Path

import pytest
from docutils import nodes
from docutils.utils import new_document

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "book" / "_ext"))
TERMS = (
    "attribute",
    "attribute precision",
    "consumer to shop",
    "CIDEr",
    "hub",
    "AP",
    "Elliot's MAP",
)
URIS = {term.lower(): f"glossary.html#{term}" for term in TERMS}


def linked(*blocks):
    from glossary_links import link_terms

    page = new_document("page")
    section = nodes.section("", nodes.title(text="CIDEr and every attribute"))
    page += section
    section += list(blocks)
    before = page.astext()
    link_terms(page, URIS)
    assert page.astext() == before, "a word was lost"
    return [
        (link.astext(), link["refuri"].split("#")[1])
        for link in page.findall(nodes.reference)
        if link["refuri"].startswith("glossary")
    ]


def said(text):
    return nodes.paragraph(text=text)


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("CIDEr, then CIDEr again.", [("CIDEr", "CIDEr")]),
        ("Two attributes.", [("attributes", "attribute")]),
        (
            "Attribute precision first.",
            [("Attribute precision", "attribute precision")],
        ),
        ("A consumer-to-shop photo.", [("consumer-to-shop", "consumer to shop")]),
        ("Elliot’s MAP is not AP.", [("Elliot’s MAP", "Elliot's MAP"), ("AP", "AP")]),
        ("Attributed maps, CIDEr-D and a hub.", []),
    ],
)
def test_whole_words_in_any_case_longest_first(text, links):
    assert linked(said(text)) == links


def test_the_first_use_of_the_page_is_the_link():
    first, second = said("An attribute."), said("Its AP, and an attribute.")
    links = linked(first, second)
    assert links == [("attribute", "attribute"), ("AP", "AP")]
    assert list(first.findall(nodes.reference))


def test_code_links_tables_outputs_and_titles_stay():
    link = nodes.reference("", "", nodes.emphasis(text="CIDEr"), refuri="elsewhere")
    entry = nodes.entry("", said("CIDEr"))
    group = nodes.tgroup("", nodes.tbody("", nodes.row("", entry)), cols=1)
    shown = nodes.container("", said("CIDEr"), classes=["cell_output"])
    inline = nodes.paragraph("", "", nodes.literal(text="CIDEr"), nodes.math(text="AP"))
    closed = (nodes.table("", group), shown, inline, nodes.paragraph("", "", link))
    code = nodes.literal_block(text="CIDEr")
    assert linked(code, *closed) == []
    assert linked(code, *closed, said("Here is CIDEr.")) == [("CIDEr", "CIDEr")]


def test_an_ordinary_word_is_a_term_only_in_italics():
    italic = nodes.paragraph("", "", nodes.emphasis(text="hubs"))
    assert linked(said("A model of the hub."), italic) == [("hubs", "hub")]


def test_a_word_of_a_longer_text_in_italics_is_no_term():
    section = nodes.paragraph("", "", nodes.emphasis(text="CIDEr of each model"))
    assert linked(section, said("Here is CIDEr.")) == [("CIDEr", "CIDEr")]


def test_the_quizzes_link_the_measures_that_they_ask_for(book):
    page = (book / "book" / "quizzes.html").read_text(encoding="utf-8")
    linked = re.findall(r'href="glossary\.html#term-([\w-]+)"', page)
    wanted = {"BLEU-4", "CIDEr", "NDCG", "ItemKNN", "average-precision"}
    assert wanted <= set(linked), linked
