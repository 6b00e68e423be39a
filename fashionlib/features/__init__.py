"""Feature spaces: one row of numbers per item."""

from fashionlib.features.spaces import Features, concatenate, load, nearest, unit

__all__ = ["Features", "concatenate", "load", "nearest", "unit"]
