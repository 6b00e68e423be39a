"""Write search results as one HTML file that needs no other and runs no script."""

from __future__ import annotations

from pathlib import Path

import jinja2
import pandas as pd

from fashionlib.data import images
from fashionlib.data.files import atomic

WIDTH = 160  # pixels of a picture
TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("fashionlib.retrieval.search", ""),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
)


def write(path: str | Path, results: pd.DataFrame, query: str) -> None:
    """Write the table of `Index.search` with pictures, under the query in words.

    ValueError for a picture that can't be read.
    """
    items = results.fillna("").to_dict("records")
    template = TEMPLATES.get_template("page.html")
    html = template.render(query=query, items=items, inline=images.inline, width=WIDTH)
    with atomic(Path(path)) as part:
        part.write_text(html, encoding="utf-8")
