"""Planted tastes, which features tell and purchases hardly do."""

import numpy as np
import pytest
from scipy import sparse


@pytest.fixture(scope="module")
def tastes():
    """300 shoppers of four tastes, 400 items of four styles, three purchases each: only
    features tell the styles.
    """
    random = np.random.default_rng(0)
    taste, style = np.arange(300) % 4, np.arange(400) % 4
    train = np.zeros((300, 400))
    for user in range(300):
        train[
            user,
            random.choice(np.flatnonzero(style == taste[user]), size=3, replace=False),
        ] = 1
    looks = random.normal(size=(400, 8))
    looks[np.arange(400), style] += 5
    return sparse.csr_matrix(train), looks, taste, style
