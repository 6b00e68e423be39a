"""Lay out search results as HTML: a list, or one file that needs no other."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup

from fashionlib.data import images
from fashionlib.data.files import atomic

WIDTH = 160  # pixels of a picture
TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("fashionlib.retrieval.search", ""),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
)


def listing(results: pd.DataFrame, picture: Callable[[str], Any]) -> Markup:
    """Return the table of `Index.search` as an HTML list, best first.

    `picture` gives (address, width, height) of an item's reference, or None.
    """
    template = TEMPLATES.get_template("results.html")
    return template.module.results(_items(results), picture)


def write(path: str | Path, results: pd.DataFrame, query: str) -> None:
    """Write the table of `Index.search` with pictures, under the query in words.

    ValueError for a picture that can't be read.
    """
    picture = partial(images.inline, width=WIDTH)
    template = TEMPLATES.get_template("page.html")
    html = template.render(query=query, items=_items(results), picture=picture)
    with atomic(Path(path)) as part:
        part.write_text(html, encoding="utf-8")


def _items(results: pd.DataFrame) -> list[dict[str, Any]]:
    return results.fillna("").to_dict("records")
