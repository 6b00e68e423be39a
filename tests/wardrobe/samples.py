"""What tests of several caption modules share: articles drawn from the catalogue."""

from __future__ import annotations

import numpy as np

from wardrobe import catalogue
from wardrobe.catalogue import Garment


def articles(count: int, seed: int) -> dict[str, tuple[Garment, str]]:
    """Draw {number: (garment, colour)}, a kind of garment each and then the rest."""
    rng = np.random.default_rng(seed)
    drawn = {}
    for number, kind in enumerate(catalogue.kinds(count, rng)):
        garment = catalogue.garment(kind, rng)
        drawn[str(number)] = (garment, str(rng.choice(list(catalogue.SHADES))))
    return drawn
