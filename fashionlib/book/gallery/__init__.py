"""Captions beside their pictures, in a page without a server."""

from fashionlib.book.gallery.pages import form, show
from fashionlib.book.gallery.ratings import (
    ATTRIBUTES,
    CATEGORY,
    ERRORS,
    rating_shares,
    read_ratings,
)

__all__ = [
    "ATTRIBUTES",
    "CATEGORY",
    "ERRORS",
    "form",
    "rating_shares",
    "read_ratings",
    "show",
]
