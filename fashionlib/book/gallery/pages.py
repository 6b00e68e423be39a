"""Captions beside their pictures, in a page without a server: a gallery to filter and
sort, a form to rate by hand.

`show` and `form` return one output of a notebook cell, with its own style and script
and no address of another host. Text from data is escaped; the gallery's own data is
JSON that the script turns into text nodes. Without the script (on GitHub, in an
untrusted notebook) the first articles are there as plain HTML. Paper A, figure 1;
Thesis B, 4.1.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd
from IPython.display import HTML

from fashionlib.book.gallery import cards, marks, pictures
from fashionlib.book.gallery.cards import Entry, Said
from fashionlib.data import images

STATIC = 6  # articles that stand in the page without the script
MOST_INLINE = 100  # articles whose pictures may weigh on the page itself
SCRIPTS = {"show": "gallery.js", "form": "form.js"}
Truth = Mapping[str, Sequence[str]]  # item: the lemmas of its true caption, in order


def show(
    items: pd.DataFrame,
    scores: pd.DataFrame,
    lemmas: Truth,
    pool: Collection[str],
    metrics: Sequence[str],
    folder: Path,
    errors: Sequence[str] = (),
    inline: bool | None = None,
) -> HTML:
    """A gallery of `items` (index item_id; columns image, caption, category), in their
    order.

    `scores`, indexed (system, item_id), has each system's `caption`, its `attributes`
    (lemmas in order), fractions in the columns `metrics` (shown times 100, as in the
    tables) and booleans in the columns `errors`. A word is a hit where truth and
    caption share its lemma, else missed or invented; only lemmas of the `pool` count.
    Pictures are written into `folder` and addressed as its sibling's (`../<name of
    folder>/`), or, `inline`, they are part of the page and the articles are cut to the
    first 100; None means: inline in Colab and in a live Jupyter. ValueError names a
    missing column, item or caption, or a picture that can't be read.
    """
    inline = _live() if inline is None else inline
    shown = items.iloc[:MOST_INLINE] if inline else items
    entries = _entries(
        shown, scores, lemmas, pool, metrics, errors, None if inline else folder
    )
    base = "" if inline else f"../{Path(folder).name}/"
    first = "".join(cards.article(entry, metrics, base) for entry in entries[:STATIC])
    rest = (
        f"The first {min(STATIC, len(entries))} of {len(entries):,} articles; the"
        " page's script shows the others."
    )
    cut = (
        f"<p>The first {len(shown)} of {len(items):,} articles; the book's page, which"
        " holds no picture itself, shows all.</p>"
        if len(shown) < len(items)
        else ""
    )
    data = json.dumps(
        _packed(entries, metrics, errors, base),
        ensure_ascii=False,
        allow_nan=False,
        separators=(",", ":"),
    ).replace("<", "\\u003c")
    return _page(
        "show",
        f'{cut}<p class="rest">{rest}</p><div class="articles">{first}</div><script'
        f' type="application/json">{data}</script>',
    )


def form(
    items: pd.DataFrame,
    scores: pd.DataFrame,
    lemmas: Truth,
    pool: Collection[str],
    metrics: Sequence[str],
    folder: Path,
    first: int = 20,
    inline: bool | None = None,
) -> HTML:
    """Paper A's manual check (section 2.2: its first 20 test articles) as a form, that
    exports what `ratings` reads.

    The arguments are those of `show`; errors too. The ratings stay in the reader's
    browser until they are exported.
    """
    inline = _live() if inline is None else inline
    entries = _entries(
        items.iloc[:first],
        scores,
        lemmas,
        pool,
        metrics,
        (),
        None if inline else folder,
    )
    base = "" if inline else f"../{Path(folder).name}/"
    asked = "".join(
        cards.article(entry, metrics, base, cards.questions(entry, n))
        for n, entry in enumerate(entries)
    )
    captions = [
        [entry.item, *((said.system, said.caption) for said in entry.said)]
        for entry in entries
    ]
    name = hashlib.sha256(json.dumps(captions).encode()).hexdigest()[:12]
    return _page(
        "form",
        f'<form data-gallery="{name}"><div class="articles">{asked}</div></form>',
    )


def _live() -> bool:
    """Whether the output is shown where no file beside the page can be addressed."""
    return "google.colab" in sys.modules or "JPY_SESSION_NAME" in os.environ


def _page(kind: str, content: str) -> HTML:
    style, script = (
        (resources.files(__package__) / name).read_text("utf-8")
        for name in ("gallery.css", SCRIPTS[kind])
    )
    return HTML(
        f'<div class="fashion-gallery" data-kind="{kind}"'
        ' data-lm-suppress-shortcuts="true">'
        f"<style>{style}</style>{content}<script>{script}</script></div>"
    )


def _entries(
    items: pd.DataFrame,
    scores: pd.DataFrame,
    lemmas: Truth,
    pool: Collection[str],
    metrics: Sequence[str],
    errors: Sequence[str],
    folder: Path | None,
) -> list[Entry]:
    _columns("items", items, ["image", "caption", "category"])
    _columns("scores", scores, ["caption", "attributes", *metrics, *errors])
    if items.empty or scores.empty or not metrics:
        told = f"{len(items)} items, {len(scores)} captions and {len(metrics)} metrics"
        raise ValueError(f"{told}; a gallery needs at least one of each")
    known, systems = (
        frozenset(pool),
        list(dict.fromkeys(scores.index.get_level_values(0))),
    )
    wanted = pd.MultiIndex.from_product([systems, items.index])
    absent = wanted.difference(scores.index, sort=False)
    if len(absent) or not scores.index.is_unique:
        told = (
            f"no row for {absent[0]}, {len(absent)} of {len(wanted)} are missing"
            if len(absent)
            else "a row twice"
        )
        raise ValueError(
            f"scores: {told}; give each system one row for each item, indexed (system,"
            " item_id)"
        )
    bare = items.index[items["image"].isna()]
    if len(bare):
        raise ValueError(
            f"items: no image for {bare[0]!r}, {len(bare)} of {len(items)} have none;"
            " leave them out"
        )
    untagged = [item for item in items.index if item not in lemmas]
    if untagged:
        raise ValueError(
            f"lemmas: none for {untagged[0]!r}, {len(untagged)} of {len(items)} are"
            " missing"
        )
    rows = scores.reindex(wanted)
    values = (100 * rows[list(metrics)].astype(float)).round(1).to_numpy()
    faults = rows[list(errors)].astype(bool).to_numpy()
    said = [
        Said(
            system,
            _text(caption),
            marks.spans(_text(caption), list(words), known),
            [None if math.isnan(value) else float(value) for value in values[n]],
            [error for error, made in zip(errors, faults[n], strict=True) if made],
        )
        for n, (system, caption, words) in enumerate(
            zip(
                wanted.get_level_values(0),
                rows["caption"],
                rows["attributes"],
                strict=True,
            )
        )
    ]
    return [
        Entry(
            str(row.Index),
            _text(row.category),
            (
                pictures.written(row.image, folder)
                if folder
                else images.inline(row.image, pictures.INLINE_WIDTH)
            ),
            _text(row.caption),
            marks.spans(_text(row.caption), list(lemmas[row.Index]), known),
            said[n :: len(items)],
        )
        for n, row in enumerate(items.itertuples())
    ]


def _columns(name: str, table: pd.DataFrame, needed: Iterable[str]) -> None:
    absent = [column for column in needed if column not in table.columns]
    if absent:
        raise ValueError(
            f"{name} has no column {absent[0]!r}; its columns are"
            f" {', '.join(map(str, table.columns))}"
        )


def _text(value: Any) -> str:
    return "" if pd.isna(value) else str(value)


def _packed(
    entries: Sequence[Entry], metrics: Sequence[str], errors: Sequence[str], base: str
) -> dict[str, Any]:
    """The entries as lists, and what their numbers stand for: a third of the size of
    objects.
    """
    words: dict[str, int] = {}
    categories: dict[str, int] = {}

    def packed(caption: str, spans: Sequence[marks.Span]) -> list[Any]:
        """Caption, then start, length and lemma's number of each mark; JavaScript
        counts in UTF-16.
        """

        def place(n: int) -> int:
            return len(caption[:n].encode("utf-16-le", "surrogatepass")) // 2

        return [
            caption,
            [
                number
                for start, end, lemma in spans
                for number in (
                    place(start),
                    place(end) - place(start),
                    words.setdefault(lemma, len(words)),
                )
            ],
        ]

    rows = [
        [
            entry.item,
            categories.setdefault(entry.category, len(categories)),
            *entry.picture,
            packed(entry.truth, entry.spans),
            [
                [
                    *packed(said.caption, said.spans),
                    said.scores,
                    [errors.index(error) for error in said.errors],
                ]
                for said in entry.said
            ],
        ]
        for entry in entries
    ]
    return {
        "systems": [said.system for said in entries[0].said],
        "metrics": list(metrics),
        "errors": list(errors),
        "lemmas": list(words),
        "categories": list(categories),
        "base": base,
        "items": rows,
    }
