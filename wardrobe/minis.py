"""The wardrobe's pretrained minis: made once by `make pretrain`, and shipped.

Each is a folder of `pretrained/` in the hub's layout, weights in half precision, with
its model card; `pretraining.json` has their curves, their first losses, and where these
come from.
"""

from pathlib import Path

import pandas as pd

from fashionlib.data.files import read_json

SIZE = 128  # pixels of a picture: 16 cells of 256 numbers
SHAPE = (16, 256)
FOLDER = Path(__file__).parent / "pretrained"
RECORDS = FOLDER / "pretraining.json"
CELLS = FOLDER / "cells.safetensors"  # the projection that their towers read by


def shipped() -> list[str]:
    """List the names of the minis that are here."""
    return sorted(path.parent.name for path in FOLDER.glob("*/model.safetensors"))


def curve(name: str) -> pd.DataFrame:
    """Return the curve of a mini's pretraining, as `training.train` returned it."""
    return pd.DataFrame(read_json(RECORDS)[name]["curve"])
