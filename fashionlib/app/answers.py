"""What the app answers, as escaped HTML: the items found for a photo and words, and
each captioner's caption of it.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from html import escape
from typing import Any

import pandas as pd

from fashionlib.app.photo import WHOLE, Edges, Refused, cut
from fashionlib.book.gallery import cards, marks
from fashionlib.captioning import metrics
from fashionlib.captioning.metrics import attributes
from fashionlib.data import images

MOST_WORDS = 1000  # characters that a reader may type
METRICS = (
    "BLEU-1",
    "BLEU-4",
    "METEOR",
    "ROUGE-L",
)  # CIDEr and SPICE's parser are for a corpus
log = logging.getLogger(__name__)


def found(
    index: Any,
    photo: str | None,
    edges: Edges,
    words: str,
    weight: float,
    k: int,
    where: Mapping[str, str],
) -> str:
    """The `k` items nearest to the photo and the words, best first, among those that
    are as `where` says ("": any).

    Refused where there is neither a photo nor a word, or the photo can't be read.
    """
    words = _typed(words)
    if not photo and not words:
        raise Refused("Nothing to look for: give a photo, type some words, or both.")
    asked = {
        "words": words or None,
        "weight": weight,
        "k": k,
        "where": {column: value for column, value in where.items() if value},
    }
    if photo:
        with cut(photo, edges) as image:
            rows = index.search(image=image, **asked)
    else:
        rows = index.search(**asked)
    if rows.empty:
        return message(
            "Nothing was found. Choose another category or colour, or 'any'."
        )
    items = "".join(_item(row) for row in rows.to_dict("records"))
    return (
        f'<p role="status">{len(rows)} items, the best first.</p><ol class="found"'
        f' aria-label="Results">{items}</ol>'
    )


def _item(row: Mapping[str, Any]) -> str:
    told = {
        name: str(value)
        for name, value in row.items()
        if name not in ("image", "score") and _said(value)
    }
    name, caption = told.pop("item_id", ""), told.pop("caption", "")
    rest = "".join(
        f"<div><dt>{escape(key)}</dt><dd>{escape(value)}</dd></div>"
        for key, value in told.items()
    )
    return (
        f"<li>{_picture(row.get('image'), ' '.join((told.get('category', 'Item'), name)))}<p"
        ' class="name">'
        f"<b>{escape(name)}</b> score"
        f" {row['score']:.3f}</p><p>{escape(caption)}</p><dl>{rest}</dl></li>"
    )


def _picture(reference: Any, told: str) -> str:
    try:
        address, width, height = images.inline(reference, 240)
    except (TypeError, ValueError) as error:  # moved since the index was built
        log.warning("%s is shown without its picture: %s", told, error)
        return '<p class="absent">no picture</p>'
    return (
        f'<img src="{address}" width="{width}" height="{height}"'
        f' alt="{escape(f"Picture of {told}")}">'
    )


def captioned(
    captioners: Mapping[str, Any],
    pool: Collection[str] | None,
    photo: str | None,
    edges: Edges = WHOLE,
    reference: str = "",
) -> str:
    """Each captioner's caption of the photo with its attributes, and scores against the
    reference if there is one.

    Refused where there is no photo or it can't be read.
    """
    from fashionlib.captioning.captioners import generate

    reference = _typed(reference)
    if not photo:
        raise Refused("No photo to caption: give one first.")
    with cut(photo, edges) as image:
        captions = {
            name: generate(captioner, [image])[0]
            for name, captioner in captioners.items()
        }
        picture = images.inline(image, 320)
    return described(picture, captions, reference, pool)


def described(
    picture: tuple[str, int, int],
    captions: Mapping[str, str],
    reference: str,
    pool: Collection[str] | None,
) -> str:
    """The picture with each system's caption, attributes and, with a reference,
    scores.
    """
    texts = [*captions.values(), *([reference] if reference else [])]
    lemmas, notes = _lemmas(texts)
    known = (
        frozenset(lemma for row in lemmas for lemma in row)
        if pool is None
        else frozenset(pool)
    )
    scores, more = (
        _scores(captions, reference, lemmas, known)
        if reference
        else (pd.DataFrame(index=captions), [])
    )
    said = [
        cards.Caption(
            name, caption, marks.spans(caption, row, known), list(scores.loc[name]), []
        )
        for (name, caption), row in zip(captions.items(), lemmas, strict=False)
    ]
    true = marks.spans(reference, lemmas[-1], known) if reference else []
    entry = cards.Entry("Your photo", "", picture, reference or None, true, said)
    named = dict(
        zip([*captions, *(["truth"] if reference else [])], lemmas, strict=True)
    )
    return (
        f'<div class="fashion-gallery">{cards.article(entry, list(scores.columns))}'
        f"{_attributes(named, known)}{''.join(f'<p>{escape(note)}</p>' for note in notes + more)}</div>"
    )


def _lemmas(texts: Sequence[str]) -> tuple[list[list[str]], list[str]]:
    """The attributes of each text, in order, and what to tell where they can't be
    had.
    """
    try:
        return attributes.tagged(texts), []
    except (ModuleNotFoundError, FileNotFoundError) as absent:
        log.warning("no attributes: %s", absent)
        return [[] for _ in texts], [
            "Attributes are left out: install them with pip install"
            " 'fashionlib[scores]'."
        ]


def _scores(
    captions: Mapping[str, str],
    reference: str,
    lemmas: Sequence[Sequence[str]],
    pool: Collection[str],
) -> tuple[pd.DataFrame, list[str]]:
    """One row a system, times 100, and what to know of scores of a single pair."""
    made = metrics.score_many(
        {"": [reference]},
        {name: {"": said} for name, said in captions.items()},
        METRICS,
    )
    table = pd.concat([one.per_item for one in made.values()]).set_axis(list(captions))
    shared = attributes.precision_recall(
        lemmas[:-1], [lemmas[-1]] * len(captions), pool
    ).set_axis(list(captions))
    table = table.dropna(axis="columns", how="all").join(
        shared[["precision", "recall"]].add_prefix("attribute ")
    )
    notes = [
        "Scores are times 100, of this one pair: BLEU-4 is near 0 unless four words in"
        " a row agree. CIDEr is left out, as its weights say how rare a word is in a"
        " whole test set."
    ]
    if "METEOR" not in table:
        notes.append(
            "METEOR is left out: it needs Java (pip install 'fashionlib[scores]')."
        )
    return (100 * table).astype(object).where(table.notna(), None), notes


def _attributes(named: Mapping[str, Sequence[str]], pool: Collection[str]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        f"<td>{escape(', '.join(dict.fromkeys(lemma for lemma in lemmas if lemma in pool))) or '–'}</td></tr>"
        for name, lemmas in named.items()
    )
    return f'<table class="attributes"><caption>Attributes</caption>{rows}</table>'


def message(text: str) -> str:
    """A line that a screen reader tells at once."""
    return f'<p role="alert" class="message">{escape(text)}</p>'


def _typed(text: str | None) -> str:
    text = " ".join((text or "").split())
    if len(text) > MOST_WORDS:
        raise Refused(
            f"{len(text):,} characters were typed, more than {MOST_WORDS:,}: shorten"
            " the text."
        )
    return text


def _said(value: Any) -> bool:
    return isinstance(value, str | int | float) and not pd.isna(value) and value != ""
