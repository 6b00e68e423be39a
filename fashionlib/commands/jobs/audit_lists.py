"""Findings on purchases and recommended lists: leaks, metrics' conventions, ties."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fashionlib import stats
from fashionlib.commands.jobs.findings import LISTS, TABLES, Finding, of_share, percent
from fashionlib.data.interactions import Interactions, leaking, to_matrices
from fashionlib.data.interactions.files import (
    MODEL,
    SCORES,
    read_interactions,
    read_lists,
)
from fashionlib.data.items import DATE, ITEM, USER
from fashionlib.recommending import ranking
from fashionlib.recommending.baselines import MostPop

POPULAR = "the items bought most"
SECONDS, MILLISECONDS = 1e8, 1e11  # larger numbers than these are times, not days


def audit(
    files: Sequence[Path],
    lists: Mapping[str, str],
    cutoffs: Sequence[int],
    seed: int = 42,
    resamples: int = 1000,
) -> tuple[list[Finding], list[dict[str, Any]]]:
    """Return the findings on a split of purchases (train, test) and on lists for it.

    And the scores as rows system, metric, value, low, high, resampled by customer. A
    file with a column model holds several systems.
    """
    train, test = map(read_interactions, files)
    for side in (train, test):
        if DATE in side:
            side[DATE] = _days(side[DATE])
    findings = _leaks(train, test, seed, resamples)
    if not lists:
        return findings, []
    data = to_matrices(train, test)
    systems = {}
    for name, path in lists.items():
        table = read_lists(Path(path))
        if not table[USER].isin(data.users[data.evaluated]).any():
            raise ValueError(
                f"{path}: none of its users, as {table[USER].iloc[0]!r}, is among the"
                f" {len(data.evaluated):,} with train and test rows"
            )
        several = (
            table.groupby(MODEL, sort=False, dropna=False)
            if MODEL in table
            else [("", table)]
        )
        systems |= {f"{name} {model}".strip(): rows for model, rows in several}
    popular = MostPop().fit(data.train).recommend(data.evaluated, max(cutoffs))
    judged = {POPULAR: ranking.per_user(popular, data.test[data.evaluated], cutoffs)}
    for name, table in systems.items():
        placed, found = _placed(name, table, data, max(cutoffs))
        judged[name] = ranking.per_user(placed, data.test[data.evaluated], cutoffs)
        findings += found
        findings += _judged(name, judged, cutoffs, seed, resamples)
        findings.append(_ties(name, table, data, max(cutoffs)))
    findings.append(UNSEEN)
    rows = []
    for name, scores in judged.items():
        means = stats.means(pd.DataFrame(scores), seed, resamples)
        means = means.rename_axis("metric").reset_index()
        rows += means.assign(system=name).to_dict("records")
    return findings, rows


UNSEEN = Finding(
    "how the lists came about",
    None,
    "Whether epoch and settings were chosen on validation rows or on the test, how far"
    " another seed would move the scores, whose neighbours a neighbourhood means, and"
    " whether a table of the model was left at its random start, leaves no trace in"
    " lists: give the code, the settings and several seeds.",
    TABLES,
)


def _days(dates: pd.Series) -> pd.Series:
    """Return the day of each date or time; numbers too small for seconds stay."""
    if pd.api.types.is_numeric_dtype(dates):
        largest = dates.abs().max()
        a_day = 86_400_000 if largest > MILLISECONDS else 86_400
        return dates // a_day if largest > SECONDS else dates
    return pd.to_datetime(dates, utc=True).dt.normalize()


def _leaks(
    train: pd.DataFrame, test: pd.DataFrame, seed: int, resamples: int
) -> list[Finding]:
    """Find days cut in two and purchases made before; fine: none."""
    rows = leaking(train, test)
    users = test[USER].astype(str)
    shares = {
        name: stats.mean(column.dropna(), seed, resamples, users[column.notna()])
        for name, column in rows.items()
    }
    findings = []
    what = "a day cut in two"
    if "same day" not in shares:
        said = "Not both files have dates."
        findings.append(Finding(what, None, said, LISTS))
    else:
        share = shares["same day"]
        said = (
            f"{percent(share)} of the {len(test):,} test rows are of a day of which the"
            " same customer has a train row."
        )
        findings.append(of_share(what, share.value == 0, said, share, LISTS))
    share = shares["bought before"]
    said = (
        f"{percent(share)} of the customers' test items they have in train as well;"
        " where train items are masked no list can hold them, yet they count as misses."
    )
    return [*findings, of_share("repeats", share.value == 0, said, share, LISTS)]


def _placed(
    name: str, table: pd.DataFrame, data: Interactions, length: int
) -> tuple[np.ndarray, list[Finding]]:
    """Return lists (evaluated users, length) of item positions, -1 for no item.

    And what is odd about them; fine: all customers have a whole list, no item stands
    twice or is unknown to training, none was bought in train.
    """
    users = pd.Index(data.users[data.evaluated])
    items = pd.Index(np.append(data.items, data.unseen))  # as the test's columns
    asked = table[table[USER].isin(users)]
    once = asked.drop_duplicates([USER, ITEM])
    repeated = len(asked) - len(once)
    once = once.assign(place=once.groupby(USER).cumcount())
    once = once[once["place"] < length]
    row, item = users.get_indexer(once[USER]), items.get_indexer(once[ITEM])
    placed = np.full((len(users), length), -1)
    placed[row, once["place"]] = item
    listed = once[USER].nunique()
    learnt = (item >= 0) & (item < len(data.items))
    bought = data.train[data.evaluated[row[learnt]], item[learnt]]
    odd = {
        "customers without a list, who count with 0": len(users) - listed,
        f"lists shorter than {length}": int((placed[:, -1] < 0).sum()),
        "rows that repeat an item of the list": repeated,
        "places with an item that training lacks": int((~learnt).sum()),
        "places with an item that the customer has in train": int(bought.sum()),
    }
    said = f"{listed:,} of {len(users):,} customers with train and test rows have one; "
    said += "; ".join(f"{what}: {count:,}" for what, count in odd.items())
    shown = once[ITEM][learnt].nunique()
    said += f". {shown:,} of the {len(data.items):,} items of training stand in some."
    fine = not any(odd.values())
    return placed, [Finding(f"{name}: lists", fine, said, LISTS, odd)]


def _judged(
    name: str,
    judged: Mapping[str, Mapping[str, np.ndarray]],
    cutoffs: Sequence[int],
    seed: int,
    resamples: int,
) -> list[Finding]:
    """Hold lists against the same list for everybody, and Elliot's MAP against AP.

    Fine: NDCG above at every length; no difference between the two at any.
    """
    own, said, above, maps, alike = judged[name], [], [], [], []

    def mean(values: np.ndarray) -> stats.Estimate:
        return stats.mean(values, seed, resamples)

    for k in cutoffs:
        gain = mean(own[f"NDCG@{k}"] - judged[POPULAR][f"NDCG@{k}"])
        scores = (
            f"{what}@{k} {mean(own[f'{what}@{k}']):.4f}"
            for what in ("NDCG", "precision", "recall", "hit rate")
        )
        said.append(f"{', '.join(scores)}; NDCG minus that of {POPULAR} {gain:+.4f}")
        above.append(gain.low > 0)
        gap = mean(own[f"AP@{k}"] - own[f"Elliot MAP@{k}"])
        alike.append(abs(gap.value) < 1e-12)
        maps.append(
            f"at {k} places the mean of the precisions, Elliot's MAP, is"
            f" {own[f'Elliot MAP@{k}'].mean():.4f}, average precision"
            f" {own[f'AP@{k}'].mean():.4f}, apart by {gap:.4f}"
        )
    text = f"On these lists {'; '.join(maps)}. Say which one is printed."
    return [
        Finding(f"{name}: scores", all(above), ". ".join(said) + ".", LISTS),
        Finding(f"{name}: two metrics called MAP", all(alike), text, LISTS),
    ]


def _ties(name: str, table: pd.DataFrame, data: Interactions, k: int) -> Finding:
    """Say what the order of equal scores is worth; fine: nothing."""
    what = f"{name}: ties"
    if SCORES[0] not in table:
        said = "The lists have no scores, so who breaks ties, and how, can't be seen."
        return Finding(what, None, said, LISTS)
    tied = table[table.duplicated([USER, SCORES[0]], keep=False)][USER].nunique()
    row = pd.Index(data.users).get_indexer(table[USER])
    item = pd.Index(np.append(data.items, data.unseen)).get_indexer(table[ITEM])
    hit = np.asarray(data.test[np.maximum(row, 0), np.maximum(item, 0)]).ravel()
    hit = table.assign(hit=np.where((row < 0) | (item < 0), 0, hit))
    ndcg = []
    for hits_last in (True, False):
        order = hit.sort_values([SCORES[0], "hit"], ascending=[False, hits_last])
        placed, _ = _placed(name, order, data, k)
        scores = ranking.per_user(placed, data.test[data.evaluated], [k])
        ndcg.append(scores[f"NDCG@{k}"].mean())
    said = (
        f"{tied:,} of {table[USER].nunique():,} lists hold equal scores; by their order"
        f" NDCG@{k} lies between {ndcg[0]:.4f} and {ndcg[1]:.4f}, ties with items"
        " outside the lists aside."
    )
    numbers = {"low": ndcg[0], "high": ndcg[1]}
    return Finding(what, bool(ndcg[0] == ndcg[1]), said, LISTS, numbers)
