"""Show tables, plots and pictures; compute nothing, and escape all text of data."""

from __future__ import annotations

import hashlib
import re
import textwrap
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import HTML, Markdown
from jinja2 import Environment, PackageLoader
from markupsafe import escape
from matplotlib.axes import Axes
from PIL import Image

from fashionlib.data import images

TEMPLATES = Environment(loader=PackageLoader("fashionlib.book"), autoescape=True)
plt.style.use(Path(__file__).with_name("book.mplstyle"))

# One colour a role in every chapter; words in a system's name show its role.
ROLES = {
    "published": ("published", "#000000"),
    "control": ("other picture|another picture|shuffled|random|chance", "#b91c1c"),
    "copied": ("nearest|copied|copy|copies|consensus of", "#E69F00"),
    "pretrained": ("pretrained|before fine-tuning", "#64748b"),
    "fine-tuned": ("fine-tuned|joint|captioner|written", "#0072B2"),
    "features": ("vbpr|fusion|freedom|bm3", "#009E73"),  # recommenders that read them
}
PLAIN = "#475569"  # what has no role
WIDTH = 6  # inches, of every figure


def colour(name: str) -> str:
    """Return the colour of a system's role, which words of its name show (`ROLES`)."""
    colours = (ink for words, ink in ROLES.values() if re.search(words, name, re.I))
    return next(colours, PLAIN)


def note(synthetic: bool, profile: str) -> HTML:
    """Write the banner of every page with numbers: what "this run" is made of."""
    page = TEMPLATES.get_template("note.html")
    return HTML(page.render(synthetic=synthetic, profile=profile))


def say(text: str) -> Markdown:
    """Write a sentence with numbers of this run in it; Markdown, but no HTML."""
    return Markdown(text.replace("<", "&lt;"))


def table(
    frame: pd.DataFrame | pd.Series,
    decimals: int = 1,
    percent: Collection[str] = (),
    best: Collection[str] = (),
    missing: str = "–",
    within: Sequence[str] | None = None,
) -> HTML:
    """Write a table of the book; its index is the row heading, its text escaped.

    A series is a table of one column, headed by its name.
    A cell may be a `picture`.
    Numbers are written to `decimals`, columns of `percent` times 100, the highest of
    each column of `best` in bold. `within` names each row's group, where scores of
    several datasets stand in one table: then the highest of each group is bold.
    """
    shown = pd.DataFrame(frame, copy=True)
    shown[list(percent)] = shown[list(percent)] * 100
    types = pd.api.types
    numbers = [c for c in shown if types.is_float_dtype(shown[c])]
    counts = [c for c in shown if types.is_integer_dtype(shown[c])]
    texts = [c for c in shown if c not in (*numbers, *counts)]
    style = shown.style.hide(names=True).hide(axis=1, names=True)
    style = style.format(precision=decimals, subset=numbers, na_rep=missing)
    style = style.format("{:,}", subset=counts, na_rep=missing)
    style = style.format(_cell, subset=texts, na_rep=missing)
    style = style.format_index(_cell, axis=0)
    style = style.format_index(escape, axis=1)
    style = style.set_properties(subset=texts, **{"text-align": "left"})
    left = [{"selector": "th", "props": "text-align: left"}]
    style = style.set_table_styles(dict.fromkeys(texts, left))
    if best:
        groups = pd.Series(list(within) if within is not None else "", shown.index)
        style = style.apply(_bold, subset=list(best), groups=groups)
    # Two tables of a page mustn't share their styles, so each has a name of its own.
    name = hashlib.sha256(shown.to_json().encode()).hexdigest()[:8]
    return HTML(style.set_table_attributes('class="book"').set_uuid(name).to_html())


def by_origin(sources: Mapping[str, pd.DataFrame], columns: Sequence[str]) -> HTML:
    """Write tables of fractions, one an origin, below each other, in percent.

    A row is headed "origin: row", and the best of each origin is bold.
    """
    rows = pd.concat(sources).reindex(columns=list(columns)).astype(float)
    origins = rows.index.get_level_values(0)
    rows.index = rows.index.map(": ".join)
    return table(rows, percent=columns, best=columns, within=origins)


def _bold(column: pd.Series, groups: pd.Series) -> list[str]:
    highest = column == column.groupby(groups).transform("max")
    return ["font-weight: bold" if high else "" for high in highest]


def _cell(text: object) -> str:
    """Escape; keep a short text, or an interval, on one line."""
    whole = r"^[^[]{,20}$|\[[-+.\d]+, [-+.\d]+\]"
    return re.sub(whole, r'<span class="line">\g<0></span>', str(escape(text)))


def bars(values: pd.Series, label: str) -> Axes:
    """Draw horizontal bars, one a row of `values`, the first on top."""
    axes = _panel(0.28 * len(values) + 0.8)
    names = values.index.astype(str)
    axes.barh(range(len(names)), values, color=names.map(colour))
    return _name_rows(axes, names, label)


def _panel(height: float) -> Axes:
    return plt.subplots(figsize=(WIDTH, height))[1]


def _name_rows(axes: Axes, names: Iterable[object], label: str) -> Axes:
    """Write the names beside the rows, the first on top, and the label below."""
    texts = [str(name) for name in names]
    axes.set_yticks(range(len(texts)), texts)
    axes.invert_yaxis()
    axes.set_xlabel(label)
    return axes


def _spread(frame: pd.DataFrame) -> list[pd.Series]:
    """Return how far each interval reaches below and above its value."""
    return [frame["value"] - frame["low"], frame["high"] - frame["value"]]


def intervals(frame: pd.DataFrame, label: str) -> Axes:
    """Draw points with their intervals, one row a system: columns value, low, high.

    Columns "published" and "chance", where given, are marks in the same rows.
    """
    axes = _panel(0.36 * len(frame) + 0.8)
    # One call a row: matplotlib's caps take one colour a call.
    for place, name in enumerate(frame.index.astype(str)):
        row = frame.iloc[[place]]
        spread, ink = _spread(row), colour(name)
        axes.errorbar(row["value"], [place], xerr=spread, fmt="o", color=ink)
    marks = [name for name in ("published", "chance") if name in frame]
    for name in marks:
        look = {"color": colour(name), "label": name, "markersize": 14}
        axes.plot(frame[name], range(len(frame)), "|", markeredgewidth=2, **look)
    if marks:
        legend_below(axes)
    return _name_rows(axes, frame.index, label)


def grouped_intervals(
    frame: pd.DataFrame,
    rows: str,
    hue: str,
    label: str,
    colours: Mapping[str, str] | None = None,
) -> plt.Figure:
    """Draw points with their intervals, a panel for each value of the column "data".

    Columns value, low, high stand against `rows`, a colour for each of `hue`.
    """
    places, names, hues = (list(frame[c].unique()) for c in ("data", rows, hue))
    colours = colours or {name: f"C{n}" for n, name in enumerate(hues)}
    height = (0.1 * len(hues) + 0.15) * len(names) + 0.8
    figure, axes = _panels(places, height, sharey=True)
    for panel, place in zip(axes, places, strict=True):
        panel.axvline(0, color="#d1d5db", linewidth=0.8, zorder=0)
        for number, name in enumerate(hues):
            dots = frame[(frame["data"] == place) & (frame[hue] == name)]
            shift = 0.7 * ((number + 0.5) / len(hues) - 0.5)
            at = dots[rows].map(names.index) + shift
            look = {"fmt": "o", "color": colours[name], "label": name, "markersize": 5}
            panel.errorbar(dots["value"], at, xerr=_spread(dots), **look)
        panel.locator_params(axis="x", nbins=3)
        panel.set(xlabel=label, ylim=(len(names) - 0.5, -0.5))
        panel.set_yticks(range(len(names)), names)
    legend_below(axes[0])
    return figure


def legend_below(panel: Axes, **look: Any) -> None:
    """Write a panel's legend below its figure."""
    handles = panel.get_legend_handles_labels()
    panel.figure.legend(*handles, loc="outside lower center", ncols=3, **look)


def line_panels(
    frame: pd.DataFrame,
    hue: str,
    across: str,
    down: str,
    colours: Mapping[str, str],
) -> plt.Figure:
    """Draw lines of the columns k and value, a colour for each of `hue`.

    A column of panels for each value of `across`, a row for each of `down`.
    """
    columns, rows = list(frame[across].unique()), list(frame[down].unique())
    titles = [f"{c}, {r}" if r else c for r in rows for c in columns]
    figure, axes = _panels(titles, 2.4, len(columns), sharex=True, sharey="row")
    for (place, title, name), line in frame.groupby([down, across, hue], sort=False):
        panel = axes[rows.index(place) * len(columns) + columns.index(title)]
        panel.plot(line["k"], line["value"], color=colours[name], label=name)
        panel.set_xticks([1, 5, 12, 20])
    for panel in axes[-len(columns) :]:
        panel.set_xlabel("k")
    legend_below(axes[0])
    return figure


def stacked_bars(shares: pd.DataFrame, colours: Sequence[str], label: str) -> Axes:
    """Draw a bar a row, divided by its columns' shares, each with its percentage."""
    axes = _panel(0.32 * len(shares) + 1.3)
    shares.plot.barh(
        ax=axes, color=colours, xlim=(0, 1), stacked=True, width=0.8, legend=False
    )
    look = {"label_type": "center", "color": "white", "fontsize": 9}
    for bars in axes.containers:
        axes.bar_label(bars, fmt=lambda x: f"{x:.0%}" if x > 0.08 else "", **look)
    legend_below(axes)
    return _name_rows(axes, shares.index, label)


def dots(values: pd.DataFrame, label: str) -> Axes:
    """Draw each row's values as dots on one line: one dot a training."""
    axes = _panel(0.4 * len(values) + 0.8)
    axes.plot(values, range(len(values)), "o", color=PLAIN, alpha=0.7)
    return _name_rows(axes, values.index, label)


def curves(histories: Mapping[str, pd.DataFrame]) -> plt.Figure:
    """Draw each run's loss of captioning against its step, a panel a run.

    Training is a thin line, validation dots on a dashed one. Of a joint run the other
    parts of the loss are left out, so that all are on one scale.
    """
    figure, panels = _panels(histories, 2.2, sharex=True, sharey=True)
    for axes, history in zip(panels, histories.values(), strict=True):
        if "captioning" in history:
            parts = {"captioning": "loss", "validation captioning": "validation"}
            history = history.drop(columns=parts.values()).rename(columns=parts)
        validated = history.dropna(subset=["validation"])
        axes.plot(validated.step, validated.validation, "o--", markersize=4)
        trained = history.dropna(subset=["loss"])
        axes.plot(trained.step, trained.loss, color=PLAIN, linewidth=1)
        axes.tick_params(labelbottom=True)
    figure.supxlabel("step")
    figure.supylabel("loss per token (nats)")
    return figure


def _panels(
    titles: Collection[str], height: float, columns: int = 2, **look: Any
) -> tuple[plt.Figure, list[Axes]]:
    """Make a panel a title, in rows of at most so many columns."""
    columns = min(columns, len(titles))
    rows = -(-len(titles) // columns)
    look["figsize"] = WIDTH, height * rows + 0.5
    figure, axes = plt.subplots(rows, columns, squeeze=False, **look)
    for panel, title in zip_longest(axes.flat, titles):
        panel.set_title(title) if title else panel.remove()
    return figure, list(axes.flat[: len(titles)])


def shares(numbers: Mapping[str, pd.Series], most: int, label: str) -> plt.Figure:
    """Draw the share of captions that have each whole number, a panel a name.

    A name stands with its mean. Numbers of `most` and more stand together.
    """
    titles = [f"{name}, mean {own.mean():.1f}" for name, own in numbers.items()]
    figure, panels = _panels(titles, 1.2, 1, sharex=True)
    for axes, values in zip(panels, numbers.values(), strict=True):
        counts = values.clip(upper=most).value_counts(normalize=True).sort_index()
        axes.bar(counts.index, counts, color=PLAIN)
    axes.set_xlabel(f"{label} ({most} and more together)")
    figure.supylabel("share of captions")
    return figure


def trade_off(
    panels: Mapping[str, Mapping[str, pd.DataFrame]], across: str, up: Sequence[str]
) -> plt.Figure:
    """Draw a panel a title: each system's rows as points, an arrow from first to last.

    A system's columns are x and y and, where known, x_low, x_high, y_low, y_high, its
    intervals. `across` is the label of all x axes, `up` has each y axis's.
    """
    figure, places = _panels(panels, 2.8)
    inks: dict[str, str] = {}
    for axes, systems, y in zip(places, panels.values(), up, strict=True):
        for name, points in systems.items():
            label = "" if name in inks else name  # once in the legend
            _journey(axes, points, label, inks.setdefault(name, f"C{len(inks)}"))
        axes.set(xlabel=across, ylabel=y)
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _journey(axes: Axes, points: pd.DataFrame, label: str, ink: str) -> None:
    """Draw one system's points with their intervals, and its arrow."""
    look = {"fmt": "o", "color": ink, "elinewidth": 0.7, "alpha": 0.8}
    for side in "xy":
        if f"{side}_low" in points:
            below = points[side] - points[f"{side}_low"]
            look[f"{side}err"] = [below, points[f"{side}_high"] - points[side]]
    axes.errorbar(points.x, points.y, label=label, **look)
    if len(points) > 1:
        places = points[["x", "y"]].to_numpy()
        arrow = {"arrowstyle": "->", "color": ink}
        axes.annotate("", places[-1], places[0], arrowprops=arrow)


def contact_sheet(
    pictures: Sequence[str | Image.Image], columns: int = 8, titles: Sequence[str] = ()
) -> plt.Figure:
    """Draw small pictures side by side, from references or already open.

    Errors as `images.load`.
    """
    rows = -(-len(pictures) // columns)
    shown = [
        p if isinstance(p, Image.Image) else images.small(p, 160) for p in pictures
    ]
    tallest = max((p.height / p.width for p in shown), default=1.5)
    size = (WIDTH, rows * (WIDTH / columns * tallest + 0.3 * any(titles)))
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, dpi=120)
    for place, picture in zip_longest(axes.flat, shown):
        place.axis("off")
        if picture:
            place.imshow(picture)
    for place, title in zip(axes.flat, titles, strict=False):
        words = textwrap.fill(str(title), 90 // columns, break_long_words=False)
        place.set_title(words, fontsize=8, rotation=90 * (columns > 12))
    return figure


def picture_rows(
    rows: Iterable[tuple[str, Sequence[str]]], columns: int = 8
) -> plt.Figure:
    """Draw each name's pictures in a row of its own. Errors as `images.load`."""
    blank = Image.new("RGB", (2, 3), "white")
    pictures, titles = [], []
    for name, row in rows:
        filled = -(-len(row) // columns) * columns
        pictures += [*row, *[blank] * (filled - len(row))]
        titles += [name, *[""] * (filled - 1)]
    return contact_sheet(pictures, columns, titles)


def picture(reference: str, shows: str) -> HTML:
    """Make a small picture for a cell of `table`, with the words of what it shows.

    Errors as `images.load`.
    """
    address, *_ = images.inline(reference, 72)
    return HTML(f'<img src="{address}" alt="{escape(shows)}">')


def cards(pictures: pd.Series, texts: pd.DataFrame) -> HTML:
    """Show garments side by side: each picture, and below it what is said of it.

    `pictures` holds references, `texts` has a row a picture and a column a speaker; a
    missing text is left out. Errors as `images.load`.
    """
    shown = []
    for item, reference in pictures.items():
        address, *_ = images.inline(reference, 110)
        shown.append((address, texts.loc[item].dropna().to_dict()))
    return HTML(TEMPLATES.get_template("cards.html").render(cards=shown))


def neighbours(
    rows: Iterable[tuple[str, Sequence[str]]],
    label: str,
    names: Sequence[str] = (),
    hits: Sequence[Sequence[bool]] = (),
) -> HTML:
    """Show each query picture (outlined) in a row with its nearest pictures.

    `names` has a name for each row. `hits` says for each neighbour whether it is a true
    one: it gets a border and a tick, and its text says so.
    """
    lines = []
    for place, (query, neighbours) in enumerate(rows):
        true = hits[place] if hits else [False] * len(neighbours)
        (outlined, *_), *shown = (images.inline(p, 72) for p in (query, *neighbours))
        addresses = [address for address, *_ in shown]
        line = {"name": names[place] if names else "", "query": outlined}
        lines.append(line | {"pictures": list(zip(addresses, true, strict=True))})
    page = TEMPLATES.get_template("neighbours.html")
    return HTML(page.render(rows=lines, label=label))


def tally(counts: pd.DataFrame, inks: Mapping[str, str], label: str) -> HTML:
    """Show a bar a row, divided by its counts; `inks` colours the columns."""
    rows = {name: row[row > 0].to_dict() for name, row in counts.iterrows()}
    page = TEMPLATES.get_template("tally.html")
    return HTML(page.render(rows=rows, inks=inks, label=label))


def heatmap(frame: pd.DataFrame, label: str) -> Axes:
    """Draw a square table of shares, shaded, in each cell its percentage."""
    axes = _panel(0.6 * len(frame) + 1.2)
    _shade(axes, frame, "Blues", dark=frame > 0.6)
    axes.figure.colorbar(axes.images[0], label=label)
    return axes


def contests(panels: Mapping[str, pd.DataFrame]) -> plt.Figure:
    """Draw shares of contests won, a map a title: blue above a half, red below."""
    rows = max(map(len, panels.values()))
    figure, places = _panels(panels, 0.26 * rows + 1.1, 1)
    for axes, frame in zip(places, panels.values(), strict=True):
        _shade(axes, frame, "RdBu", dark=(frame - 0.5).abs() > 0.3)
    return figure


def shaded(panels: Mapping[str, pd.DataFrame]) -> plt.Figure:
    """Draw tables of scores, a title each, shaded up to the highest of all."""
    top = max(frame.max(axis=None) for frame in panels.values())
    rows = max(map(len, panels.values()))
    figure, places = _panels(panels, 0.28 * rows + 0.9, 1)
    for axes, frame in zip(places, panels.values(), strict=True):
        _shade(axes, frame, "Blues", frame > 0.6 * top, top, "{:.3f}")
    return figure


def _shade(
    axes: Axes,
    frame: pd.DataFrame,
    colours: str,
    dark: pd.DataFrame,
    top: float = 1,
    form: str = "",
) -> None:
    """Draw a table of shares (in percent) or, with a form, of scores up to `top`.

    The text is white where the cell is dark.
    """
    axes.imshow(frame, cmap=colours, vmin=0, vmax=top, aspect="auto")
    texts = frame.map(form.format) if form else (100 * frame).map("{:.0f}".format)
    for (row, column), text in np.ndenumerate(texts):
        ink = "white" if dark.iloc[row, column] else "black"
        axes.text(column, row, text, color=ink, ha="center", va="center")
    axes.set_xticks(range(frame.shape[1]), frame.columns, rotation=30, ha="right")
    axes.set_yticks(range(len(frame)), frame.index)
    axes.spines[:].set_visible(False)


def named(names: Iterable[str]) -> str:
    """Write names for a sentence, with commas between; "none" for none."""
    return ", ".join(names) or "none"


def points(places: Mapping[str, np.ndarray], groups: Sequence[str]) -> plt.Figure:
    """Draw maps (items, 2) side by side, coloured by group.

    The eight commonest groups have a colour, others are grey.
    """
    names = pd.Series(groups)
    named = names.value_counts().index[:8]
    figure, axes = _panels(places, 2.8)
    layers = [("others", "#cbd5e1", ~names.isin(named))]
    layers += [(name, f"C{n}", names == name) for n, name in enumerate(named)]
    for panel, spots in zip(axes, places.values(), strict=True):
        panel.axis("off")
        for label, ink, chosen in layers:
            panel.scatter(*spots[chosen].T, s=5, color=ink, label=label, linewidths=0)
    legend_below(axes[0], markerscale=3)
    return figure


def picture_map(
    places: np.ndarray,
    pictures: Sequence[str],
    label: str,
    across: int = 20,
    down: int = 13,
) -> HTML:
    """Draw places (items, 2) as a grid of small pictures.

    A cell shows the item that is nearest its middle, or nothing.
    """
    width, height = 52, 62  # pixels of a cell
    sheet = Image.new("RGB", (across * width, down * height), "white")
    span = np.maximum(np.ptp(places, axis=0), 1e-9)
    scaled = (places - places.min(0)) / span * [across, down]
    scaled[:, 1] = down - scaled[:, 1]  # up is up, as in `points`
    cells = np.minimum(scaled.astype(int), [across - 1, down - 1])  # (items, 2)
    off = np.abs(scaled - cells - 0.5).max(1)  # from the cell's middle
    farthest_first = np.argsort(-off, kind="stable")
    nearest = {tuple(cells[n]): n for n in farthest_first}  # the last of a cell stays
    for (column, row), n in nearest.items():
        picture = images.small(pictures[n], width)
        picture.thumbnail((width, height))
        sheet.paste(picture, (int(column) * width, int(row) * height))
    address = images.data_url(sheet)
    return HTML(f'<img class="map" src="{address}" alt="{escape(label)}">')
