"""What `fashionlib try` asks a catalogue, chapter by chapter, and the page it makes.

A chapter here is the book's question, asked by the same functions at a size that fits:
it returns numbers, and blocks of the page (sentences, tables, pictures). Each is kept
when it is done, so that a second call goes on.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from markupsafe import Markup, escape

from fashionlib import stats
from fashionlib.book import execute, figures, runs, searchable
from fashionlib.captioning import copying
from fashionlib.captioning.metrics import attributes
from fashionlib.commands.jobs import audit, shop, split_purchases
from fashionlib.data.captions import read
from fashionlib.data.files import atomic, digest, read_json, write_json
from fashionlib.data.items import (
    BOX,
    CAPTION,
    CATEGORY,
    COLOUR,
    IMAGE,
    ITEM,
    PRODUCT,
    SPLIT,
    TEST,
    TRAIN,
    split_items,
    statistics,
)
from fashionlib.data.readers import folders, hm
from fashionlib.data.readers.faults import Report
from fashionlib.data.tables import open_table
from fashionlib.features import Features, neighbourhoods, unit

SHOP, PAGE, CAPTION_FILE = "shop", "index.html", "captions.json"
ALIKE = 0.95  # cosine from which two photos are shown as perhaps the same
SHOWN = 8  # rows of pictures
MAPPED = 40, 1200  # the fewest and the most photos on a map
FEWEST = 20  # products with a caption, for a split with a test side
WORDS = 10  # uses that make a word one of the shop's
# The mini lies beside the library, in a clone and where a wheel was installed.
SHIPPED = Path(__file__).parents[3] / "wardrobe/pretrained/blip2-small"


class Shop(NamedTuple):
    """A catalogue that was laid out, and the folder of its run."""

    run: runs.Run
    items: pd.DataFrame  # `shop.laid_out`
    base: Path  # a captioner to begin with
    steps: int  # of its training


Answer = tuple[dict[str, Any], list[Any]]  # numbers, blocks


def photos_twice(here: Shop) -> Answer:
    """Pair each photo with its nearest: the same pixels, or nearly (a proxy)."""
    items, rows = here.items, unit(picture_space(here).matrix)
    other = _nearest_others(here, 1)[:, 0]
    pixels = items[IMAGE].map(lambda path: digest(Path(path))).to_numpy()
    ends = np.sort([np.arange(len(items)), other], axis=0)
    pairs = pd.DataFrame(ends.T, columns=["one", "two"])
    pairs["same"] = pixels == pixels[other]
    pairs["cosine"] = (rows * rows[other]).sum(1)
    pairs = pairs[pairs["same"] | (pairs["cosine"] >= ALIKE)].drop_duplicates()
    pairs = pairs.sort_values(["same", "cosine"], ascending=False)
    numbers = {"pairs": len(pairs), "identical": int(pairs["same"].sum())}
    for column in (SPLIT, CATEGORY):
        sides = pd.DataFrame(items[column].to_numpy()[pairs[["one", "two"]]])
        numbers[f"in two of {column}"] = int((sides.nunique(axis=1) > 1).sum())
    apart = (
        "; in two categories, of which one may be wrong:"
        f" {numbers[f'in two of {CATEGORY}']:,}"
    )
    images, shown = items[IMAGE].to_numpy(), pairs.drop_duplicates("one")[:SHOWN]
    pictures = [(images[pair.one], [images[pair.two]]) for pair in shown.itertuples()]
    names = shown["cosine"].map("{:.3f}".format).where(~shown["same"], "same pixels")
    return numbers, [
        f"Pairs of photos with the same pixels, among {len(items):,}:"
        f" {numbers['identical']:,}. Nearly the same, with a cosine of {ALIKE} or more"
        f" by a network that learned ImageNet: {len(pairs) - numbers['identical']:,}."
        " That is a proxy, so look. Of all these pairs, in two splits, where a test"
        f" would leak: {numbers[f'in two of {SPLIT}']:,}"
        f"{apart if items[CATEGORY].notna().any() else ''}.",
        figures.neighbours(pictures, "alike", list(names)),
    ]


def captions_say(here: Shop) -> Answer:
    """Count lengths, repeats and attributes of the captions."""
    said = here.items.dropna(subset=[CAPTION])
    tagged = attributes.tagged(list(said[CAPTION]))
    pool = {*attributes.pool(tagged, min(WORDS, len(said) // 10 + 2))}
    named = pd.Series([sorted(pool.intersection(row)) for row in tagged], said.index)
    counts = named.explode().value_counts()[:12].rename("captions")
    repeats = said[CAPTION].value_counts().rename("articles")
    repeats = repeats[repeats > 1]
    numbers = statistics(here.items) | {"repeated": int(repeats.sum())}
    most = ["The most repeated:", figures.table(repeats[:5])]
    return numbers, [
        f"{len(said):,} of {len(here.items):,} articles have a caption, of"
        f" {numbers['caption length']:.1f} words on average. {repeats.sum():,} share"
        " theirs word for word with another article.",
        *([] if repeats.empty else most),
        "Attributes are the nouns and adjectives that captions use often, here"
        f" {len(pool):,} words. The commonest:",
        figures.table(counts.to_frame().T),
    ]


def trained(here: Shop) -> Answer:
    """Train a small captioner on the captions, and caption the test photos."""
    from fashionlib.captioning import training
    from fashionlib.commands.jobs import finetune

    recipe = training.recipe("mini_joint", here.steps)
    data = {"catalogue": here.run.data.name, "split": "by product"}
    finetune.train_adapter(_split(here), str(here.base), recipe, _captioner(here), data)
    return {"steps": here.steps}, [
        f"A small captioner ({here.base.name}, made of drawn garments) has read your"
        f" training photos for {here.steps} steps. That is a rehearsal: a good"
        " captioner takes a larger model, and hours. What this one wrote stands below."
    ]


def copied(here: Shop) -> Answer:
    """Audit a split by product, with captions that were copied, or written here."""
    split = _split(here).set_index(ITEM)
    train, test = (split[split[SPLIT] == side] for side in (TRAIN, TEST))
    place, copies = here.run.path("split.csv"), here.run.path("copied.json")
    with atomic(place) as part:
        split.drop(columns=BOX).to_csv(part)
    near = copying.near(picture_space(here), train, test.index, 1)
    write_json(copies, dict(zip(test.index, near, strict=True)))
    files = {copying.NEAREST: copies, "trained here": _captioner(here, CAPTION_FILE)}
    files = {name: str(path) for name, path in files.items() if path.is_file()}
    made = audit.audit_files((place, place), files, [], {}, pictures=True)
    told = pd.DataFrame(made["findings"]).set_index("what")[["mark", "said"]]
    scores = pd.DataFrame(made["scores"]).pivot(
        index="system", columns="metric", values="value"
    )
    cards = {"yours": test[CAPTION]}
    for name, path in files.items():
        cards[name] = pd.Series(read(Path(path)).texts).str[0]
    return {"scores": scores}, [
        "Cut by product, 80/10/10: what could a system write for the test photos that"
        " doesn't look, or only copies the nearest training photo's caption? Scores are"
        " times 100.",
        figures.table(scores, percent=list(scores)),
        figures.cards(test[IMAGE][:SHOWN], pd.DataFrame(cards)),
        figures.table(told),
    ]


def look_alike(here: Shop) -> Answer:
    """Show some photos' nearest others, and how often these share the category."""
    items, near = here.items, _nearest_others(here, 6)
    kinds, images = items[CATEGORY].to_numpy(), items[IMAGE].to_numpy()
    numbered = items.assign(row=range(len(items))).sample(
        frac=1, random_state=here.run.seed
    )
    few = numbered.groupby(CATEGORY, dropna=False).head(1)
    asked = pd.concat([few, numbered]).drop_duplicates("row")["row"][:SHOWN]
    shown = [(images[row], [*images[near[row]]]) for row in asked]
    hits = [[*(kinds[near[row]] == kinds[row])] for row in asked]
    blocks = [
        "Each outlined photo, and its six nearest others, by features of a network that"
        " learned ImageNet and no fashion.",
        figures.neighbours(
            shown, "nearest", [*items[CATEGORY].fillna("").iloc[asked]], hits
        ),
    ]
    known, numbers = items[CATEGORY].dropna(), {}
    if known.nunique() > 1:
        same = pd.Series(kinds[near[:, 0]] == kinds, items.index)[known.index]
        share = stats.mean(same, here.run.seed)
        chance = float((known.value_counts() / len(known)).pow(2).sum())
        numbers = {"nearest of its category": share.value, "by chance": chance}
        by_kind = same.groupby(known).agg(["size", "mean"]).sort_values("mean")
        by_kind.columns = ["photos", "nearest is of it, %"]
        blocks += [
            "A tick says that the neighbour is of the same category. The nearest photo"
            f" is in {100 * share:.1f} % of all cases; by chance it would be in"
            f" {100 * chance:.1f} %. Look first at the categories with a low share:",
            figures.table(by_kind[:20], percent=by_kind.columns[1:]),
        ]
    if len(items) >= MAPPED[0]:
        chosen = numbered["row"][: MAPPED[1]].to_numpy()
        rows = picture_space(here).matrix[chosen]
        places, trust = neighbourhoods.project(rows, here.run.seed)
        blocks += [
            f"A map of {len(chosen):,} photos, near where they look alike"
            f" (trustworthiness {trust:.2f} of 1).",
            figures.picture_map(places, list(images[chosen]), "map of your photos"),
        ]
    return numbers, blocks


def recommended(here: Shop) -> Answer:
    """Compare two recommenders on the purchases, cut by time."""
    from fashionlib.commands.jobs import recommend

    folder = here.run.path("purchases")
    split_purchases.split_files(here.run.data / hm.TRANSACTIONS, folder)
    sides = [folder / f"{side}.tsv" for side in (TRAIN, TEST)]
    made = recommend.recommend_files(*sides, ["MostPop", "ItemKNN"]).result
    rows = {name: model["metrics"]["NDCG@12"] for name, model in made["models"].items()}
    return rows, [
        f"NDCG@12 of the most popular articles and of ItemKNN, for {made['users']:,}"
        " customers; the last fifth of each one's purchases is the test.",
        figures.table(pd.DataFrame(rows).T, decimals=4),
    ]


def found(here: Shop) -> Answer:
    """List the catalogue with a search box; index it where a captioner was trained."""
    items, adapter = here.items, _captioner(here, "adapter")
    places = items[IMAGE].map(lambda path: os.path.relpath(path, here.run.root))
    picture = Markup('<img loading="lazy" src="{}" alt="Photo of {}">')
    cells = items[[shop.OWN, CAPTION]].dropna(axis=1, how="all").fillna("")
    pictures = list(map(picture.format, places, cells[shop.OWN]))
    cells.insert(0, "photo", pd.Series(pictures, cells.index, dtype=object))
    filters = items[[CATEGORY, COLOUR]].dropna(axis=1, how="all").fillna("")
    blocks = [
        "Type words, or choose; a number opens the photo.",
        searchable.table(cells, filters, places),
    ]
    if not adapter.is_dir():
        return {}, blocks
    from fashionlib.retrieval import search

    place = here.run.path("index")
    search.build(items.reset_index(), search.load_encoder(adapter), place)
    index, words = search.Index.open(place), list(known_words(items))
    rows = [index.search(words=text, k=7)[IMAGE] for text in words]
    return {"indexed": len(index)}, [
        "Asked in words, the captioner that was trained here finds (first outlined):",
        figures.neighbours([(row[0], row[1:]) for row in rows], "found", words),
        f"Ask more: fashionlib search WORDS --index {place}",
        *blocks,
    ]


def known_words(items: pd.DataFrame) -> pd.Index:
    """Return the four commonest colours and categories, as one searches for them."""
    said = items[COLOUR].fillna("") + " " + items[CATEGORY].fillna("")
    return said.str.strip().replace("", "clothes").value_counts().index[:4]


def lay_out(
    found: shop.Found, out: Path, seed: int, base: str | None, steps: int
) -> Shop:
    """Lay the articles out below `out`, check them, and open the run.

    What lies there of the same photos, columns and seed is left as it is.
    """
    run = runs.Run("try", "try", out, seed)
    source = found.report.root
    told = found.report.counts | {"source": runs.fingerprint(source), "seed": seed}
    place = run.path("found.json")
    if not place.is_file() or read_json(place) != told:
        shop.lay_out(found.items, run.path(SHOP), source)
        hm.check(run.path(SHOP)).refuse()
        run.use(run.path(SHOP), folders.is_synthetic(source))
        write_json(place, told)
    return Shop(run, shop.laid_out(run.data), Path(base or SHIPPED), steps)


class Chapter(NamedTuple):
    """A question of the book that can be asked of anybody's catalogue."""

    asks: str
    needs: tuple[str, ...]
    answer: Callable[[Shop], Answer]


CAPTIONS = f"captions of at least {FEWEST} products"
CAPTIONER = "captioner to begin with (--base)"
PURCHASES = "purchases, as H&M's transactions_train.csv"
CHAPTERS = {  # in the order of the page
    "12_feature_spaces": Chapter("Which photos look alike?", (), look_alike),
    "03_who_leaks": Chapter("Which photos are there twice?", (), photos_twice),
    "02_what_captions_say": Chapter("What do captions say?", (CAPTIONS,), captions_say),
    "06_fine_tuning": Chapter(
        "What does a captioner learn here?", (CAPTIONS, CAPTIONER), trained
    ),
    "08_caption_scores": Chapter("How far does copying get?", (CAPTIONS,), copied),
    "14_recommenders": Chapter("What do customers want?", (PURCHASES,), recommended),
    "18_search": Chapter("Find an article", (), found),
}


def ask(here: Shop, say: Callable[[str], None]) -> dict[str, list[str] | str]:
    """Ask each chapter that the data allows; return its blocks as HTML.

    Of the others it returns, as a text, what there is none of. What an earlier call has
    answered, of the same data and settings by the same code, is read.
    """
    captioned = here.items.dropna(subset=[CAPTION])
    bought = here.run.data / hm.TRANSACTIONS
    has = {
        CAPTIONS: captioned[PRODUCT].nunique() >= FEWEST,
        CAPTIONER: here.base != SHIPPED or SHIPPED.is_dir(),
        PURCHASES: len(open_table(bought).read(["t_dat"], codes=True)) > 0,
    }
    settings = [here.run.read("data.json"), here.run.seed, str(here.base), here.steps]
    source = Path(__file__).read_text("utf-8")
    state, asked = execute.digest(source, json.dumps(settings)), {}
    for number, (name, chapter) in enumerate(CHAPTERS.items(), 1):
        line = f"{number} of {len(CHAPTERS)}, {name}: "
        if lacks := [need for need in chapter.needs if not has[need]]:
            asked[name] = "no " + "; no ".join(lacks)
            say(f"{line}left out, {asked[name]}")
            continue
        place, started = here.run.path(f"results/{name}.json"), time.monotonic()
        kept = read_json(place)["values"] if place.is_file() else {}
        if kept.get("state") != state:
            numbers, blocks = chapter.answer(here)
            shown = list(map(_html, blocks))
            here.run.save(name, {"state": state, "numbers": numbers, "blocks": shown})
            kept = here.run.read(f"results/{name}.json")["values"]
        asked[name] = kept["blocks"]
        say(f"{line}{time.monotonic() - started:.0f} s")
    return asked


def write(here: Shop, report: Report, asked: dict[str, list[str] | str]) -> Path:
    """Write the page: what was found, then each chapter's blocks. Return its place."""
    page = figures.TEMPLATES.get_template("shop.html").render(
        name=report.root.resolve().name,
        counts=Markup(figures.table(report.counted()).data),
        faults=list(map(str, report.faults)),
        sections=[
            (CHAPTERS[name].asks, name, blocks) for name, blocks in asked.items()
        ],
    )
    place = here.run.path(PAGE)
    with atomic(place) as part:
        part.write_text(page, encoding="utf-8")
    return place


def picture_space(here: Shop) -> Features:
    """Return the photos' pooled features; each photo is encoded once."""
    from fashionlib.features import efficientnet

    photos, cache = here.items[IMAGE], here.run.path("cache")
    made = efficientnet.encode_images(photos, photos.index, cache=cache, workers=2)
    return made["pooled"]


def _nearest_others(here: Shop, k: int) -> np.ndarray:
    """Return the rows of each photo's k nearest others, nearest first (items, k)."""
    own = here.items.index.to_series()
    k = min(k, len(own) - 1)
    space = picture_space(here)
    return neighbourhoods.nearest_of_other_groups(space, own, own, k, k + 1)


def _captioner(here: Shop, part: str = "") -> Path:
    """Return the folder of what was trained on just these articles, or a part of it."""
    data = here.run.read("data.json")["fingerprint"]
    return here.run.path(f"captioner/{data}-{here.steps}") / part


def _split(here: Shop) -> pd.DataFrame:
    captioned = here.items.dropna(subset=[CAPTION]).reset_index()
    return split_items(captioned, by="product", seed=here.run.seed)


def _html(block: Any) -> str:
    return f"<p>{escape(block)}</p>" if isinstance(block, str) else block.data
