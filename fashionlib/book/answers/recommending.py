"""The answers of part *Recommending*."""

from __future__ import annotations
