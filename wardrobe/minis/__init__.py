"""The wardrobe's pretrained minis: made once by `make pretrain`, and shipped.

Each is a folder in the hub's layout, weights in half precision, with its model card and
`pretraining.json`: the curve, the first losses, and where the numbers come from.
"""

from pathlib import Path

SIZE = 128  # pixels of a picture: 16 cells of 256 numbers
SHAPE = (16, 256)
FOLDER = Path(__file__).parent
CELLS = FOLDER / "cells.safetensors"  # the projection that their towers read by
