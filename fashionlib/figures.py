"""Tables, curves and galleries. Draws what it is given and computes nothing; all text from data is escaped."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import HTML, Markdown
from matplotlib.axes import Axes
from PIL import Image

from fashionlib import images


def note(synthetic: bool, profile: str) -> HTML:
    """The banner that every page with numbers carries: what the column "this run" is made of."""
    drawn = ("the <b>synthetic wardrobe</b>, drawn by this project: its numbers show that the method runs and "
             "answers planted questions; they are not H&amp;M's and not the paper's.")
    given = ("the data folder given to this run. If it holds H&amp;M's pictures or captions, keep the rendered pages "
             "to yourself: its terms allow research, not publication.")
    text = f"Everything below is computed on {drawn if synthetic else given}"
    return HTML(f'<div class="banner">Profile <b>{escape(profile)}</b>. {text}</div>')


def say(text: str) -> Markdown:
    """A sentence with numbers of this run in it; Markdown, but no HTML."""
    return Markdown(text.replace("<", "&lt;"))


def table(frame: pd.DataFrame, decimals: int = 1, percent: Collection[str] = (), best: Collection[str] = (),
          missing: str = "–", within: Sequence[str] | None = None) -> HTML:
    """A table of the book: numbers to `decimals`, columns of `percent` times 100, the highest of `best` in bold.

    `within` names each row's group, where scores of several datasets stand in one table: the highest of each group is
    bold then. The index is the row heading. Text is escaped.
    """
    shown = frame.copy()
    shown[list(percent)] = shown[list(percent)] * 100
    numbers = [c for c in shown.columns if pd.api.types.is_float_dtype(shown[c])]
    counts = [c for c in shown.columns if pd.api.types.is_integer_dtype(shown[c])]
    texts = [c for c in shown.columns if c not in (*numbers, *counts)]
    style = shown.style.format(precision=decimals, subset=numbers, na_rep=missing).format(
        "{:,}", subset=counts, na_rep=missing)
    style = style.format(lambda text: missing if pd.isna(text) else _cell(text), subset=texts)
    style = style.format_index(_cell, axis=0).format_index(lambda name: escape(str(name)), axis=1)
    style = style.hide(names=True).hide(axis=1, names=True)
    style = style.set_properties(subset=texts, **{"text-align": "left"})
    style = style.set_table_styles({c: [{"selector": "th", "props": "text-align: left"}] for c in texts})
    if best:
        groups = pd.Series(list(within) if within is not None else "", shown.index)

        def bold(column: pd.Series) -> list[str]:
            return ["font-weight: bold" if high else "" for high in column == column.groupby(groups).transform("max")]

        style = style.apply(bold, subset=list(best))
    name = hashlib.sha256(shown.to_json().encode()).hexdigest()[:8]  # two tables of a page mustn't share their styles
    return HTML(style.set_table_attributes('class="book"').set_uuid(name).to_html())


def _cell(text: object) -> str:
    """Escaped; a short text or one that is a value with its interval stays on one line."""
    short = len(str(text)) <= 28 or re.fullmatch(r"[-+]?[\d.]+ \[.*\]", str(text))
    return f'<span class="line">{escape(str(text))}</span>' if short else escape(str(text))


def bars(values: pd.Series, label: str, axes: Axes | None = None) -> Axes:
    """Horizontal bars, first row on top, one a row of `values`."""
    axes = axes or plt.subplots(figsize=(7, 0.28 * len(values) + 0.8), layout="constrained")[1]
    axes.barh([str(name) for name in values.index], values, color="#2563eb")
    axes.invert_yaxis()
    axes.set_xlabel(label)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def intervals(frame: pd.DataFrame, label: str) -> Axes:
    """Points with their intervals: one row a system, columns value, low, high."""
    axes = plt.subplots(figsize=(7, 0.36 * len(frame) + 0.8), layout="constrained")[1]
    spread = [frame.value - frame.low, frame.high - frame.value]
    axes.errorbar(frame.value, range(len(frame)), xerr=spread, fmt="o", color="#2563eb", capsize=3)
    axes.set_yticks(range(len(frame)), [str(name) for name in frame.index])
    axes.invert_yaxis()
    axes.set_xlabel(label)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def curves(histories: Mapping[str, pd.DataFrame]) -> Axes:
    """Loss against step of each run: training as a thin line, validation as dots on a dashed one, in one colour."""
    axes = plt.subplots(figsize=(7, 3.4), layout="constrained")[1]
    for name, history in histories.items():
        held = history.dropna(subset=["validation"])
        (line,) = axes.plot(held.step, held.validation, "o--", label=name)
        trained = history.dropna(subset=["loss"])
        axes.plot(trained.step, trained.loss, color=line.get_color(), linewidth=1)
    axes.set_xlabel("step")
    axes.set_ylabel("loss per token (nats)")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def thumbnail(path: str | Path, width: int = 120) -> str:
    """A picture as a small JPEG data address; errors as `images.load`."""
    buffer = io.BytesIO()
    images.small(path, width).save(buffer, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def contact_sheet(
    pictures: Sequence[str | Image.Image], columns: int = 8, titles: Sequence[str] = ()
) -> plt.Figure:
    """Small pictures side by side, from references or already open; errors as `images.load`."""
    rows = -(-len(pictures) // columns)
    shown = [p if isinstance(p, Image.Image) else images.small(p, 160) for p in pictures]
    tallest = max((p.height / p.width for p in shown), default=1.5)
    size = (columns * 1.1, rows * (1.1 * tallest + 0.15))
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained", dpi=120)
    for place in axes.flat:
        place.axis("off")
    for place, picture in zip(axes.flat, shown, strict=False):
        place.imshow(picture)
    for place, title in zip(axes.flat, titles, strict=False):
        place.set_title(title, fontsize=7)
    return figure


def neighbours(rows: Iterable[tuple[str, Sequence[str]]], label: str) -> HTML:
    """Each row: a query picture (outlined) and its nearest pictures."""
    lines = []
    for n, (query, found) in enumerate(rows, 1):
        first = f'<img class="query" src="{thumbnail(query, 72)}" alt="Query {n}">'
        rest = "".join(f'<img src="{thumbnail(path, 72)}" alt="Neighbour {k} of query {n}, {escape(label)}">'
                       for k, path in enumerate(found, 1))
        lines.append(f'<div class="neighbours">{first}{rest}</div>')
    return HTML("".join(lines))
