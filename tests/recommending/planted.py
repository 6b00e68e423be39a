"""How far a model finds the planted tastes of conftest."""

import numpy as np


def of_taste(model, tastes):
    """Share of the first ten recommendations that are of the shopper's taste."""
    train, _, taste, style = tastes
    return (
        style[model.fit(train).recommend(np.arange(300), 10)] == taste[:, None]
    ).mean()
