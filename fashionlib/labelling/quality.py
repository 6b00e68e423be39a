"""How good labels are where the truth is known: agreement, confusions, coverage."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from sklearn.metrics import cohen_kappa_score

from fashionlib.labelling.attribute_schema import ATTRIBUTES, DETAILS
from fashionlib.labelling.labeller import Labels
from fashionlib.labelling.records import ASKED, COLOUR, COLUMNS


def agreement(records: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Compare labels with the truth: one row an attribute.

    Columns labelled (garments), right (share), low, high (95 % Wilson interval), kappa
    (Cohen's). `truth` has one row an item, `records` one a garment, columns as
    `Labels.records`. "category" counts an item with labels as right where one of them
    has the true category. The other attributes are judged on that garment, and only
    where its category has such a thing. Colours are right where the sets are equal.
    Kappa is agreement beyond what the frequencies of values give by chance, missing
    where there is one value alone. Photos count as independent.
    """
    matched = _matched(records, truth)
    labelled = truth["item_id"][truth["item_id"].isin(records["item_id"])]
    right = labelled.isin(matched["item_id"])
    rows = {"category": _row(right)}
    for attribute in COLUMNS[1:]:
        pairs = _pairs(matched, attribute)
        label, true = pairs["label"], pairs["true"]
        constant = pd.concat([label, true]).nunique() < 2
        kappa = math.nan if constant else float(cohen_kappa_score(label, true))
        rows[attribute] = _row(label == true, kappa)
    columns = ["labelled", "right", "low", "high", "kappa"]
    return pd.DataFrame(rows, index=columns).T.astype({"labelled": int})


def confusions(
    records: pd.DataFrame, truth: pd.DataFrame, attribute: str
) -> pd.DataFrame:
    """Count the pairs of a true value and another label, the commonest first.

    Columns true, label, count, share (of the garments with that true value).
    """
    pairs = _pairs(_matched(records, truth), attribute)
    counts = pairs.value_counts().rename("count").reset_index()
    counts["share"] = counts["count"] / counts["true"].map(pairs["true"].value_counts())
    wrong = counts[counts["true"] != counts["label"]]
    return wrong.sort_values(
        ["count", "true", "label"], ascending=[False, True, True], ignore_index=True
    )


def mistakes(records: pd.DataFrame, truth: pd.DataFrame) -> list[str]:
    """Say of each garment what its labels have wrong, "navy for black; no hood".

    "a for b" is a said where b is true.
    """
    true = truth.set_index("item_id").loc[records["item_id"]]
    pairs = zip(records.to_dict("records"), true.to_dict("records"), strict=True)
    texts = []
    for label, right in pairs:
        wrong = {name: label[name] for name in COLUMNS if label[name] != right[name]}
        texts.append("; ".join(_mistake(right, *pair) for pair in wrong.items()))
    return texts


def _mistake(right: Mapping[str, Any], name: str, label: Any) -> str:
    if name in DETAILS:
        return f"{'a' if label else 'no'} {name}"
    return f"{label} for {right[name]}"


def learn(
    learners: Mapping[str, Any],
    features: np.ndarray,
    labels: pd.DataFrame,
    truth: pd.DataFrame,
    train: np.ndarray,
    test: np.ndarray,
) -> pd.DataFrame:
    """Train classifiers on labels, and judge them on other photos by the truth.

    `features` (photos, dim), `labels` and `truth` have a row a photo, an attribute a
    column; `train` and `test` are numbers of rows. One row a learner and attribute:
    learner, attribute, right (share), by the labels (share, were these the truth).
    """
    rows = []
    for attribute, given in labels.items():
        for name, learner in learners.items():
            learner.fit(features[train], given.iloc[train])
            guess = learner.predict(features[test])
            right = (guess == truth[attribute].iloc[test]).mean()
            by_labels = (guess == given.iloc[test]).mean()
            rows.append((name, attribute, right, by_labels))
    columns = ["learner", "attribute", "right", "by the labels"]
    return pd.DataFrame(rows, columns=columns)


def coverage(labels: Labels, items: int) -> dict[str, float]:
    """Return the shares of `items` that are labelled, empty or set aside.

    "labelled" are those with at least one garment, "set aside" those set aside at a
    stage and without any garment. Then "set aside: KIND" for each kind of fault; a
    photo may be labelled with a top and set aside for its trousers, so these may add
    up to more.
    """
    labelled = set(labels.records["item_id"])
    counts = {
        "labelled": len(labelled),
        "empty": len(labels.empty),
        "set aside": len(set(labels.set_aside["item_id"]) - labelled),
    }
    for kind, group in labels.set_aside.groupby("kind"):
        counts[f"set aside: {kind}"] = group["item_id"].nunique()
    return {name: count / items for name, count in counts.items()}


def _matched(records: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Return label and truth of each garment whose category is right.

    Columns end in " label" and " true".
    """
    if twice := truth["item_id"][truth["item_id"].duplicated()].tolist():
        raise ValueError(
            f"the truth has {len(truth)} rows, and {twice[0]} comes twice; give one row"
            " an item"
        )
    columns = ["item_id", *COLUMNS]
    return records[columns].merge(
        truth[columns], on=["item_id", "category"], suffixes=(" label", " true")
    )


def _pairs(matched: pd.DataFrame, attribute: str) -> pd.DataFrame:
    """Return the columns true and label of garments that can have the attribute."""
    asked = [
        category
        for category, attributes in ASKED.items()
        if attribute in attributes or attribute not in ATTRIBUTES
    ]
    rows = matched[matched["category"].isin(asked)]
    pairs = {
        side: rows[f"{attribute} {side}"].astype(str) for side in ("true", "label")
    }
    if attribute == COLOUR:  # an order of colours is no error
        pairs = {
            side: values.map(lambda text: ", ".join(sorted(text.split(", "))))
            for side, values in pairs.items()
        }
    return pd.DataFrame(pairs)


def _row(right: pd.Series, kappa: float = math.nan) -> list[float]:
    if right.empty:
        return [0, math.nan, math.nan, math.nan, kappa]
    interval = binomtest(int(right.sum()), len(right)).proportion_ci(method="wilson")
    return [len(right), right.mean(), interval.low, interval.high, kappa]
