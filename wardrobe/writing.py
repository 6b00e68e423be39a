"""Write a drawn wardrobe into a folder, in the layout of one of the real datasets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from fashionlib.data.files import atomic
from fashionlib.data.readers import folders
from wardrobe import planting
from wardrobe import shoppers as people

LAYOUTS = ("hm", "hm_hub", "facad", "dfmm", "consumer2shop", "deepfashion2")


def write(
    root: Path,
    items: int = 2400,
    shoppers: int = 1500,
    seed: int = 0,
    layout: str = "hm",
    size: tuple[int, int] | None = None,
    **habits: float,
) -> pd.DataFrame:
    """Draw a wardrobe into the folder `root`; return its planted truth.

    `layout` is one of `LAYOUTS`. `size`: width and height of the pictures in pixels
    (else the layout's own). `shoppers` and `habits` (see `shoppers.interactions`)
    matter to layout "hm" alone; the others have no interactions. The same arguments
    give the same bytes. The folder appears when it is complete, marked by a file
    WARDROBE, which lists its files; it replaces an older wardrobe there and holds the
    truth in truth.csv. ValueError for an unknown layout, or when `root` holds anything
    that isn't listed.
    """
    root = Path(root)
    if items < 1 or shoppers < 0:
        raise ValueError(
            f"a wardrobe needs at least 1 item and 0 shoppers, not {items} and"
            f" {shoppers}"
        )
    if layout not in LAYOUTS:
        raise ValueError(f"unknown layout {layout!r}; known: {', '.join(LAYOUTS)}")
    _refuse_foreign(root)
    with atomic(root) as part:
        part.mkdir()
        truth = planting.articles(items, seed)
        given = {"size": size} if size else {}
        if layout == "hm":
            rng = np.random.default_rng([seed, 2])
            given["interactions"] = people.interactions(truth, shoppers, rng, **habits)
        _writer(layout)(part, truth, seed, **given)
        truth.to_csv(part / planting.TRUTH, index=False)
        made = f"{items} items, {shoppers} shoppers, seed {seed}, layout {layout}"
        folders.mark(
            part, f"Synthetic: drawn by `wardrobe` with {made}. Nobody's real data."
        )
    return truth


def _refuse_foreign(root: Path) -> None:
    """Raise ValueError if `root` holds anything but an older wardrobe."""
    others = folders.foreign(root)
    if others is None and root.exists() and not _empty(root):
        raise ValueError(
            f"{root} exists and is not a wardrobe; name a new or empty folder"
        )
    if others:
        raise ValueError(
            f"{root} holds {len(others)} files that its {folders.MARKER} doesn't list"
            f" as drawn ({others[0]} first) and that would be lost; name a new folder,"
            " or delete this one (wardrobes of older editions list nothing)"
        )


def _empty(root: Path) -> bool:
    return root.is_dir() and not any(root.iterdir())


def _writer(layout: str) -> Callable[..., None]:
    """Return the layout's `write`; Skia and h5py are imported only here."""
    from wardrobe.layouts import consumer2shop, deepfashion2, dfmm, facad
    from wardrobe.layouts import hm as competition
    from wardrobe.layouts import hm_hub as hub

    writers = {
        "hm": competition.write,
        "hm_hub": hub.write,
        "facad": facad.write,
        "dfmm": dfmm.write,
        "consumer2shop": consumer2shop.write,
        "deepfashion2": deepfashion2.write,
    }
    return writers[layout]
