"""Questions that never run out: puzzles on drawn garments, with worked solutions.

A package beside the library: it imports fashionlib and wardrobe, and neither imports
it. `fashionlib question` is its `command`, which pyproject.toml registers.
"""
