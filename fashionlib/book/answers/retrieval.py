"""The answers of part *Retrieval*."""

from __future__ import annotations
