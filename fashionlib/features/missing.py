"""Rows of a feature space for items that have none, as an article without a caption.

Paper A, section 1, names random, zeros and the global mean as traditional ways (citing
others' work), and fills with captions that its captioner writes (section 2.3.2): those
are encoded like any caption, and joined. Every way here looks at the `known` items
only, those with a row of their own, and raises ValueError for an item that has one.
Dropping an item isn't filling it: then its interactions go too, and with them some
customers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from fashionlib.features.spaces import Features, nearest


def zeros(known: Features, ids: Iterable[str]) -> Features:
    """Return rows of zeros.

    Where columns are standardised afterwards, as VBPR here does, a zero isn't the
    middle: the mean is.
    """
    return _repeated(known, ids, np.zeros_like(known.matrix[:1]), "zeros")


def mean(known: Features, ids: Iterable[str]) -> Features:
    """Return the mean of the known rows, for each item."""
    ids = _unknown(known, ids)
    row = known.matrix.mean(axis=0, dtype=np.float64, keepdims=True)
    return _repeated(known, ids, row, "mean")


def random_donors(known: Features, ids: Iterable[str], seed: int) -> dict[str, str]:
    """Draw for each item a known item, uniformly; several may get the same one."""
    ids = _unknown(known, ids)
    drawn = np.random.default_rng(seed).integers(len(known.ids), size=len(ids))
    return {item: known.ids[row] for item, row in zip(ids, drawn, strict=True)}


def nearest_donors(
    known: Features, ids: Iterable[str], pictures: Features
) -> dict[str, str]:
    """Return for each item the known item with the most similar picture.

    Similarity is the cosine in `pictures`, which must hold the items and the known.
    """
    ids = _unknown(known, ids)
    if not ids:
        return {}
    rows, _ = nearest(pictures.rows(ids), pictures.rows(known.ids), 1)
    return {item: known.ids[row] for item, row in zip(ids, rows[:, 0], strict=True)}


def borrowed(known: Features, donors: Mapping[str, str], how: str) -> Features:
    """Return each item's row of its donor; `how` is what `made_by` says of it."""
    ids = _unknown(known, donors)
    made_by = known.made_by | {"filled": how}
    return Features(ids, known.rows(donors.values()), made_by)


def fillings(
    known: Features, random: Mapping[str, str], nearest: Mapping[str, str]
) -> dict[str, Features]:
    """Return the rows of the same items, filled in each way that needs no caption.

    `random` and `nearest` are the donors of the two functions above.
    """
    return {
        "zeros": zeros(known, random),
        "mean": mean(known, random),
        "random caption": borrowed(known, random, "random"),
        "nearest picture": borrowed(known, nearest, "nearest picture"),
    }


def joined(known: Features, filled: Features) -> Features:
    """Return one space, the known rows first.

    ValueError where an item is in both, or rows differ in length.
    """
    _unknown(known, filled.ids)
    if known.matrix.shape[1:] != filled.matrix.shape[1:]:
        raise ValueError(
            f"known rows of shape {known.matrix.shape[1:]}, filled rows of shape "
            f"{filled.matrix.shape[1:]}: fill with the encoder of the known rows"
        )
    matrix = np.concatenate([known.matrix, filled.matrix.astype(known.matrix.dtype)])
    made_by = {
        "known": known.made_by,
        "filled": filled.made_by,
        "filled items": len(filled.ids),
    }
    return Features([*known.ids, *filled.ids], matrix, made_by)


def _repeated(
    known: Features, ids: Iterable[str], row: np.ndarray, how: str
) -> Features:
    ids = _unknown(known, ids)
    matrix = np.repeat(row.astype(known.matrix.dtype), len(ids), axis=0)
    return Features(ids, matrix, known.made_by | {"filled": how})


def _unknown(known: Features, ids: Iterable[str]) -> list[str]:
    """Return the ids as a list. ValueError where one is known, or nothing is."""
    ids, own = list(ids), set(known.ids)
    if not own:
        raise ValueError(
            f"0 known items to fill {len(ids)} from; give the rows of items that"
            " have one"
        )
    twice = [item for item in ids if item in own]
    if twice:
        raise ValueError(
            f"{len(twice)} of {len(ids)} items have a row of their own, first"
            f" {twice[0]!r}: leave its row out of the known ones to fill it"
        )
    return ids
