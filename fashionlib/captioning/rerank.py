"""Choose the caption that a group of captions agrees on most, by CIDEr-D.

Copying the consensus of the nearest photos' captions is Devlin et al. (2015),
"Exploring nearest neighbor approaches for image captioning"; choosing among a model's
own samples so is minimum Bayes risk decoding.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
import pandas as pd

from fashionlib.captioning.metrics.overlap import Cider
from fashionlib.captioning.metrics.tokens import tokenise

GROUPS = 256  # scored at a time; of 16 captions each they are 65,536 pairs

Setting = tuple[int, float]  # how many copies stand and vote, and the weight of a copy


def cider(captions: Sequence[str]) -> Cider:
    """Return CIDEr-D with the document frequencies of `captions`: give training ones.

    Its tokens are the metrics', by the tokeniser that needs no Java. ValueError for
    fewer than two captions.
    """
    if len(captions) < 2:
        raise ValueError(
            f"{len(captions)} captions give no document frequencies; give at least 2"
        )
    return Cider([[text] for text in tokenise(captions, "python")])


def similarities(measure: Cider, groups: Sequence[Sequence[str]]) -> list[np.ndarray]:
    """Score each caption of a group against each of the group: (captions, captions)."""
    tables: list[np.ndarray] = []
    for start in range(0, len(groups), GROUPS):
        tables += _tables(measure, groups[start : start + GROUPS])
    return tables


def _tables(measure: Cider, groups: Sequence[Sequence[str]]) -> list[np.ndarray]:
    distinct = list(dict.fromkeys(chain.from_iterable(groups)))
    row_of = {caption: row for row, caption in enumerate(distinct)}
    counts = measure.count(tokenise(distinct, "python"))
    rows = [np.array([row_of[caption] for caption in group]) for group in groups]
    candidates = np.concatenate([np.repeat(group, len(group)) for group in rows])
    others = np.concatenate([np.tile(group, len(group)) for group in rows])
    scores = measure.compare(
        [order[candidates] for order in counts], [order[others] for order in counts]
    )  # (pairs,)
    ends = np.cumsum([len(group) ** 2 for group in rows])
    return [
        part.reshape(len(group), len(group))
        for part, group in zip(np.split(scores, ends[:-1]), rows, strict=True)
    ]


def consensus(measure: Cider, groups: Sequence[Sequence[str]]) -> list[str]:
    """Return of each group the caption most like all of them; the first of equals.

    ValueError for a group without captions.
    """
    if not all(len(group) for group in groups):
        raise ValueError("0 captions have no consensus; give at least 1")
    tables = similarities(measure, groups)
    return [
        group[int(np.argmax(table.mean(1)))]
        for group, table in zip(groups, tables, strict=True)
    ]


def typical(captions: pd.Series, kinds: pd.Series, most: int = 60) -> dict[str, str]:
    """Return of each kind the caption most like the first `most` of its kind.

    Words weigh as in all the captions.
    """
    groups = {kind: list(each[:most]) for kind, each in captions.groupby(kinds)}
    chosen = consensus(cider(list(captions)), list(groups.values()))
    return dict(zip(groups, chosen, strict=True))


def copy_or_write(
    measure: Cider,
    own: Sequence[Sequence[str]],
    copied: Sequence[Sequence[str]],
    settings: Sequence[Setting],
) -> dict[Setting, list[str]]:
    """Choose for each picture among a captioner's own captions and copied ones.

    A setting (copies, weight): so many of the copied captions stand and vote; the mean
    similarity to the own captions counts 1 - weight, to the copied ones weight. The
    first of equals is taken. With no copies it is the own captions' consensus.
    """
    pools = [[*mine, *theirs] for mine, theirs in zip(own, copied, strict=True)]
    chosen: dict[Setting, list[str]] = {setting: [] for setting in settings}
    for mine, pool, table in zip(own, pools, similarities(measure, pools), strict=True):
        n = len(mine)
        for (copies, weight), captions in chosen.items():
            candidates = table[: n + copies]
            agreement = (1 - weight) * candidates[:, :n].mean(1)
            if copies:
                agreement += weight * candidates[:, n : n + copies].mean(1)
            captions.append(pool[int(np.argmax(agreement))])
    return chosen
