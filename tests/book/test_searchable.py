"""A table that a reader searches: what is in the page before its script runs."""

import json
import re
from html import unescape

import pandas as pd

from fashionlib.book import searchable

ROWS = pd.DataFrame({"claim": ["a <b>", "c\nd"], "printed": ["1", ""]}, ["A1", "A2"])
FILTERS = pd.DataFrame({"kind": ['a "quoted" one', "number"]}, ROWS.index)
LINKS = pd.Series(["x.html#y", "z.html#w"], ROWS.index)


def test_the_whole_table_is_there_escaped_with_its_links():
    page = searchable.table(ROWS, FILTERS, LINKS).data
    assert "a &lt;b&gt;" in page and "a <b>" not in page and "c\nd" in page
    assert re.findall(r'href="([^"]+)">(\w+)', page) == [
        ("x.html#y", "A1"),
        ("z.html#w", "A2"),
    ]
    assert page.count("<tr") == 3 and 'data-label="printed"' in page


def test_each_row_carries_its_choices():
    page = searchable.table(ROWS, FILTERS, LINKS).data
    values = [json.loads(unescape(v)) for v in re.findall(r'data-values="(.*?)"', page)]
    assert values == FILTERS.to_numpy().tolist()
    assert re.findall(r"<option[^>]*>([^<]*)", page)[0] == "all"
    assert "number (1)</option>" in page
