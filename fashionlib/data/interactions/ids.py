"""Ids of users, items and days as small whole numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd


def encode_ids(column: pd.Series) -> tuple[np.ndarray, pd.Index]:
    """Return (codes, ids): int32 places of the values among the sorted distinct ids."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes, ids = column.cat.codes.to_numpy(), column.cat.categories
    else:
        codes, distinct = pd.factorize(column)
        ids = pd.Index(distinct)
    used = np.flatnonzero(np.bincount(codes, minlength=len(ids)))
    used = used[ids[used].argsort()]
    place = np.empty(len(ids), dtype=np.int32)
    place[used] = np.arange(len(used))
    return place[codes], ids[used]


def places(column: pd.Series, ids: pd.Index) -> np.ndarray:
    """Return int32 places of the values among `ids`, -1 for a value that isn't there.

    Only distinct values are looked up.
    """
    codes, distinct = encode_ids(column)
    return ids.get_indexer(distinct).astype(np.int32)[codes]
