"""Compare feature spaces by who is near whom, and draw them as maps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from fashionlib.features.spaces import Features, nearest, unit


def nearest_of_other_groups(
    space: Features, chosen: Sequence[str], groups: pd.Series, k: int, most: int = 100
) -> np.ndarray:
    """Find each chosen item's nearest items of other groups: (chosen, k) rows.

    `groups` gives each item its group, such as its product; rows are positions in its
    index. They are looked for among the `most` nearest items.
    """
    most = min(most, len(groups))
    rows, _ = nearest(space.rows(chosen), space.rows(groups.index), most)
    same = groups.to_numpy()[rows] == groups[chosen].to_numpy()[:, None]
    others_first = np.argsort(same, axis=1, kind="stable")
    return np.take_along_axis(rows, others_first, 1)[:, :k]


def common_share(a: np.ndarray, b: np.ndarray) -> float:
    """Return the mean share of a row's neighbours that both, (rows, k), have."""
    pairs = zip(a, b, strict=True)
    return float(np.mean([len(np.intersect1d(x, y)) / len(x) for x, y in pairs]))


def common_shares(neighbours: dict[str, np.ndarray]) -> pd.DataFrame:
    """Return `common_share` of every two spaces, a square table."""
    shares = {
        a: {b: common_share(x, y) for b, y in neighbours.items()}
        for a, x in neighbours.items()
    }
    return pd.DataFrame(shares)


def project(matrix: np.ndarray, seed: int) -> tuple[np.ndarray, float]:
    """Project rows to a map: places (rows, 2) and their trustworthiness in [0, 1].

    Rows of length one, their first 50 principal components, then t-SNE.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE, trustworthiness

    rows = unit(matrix.astype(np.float32))
    rows = PCA(min(50, *rows.shape), random_state=seed).fit_transform(rows)
    perplexity = min(30, len(rows) // 4)
    tsne = TSNE(perplexity=perplexity, init="pca", random_state=seed)
    places = tsne.fit_transform(rows)
    return places, float(trustworthiness(rows, places, n_neighbors=10))
