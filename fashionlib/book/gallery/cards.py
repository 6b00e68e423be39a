"""An article as HTML: picture, truth, captions with their attributes marked, scores,
and the form's questions.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from html import escape

from fashionlib.book.gallery.marks import Span
from fashionlib.book.gallery.pictures import Picture
from fashionlib.book.gallery.ratings import ATTRIBUTES, CATEGORY, ERRORS


@dataclass(frozen=True)
class Said:
    """A system's caption of an item: where its attributes stand, its scores times 100,
    its types of error.
    """

    system: str
    caption: str
    spans: list[Span]
    scores: list[float | None]
    errors: list[str]


@dataclass(frozen=True)
class Entry:
    """An item with its picture (address, width, height), its true caption, if it has
    one, and every system's.
    """

    item: str
    category: str
    picture: Picture
    truth: str | None
    spans: list[Span]
    said: list[Said]


def article(
    entry: Entry, metrics: Sequence[str], base: str, questions: Sequence[str] = ()
) -> str:
    """What `card` of gallery.js draws, as HTML, with the questions behind each caption
    if there are any.

    Without a true caption nothing is hit, missed or invented: a caption's attributes
    are just named.
    """
    address, width, height = entry.picture
    true = {lemma for *_, lemma in entry.spans}
    named = {lemma for said in entry.said for *_, lemma in said.spans}
    told = ", ".join(filter(None, (entry.item, entry.category)))
    lines, other = [], "named"
    if entry.truth is not None:
        lines, other = (
            [_line("truth", _marked(entry.truth, entry.spans, named, "missed"))],
            "invented",
        )
    for n, said in enumerate(entry.said):
        lines.append(
            _line(
                said.system, _marked(said.caption, said.spans, true, other), said.errors
            )
        )
        lines += questions[n : n + 1]
    return (
        f'<article aria-label="{escape(told)}">'
        f'<img src="{escape(base + address)}" width="{width}" height="{height}"'
        ' loading="lazy" '
        f'alt="{escape(f"Picture of {told}")}"><div><p'
        f' class="name"><b>{escape(entry.item)}</b> '
        f"{escape(entry.category)}</p>{''.join(lines)}{_scores(entry.said, metrics)}</div></article>"
    )


def _line(role: str, caption: str, errors: Sequence[str] = ()) -> str:
    badges = "".join(f'<span class="error">{escape(error)}</span>' for error in errors)
    return (
        "<p><span"
        f' class="role">{escape(role)}{badges}</span>{caption or "<i>(empty)</i>"}</p>'
    )


def _marked(
    caption: str, spans: Sequence[Span], other: Collection[str], else_: str
) -> str:
    pieces, done = [], 0
    for start, end, lemma in spans:
        kind = "hit" if lemma in other else else_
        if end > start:
            pieces.append(
                f'{escape(caption[done:start])}<mark class="{kind}" title="{kind}:'
                f' {escape(lemma)}">{escape(caption[start:end])}<span class="unseen">'
                f" ({kind})</span></mark>"
            )
            done = end
    return "".join(pieces) + escape(caption[done:])


def _scores(said: Sequence[Said], metrics: Sequence[str]) -> str:
    """A row a system; the best of a column in bold where the systems differ. Nothing
    without a metric.
    """
    if not metrics:
        return ""

    def cell(value: float | None, column: int) -> str:
        values = [one.scores[column] for one in said if one.scores[column] is not None]
        text = "–" if value is None else f"{value:.1f}"
        return f"<td>{f'<b>{text}</b>' if value is not None and min(values) < value == max(values) else text}</td>"

    head = "".join(f'<th scope="col">{escape(metric)}</th>' for metric in metrics)
    rows = "".join(
        f'<tr><th scope="row">{escape(one.system)}</th>'
        f"{''.join(cell(value, n) for n, value in enumerate(one.scores))}</tr>"
        for one in said
    )
    return (
        "<div"
        f' class="scores"><table><thead><tr><td></td>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def questions(entry: Entry, place: int) -> list[str]:
    """A fieldset for each system: the category, the attributes, the types of error, a
    remark.
    """

    def choices(name: str, legend: str, answers: Sequence[str], kind: str) -> str:
        inputs = "".join(
            f'<label><input type="{kind}" name="{name}" value="{answer}">'
            f" {answer}</label>"
            for answer in answers
        )
        return f"<fieldset><legend>{legend}</legend>{inputs}</fieldset>"

    def asked(system: str, n: int) -> str:
        end = f"{place}.{n}"
        return (
            f'<fieldset class="rating" data-item="{escape(entry.item)}"'
            f' data-system="{escape(system)}"><legend>Rate {escape(system)} on'
            f" {escape(entry.item)}</legend>"
            + choices(f"category.{end}", "Category", CATEGORY, "radio")
            + choices(f"attributes.{end}", "Attributes right", ATTRIBUTES, "radio")
            + choices(f"errors.{end}", "Errors seen", ERRORS, "checkbox")
            + '<label class="remark">Remark <input type="text"'
            f' name="remark.{end}"></label></fieldset>'
        )

    return [asked(said.system, n) for n, said in enumerate(entry.said)]
