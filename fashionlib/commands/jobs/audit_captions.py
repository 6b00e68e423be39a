"""Findings on captions: leaks, what copying and chance get, controls, and slips."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from fashionlib import stats
from fashionlib.captioning import copying, metrics
from fashionlib.commands.jobs.findings import (
    CHOICES,
    EYES,
    LEAKS,
    METRICS,
    MUCH,
    SCORES,
    Finding,
    of_share,
    percent,
)
from fashionlib.commands.jobs.score import (
    SHUFFLED,
    controls,
    conventions,
    donors_of,
    read_system,
    variety,
    wordless,
)
from fashionlib.data.captions import bare, read
from fashionlib.data.files import digest
from fashionlib.data.items import (
    CAPTION,
    CATEGORY,
    IMAGE,
    ITEM,
    PRODUCT,
    SPLIT,
    TEST,
    TRAIN,
)
from fashionlib.data.tables import open_table, read_table

COPY = "a training caption of the product"
NAMES = ("BLEU-4", "METEOR", "ROUGE-L", "CIDEr")
HM_ARTICLE = r"[1-9][0-9]{8}"  # bare; the last three are the colour's
END = re.compile(r"[.!?…]['\")\]]*\s*$")
MOST = 0.9  # of the true captions: what they do is a habit
OFTEN = 0.1  # of all captions, beyond what the true ones have: one that is always said


class Side(NamedTuple):
    """One side of a split of captions."""

    path: Path
    texts: dict[str, list[str]]  # item -> its captions, those with a word
    wordless: int  # items without such a caption, left out
    table: pd.DataFrame  # index item_id: product_id and image, where they are known

    def known(self) -> set[str]:
        """Return the side's captions, case and blanks aside."""
        return {_plain(text) for texts in self.texts.values() for text in texts}


def read_side(path: Path, side: str, renamed: Mapping[str, str] | None = None) -> Side:
    """Read the captions of "train" or "test" from a file of any form.

    Of a table with columns item_id (or `renamed` to it), caption and split come the
    rows of that side alone. ValueError where none has a caption, and as the readers.
    """
    known = {}
    suffix = Path(path).suffix in (".csv", ".tsv", ".parquet")
    if suffix and {ITEM, CAPTION} <= set(open_table(path, renamed).names):
        rows = read_table(path, (ITEM, CAPTION), renamed)
        if SPLIT in rows:
            rows = rows[rows[SPLIT] == side]
        rows = rows.assign(**{CAPTION: rows[CAPTION].fillna("")})
        texts = rows.groupby(ITEM, sort=False)[CAPTION].agg(list).to_dict()
        first = rows.drop_duplicates(ITEM).set_index(ITEM)
        known = {name: first[name] for name in (PRODUCT, IMAGE) if name in first}
    else:
        texts = read(path).texts
    said = {
        item: kept
        for item, some in texts.items()
        if (kept := [text for text in some if not wordless(text)])
    }
    if not said:
        raise ValueError(f"{path}: 0 of {len(texts):,} {side} items have a caption")
    table = pd.DataFrame(known, pd.Index(list(said), name=ITEM))
    return Side(Path(path), said, len(texts) - len(said), table)


def with_products(*sides: Side) -> list[Side]:
    """Return the sides with a product of every item, or all without.

    Of the column product_id where each has it, an item without one being a product of
    its own; else where all ids are H&M's, whose last three digits are the colour's.
    """
    columns = [side.table.get(PRODUCT) for side in sides]
    ids = [side.table.index.map(bare).to_series(side.table.index) for side in sides]
    if all(column is not None for column in columns):
        columns = [
            column.map(bare, na_action="ignore").fillna(own)
            for column, own in zip(columns, ids, strict=True)
        ]
    elif all(own.str.fullmatch(HM_ARTICLE).all() for own in ids):
        columns = [own.str[:-3] for own in ids]
    else:
        return [side._replace(table=side.table.filter([IMAGE])) for side in sides]
    return [
        side._replace(table=side.table.assign(**{PRODUCT: column}))
        for side, column in zip(sides, columns, strict=True)
    ]


Share = Callable[[Mapping[str, bool]], stats.Estimate]  # of test items


def audit(
    train: Side,
    test: Side,
    files: Mapping[str, str],
    pictures: bool = False,
    seed: int = 42,
    resamples: int = 1000,
) -> tuple[list[Finding], list[dict[str, Any]]]:
    """Return the findings, and the scores as rows system, metric, value, low, high.

    `files` are captioners' captions of the test, each under its name; scores are of the
    test items that all of them caption. Shares and scores are resampled by product
    where both sides know it, else by item. A difference between systems counts where
    its 95 % interval is above zero. ValueError where no item has a caption of each.
    """
    train, test = with_products(train, test)
    products = test.table.get(PRODUCT)

    def share(items: Mapping[str, bool]) -> stats.Estimate:
        groups = None if products is None else products.loc[list(items)]
        return stats.mean(list(items.values()), seed, resamples, groups)

    given = {
        name: read_system(Path(path), test.texts, subset=True)[0]
        for name, path in files.items()
    }
    scored = [
        item for item in test.texts if all(item in said for said in given.values())
    ]
    if not scored:
        raise ValueError(
            f"{', '.join(files.values())}: 0 of the {len(test.texts):,} items of"
            f" {test.path} have a caption of each; are the ids written alike?"
        )
    references = {item: test.texts[item] for item in scored}
    systems = {
        name: {item: said[item] for item in scored} for name, said in given.items()
    }
    baselines = _baselines(train, references, products, seed)
    dealt = donors_of(scored, products, seed)
    made = baselines | systems | (controls(systems, dealt) if dealt else {})
    scores = metrics.score_many(references, made, NAMES)
    table = metrics.table(scores, products, seed, resamples)
    pairs = [(COPY, copying.RANDOM)] if COPY in baselines else []
    for name in systems:
        pairs += [(name, other) for other in baselines]
        pairs += [(name, name + SHUFFLED)] if dealt else []
    gaps = pd.DataFrame()
    if pairs:
        gaps = metrics.differences(scores, pairs, products, seed, resamples)
        gaps = gaps.set_index(["system", "minus"])

    compared = Compared(table.set_index("system"), gaps)
    findings = _leaks(train, test, products, share)
    findings += [_pictures(train, test, share) if pictures else NO_PICTURES]
    findings += _levels(compared)
    for name, said in systems.items():
        findings.append(_covered(name, given[name], test))
        findings += _judged(name, compared)
        findings += _slips(name, said, references, train, share)
    findings += _conventions(conventions(next(iter(scores.values()))), references)
    return findings, table.to_dict("records")


class Compared(NamedTuple):
    """Scores with intervals: tables of `metrics.table` and `metrics.differences`."""

    table: pd.DataFrame  # index system
    gaps: pd.DataFrame  # index system, minus

    def scores(self, system: str) -> str:
        """Write a system's scores times 100 as "BLEU-4 22.4 [21.0, 23.7], ..."."""
        rows = self.table.loc[[system]].dropna()
        spans = stats.spans(rows, scale=100)
        return ", ".join(
            f"{metric} {span}"
            for metric, span in zip(rows["metric"], spans, strict=True)
        )

    def gap(self, system: str, other: str) -> list[dict[str, Any]] | None:
        """Return the rows of a system less another, None where they aren't there."""
        if (system, other) not in self.gaps.index:
            return None
        return self.gaps.loc[[(system, other)]].dropna(subset="low").to_dict("records")


def _baselines(
    train: Side,
    references: Mapping[str, list[str]],
    products: pd.Series | None,
    seed: int,
) -> dict[str, dict[str, str]]:
    """Return captions of training, drawn, and those of each item's product."""
    sides = []
    for name, texts in ((TRAIN, train.texts), (TEST, references)):
        first = {item: some[0] for item, some in texts.items()}
        sides.append(
            pd.DataFrame({CAPTION: first}).assign(**{SPLIT: name, CATEGORY: ""})
        )
    learnt, asked = sides
    drawn = copying.drawn(learnt, len(asked), seed)
    made = {copying.RANDOM: dict(zip(references, drawn, strict=True))}
    if products is not None:
        learnt[PRODUCT], asked[PRODUCT] = train.table[PRODUCT], products
        if asked[PRODUCT].isin(learnt[PRODUCT]).any():
            made[COPY] = copying.looked_up(pd.concat(sides))
    return made


def _leaks(
    train: Side, test: Side, products: pd.Series | None, share: Share
) -> list[Finding]:
    """Find captions, items and products on both sides; fine: below MUCH, none, none."""
    known = train.known()
    seen = share(
        {
            item: any(_plain(text) in known for text in texts)
            for item, texts in test.texts.items()
        }
    )
    said = (
        f"{percent(seen)} of {len(test.texts):,} test items have a caption that stands"
        f" word for word among the {len(train.texts):,} of training (case and blanks"
        f" aside). Left out, without a caption: {train.wordless:,} items of training,"
        f" {test.wordless:,} of the test."
    )
    findings = [of_share("captions on both sides", seen.value < MUCH, said, seen)]
    learnt = set(map(bare, train.texts))
    both = sum(bare(item) in learnt for item in test.texts)
    said = f"{both:,} of {len(test.texts):,} test items are training items too."
    findings.append(Finding("items on both sides", not both, said, LEAKS, {"n": both}))
    what = "products on both sides"
    if products is None:
        said = (
            "The files don't say which items are one product: ids are no H&M article"
            " ids, and there is no column product_id (or --product) on both sides."
        )
        return [*findings, Finding(what, None, said, LEAKS)]
    shared = share(products.isin(train.table[PRODUCT]).to_dict())
    said = f"{percent(shared)} of the test items are of a product that training has."
    return [*findings, of_share(what, shared.value == 0, said, shared)]


NO_PICTURES = Finding(
    "pictures on both sides",
    None,
    "No pictures were read: --pictures reads those that a column image names.",
    LEAKS,
)


def _pictures(train: Side, test: Side, share: Share) -> Finding:
    """Find test pictures that training has byte for byte; fine: none."""
    digests = []
    for side in (train, test):
        paths = side.table.get(IMAGE, pd.Series(dtype=object)).dropna()
        there = {
            item: Path(path) for item, path in paths.items() if Path(path).is_file()
        }
        digests.append({item: digest(path) for item, path in there.items()})
        if len(there) < len(side.texts):
            said = (
                f"{side.path}: {len(there):,} of {len(side.texts):,} items have a"
                " picture that can be read; the table needs a column image."
            )
            return NO_PICTURES._replace(said=said)
    learnt = set(digests[0].values())
    seen = share({item: digest in learnt for item, digest in digests[1].items()})
    said = f"{percent(seen)} of the test pictures are training pictures, byte for byte."
    return of_share(NO_PICTURES.what, seen.value == 0, said, seen)


def _levels(compared: Compared) -> list[Finding]:
    """Say chance, and what a copy gets; fine: no more than chance by any metric."""
    said = f"A random training caption reaches {compared.scores(copying.RANDOM)}."
    findings = [Finding("chance level of each metric", True, said, SCORES)]
    what = "copying without a picture"
    gap = compared.gap(COPY, copying.RANDOM)
    if gap is None:
        said = (
            "No test item shares a known product with training, so the files alone"
            " allow no copy; that of the nearest picture needs the pictures."
        )
        return [*findings, Finding(what, None, said, LEAKS)]
    said = (
        "The first training caption of the item's product (of another colour; the"
        " commonest caption where training lacks the product) reaches"
        f" {compared.scores(COPY)}; no picture is read."
    )
    fine = all(row["low"] <= 0 for row in gap)
    return [*findings, Finding(what, fine, said, LEAKS, {"above chance": gap})]


def _covered(name: str, said: Mapping[str, str], test: Side) -> Finding:
    """Say how many test items a system captions; fine: all."""
    there = sum(item in test.texts for item in said)
    text = (
        f"{there:,} of {len(test.texts):,} test items have a caption of it;"
        f" {len(said) - there:,} captions are of other items."
    )
    return Finding(f"{name}: test items", there == len(test.texts), text, SCORES)


def _judged(name: str, compared: Compared) -> list[Finding]:
    """Hold a system against chance, the copy and its own captions dealt to others.

    Fine: above by every metric, and less than half of CIDEr left by the dealing.
    """
    findings = []
    for what, other, chapter, note in (
        ("scores", copying.RANDOM, SCORES, f"{compared.scores(name)}."),
        ("beside the copy without a picture", COPY, LEAKS, ""),
        ("captions dealt to other items", name + SHUFFLED, SCORES, ""),
    ):
        gap = compared.gap(name, other)
        if gap is None:
            findings.append(Finding(f"{name}: {what}", None, UNCOMPARED, chapter))
            continue
        said = f"{note} Above {other!r} by every metric."
        short = [
            f"{row['metric']} {100 * stats.Estimate.of(row):+.1f}"
            for row in gap
            if row["low"] <= 0
        ]
        if short:
            said = f"{note} Not above {other!r} by {', '.join(short)} points."
        fine = not short
        if other.endswith(SHUFFLED):
            kept, own = (_cider(compared, system) for system in (other, name))
            said += (
                f" Of a CIDEr of {100 * own:.1f} the dealing leaves {100 * kept:.1f}."
            )
            fine = fine and kept < own / 2
        numbers = {"above": other, "by": gap}
        found = Finding(f"{name}: {what}", fine, said.strip(), chapter, numbers)
        findings.append(found)
    return findings


UNCOMPARED = (
    "The files allow no such captions: no product is known to stand on both sides, or"
    " more than half of the items are one."
)


def _slips(
    name: str,
    said: Mapping[str, str],
    references: Mapping[str, list[str]],
    train: Side,
    share: Share,
) -> list[Finding]:
    """Find mode collapse, copied captions, echoes, silence and cut ends.

    Fine: at least half as many distinct captions as the true ones and none said OFTEN
    more; no larger a share that stands in training than of theirs; no echo; no empty
    caption; no more cut ends than theirs, MUCH aside.
    """
    first = {item: texts[0] for item, texts in references.items()}
    own, true = variety(said), variety(first)
    text = (
        f"{own['distinct']:,} distinct captions among {own['captions']:,} (the true:"
        f" {true['distinct']:,}); the commonest, {own['commonest']!r:.80}, is"
        f" {own['share']:.1%} of all (the true: {true['share']:.1%})."
    )
    fine = own["distinct"] >= true["distinct"] / 2
    fine = fine and own["share"] < true["share"] + OFTEN
    findings = [Finding(f"{name}: distinct captions", fine, text, EYES, own)]
    known = train.known()
    copied, seen = (
        share({item: _plain(text) in known for item, text in texts.items()})
        for texts in (said, first)
    )
    text = (
        f"{percent(copied)} stand word for word in training; of the true captions"
        f" {percent(seen)} do."
    )
    fine = copied.low <= seen.high
    findings.append(of_share(f"{name}: training captions", fine, text, copied, EYES))
    for what, chapter in (("prompt echoes", EYES), ("without a word", SCORES)):
        text = f"{own[what]:,} of {own['captions']:,} captions."
        numbers = {"n": own[what]}
        found = Finding(f"{name}: {what}", not own[what], text, chapter, numbers)
        findings.append(found)
    ended, habit = (
        share({item: bool(END.search(text)) for item, text in texts.items()})
        for texts in (said, first)
    )
    what = f"{name}: captions cut off"
    if habit.value < MOST:
        text = (
            f"Only {percent(habit)} of the true captions end with a full stop or the"
            " like, so a caption without one may be whole."
        )
        return [*findings, Finding(what, None, text, CHOICES)]
    text = (
        f"{percent(ended)} end with a full stop or the like; of the true captions"
        f" {percent(habit)} do."
    )
    fine = ended.value >= habit.value - MUCH
    return [*findings, of_share(what, fine, text, ended, CHOICES)]


def _conventions(
    said: Mapping[str, str], references: Mapping[str, list[str]]
) -> list[Finding]:
    """Say which metrics these are, and what no file of captions shows."""
    texts = sum(map(len, references.values()))
    text = "; ".join(f"{what}: {value}" for what, value in said.items())
    text = (
        f"Scores are times 100; CIDEr is CIDEr-D. {text}; {texts:,} true captions of"
        f" {len(references):,} items. Which of these a printed table has can't be told"
        " from captions: say it beside the table."
    )
    runs = (
        "How far another training, seed or choice of checkpoint would move the scores,"
        " and whether pads, dropout or the test set had a part in them, leaves no trace"
        " in captions: give those of several trainings."
    )
    return [
        Finding("conventions of the caption metrics", None, text, METRICS, dict(said)),
        Finding("another training", None, runs, CHOICES),
    ]


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def _cider(compared: Compared, system: str) -> float:
    rows = compared.table.loc[[system]].set_index("metric")
    return rows.loc["CIDEr", "value"]
