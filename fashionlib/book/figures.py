"""Tables, curves and galleries. Draws what it is given and computes nothing; all text
from data is escaped.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import HTML, Markdown
from matplotlib.axes import Axes
from PIL import Image

from fashionlib.data import images


def note(synthetic: bool, profile: str) -> HTML:
    """The banner that every page with numbers carries: what the column "this run" is
    made of.
    """
    drawn = (
        "the <b>synthetic wardrobe</b>, drawn by this project: its numbers show that"
        " the method runs and answers planted questions; they are not H&amp;M's and not"
        " the paper's."
    )
    given = (
        "the data folder given to this run. If it holds H&amp;M's pictures or captions,"
        " keep the rendered pages to yourself: its terms allow research, not"
        " publication."
    )
    text = f"Everything below is computed on {drawn if synthetic else given}"
    return HTML(f'<div class="banner">Profile <b>{escape(profile)}</b>. {text}</div>')


def say(text: str) -> Markdown:
    """A sentence with numbers of this run in it; Markdown, but no HTML."""
    return Markdown(text.replace("<", "&lt;"))


def table(
    frame: pd.DataFrame,
    decimals: int = 1,
    percent: Collection[str] = (),
    best: Collection[str] = (),
    missing: str = "–",
    within: Sequence[str] | None = None,
) -> HTML:
    """A table of the book: numbers to `decimals`, columns of `percent` times 100, the
    highest of `best` in bold.

    `within` names each row's group, where scores of several datasets stand in one
    table: the highest of each group is bold then. The index is the row heading. Text is
    escaped.
    """
    shown = frame.copy()
    shown[list(percent)] = shown[list(percent)] * 100
    numbers = [c for c in shown.columns if pd.api.types.is_float_dtype(shown[c])]
    counts = [c for c in shown.columns if pd.api.types.is_integer_dtype(shown[c])]
    texts = [c for c in shown.columns if c not in (*numbers, *counts)]
    style = shown.style.format(
        precision=decimals, subset=numbers, na_rep=missing
    ).format("{:,}", subset=counts, na_rep=missing)
    style = style.format(
        lambda text: missing if pd.isna(text) else _cell(text), subset=texts
    )
    style = style.format_index(_cell, axis=0).format_index(
        lambda name: escape(str(name)), axis=1
    )
    style = style.hide(names=True).hide(axis=1, names=True)
    style = style.set_properties(subset=texts, **{"text-align": "left"})
    style = style.set_table_styles(
        {c: [{"selector": "th", "props": "text-align: left"}] for c in texts}
    )
    if best:
        groups = pd.Series(list(within) if within is not None else "", shown.index)

        def bold(column: pd.Series) -> list[str]:
            return [
                "font-weight: bold" if high else ""
                for high in column == column.groupby(groups).transform("max")
            ]

        style = style.apply(bold, subset=list(best))
    name = hashlib.sha256(shown.to_json().encode()).hexdigest()[
        :8
    ]  # two tables of a page mustn't share their styles
    return HTML(style.set_table_attributes('class="book"').set_uuid(name).to_html())


def _cell(text: object) -> str:
    """Escaped; a short text or one that is a value with its interval stays on one
    line.
    """
    short = len(str(text)) <= 28 or re.fullmatch(r"[-+]?[\d.]+ \[.*\]", str(text))
    return (
        f'<span class="line">{escape(str(text))}</span>' if short else escape(str(text))
    )


def bars(values: pd.Series, label: str, axes: Axes | None = None) -> Axes:
    """Horizontal bars, first row on top, one a row of `values`."""
    axes = (
        axes
        or plt.subplots(figsize=(7, 0.28 * len(values) + 0.8), layout="constrained")[1]
    )
    axes.barh([str(name) for name in values.index], values, color="#2563eb")
    axes.invert_yaxis()
    axes.set_xlabel(label)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def intervals(frame: pd.DataFrame, label: str) -> Axes:
    """Points with their intervals: one row a system, columns value, low, high."""
    axes = plt.subplots(figsize=(7, 0.36 * len(frame) + 0.8), layout="constrained")[1]
    spread = [frame.value - frame.low, frame.high - frame.value]
    axes.errorbar(
        frame.value, range(len(frame)), xerr=spread, fmt="o", color="#2563eb", capsize=3
    )
    axes.set_yticks(range(len(frame)), [str(name) for name in frame.index])
    axes.invert_yaxis()
    axes.set_xlabel(label)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def curves(histories: Mapping[str, pd.DataFrame]) -> Axes:
    """Loss against step of each run: training as a thin line, validation as dots on a
    dashed one, in one colour.
    """
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


def trade_off(
    panels: Mapping[str, Mapping[str, pd.DataFrame]],
    across: Sequence[str],
    up: Sequence[str],
) -> plt.Figure:
    """One panel a title: each system's rows as points, with an arrow from the first to
    the last.

    A system's columns are x and y and, where known, x_low, x_high, y_low, y_high, its
    intervals. `across` and `up` are the panels' axis labels.
    """
    figure, places = plt.subplots(
        1,
        len(panels),
        figsize=(4 * len(panels), 3.7),
        squeeze=False,
        layout="constrained",
    )
    for axes, (title, systems), x, y in zip(
        places.flat, panels.items(), across, up, strict=True
    ):
        for number, (name, at) in enumerate(systems.items()):
            spread = {
                f"{side}err": [
                    at[side] - at[f"{side}_low"],
                    at[f"{side}_high"] - at[side],
                ]
                for side in ("x", "y")
                if f"{side}_low" in at
            }
            axes.errorbar(
                at.x,
                at.y,
                fmt="o",
                color=f"C{number}",
                label=name,
                elinewidth=0.7,
                alpha=0.8,
                **spread,
            )
            if len(at) > 1:
                ends = at[["x", "y"]].to_numpy()
                axes.annotate(
                    "",
                    ends[-1],
                    ends[0],
                    arrowprops={"arrowstyle": "->", "color": f"C{number}"},
                )
        axes.set(title=title, xlabel=x, ylabel=y)
        axes.legend(frameon=False, fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def thumbnail(path: str | Path, width: int = 120) -> str:
    """A picture as a small JPEG data address; errors as `images.load`."""
    buffer = io.BytesIO()
    images.small(path, width).save(buffer, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def contact_sheet(
    pictures: Sequence[str | Image.Image], columns: int = 8, titles: Sequence[str] = ()
) -> plt.Figure:
    """Small pictures side by side, from references or already open; errors as
    `images.load`.
    """
    rows = -(-len(pictures) // columns)
    shown = [
        p if isinstance(p, Image.Image) else images.small(p, 160) for p in pictures
    ]
    tallest = max((p.height / p.width for p in shown), default=1.5)
    size = (columns * 1.1, rows * (1.1 * tallest + 0.15))
    figure, axes = plt.subplots(
        rows, columns, figsize=size, squeeze=False, layout="constrained", dpi=120
    )
    for place in axes.flat:
        place.axis("off")
    for place, picture in zip(axes.flat, shown, strict=False):
        place.imshow(picture)
    for place, title in zip(axes.flat, titles, strict=False):
        place.set_title(title, fontsize=7)
    return figure


def neighbours(
    rows: Iterable[tuple[str, Sequence[str]]],
    label: str,
    names: Sequence[str] = (),
    hits: Sequence[Sequence[bool]] = (),
) -> HTML:
    """Each row: a query picture (outlined) and its nearest pictures, with its name
    before it if there are `names`.

    `hits` says for each picture found whether it is a true one: it gets a border and a
    tick, and its text says so.
    """
    lines = []
    for n, (query, found) in enumerate(rows, 1):
        name = f'<span class="name">{escape(names[n - 1])}</span>' if names else ""
        first = f'<img class="query" src="{thumbnail(query, 72)}" alt="Query {n}">'
        true = hits[n - 1] if hits else [False] * len(found)
        rest = ""
        for k, (path, hit) in enumerate(zip(found, true, strict=True), 1):
            told = f"{'Hit' if hit else 'Neighbour'} {k} of query {n}, {escape(label)}"
            image = f'<img src="{thumbnail(path, 72)}" alt="{told}">'
            rest += f'<span class="hit">{image}<b>✓</b></span>' if hit else image
        lines.append(f'<div class="neighbours">{name}{first}{rest}</div>')
    return HTML("".join(lines))


def heatmap(frame: pd.DataFrame, label: str) -> Axes:
    """A square table of shares as a shaded one, each cell with its value in percent."""
    side = 0.75 * len(frame) + 1.2
    axes = plt.subplots(figsize=(side + 1, side), layout="constrained")[1]
    drawn = axes.imshow(frame, cmap="Blues", vmin=0, vmax=1)
    for (row, column), value in np.ndenumerate(frame.to_numpy()):
        axes.text(
            column,
            row,
            f"{value:.0%}",
            ha="center",
            va="center",
            color="white" if value > 0.6 else "black",
        )
    axes.set_xticks(
        range(len(frame.columns)),
        [str(name) for name in frame.columns],
        rotation=30,
        ha="right",
    )
    axes.set_yticks(range(len(frame)), [str(name) for name in frame.index])
    axes.spines[:].set_visible(False)
    axes.figure.colorbar(drawn, shrink=0.7, label=label)
    return axes


def points(
    places: Mapping[str, np.ndarray], groups: Sequence[str], columns: int = 3
) -> plt.Figure:
    """Maps side by side, each (items, 2), coloured by group: the eight commonest have a
    colour, others are grey.
    """
    counts = pd.Series(list(groups)).value_counts()
    named = list(counts.index[:8])
    rows = -(-len(places) // columns)
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(3.1 * columns, 3.1 * rows),
        squeeze=False,
        layout="constrained",
    )
    for place in axes.flat:
        place.axis("off")
    for place, (name, at) in zip(axes.flat, places.items(), strict=False):
        place.set_title(name, fontsize=9)
        for n, group in enumerate([None, *named]):
            chosen = np.array(
                [(g not in named) if group is None else g == group for g in groups]
            )
            colour = (
                "#cbd5e1"
                if group is None
                else ("C0", "C1", "C2", "C3", "C4", "C5", "C6", "C8")[n - 1]
            )  # no grey
            place.scatter(
                *at[chosen].T,
                s=5,
                color=colour,
                label="others" if group is None else group,
                linewidths=0,
            )
    figure.legend(
        *axes.flat[0].get_legend_handles_labels(),
        loc="outside lower center",
        ncols=5,
        markerscale=3,
        fontsize=8,
        frameon=False,
    )
    return figure


def picture_map(
    at: np.ndarray,
    pictures: Sequence[str],
    label: str,
    across: int = 20,
    down: int = 13,
) -> HTML:
    """Places (items, 2) as a grid of small pictures: a cell shows the item that is
    nearest its middle, or nothing.
    """
    width, height = 52, 62
    sheet = Image.new("RGB", (across * width, down * height), "white")
    scaled = (at - at.min(0)) / np.maximum(np.ptp(at, axis=0), 1e-9) * [across, down]
    scaled[:, 1] = down - scaled[:, 1]  # up is up, as in `points`
    cells = np.minimum(scaled.astype(int), [across - 1, down - 1])
    off = np.abs(scaled - cells - 0.5).max(1)
    nearest = {
        tuple(cells[n]): n for n in np.argsort(-off, kind="stable")
    }  # the last of a cell is the nearest
    for (column, row), n in nearest.items():
        picture = images.small(pictures[n], width)
        picture.thumbnail((width, height))
        sheet.paste(picture, (int(column) * width, int(row) * height))
    buffer = io.BytesIO()
    sheet.save(buffer, "JPEG", quality=80)
    address = "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
    return HTML(f'<img class="map" src="{address}" alt="{escape(label)}">')
