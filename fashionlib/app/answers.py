"""What the app answers, as escaped HTML: search results, and captions of a photo."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import jinja2
import pandas as pd

from fashionlib.app.photo import WHOLE, Edges, InputError, cut
from fashionlib.book.gallery import cards, marks
from fashionlib.captioning import metrics
from fashionlib.captioning.metrics import attributes
from fashionlib.data import images
from fashionlib.retrieval.search import page

MOST_CHARACTERS = 1000  # that a reader may type
# CIDEr and SPICE's parser are for a corpus
METRICS = ("BLEU-1", "BLEU-4", "METEOR", "ROUGE-L")
Picture = tuple[str, int, int]  # address, width, height
log = logging.getLogger(__name__)
HTML = (
    jinja2.Environment(
        loader=jinja2.PackageLoader("fashionlib.app", ""),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    .get_template("answers.html")
    .module
)


def message(text: str) -> str:
    """Return a line that a screen reader tells at once."""
    return str(HTML.message(text))


def results(
    index: Any,
    photo: str | None,
    edges: Edges,
    words: str,
    weight: float,
    k: int,
    filters: Mapping[str, str],
) -> str:
    """List the `k` items nearest to the photo and the words, best first.

    Only items that have the value of each filter, where it isn't "". InputError where
    there is neither a photo nor a word, or the photo can't be read.
    """
    words = _typed(words)
    if not photo and not words:
        raise InputError("Nothing to look for: give a photo, type some words, or both.")
    where = {column: value for column, value in filters.items() if value}
    with cut(photo, edges) if photo else nullcontext() as image:
        hits = index.search(
            image=image, words=words or None, weight=weight, k=k, where=where
        )
    if hits.empty:
        return message(
            "Nothing was found. Choose another category or colour, or 'any'."
        )
    return str(HTML.results(len(hits), page.listing(hits, _picture)))


def _picture(reference: str) -> Picture | None:
    try:
        return images.inline(reference, 240)
    except (TypeError, ValueError) as error:  # moved since the index was built
        log.warning("an item is shown without its picture: %s", error)
        return None


def captions(
    captioners: Mapping[str, Any],
    pool: Collection[str] | None,
    photo: str | None,
    edges: Edges = WHOLE,
    reference: str = "",
) -> str:
    """Show each captioner's caption of the photo; see `describe`.

    InputError where there is no photo or it can't be read.
    """
    from fashionlib.captioning.captioners import generate

    reference = _typed(reference)
    if not photo:
        raise InputError("No photo to caption: give one first.")
    with cut(photo, edges) as image:
        texts = {
            name: generate(captioner, [image])[0]
            for name, captioner in captioners.items()
        }
        picture = images.inline(image, 320)
    return describe(picture, texts, reference, pool)


def describe(
    picture: Picture,
    texts: Mapping[str, str],
    reference: str,
    pool: Collection[str] | None,
) -> str:
    """Show the picture with each system's caption and its attributes.

    With a reference each caption has scores too. Attributes are the lemmas of the pool
    (None: every noun and adjective).
    """
    named = {**texts, "truth": reference} if reference else texts
    lemmas, notes = _lemmas(named)
    known = frozenset().union(*lemmas.values()) if pool is None else frozenset(pool)
    scores = pd.DataFrame(index=list(texts))
    if reference:
        scores, more = _scores(texts, reference, lemmas, known)
        notes += more
    spans = {name: marks.spans(named[name], lemmas[name], known) for name in named}
    shown = [
        cards.Caption(name, text, spans[name], list(scores.loc[name]), [])
        for name, text in texts.items()
    ]
    truth = reference or None
    entry = cards.Entry("Your photo", "", picture, truth, spans.get("truth", []), shown)
    listed = {
        name: [lemma for lemma in dict.fromkeys(row) if lemma in known]
        for name, row in lemmas.items()
    }
    return str(HTML.captions(cards.article(entry, list(scores)), listed, notes))


def _lemmas(texts: Mapping[str, str]) -> tuple[dict[str, list[str]], list[str]]:
    """Return each text's attributes, and what to say where they can't be had."""
    try:
        rows = attributes.tagged(list(texts.values()))
        return dict(zip(texts, rows, strict=True)), []
    except (ModuleNotFoundError, FileNotFoundError) as absent:
        log.warning("no attributes: %s", absent)
        note = (
            "Attributes are left out: install them with pip install"
            " 'fashionlib[scores]'."
        )
        return {name: [] for name in texts}, [note]


def _scores(
    texts: Mapping[str, str],
    reference: str,
    lemmas: Mapping[str, Sequence[str]],
    pool: Collection[str],
) -> tuple[pd.DataFrame, list[str]]:
    """Score each caption, times 100, and say what to know of scores of one pair."""
    names = list(texts)
    systems = {name: {"": text} for name, text in texts.items()}
    scored = metrics.score_many({"": [reference]}, systems, METRICS)
    table = pd.concat([scored[name].per_item for name in names]).set_axis(names)
    shared = attributes.precision_recall(
        [lemmas[name] for name in names], [lemmas["truth"]] * len(names), pool
    ).set_axis(names)
    shares = shared[["precision", "recall"]].add_prefix("attribute ")
    table = table.dropna(axis="columns", how="all").join(shares)
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


def _typed(text: str | None) -> str:
    """Return typed text with single spaces; InputError where it is too long."""
    text = " ".join((text or "").split())
    if len(text) > MOST_CHARACTERS:
        raise InputError(
            f"{len(text):,} characters were typed, more than {MOST_CHARACTERS:,}:"
            " shorten the text."
        )
    return text
