"""The small package behind the book: read, caption, score, recommend. Each module stands alone; notebooks join them."""

__version__ = "0.1.0"
