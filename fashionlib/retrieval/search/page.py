"""What was found, as one HTML file that needs no other: text from data is escaped,
there is no script.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from fashionlib.data import images
from fashionlib.data.files import atomic

WIDTH = 160  # pixels of a picture
STYLE = """body { font: 15px system-ui, sans-serif; margin: 2rem; color: #1c1917; background: #fff; }
ol { list-style: none; margin: 0; padding: 0; display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); }
li { padding: .6rem; border: 1px solid #d6d3d1; border-radius: 8px; overflow-wrap: anywhere; }
img { width: 100%; height: 13rem; object-fit: contain; }
p { margin: .3rem 0; } .known { color: #57534e; font-size: .85rem; }
@media (prefers-color-scheme: dark) { body { color: #e7e5e4; background: #1c1917; } .known { color: #a8a29e; } }"""


def write(path: str | Path, found: pd.DataFrame, query: str) -> None:
    """Write what `Index.search` found, with pictures, under the query in words.
    ValueError for a broken picture.
    """
    items = "".join(
        _item(rank, row) for rank, row in enumerate(found.to_dict("records"), 1)
    )
    title = escape(query)
    html = (
        '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><meta name="viewport"'
        f' content="width=device-width"><title>{title}</title><style>{STYLE}</style><h1>{title}</h1><p>{len(found)}'
        f" items, the best first; the score is a cosine.</p><ol>{items}</ol></html>\n"
    )
    with atomic(Path(path)) as part:
        part.write_text(html, encoding="utf-8")


def _item(rank: int, row: Mapping[str, Any]) -> str:
    address, width, height = images.inline(row["image"], WIDTH)
    name, category, colour, caption = (
        "" if pd.isna(row[column]) else escape(row[column])
        for column in ("item_id", "category", "colour", "caption")
    )
    known = ", ".join(filter(None, (category, colour)))
    return (
        f'<li><img src="{address}" width="{width}" height="{height}" alt="Picture of'
        f' {name}"><p>{rank}. <b>{name}</b> {row["score"]:.3f}</p><p'
        f' class="known">{known}</p><p>{caption}</p></li>'
    )
