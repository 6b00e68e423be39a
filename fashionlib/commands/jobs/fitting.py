"""What `fashionlib try` asks a catalogue, chapter by chapter, and the page it makes.

A chapter here is the book's question, asked by the same functions at a size that fits:
it returns numbers, and blocks of the page (sentences, tables, pictures). Each is kept
when it is done, so that a second call goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from markupsafe import Markup, escape

from fashionlib import stats
from fashionlib.book import figures, runs, searchable
from fashionlib.captioning import copying
from fashionlib.captioning.metrics import attributes
from fashionlib.commands.jobs import audit, shop, split_purchases
from fashionlib.data.files import atomic, digest, read_json, write_json
from fashionlib.data.items import (
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
from fashionlib.features import Features, nearest, neighbourhoods, spaces

SHOP, PAGE, IMAGE_SPACE = "shop", "index.html", "features/image.parquet"
ALIKE = 0.95  # cosine from which two photos are shown as perhaps the same
SHOWN = 8  # rows of pictures
MAPPED = 1200  # articles on the map
FEWEST = 20  # products with a caption, for a split with a test side
WORDS = 10  # uses that make a word one of the shop's


class Shop(NamedTuple):
    """A catalogue that was laid out, and the folder of its run."""

    run: runs.Run
    items: pd.DataFrame  # `shop.laid_out`
    base: Path | None  # a captioner to begin with
    steps: int  # of its training


Answer = tuple[dict[str, Any], list[Any]]  # numbers, blocks


def photos_twice(here: Shop) -> Answer:
    """Find photos that are there twice, byte for byte and nearly (a proxy)."""
    items, pictures = here.items, picture_space(here)
    same = items[IMAGE].map(lambda path: digest(Path(path)))
    copies = items[same.duplicated(keep=False)]
    groups = [list(g[IMAGE]) for _, g in copies.groupby(same, sort=False)]
    rows, cosines = _others(pictures, 1)
    near = pd.DataFrame({"a": range(len(items)), "b": rows[:, 0], "c": cosines[:, 0]})
    near = near[near["c"] >= ALIKE]
    near = near[same.to_numpy()[near["a"]] != same.to_numpy()[near["b"]]]
    pairs = near[["a", "b"]].apply(lambda pair: tuple(sorted(pair)), axis=1)
    near = near[~pairs.duplicated()].sort_values("c", ascending=False)
    numbers = {"identical": len(copies), "groups": len(groups), "nearly": len(near)}
    blocks = [
        f"{len(copies):,} of {len(items):,} photos are there more than once, pixel for"
        f" pixel ({len(groups):,} groups). {len(near):,} more pairs are nearly the"
        f" same: their cosine by a network that learned ImageNet is {ALIKE} or more."
        " That is a proxy, so look at them.",
        figures.neighbours([(a, rest[:6]) for a, *rest in groups[:SHOWN]], "same"),
    ]
    images = items[IMAGE].to_numpy()
    shown = near[:SHOWN].itertuples()
    shown = [(images[pair.a], [images[pair.b]]) for pair in shown]
    blocks += [figures.neighbours(shown, "nearly the same")]
    for column, what in ((SPLIT, "splits"), (CATEGORY, "categories")):
        apart = items.groupby(same)[column].nunique()
        numbers[f"in two {what}"] = int((apart > 1).sum())
        if items[column].notna().any():
            blocks.append(
                f"In two {what}: {numbers[f'in two {what}']:,} photos that are there"
                " more than once."
            )
    return numbers, blocks


def captions_say(here: Shop) -> Answer:
    """Count lengths, repeats and attributes of the captions."""
    said = here.items.dropna(subset=[CAPTION])
    known = statistics(here.items)
    tagged = attributes.tagged(list(said[CAPTION]))
    pool = attributes.pool(tagged, min(WORDS, len(said) // 10 + 2))
    lemmas = pd.Series([sorted({*row} & {*pool}) for row in tagged], said.index)
    captions = lemmas.explode().dropna().value_counts()
    repeats = said[CAPTION].value_counts()
    lengths = said[CAPTION].str.split().str.len()
    repeated = repeats[repeats > 1]
    by_type = lemmas.groupby(said[CATEGORY]).apply(
        lambda rows: ", ".join(rows.explode().value_counts().index[:6])
    )
    numbers = known | {"repeated": int(repeated.sum()), "attributes": len(pool)}
    return numbers, [
        f"{len(said):,} of {len(here.items):,} articles have a caption, of"
        f" {lengths.min()} to {lengths.max()} words ({lengths.median():.0f} in the"
        f" middle). {len(repeats):,} are different: {repeated.sum():,} articles share"
        " theirs word for word with another one.",
        figures.table(repeated[:5].rename("articles")),
        "Attributes are the nouns and adjectives that captions use often, here"
        f" {len(pool):,} words. The commonest:",
        figures.table(captions[:12].rename("captions").to_frame().T),
        figures.table(by_type.rename("commonest attributes")[:12]),
    ]


def copied(here: Shop) -> Answer:
    """Audit a split by product, with the captions that a copy and a captioner write."""
    split = _split(here).set_index(ITEM)
    place = here.run.path("split.csv")
    with atomic(place) as part:
        split.drop(columns="box").to_csv(part)
    copies = copying.copies(split, picture_space(here), here.run.seed)
    files = {
        copying.NEAREST: write_json(
            here.run.path("copied.json"), copies[copying.NEAREST]
        )
    }
    written = here.run.path("captioner/captions.json")
    if written.is_file():
        files["trained here"] = written
    files = {name: str(path) for name, path in files.items()}
    result = audit.audit_files((place, place), files, [], {}, pictures=True)
    found = pd.DataFrame(result["findings"]).set_index("what")[["mark", "said"]]
    scores = pd.DataFrame(result["scores"]).pivot(
        index="system", columns="metric", values="value"
    )
    texts = split[split[SPLIT] == TEST]
    cards = pd.DataFrame(
        {
            "yours": texts[CAPTION],
            **{
                name: pd.Series(read_json(Path(path))).map(_first)
                for name, path in files.items()
            },
        }
    )
    cards = cards.reindex(texts.index[:SHOWN])
    return {"scores": scores}, [
        "Cut by product, 80/10/10: what could a system write for the test photos that"
        " doesn't look, or only copies the nearest training photo's caption? Scores are"
        " times 100.",
        figures.table(scores, percent=list(scores)),
        figures.cards(texts[IMAGE][:SHOWN], cards),
        figures.table(found),
    ]


def _first(entry: Any) -> str:
    return entry[0]["caption"] if isinstance(entry, list) else entry


def trained(here: Shop) -> Answer:
    """Train a small captioner on the captions, and caption the test photos."""
    from fashionlib.captioning import training
    from fashionlib.commands.jobs import finetune

    out, recipe = here.run.path("captioner"), training.recipe("mini_joint", here.steps)
    data = {"catalogue": here.run.data.name, "split": "by product"}
    finetune.train_adapter(_split(here), str(here.base), recipe, out, data)
    return {"steps": here.steps}, [
        f"A small captioner ({here.base.name}, made of drawn garments) has read your"
        f" training photos for {here.steps} steps. That is a rehearsal: a good"
        " captioner takes a larger model, and hours. What this one wrote stands below."
    ]


def look_alike(here: Shop) -> Answer:
    """Show each photo's nearest others, and how often they share its category."""
    items, pictures = here.items, picture_space(here)
    rows, _ = _others(pictures, 6)
    kinds, images = items[CATEGORY].to_numpy(), items[IMAGE].to_numpy()
    rng = np.random.default_rng(here.run.seed)
    order = pd.Series(kinds).fillna("")[rng.permutation(len(items))]
    asked = [*order.drop_duplicates().index, *order.index[order.duplicated()]][:SHOWN]
    hits = [[*(kinds[rows[n]] == kinds[n])] for n in asked]
    names = ["" if pd.isna(kinds[n]) else kinds[n] for n in asked]
    shown = [(images[n], [*images[rows[n]]]) for n in asked]
    numbers: dict[str, Any] = {}
    blocks = [
        "Each outlined photo, and its six nearest others: features of a network that"
        " learned ImageNet and no fashion, compared by cosine.",
        figures.neighbours(shown, "nearest photos", names, hits),
    ]
    known = items[CATEGORY].notna().to_numpy()
    if items[CATEGORY].nunique() > 1:
        same = (kinds[rows[:, 0]] == kinds)[known]
        chance = (items[CATEGORY].value_counts() / known.sum()).pow(2).sum()
        share = stats.mean(same, here.run.seed)
        by_kind = pd.Series(same).groupby(kinds[known]).agg(["size", "mean"])
        by_kind.columns = ["photos", "nearest is of it, %"]
        numbers = {"nearest of its category": share.ends, "by chance": chance}
        blocks += [
            "A tick says that the neighbour is of the same category. The nearest photo"
            f" is in {100 * share:.1f} % of all cases; by chance it would be in"
            f" {100 * chance:.1f} %. A category with a low share may be mixed up.",
            figures.table(
                by_kind.sort_values("photos")[::-1][:20], percent=[*by_kind][1:]
            ),
        ]
    if len(items) >= 40:
        chosen = np.sort(rng.permutation(len(items))[:MAPPED])
        places, trust = neighbourhoods.project(pictures.matrix[chosen], here.run.seed)
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
    blocks = [
        "Type words, or choose; a photo opens the file that was laid out.",
        _listed(here.items, here.run.root),
    ]
    adapter = here.run.path("captioner/adapter")
    if not adapter.is_dir():
        return {}, blocks
    from fashionlib.retrieval import search

    place = here.run.path("index")
    search.build(here.items.reset_index(), search.load_encoder(adapter), place)
    index = search.Index.open(place)
    asked = here.items[[COLOUR, CATEGORY]].dropna(subset=[CATEGORY]).fillna("")
    words = asked.agg(" ".join, axis=1).str.strip().value_counts().index[:4]
    rows = [index.search(words=text, k=7) for text in words]
    pictures = [(row[IMAGE][0], list(row[IMAGE][1:])) for row in rows]
    return {"indexed": len(index)}, [
        "Asked in words, the captioner that was trained here finds (first outlined):",
        figures.neighbours(pictures, "found", list(words)),
        f"Ask more: fashionlib search WORDS --index {place}",
        *blocks,
    ]


def lay_out(
    found: shop.Found, out: Path, most: int, seed: int, base: str | None, steps: int
) -> Shop:
    """Lay at most `most` articles out below `out`, check them, and open the run.

    What lies there of the same photos, columns, number and seed is left as it is. Of
    more articles some are drawn, which the report says.
    """
    run = runs.Run("try", "try", out, seed)
    source, items = found.report.root, found.items
    if len(items) > most:
        found.report.counts["drawn of these"] = f"{most:,}, by seed {seed}"
        items = items.sample(most, random_state=seed).sort_index()
    told = found.report.counts | {"source": runs.fingerprint(source), "seed": seed}
    place = run.path("found.json")
    if not place.is_file() or read_json(place) != told:
        shop.lay_out(items, run.path(SHOP), source)
        hm.check(run.path(SHOP)).refuse()
        run.use(run.path(SHOP), folders.is_synthetic(source))
        write_json(place, told)
    if base is None:
        shipped = runs.repository() / "wardrobe" / "pretrained" / "blip2-small"
        base = shipped if shipped.is_dir() else None
    return Shop(run, shop.laid_out(run.data), base and Path(base), steps)


class Chapter(NamedTuple):
    """A question of the book that can be asked of anybody's catalogue."""

    asks: str
    needs: tuple[str, ...]
    answer: Callable[[Shop], Answer]


CAPTIONS = f"captions of at least {FEWEST} products"
CAPTIONER = "a captioner to begin with (--base)"
PURCHASES = "purchases, as H&M's transactions_train.csv"
CHAPTERS = {  # in the order of the page
    "03_who_leaks": Chapter("Which photos are there twice?", (), photos_twice),
    "02_what_captions_say": Chapter("What do captions say?", (CAPTIONS,), captions_say),
    "06_fine_tuning": Chapter(
        "What does a captioner learn here?", (CAPTIONS, CAPTIONER), trained
    ),
    "08_caption_scores": Chapter("How far does copying get?", (CAPTIONS,), copied),
    "12_feature_spaces": Chapter("Which photos look alike?", (), look_alike),
    "14_recommenders": Chapter("What do customers want?", (PURCHASES,), recommended),
    "18_search": Chapter("Find an article", (), found),
}


def ask(here: Shop, say: Callable[[str], None]) -> dict[str, list[str]]:
    """Ask each chapter that the data allows; return the blocks of each, as HTML.

    What an earlier call has answered, of the same data, seed and steps, is read.
    """
    captioned = here.items.dropna(subset=[CAPTION])
    bought = here.run.data / hm.TRANSACTIONS
    has = {
        CAPTIONS: captioned[PRODUCT].nunique() >= FEWEST,
        CAPTIONER: here.base is not None,
        PURCHASES: len(open_table(bought).read(["t_dat"], codes=True)) > 0,
    }
    asked = {}
    for number, (name, chapter) in enumerate(CHAPTERS.items(), 1):
        line = f"{number} of {len(CHAPTERS)}, {name}: "
        if lacks := [need for need in chapter.needs if not has[need]]:
            asked[name] = [f"<p>Left out: there are no {'; no '.join(lacks)}.</p>"]
            say(f"{line}left out, no {'; no '.join(lacks)}")
            continue
        place, started = here.run.path(f"results/{name}.json"), time.monotonic()
        state = [here.run.read("data.json"), here.run.seed, here.steps]
        kept = read_json(place)["values"] if place.is_file() else {}
        if kept.get("state") != state:
            numbers, blocks = chapter.answer(here)
            shown = list(map(_html, blocks))
            here.run.save(name, {"state": state, "numbers": numbers, "blocks": shown})
            kept = here.run.read(f"results/{name}.json")["values"]
        asked[name] = kept["blocks"]
        say(f"{line}{time.monotonic() - started:.0f} s")
    return asked


def write(here: Shop, report: Report, asked: dict[str, list[str]]) -> Path:
    """Write the page: what was found, then each chapter's blocks. Return its place."""
    page = figures.TEMPLATES.get_template("shop.html").render(
        name=report.root.resolve().name,
        counts=Markup(figures.table(report.counted()).data),
        faults=list(map(str, report.faults)),
        sections=[
            (CHAPTERS[name].asks, name, list(map(Markup, blocks)))
            for name, blocks in asked.items()
        ],
    )
    place = here.run.path(PAGE)
    with atomic(place) as part:
        part.write_text(page, encoding="utf-8")
    return place


def picture_space(here: Shop) -> Features:
    """Return the photos' pooled features, encoded once."""
    place, ids = here.run.path(IMAGE_SPACE), list(here.items.index)
    if not place.is_file() or spaces.load(place).ids != ids:
        from fashionlib.features import efficientnet

        cache = here.run.path("cache")
        pictures = list(here.items[IMAGE])
        made = efficientnet.encode_images(pictures, ids, cache=cache, workers=2)
        made["pooled"].save(place)
    return spaces.load(place)


def _others(space: Features, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return each row's k nearest others and their cosines, both (rows, k)."""
    k = min(k, len(space.ids) - 1)
    rows, cosines = nearest(space.matrix, space.matrix, k + 1)
    own = rows == np.arange(len(rows))[:, None]
    own[:, -1] |= ~own.any(axis=1)  # equal photos stand before it: drop the last
    return (part[~own].reshape(-1, k) for part in (rows, cosines))


def _split(here: Shop) -> pd.DataFrame:
    captioned = here.items.dropna(subset=[CAPTION]).reset_index()
    return split_items(captioned, by="product", seed=here.run.seed)


def _listed(items: pd.DataFrame, root: Path) -> Any:
    """Write the searchable list, each photo a link to its file below `root`."""
    places = items[IMAGE].map(
        lambda path: Path(path).relative_to(root.absolute()).as_posix()
    )
    picture = '<img loading="lazy" src="{}" alt="Photo of {}">'
    cells = pd.DataFrame(
        {
            "photo": [
                Markup(picture).format(place, own)
                for place, own in zip(places, items[shop.OWN], strict=True)
            ],
            "id": items[shop.OWN],
            "caption": items[CAPTION].fillna(""),
        },
        items.index,
    )
    filters = items[[CATEGORY, COLOUR]].fillna("")
    return searchable.table(
        cells, filters[[c for c in filters if filters[c].any()]], places
    )


def _html(block: Any) -> str:
    return f"<p>{escape(block)}</p>" if isinstance(block, str) else block.data
