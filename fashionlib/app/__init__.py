"""The search engine and the captioners in a browser: a reader's own photo, cropped,
searched for and captioned.

`create` gives a Gradio page: it shows inline in Colab and Jupyter, and a class can open
it by a share link. It is served on this machine alone unless a share link is asked for,
and asks no other host for anything. What computes (`photo`, `answers`) is plain
functions; `pages` lays the page out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

__all__ = ["create"]


def create(
    index: Any = None,
    captioners: Mapping[str, Any] | None = None,
    pool: Collection[str] | None = None,
) -> Any:
    """The app as a `gradio.Blocks`, whose `launch()` serves it on this machine alone.

    `index` is a `search.Index`; `captioners` (name -> Captioner) must read photos;
    `pool` holds the lemmas that count as attributes (None: every noun and adjective).
    ValueError with neither an index nor a captioner.
    """
    from fashionlib.app import pages

    return pages.create(index, captioners or {}, pool)
