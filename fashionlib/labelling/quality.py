"""How good labels are where the truth is known: agreement, confusions, coverage."""

from __future__ import annotations

import pandas as pd
from scipy.stats import binomtest
from sklearn.metrics import cohen_kappa_score

from fashionlib.labelling.annotator import Labels
from fashionlib.labelling.attribute_schema import ATTRIBUTES, DETAILS
from fashionlib.labelling.records import ASKED, COLOUR


def agreement(records: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """One row an attribute: labelled, right (share), low, high (95 % Wilson interval),
    kappa (Cohen's).

    `truth` has one row an item, `records` one a garment, columns as `Labels.records`.
    "category" counts an item with labels as right where one of them has the true
    category. The other attributes are judged on that garment, and only where its
    category has such a thing. Colours are right where the sets are equal. Kappa is
    agreement beyond what the frequencies of values give by chance, missing where there
    is one value alone. Photos count as independent.
    """
    both = _matched(records, truth)
    asked = truth["item_id"].isin(records["item_id"])
    right = truth.loc[asked, "item_id"].isin(both["item_id"])
    rows = {"category": _row(int(right.sum()), len(right))}
    for attribute in ("subcategory", *ATTRIBUTES, *DETAILS):
        held = both[_has(both, attribute)]
        told, true = _values(held, attribute, "told"), _values(held, attribute, "true")
        one = pd.concat([told, true]).nunique() < 2
        kappa = float("nan") if one else float(cohen_kappa_score(told, true))
        rows[attribute] = _row(int((told == true).sum()), len(held), kappa)
    return pd.DataFrame(
        rows, index=["labelled", "right", "low", "high", "kappa"]
    ).T.astype({"labelled": int})


def confusions(
    records: pd.DataFrame, truth: pd.DataFrame, attribute: str
) -> pd.DataFrame:
    """Columns true, told, count, share (of the garments with that true value): wrong
    pairs, the commonest first.
    """
    both = _matched(records, truth)
    both = both[_has(both, attribute)]
    pairs = pd.DataFrame(
        {
            "true": _values(both, attribute, "true"),
            "told": _values(both, attribute, "told"),
        }
    )
    counts = pairs.value_counts().rename("count").reset_index()
    counts["share"] = counts["count"] / counts["true"].map(pairs["true"].value_counts())
    wrong = counts[counts["true"] != counts["told"]]
    return wrong.sort_values(
        ["count", "true", "told"], ascending=[False, True, True]
    ).reset_index(drop=True)


def coverage(labels: Labels, items: int) -> dict[str, float]:
    """Shares of `items`: labelled (with at least one garment), empty, set aside at a
    stage and without any garment.

    Then "set aside: KIND" for each kind of fault, shares of `items` too; a photo may be
    labelled with a top and set aside for its trousers, so these may add up to more.
    """
    labelled = set(labels.records["item_id"])
    aside = labels.set_aside
    shares = {
        "labelled": len(labelled),
        "empty": len(labels.empty),
        "set aside": len(set(aside["item_id"]) - labelled),
    }
    shares |= {
        f"set aside: {kind}": group["item_id"].nunique()
        for kind, group in aside.groupby("kind")
    }
    return {name: count / items for name, count in shares.items()}


def _matched(records: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Told and true of each garment whose category is right, columns with those
    endings.
    """
    if twice := truth["item_id"][truth["item_id"].duplicated()].tolist():
        raise ValueError(
            f"the truth has {len(truth)} rows, and {twice[0]} comes twice; give one row"
            " an item"
        )
    columns = ["item_id", "category", "subcategory", *ATTRIBUTES, *DETAILS]
    return records[columns].merge(
        truth[columns], on=["item_id", "category"], suffixes=(" told", " true")
    )


def _has(both: pd.DataFrame, attribute: str) -> pd.Series:
    """Whether the row's category is asked for the attribute."""
    everywhere = attribute not in ATTRIBUTES
    return both["category"].isin(
        [name for name, asked in ASKED.items() if everywhere or attribute in asked]
    )


def _values(both: pd.DataFrame, attribute: str, whose: str) -> pd.Series:
    values = both[f"{attribute} {whose}"].astype(str)
    return (
        values.map(lambda text: ", ".join(sorted(text.split(", "))))
        if attribute == COLOUR
        else values
    )


def _row(right: int, count: int, kappa: float = float("nan")) -> list[float]:
    if not count:
        return [0, float("nan"), float("nan"), float("nan"), kappa]
    interval = binomtest(right, count).proportion_ci(method="wilson")
    return [count, right / count, interval.low, interval.high, kappa]
