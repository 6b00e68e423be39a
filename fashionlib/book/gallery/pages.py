"""Captions beside their pictures, in a page without a server: a gallery and a form.

`show` makes a gallery to filter and sort, `form` a form to rate by hand. Both return
one output of a notebook cell, with its own style and script and no address of another
host. Text from data is escaped; the gallery's own data is JSON that the script turns
into text nodes. Without the script (on GitHub, in an untrusted notebook) the first
articles are there as plain HTML. Paper A, figure 1; Thesis B, 4.1.
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
from markupsafe import Markup

from fashionlib.book.gallery import cards, marks, packing, pictures, ratings
from fashionlib.book.gallery.cards import Caption, Entry
from fashionlib.data import images

STATIC = 6  # articles that stand in the page without the script
MOST_INLINE = 100  # articles whose pictures may weigh on the page itself
QUESTIONS = {
    "category": ratings.CATEGORY,
    "attributes": ratings.ATTRIBUTES,
    "errors": ratings.ERRORS,
}
Lemmas = Mapping[str, Sequence[str]]  # item: the lemmas of its true caption, in order


def show(
    items: pd.DataFrame,
    scores: pd.DataFrame,
    lemmas: Lemmas,
    pool: Collection[str],
    metrics: Sequence[str],
    folder: Path,
    errors: Sequence[str] = (),
) -> HTML:
    """Show a gallery of `items` in their order.

    `items` is indexed by item_id and has the columns image, caption, category.
    `scores`, indexed (system, item_id), has each system's `caption`, its `attributes`
    (lemmas in order), fractions in the columns `metrics` (shown times 100, as in the
    tables) and booleans in the columns `errors`. A word is a hit where truth and
    caption share its lemma, else missed or invented; only lemmas of the `pool` count.

    Pictures are written into `folder` and addressed as its sibling's (`../<name of
    folder>/`). In Colab and in a live Jupyter they are part of the page, and the
    articles are cut to the first 100. ValueError names a missing column, item or
    caption, or a picture that can't be read.
    """
    some = items[:MOST_INLINE] if _live() else items
    entries = _entries(some, scores, lemmas, pool, metrics, errors, folder)
    base = _base(folder)
    return _page(
        "show",
        entries=entries,
        first=entries[:STATIC],
        total=len(items),
        metrics=metrics,
        base=base,
        data=packing.packed(entries, metrics, errors, base),
    )


def form(
    items: pd.DataFrame,
    scores: pd.DataFrame,
    lemmas: Lemmas,
    pool: Collection[str],
    metrics: Sequence[str],
    folder: Path,
    first: int = 20,
) -> HTML:
    """Ask for ratings of the first captions, after Paper A's manual check.

    The paper checked its first 20 test articles by hand (section 2.2) and prints no
    ratings: the questions are ours. The form exports what `read_ratings` reads; until
    then the ratings stay in the reader's browser. The arguments are those of `show`;
    its errors too.
    """
    entries = _entries(items[:first], scores, lemmas, pool, metrics, (), folder)
    captions = [
        [entry.item, *((one.system, one.text) for one in entry.captions)]
        for entry in entries
    ]
    return _page(
        "form",
        entries=entries,
        metrics=metrics,
        base=_base(folder),
        ask=QUESTIONS,
        name=hashlib.sha256(json.dumps(captions).encode()).hexdigest()[:12],
    )


def _live() -> bool:
    """Return whether no file beside the page can be addressed where it is shown."""
    return "google.colab" in sys.modules or "JPY_SESSION_NAME" in os.environ


def _base(folder: Path) -> str:
    """Return what stands before a picture's name in its address."""
    return "" if _live() else f"../{folder.name}/"


def _page(kind: str, **values: Any) -> HTML:
    files = resources.files(__package__)
    script = "gallery.js" if kind == "show" else "form.js"
    page = cards.TEMPLATES.get_template(f"{kind}.html")
    return HTML(
        page.render(
            style=Markup((files / "gallery.css").read_text("utf-8")),
            script=Markup((files / script).read_text("utf-8")),
            **values,
        )
    )


def _entries(
    items: pd.DataFrame,
    scores: pd.DataFrame,
    lemmas: Lemmas,
    pool: Collection[str],
    metrics: Sequence[str],
    errors: Sequence[str],
    folder: Path,
) -> list[Entry]:
    """Return an entry for each item, its picture in `folder` or inline."""
    pairs = _checked_pairs(items, scores, lemmas, metrics, errors)
    pool = frozenset(pool)
    captions = _captions(scores.reindex(pairs), pool, metrics, errors)
    entries = []
    for n, row in enumerate(items.itertuples()):
        truth = _text(row.caption)
        if _live():
            picture = images.inline(row.image, pictures.INLINE_WIDTH)
        else:
            picture = pictures.written(row.image, folder)
        entries.append(
            Entry(
                item=str(row.Index),
                category=_text(row.category),
                picture=picture,
                truth=truth,
                spans=marks.spans(truth, lemmas[row.Index], pool),
                captions=captions[n :: len(items)],  # of each system, in their order
            )
        )
    return entries


def _captions(
    rows: pd.DataFrame,
    pool: Collection[str],
    metrics: Sequence[str],
    errors: Sequence[str],
) -> list[Caption]:
    """Return the caption of each row, indexed (system, item_id)."""
    values = (100 * rows[list(metrics)].astype(float)).round(1).to_numpy()
    flags = rows[list(errors)].astype(bool).to_numpy()
    captions = []
    for n, (system, _) in enumerate(rows.index):
        text = _text(rows["caption"].iloc[n])
        captions.append(
            Caption(
                system,
                text,
                marks.spans(text, rows["attributes"].iloc[n], pool),
                [None if math.isnan(value) else float(value) for value in values[n]],
                [name for name, flag in zip(errors, flags[n], strict=True) if flag],
            )
        )
    return captions


def _checked_pairs(
    items: pd.DataFrame,
    scores: pd.DataFrame,
    lemmas: Lemmas,
    metrics: Sequence[str],
    errors: Sequence[str],
) -> pd.MultiIndex:
    """Return (system, item_id) of all captions; ValueError names what is missing."""
    _require_columns("items", items, ["image", "caption", "category"])
    _require_columns("scores", scores, ["caption", "attributes", *metrics, *errors])
    if items.empty or scores.empty or not metrics:
        raise ValueError(
            f"{len(items)} items, {len(scores)} captions and {len(metrics)} metrics; a"
            " gallery needs at least one of each"
        )
    systems = scores.index.get_level_values(0).unique()
    pairs = pd.MultiIndex.from_product([systems, items.index])
    absent = pairs.difference(scores.index, sort=False)
    problem = "" if scores.index.is_unique else "a row twice"
    if len(absent):
        problem = f"no row for {absent[0]}, {len(absent)} of {len(pairs)} are missing"
    if problem:
        raise ValueError(
            f"scores: {problem}; give each system one row for each item, indexed"
            " (system, item_id)"
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
    return pairs


def _require_columns(name: str, table: pd.DataFrame, needed: Iterable[str]) -> None:
    absent = [column for column in needed if column not in table.columns]
    if absent:
        raise ValueError(
            f"{name} has no column {absent[0]!r}; its columns are"
            f" {', '.join(map(str, table.columns))}"
        )


def _text(value: Any) -> str:
    return "" if pd.isna(value) else str(value)
